from __future__ import annotations

from pathlib import Path

from jupyter_mlops import notebook
from jupyter_mlops.pipeline import slicing
from tests.notebooks import Cell, make


def sliced(tmp_path: Path, *cells: Cell, parameters: set[str] = frozenset()) -> slicing.Slice:  # type: ignore[assignment]
    found = slicing.slice_predict(notebook.read(make(tmp_path / "n.ipynb", cells)), parameters)
    assert found is not None
    return found


def test_training_does_not_ship(tmp_path: Path) -> None:
    found = sliced(
        tmp_path,
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import Ridge",
        "data = pd.read_csv('secret.csv')\nmodel = Ridge()\nmodel.fit(data, data)",
        "LABELS = ('a', 'b')",
        "def clean(rows):\n    return np.log1p(rows)",
        "def predict(rows):\n    return [LABELS[i] for i in model.predict(clean(rows))]",
    )
    assert found.captured == ["model"]
    assert "secret.csv" not in found.source and "Ridge" not in found.source
    assert "import numpy as np" in found.source and "import pandas" not in found.source
    assert "def clean(rows)" in found.source and "LABELS = ('a', 'b')" in found.source
    assert found.cells == [1, 3, 4, 5]
    compile(found.source, "service.py", "exec")


def test_parameters_and_mutable_values_are_captured(tmp_path: Path) -> None:
    found = sliced(
        tmp_path,
        ("parameters", "threshold = 0.5"),
        "columns = ['a']\ncolumns.append('b')",
        "def predict(rows):\n    return rows[columns] > threshold",
        parameters={"threshold"},
    )
    assert found.captured == ["columns", "threshold"]


def test_rebound_constants_are_captured(tmp_path: Path) -> None:
    found = sliced(tmp_path, "k = 1", "k = 2", "def predict(rows):\n    return k")
    assert found.captured == ["k"]


def test_defaults_decorators_and_globals_of_helpers_count(tmp_path: Path) -> None:
    found = sliced(
        tmp_path,
        "import functools\nscale = compute()\nbase = compute()",
        "@functools.cache\ndef helper(x, y=base):\n    return x * scale + y",
        "class Model:\n    factor = scale\n    def call(self, x):\n        return helper(x)",
        "def predict(rows):\n    return Model().call(rows)",
    )
    assert found.captured == ["base", "scale"]
    assert "@functools.cache" in found.source


def test_undefined_names_are_problems(tmp_path: Path) -> None:
    found = sliced(tmp_path, "def predict(rows):\n    return gone(rows)")
    assert "gone" in found.problems[0].problem and found.problems[0].where == "cell 1"


def test_the_tagged_cell_wins(tmp_path: Path) -> None:
    found = sliced(
        tmp_path,
        "def predict(rows):\n    return 1",
        ("predict", "def answer(rows):\n    return 2"),
    )
    assert found.function == "answer"


def test_a_tag_without_a_clear_function_is_a_problem(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", [("predict", "def a(r): ...\ndef b(r): ...")])
    assert slicing.predict_problems(notebook.read(path))


def test_no_predict_no_slice(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    assert slicing.slice_predict(notebook.read(path), set()) is None


def test_what_the_notebook_asks_is_looked_at_again_only_where_that_runs_nothing(
    tmp_path: Path,
) -> None:
    found = sliced(
        tmp_path,
        "def predict(rows):\n    return rows",
        "predict(data[['a', 'b']].head(20)); predict(rows=test)",
        "predict(test.iloc[:5, -2:])\npredict(test)",
        "predict(load()); predict(data.sample(3)); predict(data[next(it)]); predict([1, 2])\n"
        "predict(data.head(n)); predict(data.drop(columns='a')); predict(); other.predict(x)",
    )
    assert found.asked == ["data[['a', 'b']].head(20)", "test", "test.iloc[:5, -2:]"]


def test_classes_come_along_for_what_is_made_of_them(tmp_path: Path) -> None:
    cells = [
        "width = 3\nimport json",
        "class Part:\n    size = width\n\nclass Net:\n    part = Part\n"
        "    def up(self):\n        return json.dumps(offset)",
        "width = width + 1\noffset = sum(range(5))\nnet = Net()",
        "def predict(rows):\n    return net.up()",
    ]
    read = notebook.read(make(tmp_path / "n.ipynb", cells))
    plain = slicing.slice_predict(read, set())
    assert plain is not None and plain.captured == ["net"] and "class" not in plain.source
    kept = slicing.slice_predict(read, set(), ["Net"])
    assert kept is not None and kept.captured == ["net", "offset", "width"]
    assert kept.source.index("class Part") < kept.source.index("class Net")
    assert "import json" in kept.source
    needs = {"Part": ["width"], "Net": ["offset", "width"]}
    assert slicing.class_names(read, set()) == needs
    bare = notebook.read(make(tmp_path / "bare.ipynb", cells[:3]))
    assert slicing.class_names(bare, set()) == needs


def test_the_function_that_answers_can_be_chosen(tmp_path: Path) -> None:
    cells: list[Cell] = ["def predict(rows):\n    return rows", "def rate(rows):\n    return 2"]
    read = notebook.read(make(tmp_path / "n.ipynb", cells))
    chosen = slicing.slice_predict(read, set(), chosen="rate")
    assert chosen is not None and chosen.function == "rate"
    assert "def predict" not in chosen.source and "rate(rows)" in chosen.source
    assert slicing.predict_problems(read, "rate") == []
    assert "predict, rate" in slicing.predict_problems(read, "raet")[0].why
