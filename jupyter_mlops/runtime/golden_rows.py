"""The golden rows of a publication: what the verified run answered, and whether it is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.capture import comparing
from jupyter_mlops.capture.comparing import same, size, told_apart
from jupyter_mlops.capture.equivalence import Differs, examine, told
from jupyter_mlops.capture.models import Golden
from jupyter_mlops.runtime.predictor import LoadProblem, Predictor, Table

#: How far sums are apart that two platforms round otherwise, at most (32-bit numbers).
ROUNDING = 1e-5


def load(root: Path) -> Golden | None:
    """Read ``golden.json``; None when the publication has no golden rows."""
    try:
        return msgspec.json.decode((root / "golden.json").read_bytes(), type=Golden | None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LoadProblem(f"golden.json cannot be read: {error}.") from None


def accept(predictor: Predictor, golden: Golden | None) -> str:
    """Hold a predictor that will serve here against the golden rows.

    Labels must be the verified run's. Numbers with a fraction may be rounded otherwise: the
    libraries of linear algebra choose another order of adding on another kind of processor.
    Returns a sentence that says so, or nothing where all is the same to the bit (or within what
    the golden rows state) or nothing is known; raises ``LoadProblem`` for any other answer.
    """
    if golden is None or not compare(predictor, golden):
        return ""
    granted = rounding(predictor)
    if different := compare(predictor, golden, granted):
        raise LoadProblem(" ".join(different))
    return (
        f"This machine rounds otherwise than the verified run's: numbers are within {granted:g} "
        "of their size."
    )


def compare(predictor: Predictor, golden: Golden, granted: float = 0.0) -> list[str]:
    """Predict the golden rows; return a sentence for each answer that is not the same.

    Numbers with a fraction may differ by ``granted`` of their size, or by the tolerance that the
    golden rows state.
    """
    try:
        answers = asked(predictor, golden.inputs)
    except Exception as error:
        # The notebook's function may raise anything.
        return [f"The predictor raised {told(error)} on the golden rows."]
    if len(answers) != len(golden.outputs):
        return [f"The predictor gave {len(answers)} answers, not {len(golden.outputs)}."]
    tolerance, scale = max(golden.tolerance, granted), size(golden.outputs)
    return [
        f"The answer to golden row {number} is not the one of the verified run: "
        f"{', not '.join(told_apart(answer, expected, tolerance, scale))}."
        for number, (answer, expected) in enumerate(
            zip(answers, golden.outputs, strict=True), start=1
        )
        if not same(answer, expected, tolerance, scale)
    ]


def examined(predictor: Predictor, golden: Golden) -> list[str]:
    """Ask about the golden rows in every way; return what keeps the service from being the run's.

    Beyond ``compare``: each row by itself, in another order, and again.
    """
    granted = 0.0 if predictor.exactly else ROUNDING
    found = compare(predictor, golden, granted)
    if found or not golden.inputs:
        return found
    try:
        examine(
            lambda rows: asked(predictor, rows),
            golden.inputs,
            golden.outputs,
            tolerance=max(golden.tolerance, rounding(predictor)),
        )
    except Differs as error:
        text = str(error)
        return [f"{text[:1].upper()}{text[1:]}."]
    return []


def rounding(predictor: Predictor) -> float:
    """Return by which part of their size numbers may differ that were added in another order."""
    if not predictor.exactly:
        return ROUNDING
    return comparing.rounding(predictor.signature.outputs if predictor.signature else [])


def asked(predictor: Predictor, rows: list[list[Any]]) -> list[Any]:
    """Predict rows whose values stand in the order of the signature's columns."""
    signature = predictor.signature
    columns = [column.name for column in signature.inputs] if signature else None
    return predictor.predict(Table(rows=rows, columns=columns))
