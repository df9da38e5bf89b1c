"""ONNX answers only where it agrees with the estimator and is quicker, and the service says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest
from jupyter_mlops.runtime import golden_rows, onnx, proof
from jupyter_mlops.runtime.predictor import load
from jupyter_mlops.runtime.proof import Proven
from jupyter_mlops.runtime.publication import decode
from jupyter_mlops.runtime.quick import Model

from .conftest import serving, write_publication


def _published(root: Path, model: Any, X: Any) -> Path:
    asked = CaptureRequest(fit_inputs={"model": ["X"]})
    report = collect({"X": X, "model": model}, asked, root)
    assert not report.problems
    return write_publication(root, report, onnx=True)


def _proven(root: Path) -> tuple[Model, Proven]:
    publication = decode((root / "publication.json").read_bytes())
    predictor = load(root, publication)
    assert predictor is not None
    return proof.prove(predictor, golden_rows.load(root), onnx=publication.onnx)


def test_a_forest_is_answered_by_onnx(tmp_path: Path, iris: Any) -> None:
    X, y = iris
    forest = RandomForestClassifier(40, random_state=0).fit(X, y)
    model, proven = _proven(_published(tmp_path, forest, X))
    assert (proven.call, proven.batched) == ("onnx", True)
    assert "its answers are the same as those of the model" in proven.onnx
    assert model.quick is not None
    assert np.array_equal(model.quick(X.to_numpy()), forest.predict(X))


def test_numbers_are_rounded_otherwise_and_it_says_so(tmp_path: Path) -> None:
    X, y = make_regression(300, 8, random_state=0)
    boosted = GradientBoostingRegressor(n_estimators=200, random_state=0).fit(X, y)
    model, proven = _proven(_published(tmp_path, boosted, X))
    assert proven.call == "onnx" and "within 1e-05 of those of the model" in proven.onnx
    assert model.quick is not None
    assert np.allclose(model.quick(X), boosted.predict(X), rtol=1e-5, atol=1e-3)


def test_what_onnx_has_no_word_for_is_answered_as_ever(tmp_path: Path, iris: Any) -> None:
    X, y = iris
    boosted = HistGradientBoostingClassifier(max_iter=10).fit(X, y)
    _, proven = _proven(_published(tmp_path, boosted, X))
    assert proven.call != "onnx"
    assert proven.onnx.startswith("ONNX is not used. ONNX does not take a HistGradientBoosting")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda answers: np.where(np.arange(len(answers)) == 7, 2, answers), "rows otherwise"),
        (lambda answers: answers[:, None], "another form"),
        (lambda answers: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_answers_that_differ_are_not_used(
    tmp_path: Path,
    iris: Any,
    monkeypatch: pytest.MonkeyPatch,
    wrong: Callable[[Any], Any],
    told: str,
) -> None:
    X, y = iris
    forest = RandomForestClassifier(12, random_state=0).fit(X, y)
    call, _ = onnx.of(forest, 4)
    assert call is not None
    monkeypatch.setattr(onnx, "of", lambda estimator, width: (lambda rows: wrong(call(rows)), ""))
    _, proven = _proven(_published(tmp_path, forest, X))
    assert proven.call != "onnx" and told in proven.onnx


def test_an_image_without_it(tmp_path: Path, iris: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = iris
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    _, proven = _proven(_published(tmp_path, forest, X))
    assert proven.onnx == "ONNX is not used. The image has no onnxruntime."


def test_a_service_says_what_answers(tmp_path: Path, iris: Any) -> None:
    X, y = iris
    forest = RandomForestClassifier(40, random_state=0).fit(X, y)
    with serving(_published(tmp_path, forest, X), tmp_path) as service:
        rows = X.iloc[::10].to_numpy().tolist()
        answered = service.client.post("/invocations", json={"instances": rows}).json()
        assert answered["predictions"] == forest.predict(X.iloc[::10]).tolist()
        told = service.client.get("/version").json()["predicts"]
        assert told["call"] == "onnx" and told["onnx"] in service.client.get("/").text
