"""The quick ways answer as the predictor does; batches only where they are exact."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from jupyter_mlops.capture import rows as conversion
from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest, Column, Golden, Signature
from jupyter_mlops.capture.schema import learn
from jupyter_mlops.runtime import proof
from jupyter_mlops.runtime.predictor import Predictor, Table, load
from jupyter_mlops.runtime.publication import load as load_publication
from jupyter_mlops.runtime.quick import Numbers, Rows, plain, reader, table_of
from jupyter_mlops.runtime.reading import read
from jupyter_mlops.runtime.refusal import BadRequest

from .conftest import write_publication

CHANCE = np.random.default_rng(0)
ARRAY = CHANCE.normal(size=(200, 6))
FRAME = pd.DataFrame(ARRAY, columns=list("abcdef"))
NUMBER = ARRAY @ np.arange(1, 7) + CHANCE.normal(size=200)
CLASS = np.array(["low", "middle", "high"])[np.digitize(NUMBER, [-3, 3])]
ESTIMATORS = [
    (RandomForestClassifier(20, random_state=0), CLASS, "direct"),
    (RandomForestRegressor(20, random_state=0), NUMBER, "direct"),
    (ExtraTreesRegressor(20, random_state=0), NUMBER, "direct"),
    (DecisionTreeClassifier(random_state=0), CLASS, "direct"),
    (DecisionTreeRegressor(random_state=0), NUMBER, "direct"),
    (LogisticRegression(), CLASS, "direct"),
    (LogisticRegression(), CLASS == "low", "direct"),
    (make_pipeline(StandardScaler(), LogisticRegression()), CLASS, "direct"),
    (KNeighborsClassifier(), CLASS, "frame"),
]


def predictor_of(estimator: Any, data: Any) -> tuple[Predictor, Golden]:
    signature, rows = learn(estimator, data)
    assert signature is not None and rows is not None

    def call(table: Table) -> Any:
        return estimator.predict(conversion.arguments(table.rows, signature))

    made = Predictor(signature, call, estimator=estimator)
    columns = [column.name for column in signature.inputs]
    return made, Golden(inputs=rows, outputs=made.predict(Table(rows=rows, columns=columns)))


@pytest.mark.parametrize("data", [FRAME, ARRAY], ids=["frame", "array"])
@pytest.mark.parametrize(("estimator", "target", "way"), ESTIMATORS)
def test_quick_answers_are_the_same(estimator: Any, target: Any, way: str, data: Any) -> None:
    made, golden = predictor_of(estimator.fit(data, target), data)
    model, proven = proof.prove(made, golden)
    assert proven.call == way and proven.batched, proven
    assert model.quick is not None and model.reader is not None
    fresh = np.random.default_rng(1).normal(size=(500, 6)) * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = plain(estimator.predict(pd.DataFrame(fresh, columns=list("abcdef"))))
    body = msgspec.json.encode({"instances": fresh.tolist()})
    array = model.reader.read(body)
    answers = Numbers(array, model.reader.names).run(model)
    if isinstance(answers[0], float):
        assert answers == pytest.approx(expected, rel=1e-13)
    else:
        assert answers == expected


@pytest.mark.parametrize("estimator", [LinearRegression(), Ridge()])
def test_sums_that_are_rounded_otherwise_are_not_batched(estimator: Any) -> None:
    made, golden = predictor_of(estimator.fit(FRAME, NUMBER), FRAME)
    model, proven = proof.prove(made, golden)
    rows = proof.sample(golden, made.signature or Signature())
    alone = [made.predict(Table(rows=[row], columns=list("abcdef")))[0] for row in rows]
    together = made.predict(Table(rows=rows, columns=list("abcdef")))
    if alone != together:
        assert not proven.batched and "rounded" in proven.why_not
    assert Rows(Table(rows=rows, columns=list("abcdef"))).run(model) == together


def test_too_large_numbers_are_refused_as_the_estimator_does() -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(FRAME, CLASS)
    made, golden = predictor_of(forest, FRAME)
    model, _ = proof.prove(made, golden)
    with pytest.raises(ValueError, match="too large"):
        Numbers(np.full((1, 6), 1e300), list("abcdef")).run(model)


class OverAll(BaseEstimator):  # type: ignore[misc]
    """Looks at all rows of a call."""

    n_features_in_ = 6

    def predict(self, data: Any) -> Any:
        return np.asarray(data)[:, 0] - np.asarray(data)[:, 0].mean()


@pytest.mark.parametrize(
    "estimator",
    [
        OverAll(),
        make_pipeline(FunctionTransformer(lambda rows: rows - rows.mean()), LogisticRegression()),
    ],
)
def test_who_may_look_at_other_rows_is_not_batched(estimator: Any) -> None:
    if hasattr(estimator, "fit"):
        estimator.fit(ARRAY, CLASS)
    made, golden = predictor_of(estimator, ARRAY)
    _, proven = proof.prove(made, golden)
    assert not proven.batched and "may look at all rows" in proven.why_not


def test_a_function_is_never_batched() -> None:
    made, golden = predictor_of(LogisticRegression().fit(ARRAY, CLASS), ARRAY)
    made.estimator = None
    _, proven = proof.prove(made, golden)
    assert (proven.call, proven.batched) == ("own", False)


@pytest.mark.parametrize(
    "body",
    [
        {"instances": ARRAY[:3].tolist()},
        {"dataframe_split": {"data": ARRAY[:3].tolist(), "columns": list("abcdef"), "index": [1]}},
        {"dataframe_split": {"data": ARRAY[:3, ::-1].tolist(), "columns": list("fedcba")}},
        {"dataframe_records": FRAME[:3].to_dict("records")},
        {"instances": [[1, 2, 3, 4, 5, 6]]},
    ],
)
def test_both_readers_read_the_same(body: dict[str, Any]) -> None:
    signature, _ = learn(LogisticRegression().fit(FRAME, CLASS), FRAME)
    assert signature is not None
    quick = reader(signature)
    assert quick is not None
    text = msgspec.json.encode(body)
    slow = read("application/json", text, signature)
    assert table_of(quick.read(text), quick.names).rows == slow.rows
    assert table_of(quick.of_table(slow), quick.names).rows == slow.rows


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b'{"instances": []}',
        b'{"instances": [[1,2,3]]}',
        b'{"instances": [[1,2,3,4,5,"6"]]}',
        b'{"instances": [[1,2,3,4,5,true]]}',
        b'{"instances": [[1,2,3,4,5,null]]}',
        b'{"instances": [[1,2,3,4,5,1e999]]}',
        b'{"instances": [[1,2,3,4,5,6]], "inputs": [[1]]}',
        b'{"instances": [[1,2,3,4,5,6]], "params": {}}',
        b'{"instances": [[1,2,3,4,5,6]], "dataframe_records": []}',
        b'{"dataframe_split": {"data": [[1,2,3,4,5,6]], "columns": ["a","b","c","d","e","e"]}}',
        b'{"dataframe_records": [{"a":1,"b":2,"c":3,"d":4,"e":5}]}',
        b"\xff",
        b"[" * 5000,
    ],
)
def test_what_the_quick_reader_leaves_to_the_other(text: bytes) -> None:
    signature, _ = learn(LogisticRegression().fit(FRAME, CLASS), FRAME)
    quick = reader(signature)
    assert quick is not None
    assert quick.read(text) is None


def test_params_reach_a_function(tmp_path: Path) -> None:
    source = "def predict(rows, factor=1.0):\n    return (rows['a'] * factor * scale).tolist()\n"
    namespace: dict[str, Any] = {"X": FRAME, "scale": 2.0}
    exec(source, namespace)
    report = collect(namespace, CaptureRequest(names=["scale"], predict="predict"), tmp_path)
    published = load_publication(write_publication(tmp_path, report, source))
    made = load(tmp_path, published)
    assert made is not None and made.params == {"factor": 1.0}
    body = {"instances": ARRAY[:1].tolist(), "params": {"factor": 3}}
    table = read("application/json", msgspec.json.encode(body), made.signature, made.params)
    assert made.predict(table) == [ARRAY[0, 0] * 3 * 2.0]
    for params, words in (({"other": 1}, "params are: factor"), ({"factor": "x"}, "a number")):
        wrong = msgspec.json.encode({"instances": ARRAY[:1].tolist(), "params": params})
        with pytest.raises(BadRequest, match=words):
            read("application/json", wrong, made.signature, made.params)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("form", ["instances", "dataframe_records", "dataframe_split"])
def test_what_a_person_limits_is_refused_quickly_too(dtype: str, form: str) -> None:
    number = int if dtype == "int64" else float
    columns = [
        Column(name="a", dtype=dtype, minimum=0, maximum=10, limit=True),
        Column(name="b", dtype=dtype, minimum=0, maximum=10),
    ]
    signature = Signature(inputs=columns, rows="frame")
    quick = reader(signature)
    assert quick is not None

    def body(a: float, b: float) -> bytes:
        row = [number(a), number(b)]
        record = dict(zip("ab", row, strict=True))
        bodies: dict[str, Any] = {
            "instances": [row],
            "dataframe_records": [record],
            "dataframe_split": {"columns": ["b", "a"], "data": [row[::-1]]},
        }
        return msgspec.json.encode({form: bodies[form]})

    found = quick.read(body(5, 50))  # only the first column has limits
    assert found is not None and found.tolist() == [[5, 50]]
    for beyond in (-1, 11):
        assert quick.read(body(beyond, 5)) is None
        with pytest.raises(BadRequest, match=r"column a: at (least 0|most 10) is expected"):
            read("application/json", body(beyond, 5), signature)
    for at in (0, 10):
        assert read("application/json", body(at, 5), signature).rows == [[at, 5]]
    only = msgspec.structs.replace(columns[0], allowed=[1, 2])
    assert reader(Signature(inputs=[only], rows="frame")) is None
