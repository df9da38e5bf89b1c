"""What a notebook's text says of the service's code, before anything runs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import proven_service, show
from jupyter_mlops.analyze import analyze, extract
from jupyter_mlops.draft import analyze_draft
from jupyter_mlops.pipeline import service_code
from jupyter_mlops.pipeline.service_code import ServiceCode
from tests.notebooks import Cell, make

IMPORTS = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression, LogisticRegression"
)
TABLE = "table = pd.DataFrame({'a': [1.0, 2.0, 3.0], 'y': [0, 1, 1]})"
FITTED = "model = LinearRegression()\nmodel.fit(table[['a']], table['y'])"
DERIVED: list[Cell] = [
    IMPORTS,
    TABLE,
    "table['square'] = table['a'] ** 2",
    "model = LogisticRegression().fit(table[['a', 'square']], table['y'])",
    "print('trained')",
    "answers = model.predict(table[['a', 'square']])",
]


def describe(folder: Path, cells: list[Cell]) -> ServiceCode:
    notebook = notebooks.read(make(folder / "n.ipynb", cells))
    found = extract(notebook)
    return service_code.describe(notebook, found.service, found.services, found.fitted)


def test_a_function_of_the_notebook_is_sliced(tmp_path: Path) -> None:
    cells: list[Cell] = [
        IMPORTS,
        TABLE,
        FITTED,
        "def double(x):\n    return 2 * x",
        "def predict(rows: list, /, *more, scale=1.0, **rest) -> object:\n"
        "    return double(model.predict(rows)) * scale",
    ]
    code = describe(tmp_path, cells)
    assert (code.kind, code.function, code.model) == ("function", "predict", "")
    assert code.call == "predict(rows, *more, scale, **rest)"
    assert (code.captured, code.cells) == (["model"], [4, 5])
    assert "# cell 4\ndef double(x):" in code.source
    assert "# cell 5\ndef predict(rows: list" in code.source
    assert "fit" not in code.source and "DataFrame" not in code.source


def test_a_candidate_is_the_one_with_the_rawest_rows(tmp_path: Path) -> None:
    code = describe(tmp_path, DERIVED)
    assert (code.kind, code.function, code.call) == ("candidate", "predict", "predict(rows)")
    assert (code.model, code.captured) == ("model", ["model"])
    assert "table['square'] = table['a'] ** 2  # cell 3" in code.source
    assert code.cells == [3, 6]
    ast.parse(code.source)

    found = extract(notebooks.read(tmp_path / "n.ipynb"))
    assert code.source == found.services.routes[0].source
    after = proven_service.of(found, 0)
    assert after.service is not None and after.service.cells == code.cells


def test_an_estimator_answers_without_code(tmp_path: Path) -> None:
    code = describe(tmp_path, [IMPORTS, TABLE, FITTED])
    assert code == ServiceCode(kind="estimator", captured=["model"], model="model")


def test_nothing_answers_where_nothing_is_fitted(tmp_path: Path) -> None:
    assert describe(tmp_path, ["x = 1", "print(x)"]) == ServiceCode()


@pytest.mark.parametrize(
    ("cells", "model"),
    [
        (["model.fit(x, y)", "model.predict(x)", "pca.fit(x)"], "model"),
        (["model.fit(x, y)", "pca.fit(x)", "z = pca.transform(x)"], "model"),
        (["a.fit(x, y)", "b.fit(x, y)", "b.score(x, y)"], "b"),
        (["scaler.fit(x)", "z = scaler.transform(x)"], "scaler"),
    ],
)
def test_the_model_is_what_answers_not_what_prepares(
    tmp_path: Path, cells: list[Cell], model: str
) -> None:
    assert describe(tmp_path, cells).model == model


def test_a_scaler_is_no_model_although_its_rows_are_made(tmp_path: Path) -> None:
    cells: list[Cell] = [
        "import pandas as pd\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.linear_model import LinearRegression",
        TABLE,
        "picture = table[['a']] ** 2\nscaler = StandardScaler()\nscaler.fit(picture)\n"
        "shown = scaler.transform(picture)",
        FITTED,
        "model.predict(table[['a']])",
    ]
    code = describe(tmp_path, cells)
    assert (code.kind, code.model, code.source) == ("estimator", "model", "")


def test_what_is_typed_says_what_the_saved_notebook_would(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", DERIVED)
    code = analyze(path).service_code
    assert code.kind == "candidate"
    assert analyze_draft(path, path.read_bytes()).service_code == code


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ([*DERIVED], "predict(rows) from cells 3, 6 (a candidate: the run decides)"),
        ([IMPORTS, TABLE, FITTED], "model itself"),
        (["def predict(a, b=1):\n    return a"], "predict(a, b) from cell 1"),
        (["x = 1"], "none"),
    ],
)
def test_the_command_line_says_it_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cells: list[Cell], line: str
) -> None:
    show.analysis(analyze(make(tmp_path / "n.ipynb", cells)))
    assert f"  service      {line}\n" in capsys.readouterr().out
