"""Whether ONNX answers in the place of an estimator: only where it agrees, and is quicker."""

from __future__ import annotations

import random
import time
from typing import Any

from jupyter_mlops.capture.models import Signature
from jupyter_mlops.runtime import onnx
from jupyter_mlops.runtime.golden_rows import ROUNDING
from jupyter_mlops.runtime.quick import Model, Reader, table_of

#: Random rows within the ranges of the training data, beside those made of the golden rows.
RANDOM = 1000
#: Numbers may be apart by ``ROUNDING`` of their size, or by this share of the largest answer.
SMALL = 1e-6
#: It has to be this many times as quick: its answers are rounded otherwise.
QUICKER = 1.5
CALLS = 15


def prove(
    model: Model, signature: Signature, reader: Reader | None, rows: list[list[Any]]
) -> tuple[Model | None, str]:
    """Return a model that answers by ONNX, if it may, and a sentence about it.

    ``rows`` are golden rows and what was made of them.
    """
    estimator = model.predictor.estimator
    if reader is None or estimator is None:
        return None, "ONNX is not used: it is for estimators of numbers of one type."
    call, problem = onnx.of(estimator, len(reader.names))
    if call is None:
        return None, f"ONNX is not used. {problem}"
    import numpy as np

    given = np.array([*rows, *_random(signature)], dtype=signature.inputs[0].dtype)
    found = Model(model.predictor, call, reader)
    try:
        expected = np.asarray(model.predictor.predict(table_of(given, reader.names)))
        answers = np.asarray(call(given))
        apart = _apart(answers, expected)
    except Exception as error:
        # The estimator may refuse made-up rows, and ONNX Runtime has errors of its own.
        return None, f"ONNX is not used: {type(error).__name__} on rows made to prove it."
    if apart:
        return None, f"ONNX is not used: {apart}"
    before, after = _seconds(model, given, reader), _seconds(found, given, reader)
    if before < QUICKER * after:
        return None, "ONNX is not used: it agrees, but is not much quicker."
    exactly = expected.dtype.kind not in "f"
    how = "the same as" if exactly else f"within {ROUNDING:g} of"
    return found, (
        f"ONNX Runtime answers, {before / after:.0f} times as quick: on {len(given)} rows its "
        f"answers are {how} those of the model."
    )


def _random(signature: Signature) -> list[list[Any]]:
    """Return rows within the ranges of the training data, always the same."""
    if any(column.minimum is None or column.maximum is None for column in signature.inputs):
        return []
    chance = random.Random(1)
    whole = not signature.inputs[0].dtype.startswith("float")
    rows = []
    for _ in range(RANDOM):
        row = [chance.uniform(c.minimum or 0.0, c.maximum or 0.0) for c in signature.inputs]
        rows.append([round(value) for value in row] if whole else row)
    return rows


def _apart(answers: Any, expected: Any) -> str:
    """Say where ONNX disagrees; empty where it does not."""
    import numpy as np

    if answers.shape != expected.shape:
        return "its answers have another form."
    if expected.dtype.kind == "f":
        small = SMALL * float(np.abs(expected).max(initial=0.0))
        same = np.isclose(answers, expected, rtol=ROUNDING, atol=small)
    else:
        same = answers == expected
    if same.all():
        return ""
    return f"it answers {int((~same).sum())} of {len(expected)} rows otherwise."


def _seconds(model: Model, rows: Any, reader: Reader) -> float:
    """Return the seconds that a call with one row takes."""
    taken = []
    for at in range(CALLS):
        row = rows[at % len(rows)][None]
        start = time.perf_counter()
        if model.quick is not None:
            model.quick(row)
        else:
            model.predictor.predict(table_of(row, reader.names))
        taken.append(time.perf_counter() - start)
    return min(taken)
