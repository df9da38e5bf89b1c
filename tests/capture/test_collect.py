"""What is captured from a namespace at the end of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureReport, CaptureRequest, Golden
from jupyter_mlops.capture.rows import arguments
from jupyter_mlops.capture.store import load

X, Y = load_iris(return_X_y=True, as_frame=True)
MIXED = X.assign(group=pd.Categorical(np.where(Y == 2, "u", "v")), word="x")
MIXED.columns = ["a", "b", "c", "d", "group", "word"]
MIXED.loc[2, "b"] = np.nan


def kept(report: CaptureReport) -> list[str]:
    return [capture.name for capture in report.captures]


def answers_again(report: CaptureReport, folder: Path) -> list[Any]:
    """What the loaded estimator answers to the golden rows after a trip through JSON."""
    assert report.golden is not None
    assert report.signature is not None
    golden = msgspec.json.decode(msgspec.json.encode(report.golden), type=Golden)
    loaded = load(report.captures[0], folder)
    answer: list[Any] = loaded.predict(arguments(golden.inputs, report.signature)).tolist()
    return answer


def test_the_one_model_and_its_training_frame(tmp_path: Path) -> None:
    forest = RandomForestClassifier(9, random_state=0, n_jobs=2).fit(X, Y)
    namespace = {"X": X, "forest": forest, "same": forest, "_1": forest, "fresh": KMeans()}
    request = CaptureRequest(fit_inputs={"forest": ["X", "Y"]}, cells={"forest": 4})
    report = collect(namespace, request, tmp_path)
    assert report.problems == []
    assert kept(report) == ["forest"]
    capture = report.captures[0]
    assert (capture.kind, capture.format, capture.cell, capture.shape) == (
        "estimator",
        "skops",
        4,
        [4],
    )
    assert capture.type == "sklearn.ensemble._forest.RandomForestClassifier"
    assert (report.predictor.kind, report.predictor.name) == ("estimator", "forest")
    assert report.signature is not None
    assert [c.name for c in report.signature.inputs] == list(X.columns)
    assert {c.dtype for c in report.signature.inputs} == {"float64"}
    assert (report.signature.rows, report.signature.outputs[0].dtype) == ("frame", "int64")
    assert report.golden is not None
    assert report.golden.outputs == forest.predict(X.head(5)).tolist()
    assert answers_again(report, tmp_path) == report.golden.outputs
    assert forest.n_jobs == 2
    assert {"sklearn", "skops", "numpy"} <= set(report.modules)
    written = json.loads((tmp_path / "captures.json").read_text())
    assert msgspec.convert(written, CaptureReport) == report


def test_parts_of_a_model_are_not_models(tmp_path: Path) -> None:
    scaler = StandardScaler()
    pipe = make_pipeline(scaler, LogisticRegression()).fit(X, Y)
    search = GridSearchCV(pipe, {"logisticregression__C": [1, 2]}, cv=2).fit(X, Y)
    namespace = {
        "step": pipe.steps[1][1],
        "scaler": scaler,
        "best": search.best_estimator_,
        "search": search,
        "X": X,
    }
    report = collect(namespace, CaptureRequest(), tmp_path)
    assert (report.problems, kept(report)) == ([], ["search"])
    chosen = collect(namespace, CaptureRequest(model="best"), tmp_path)
    assert (chosen.problems, kept(chosen)) == ([], ["best"])
    del namespace["search"]
    words = collect(namespace, CaptureRequest(), tmp_path).problems[0].problem
    assert words == "More than one fitted model: step, best."


def test_several_models_are_a_question(tmp_path: Path) -> None:
    namespace = {"a": LinearRegression().fit(X, Y), "b": KMeans(2, n_init=1).fit(X), "X": X}
    report = collect(namespace, CaptureRequest(), tmp_path)
    assert report.problems[0].problem == "More than one fitted model: a, b."
    assert "--model NAME" in report.problems[0].remedy
    assert (kept(report), report.predictor.kind) == ([], "none")
    assert kept(collect(namespace, CaptureRequest(model="b"), tmp_path)) == ["b"]
    for wrong, why in (("c", "nothing of this name"), ("X", "DataFrame")):
        found = collect(namespace, CaptureRequest(model=wrong), tmp_path).problems
        assert len(found) == 1
        assert why in found[0].why
        assert "a, b" in found[0].remedy


def test_no_model_is_fine(tmp_path: Path) -> None:
    namespace = {"X": X, "scaler": StandardScaler().fit(X), "fresh": LinearRegression()}
    report = collect(namespace, CaptureRequest(), tmp_path)
    assert report == CaptureReport()


@pytest.mark.parametrize("where", ["fit input", "by columns", "inside a table", "nowhere"])
def test_where_the_signature_comes_from(tmp_path: Path, where: str) -> None:
    model = LinearRegression().fit(X, Y)
    namespace: dict[str, Any] = {"model": model}
    request = CaptureRequest()
    if where == "fit input":
        namespace["features"] = X
        request = CaptureRequest(fit_inputs={"model": ["missing", "features"]})
    elif where == "by columns":
        namespace |= {"other": X[X.columns[:2]], "data": X}
    elif where == "inside a table":
        namespace["table"] = X.assign(target=Y)
    report = collect(namespace, request, tmp_path)
    assert report.signature is not None
    assert [c.name for c in report.signature.inputs] == list(X.columns)
    assert (report.golden is None) == (where == "nowhere")


def test_arrays_texts_and_mixed_columns(tmp_path: Path) -> None:
    array = X.to_numpy(dtype="float32")
    model: Any = KMeans(2, n_init=1, random_state=0).fit(array)
    request = CaptureRequest(fit_inputs={"model": ["data"]})
    report = collect({"data": array, "model": model}, request, tmp_path)
    assert report.signature is not None
    assert (report.signature.rows, report.signature.inputs[3].name) == ("array", "x3")
    assert report.signature.inputs[0].dtype == "float32"
    assert report.golden is not None
    assert answers_again(report, tmp_path) == report.golden.outputs

    texts = pd.Series(["a cat", "the dog", "one owl"] * 50, name="words")
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, Y)
    report = collect({"data": texts, "model": model}, request, tmp_path)
    assert report.signature is not None
    assert [(c.name, c.dtype) for c in report.signature.inputs] == [("words", "str")]
    assert report.golden is not None
    assert answers_again(report, tmp_path) == report.golden.outputs

    mixed = MIXED.drop(columns="word")
    model = HistGradientBoostingClassifier(max_iter=3).fit(mixed, Y)
    report = collect({"data": mixed, "model": model}, request, tmp_path)
    assert report.signature is not None
    by_name = {column.name: column for column in report.signature.inputs}
    assert by_name["group"].categories == ["u", "v"]
    assert (by_name["a"].required, by_name["b"].required) == (True, False)
    assert report.golden is not None
    assert report.golden.inputs[2][1] is None
    assert answers_again(report, tmp_path) == report.golden.outputs


def test_a_function_and_exactly_what_it_reads(tmp_path: Path) -> None:
    model = LogisticRegression(max_iter=500).fit(X, Y)
    names = ("setosa", "versicolor", "virginica")

    def predict(rows: Any) -> Any:
        assert isinstance(rows, pd.DataFrame)
        rows["changed"] = 1
        return [
            {"name": names[i], "sure": s}
            for i, s in zip(
                model.predict(rows[X.columns]),
                model.predict_proba(rows[X.columns]).max(1),
                strict=True,
            )
        ]

    namespace = {"model": model, "names": names, "X": X, "predict": predict, "unused": X}
    request = CaptureRequest(names=["model", "names"], predict="predict")
    report = collect(namespace, request, tmp_path)
    assert report.problems == []
    assert kept(report) == ["model", "names"]
    assert (report.predictor.kind, report.predictor.name) == ("function", "predict")
    assert report.signature is not None
    assert report.signature.rows == "frame"
    assert report.golden is not None
    assert report.golden.outputs[0]["name"] == "setosa"
    assert report.golden.outputs[0]["sure"] == model.predict_proba(X.head(5)).max(1)[0]
    assert "changed" not in X


def test_a_function_of_raw_columns(tmp_path: Path) -> None:
    raw = pd.DataFrame({"w": [1.0, 2, 3, 4], "h": [2.0, 3, 4, 6], "price": [2.0, 6, 12, 25]})
    model = LinearRegression().fit(pd.DataFrame({"area": raw.w * raw.h}), raw.price)

    def predict(rows: Any) -> Any:
        return model.predict(pd.DataFrame({"area": rows.w * rows.h}))

    request = CaptureRequest(names=["model"], predict="predict")
    report = collect({"raw": raw, "model": model, "predict": predict}, request, tmp_path)
    assert report.problems == []
    assert report.signature is not None
    assert [c.name for c in report.signature.inputs][:2] == ["w", "h"]

    asked = msgspec.structs.replace(request, asked=["gone[0]", "raw[['h', 'w']].head(2)"])
    found = collect({"raw": raw, "model": model, "predict": predict}, asked, tmp_path)
    assert found.signature is not None and found.golden is not None
    assert [column.name for column in found.signature.inputs] == ["h", "w"]
    assert found.golden.inputs == [[2.0, 1.0], [3.0, 2.0]]

    blind = collect({"model": model, "predict": predict}, request, tmp_path)
    assert blind.problems == []
    assert (blind.golden, blind.signature and blind.signature.rows) == (None, "any")


def test_problems_name_the_value_its_type_and_what_to_do(tmp_path: Path) -> None:
    def predict(rows: Any) -> Any:
        raise KeyError("nothing")

    handle = (tmp_path / "file").open("w")
    namespace = {
        "model": LinearRegression().fit(X, Y),
        "X": X,
        "predict": predict,
        "handle": handle,
        "pair": {"a": [object()]},
    }
    names = ["handle", "pair", "gone"]
    request = CaptureRequest(names=names, predict="predict", cells={"handle": 2})
    report = collect(namespace, request, tmp_path)
    handle.close()
    assert [problem.problem for problem in report.problems] == [
        "handle (_io.TextIOWrapper) cannot be captured.",
        "pair (dict) cannot be captured.",
        "gone does not exist at the end of the run.",
    ]
    assert report.problems[0].where == "cell 3"
    assert all(problem.remedy for problem in report.problems)
    assert "['a'][0]" in report.problems[1].why
    failing = collect(namespace, CaptureRequest(names=["model"], predict="predict"), tmp_path)
    assert failing.problems[0].why == "KeyError: 'nothing'"
    missing = collect({}, CaptureRequest(predict="predict"), tmp_path)
    assert "not a function" in missing.problems[0].problem
