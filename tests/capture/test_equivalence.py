"""The gate: what a service must answer, and what keeps it from being published."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from jupyter_mlops import notebook
from jupyter_mlops.capture import taps
from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.comparing import same
from jupyter_mlops.capture.equivalence import Differs, examine
from jupyter_mlops.capture.models import CaptureReport, CaptureRequest, Tap
from jupyter_mlops.capture.rows import LIMIT
from jupyter_mlops.capture.taps import Recorder
from jupyter_mlops.pipeline import services, slicing
from jupyter_mlops.pipeline.service.rewriting import fingerprint
from tests.notebooks import Cell, make

ROWS: list[list[Any]] = [[1.0], [2.0], [4.0]]
FRAME = load_iris(as_frame=True).frame.rename(
    columns=lambda name: str(name).replace(" (cm)", "").replace(" ", "_")
)
LOAD = (
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"
    "from sklearn.preprocessing import StandardScaler\n"
    "from sklearn.model_selection import train_test_split\n"
    "from sklearn.neighbors import KNeighborsClassifier\n"
    "df = FRAME.sample(frac=1, random_state=1)\ndf = pd.DataFrame(df)"
)


@pytest.fixture(autouse=True)
def _no_recorder() -> Iterator[None]:
    yield
    if hasattr(builtins, taps.NAME):
        delattr(builtins, taps.NAME)


def run(
    tmp_path: Path, *cells: Cell, keep: bool = True
) -> tuple[CaptureReport, CaptureRequest, dict[str, Any]]:
    """Execute the cells as the kernel of a verified run does, and capture."""
    read = notebook.read(make(tmp_path / "n.ipynb", cells))
    sliced = slicing.slice_predict(read, set())
    models = ["model"]
    made = (
        services.calls(read, sliced.function, models)
        if sliced
        else services.find(read, set(), models)
    )
    recorder = Recorder(made.taps)
    setattr(builtins, taps.NAME, recorder)
    namespace: dict[str, Any] = {"FRAME": FRAME, "__name__": "__main__"}
    for cell in read.cells:
        tree = ast.parse(cell.source)
        exec(compile(recorder.visit(tree) if keep else tree, "cell", "exec"), namespace)
    request = CaptureRequest(
        names=sliced.captured if sliced else [],
        predict=sliced.function if sliced else None,
        **made.request(),
    )
    report = collect(namespace, request, tmp_path / "root", recorder if keep else None)
    return report, request, namespace


def refused(tmp_path: Path, *cells: Cell) -> str:
    report, _, _ = run(tmp_path, *cells)
    (problem,) = report.problems
    assert problem.remedy
    return problem.problem


def test_golden_rows_are_raw_and_their_answers_the_notebooks_own(tmp_path: Path) -> None:
    report, request, namespace = run(
        tmp_path,
        LOAD,
        "df['area'] = df.petal_length * df.petal_width\nX = df.drop(columns='target')",
        "X_train, X_test, y_train, y_test = train_test_split(X, df.target, random_state=0)\n"
        "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)",
        "model = KNeighborsClassifier(3).fit(X_train, y_train)\n"
        "answered = model.predict(scaler.transform(X_test))",
    )
    assert report.problems == [] and report.notes == []
    assert (report.predictor.kind, report.predictor.name) == ("function", "predict")
    assert sorted(capture.name for capture in report.captures) == ["model", "scaler"]
    route = request.routes[report.route]
    assert (route.root, route.cell) == ("df", 1)
    assert report.signature is not None and report.golden is not None
    names = [column.name for column in report.signature.inputs]
    assert names == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    test = namespace["X_test"]
    known = {
        tuple(row): a for row, a in zip(test[names].values, namespace["answered"], strict=True)
    }
    expected = [known[tuple(row)] for row in report.golden.inputs]
    assert report.golden.outputs == expected and len(set(expected)) == 3
    assert report.golden.tolerance == 0.0


def test_a_run_without_taps_uses_what_is_left_in_the_namespace(tmp_path: Path) -> None:
    cells = (
        LOAD,
        "X = np.log(df[['sepal_length', 'petal_length']])",
        "model = KNeighborsClassifier(3).fit(X, df.target)\nprint(model.score(X, df.target))",
    )
    report, request, _ = run(tmp_path, *cells, keep=False)
    assert request.routes[report.route].root == "df"
    assert report.golden is not None and len(report.golden.inputs) == 5


def test_what_cannot_be_carried_along_is_told(tmp_path: Path) -> None:
    report, _, _ = run(
        tmp_path,
        LOAD,
        "df['rank'] = df.sepal_length.rank()\nX = df[['rank', 'sepal_width']]",
        "model = LinearRegression().fit(X, df.target)",
    )
    assert report.problems == [] and report.route == -1
    assert (report.predictor.kind, report.predictor.name) == ("estimator", "model")
    (note,) = report.notes
    assert note.startswith(
        "The service takes what model itself was fitted on, not the rows of df (cell 1): for row 1"
    )


def test_sums_in_another_order_need_a_tolerance_and_a_reason(tmp_path: Path) -> None:
    rows = [[1.0], [2.0]]

    def ask(given: list[list[Any]]) -> list[Any]:
        return [each[0] * (1 + 1e-15 * len(given)) for each in given]

    found = examine(ask, rows)
    assert (found.tolerance, found.alone) == (0.0, 1e-9)
    assert "summed in another order" in found.reason
    found = examine(ask, rows, [1.0, 2.0])
    assert (found.tolerance, found.outputs) == (1e-9, [1.0, 2.0])
    exact = examine(lambda given: [each[0] for each in given], rows)
    assert (exact.tolerance, exact.alone, exact.reason) == (0.0, 0.0, "")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda given: [random.random() for _ in given], "random numbers without a seed"),
        (lambda given: [each[0] - given[0][0] for each in given], "depends on the other rows"),
        (lambda given: [1.0], "asked about 3 rows it gives 1 answer"),
        (lambda given: [each[0] + 1e-6 for each in given], "for row 1 it answers 1.000001, and"),
        (lambda given: [1 / (each[0] - 2) for each in given], "ZeroDivisionError: float division"),
    ],
)
def test_what_differs_is_said(answer: Any, says: str) -> None:
    with pytest.raises(Differs, match=says):
        examine(answer, ROWS, [row[0] for row in ROWS] if "for row" in says else None)


def test_a_tolerance_is_of_the_numbers_size_and_of_nothing_else() -> None:
    assert same(1e6, 1e6 + 1e-4, 1e-9, 1e6) and not same(1.0, 1.0 + 1e-4, 1e-9, 1.0)
    assert same([{"a": 0.0}], [{"a": 1e-12}], 1e-9, 1.0)
    assert not same(1, 1.0, 1e-9, 1.0) and not same("1", "2", 1e-9, 1.0)


FITTED = "model = LinearRegression().fit(df[['sepal_length']], df.target)"
ASKS = "model.predict(rows[['sepal_length']])"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (f"def predict(rows):\n    return {ASKS} + np.random.normal(size=len(rows))", "seed"),
        (
            f"calls = 0\n\ndef predict(rows):\n    global calls\n    calls += 1\n"
            f"    return {ASKS} + calls",
            "asking changes calls",
        ),
        (
            f"seen = []\n\ndef predict(rows):\n    seen.extend(rows.sepal_length)\n"
            f"    return {ASKS} - np.mean(seen)",
            "asking changes seen",
        ),
        (f"def predict(rows):\n    return {ASKS} - rows.sepal_length.mean()", "other rows"),
        ("def predict(a, b):\n    return a + b", "takes 2 arguments, and no cell shows"),
    ],
)
def test_functions_that_must_not_be_served(tmp_path: Path, code: str, says: str) -> None:
    assert says in refused(tmp_path, LOAD, FITTED, code)


@pytest.mark.parametrize(
    ("call", "takes", "inputs"),
    [
        ("predict(df[['sepal_length']].head(7))", "table", ["sepal_length"]),
        ("predict(df[['sepal_length']].iloc[[0]])", "row", ["sepal_length"]),
        ("df.head().apply(predict, axis=1)", "series", ["sepal_length"]),
        ("predict({'sepal_length': 5.5})", "record", ["sepal_length"]),
        ("[predict({'sepal_length': n}) for n in (5.5, 6.0)]", "record", ["sepal_length"]),
    ],
)
def test_rows_in_the_form_that_the_notebook_shows(
    tmp_path: Path, call: str, takes: str, inputs: list[str]
) -> None:
    several = takes == "table"
    answer = (
        "[n * 2.0 for n in rows['sepal_length']]"
        if several
        else ("float(np.ravel(rows['sepal_length'])[0]) * 2.0")
    )
    report, _, _ = run(tmp_path, LOAD, f"def predict(rows):\n    return {answer}", call)
    assert report.problems == []
    assert report.predictor.takes == takes
    assert report.signature is not None and report.golden is not None
    needed = [column.name for column in report.signature.inputs if column.required]
    assert needed == inputs
    at = [column.name for column in report.signature.inputs].index("sepal_length")
    assert report.golden.outputs == [row[at] * 2 for row in report.golden.inputs]


def test_single_values_are_given_by_their_names(tmp_path: Path) -> None:
    report, _, _ = run(
        tmp_path,
        "def predict(width, height, unit='m'):\n    return width * height",
        "predict(2, 3)",
    )
    assert report.predictor.takes == "arguments" and report.problems == []
    assert report.signature is not None and report.golden is not None
    assert [column.name for column in report.signature.inputs] == ["width", "height"]
    assert (report.golden.inputs, report.golden.outputs) == ([[2, 3]], [6])


def test_nothing_is_computed_twice_and_values_are_the_same(tmp_path: Path) -> None:
    source = "values.append(1)\nresult = ask(values.pop() + len(values))\ntable = [result]"
    tree = ast.parse(source)
    print_ = fingerprint(tree.body[1])
    node = next(n for n, e in enumerate(ast.walk(tree.body[1])) if isinstance(e, ast.Call))
    after = fingerprint(tree.body[2])
    recorder = Recorder(
        [
            Tap(key="call", kind="call", statement=print_, node=node),
            Tap(key="rows", kind="after", statement=after, name="table"),
        ]
    )
    setattr(builtins, taps.NAME, recorder)
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        return number * 2

    namespace: dict[str, Any] = {"values": [5], "ask": ask}
    exec(compile(recorder.visit(ast.parse(source)), "cell", "exec"), namespace)
    assert (asked, namespace["result"], namespace["values"]) == ([2], 4, [5])
    assert recorder.calls["call"][0].answer == 4
    assert recorder.rows["rows"].value == [4] and recorder.rows["rows"].length == 1


def test_a_sample_keeps_what_was_there_then() -> None:
    table = pd.DataFrame({"a": range(30_000)}, index=range(5, 30_005))
    kept = taps.sample(table)
    table.loc[5, "a"] = -1
    assert kept is not None and kept.length == 30_000 and len(kept.value) == taps.ROWS
    assert kept.value["a"].iloc[0] == 0 and kept.labels is not None and kept.labels[0] == 5
    big = taps.sample(np.zeros((1000, 100_000)))
    assert big is not None and len(big.value) < 100
    assert taps.sample("text") is None and taps.sample(np.float64(1)) is None


def test_rows_without_labels_are_found_by_their_values(tmp_path: Path) -> None:
    report, request, _ = run(
        tmp_path,
        LOAD,
        "X = np.log1p(df[['sepal_length', 'petal_width']].to_numpy())",
        "X_train, X_test, y_train, y_test = train_test_split(X, df.target, random_state=0)",
        "model = LinearRegression().fit(X_train, y_train)\nanswers = model.predict(X_test)",
    )
    assert request.routes[report.route].root == "df"
    assert report.golden is not None and len(report.golden.outputs) == LIMIT


MODEL = "from sklearn.linear_model import LogisticRegression as Model\nimport re\n"


@pytest.mark.parametrize(
    ("cells", "asked_for"),
    [
        (
            (
                "from sklearn.feature_extraction.text import TfidfVectorizer\n"
                "df = pd.DataFrame({'text': ['Good! a', 'bad? b', 'good c', 'BAD d'] * 4,\n"
                "                   'y': [1, 0, 1, 0] * 4})\n"
                "def clean(text):\n    return re.sub('[^a-z ]', '', text.lower())",
                "vec = TfidfVectorizer()\nX = vec.fit_transform([clean(each) for each in df.text])",
                "model = Model().fit(X, df.y)\nmodel.predict(X[:8])",
            ),
            ["text"],
        ),
        (
            (
                "df = pd.DataFrame({'when': pd.date_range('2024-01-01', periods=40).astype(str)})\n"
                "df['y'] = np.arange(40) % 7 > 4",
                "df['when'] = pd.to_datetime(df['when'])\ndf['day'] = df['when'].dt.dayofweek",
                "model = Model().fit(df[['day']], df['y'])\nmodel.predict(df[['day']])",
            ),
            ["when"],
        ),
        (
            (
                "from sklearn.preprocessing import OneHotEncoder\n"
                "df = pd.DataFrame({'a': np.linspace(-1, 1, 30), 'c': ['x', 'y', 'z'] * 10})\n"
                "y = (df.a > 0).astype(int)",
                "enc = OneHotEncoder(sparse_output=False)\nhot = enc.fit_transform(df[['c']])\n"
                "X = np.hstack([df[['a']].values, hot])\n"
                "X_a, X_b, y_a, y_b = train_test_split(X, y, random_state=1)",
                "model = Model()\nmodel.fit(X_a, y_a)\nmodel.predict(X_b)",
            ),
            ["a", "c"],
        ),
    ],
)
def test_texts_dates_and_parts_put_together(
    tmp_path: Path, cells: tuple[str, ...], asked_for: list[str]
) -> None:
    report, _, _ = run(tmp_path, LOAD, MODEL + cells[0], *cells[1:])
    assert report.problems == [] and report.notes == []
    assert report.route >= 0 and report.signature is not None and report.golden is not None
    assert [column.name for column in report.signature.inputs] == asked_for
    assert len(report.golden.outputs) == LIMIT
