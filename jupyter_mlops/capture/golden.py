"""Asks the notebook's own predictor about rows of its training data, for the service to match."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import msgspec

from jupyter_mlops.capture import candidates, schema
from jupyter_mlops.capture.models import CaptureRequest, Golden, Signature
from jupyter_mlops.capture.rows import LIMIT, arguments, one_thread, outputs, plain, table


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A signature, the golden rows if there are any, and the error that the predictor raised."""

    signature: Signature | None = None
    golden: Golden | None = None
    error: str = ""


def of_estimator(estimator: Any, data: Any) -> Candidate:
    """Learn the signature of an estimator and what it answers to its training rows."""
    signature, rows = schema.learn(estimator, data)
    if signature is None:
        return Candidate()
    if rows is None:
        return Candidate(signature=signature)
    return _ask(lambda: estimator.predict(arguments(rows, signature)), signature, rows, [estimator])


def of_function(
    predict: Callable[[Any], Any],
    models: dict[str, Any],
    namespace: dict[str, Any],
    request: CaptureRequest,
) -> Candidate:
    """Learn the signature of the notebook's function.

    Its rows are those of the frame that the notebook itself asks it about, else those that its
    model was fitted on, when the columns have names, else those of the first frame of the
    namespace that the function takes.
    """
    for text in request.asked:
        attempt = _ask_about(predict, _looked_at(text, namespace), models)
        if attempt is not None and not attempt.error:
            return attempt
    error = ""
    for name, model in models.items():
        data = candidates.training_data(name, model, namespace, request)
        signature, rows = schema.learn(model, data)
        if signature is None or rows is None:
            continue
        found = _ask_function(predict, signature, rows, models)
        if not found.error:
            return found
        if signature.rows == "frame":
            error = error or found.error
    for name, value in list(namespace.items()):
        attempt = None if name.startswith("_") else _ask_about(predict, value, models)
        if attempt is not None and not attempt.error:
            return attempt
    return Candidate(signature=Signature(rows="any"), error=error)


def _looked_at(text: str, namespace: dict[str, Any]) -> Any:
    """Return a part of what the notebook has, or None where it has gone by now."""
    try:
        return eval(text, dict(namespace))
    except Exception:
        return None


def _ask_about(
    predict: Callable[[Any], Any], value: Any, models: dict[str, Any]
) -> Candidate | None:
    """Ask about the first rows of a frame whose columns have names; None for anything else."""
    if not candidates.is_frame(value) or len(value) == 0:
        return None
    if not all(isinstance(column, str) for column in value.columns):
        return None
    rows = [list(row) for row in zip(*_listed(value.head(LIMIT)), strict=True)]
    signature = Signature(inputs=schema.frame_columns(value), rows="frame")
    return _ask_function(predict, signature, rows, models)


def _listed(head: Any) -> list[list[Any]]:
    return [plain(head.iloc[:, i]) for i in range(head.shape[1])]


def _ask_function(
    predict: Callable[[Any], Any],
    signature: Signature,
    rows: list[list[Any]],
    models: dict[str, Any],
) -> Candidate:
    return _ask(
        lambda: predict(table(rows, signature.inputs)), signature, rows, list(models.values())
    )


def _ask(
    predict: Callable[[], Any], signature: Signature, rows: list[list[Any]], models: list[Any]
) -> Candidate:
    try:
        with warnings.catch_warnings(), one_thread(*models):
            warnings.simplefilter("ignore")
            answer = predict()
        answered = outputs(answer)
        described = schema.output_columns(answer)
    except Exception as error:
        # The notebook's function may raise anything; it is told to the user in one line.
        return Candidate(error=f"{type(error).__name__}: {error}".splitlines()[0])
    golden = Golden(inputs=rows, outputs=answered)
    if json.loads(json.dumps(msgspec.to_builtins(golden))) != msgspec.to_builtins(golden):
        return Candidate(error="The answer does not survive a round trip through JSON.")
    complete = Signature(inputs=signature.inputs, outputs=described, rows=signature.rows)
    return Candidate(signature=complete, golden=golden)
