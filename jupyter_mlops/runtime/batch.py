"""Predicts rows that come in blocks on standard input: the batch mode, in its own environment.

One JSON object a line. First it says ``{"ready": true, "inputs": [...], …}``, or
``{"error": ...}`` and ends. Then a line ``{"columns": [...], "rows": [...]}`` is answered by
``{"predictions": [...]}``, ``{"problems": [...]}`` (rows that are not of the signature) or
``{"error": ...}``. ``first`` is the number of the block's first row, for problems; with ``texts``
all values are texts, as in a CSV.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from jupyter_mlops.capture.comparing import same, size
from jupyter_mlops.capture.models import Golden, Signature
from jupyter_mlops.runtime import golden_rows, predictor
from jupyter_mlops.runtime import publication as manifest
from jupyter_mlops.runtime.columns import of_text
from jupyter_mlops.runtime.predictor import LoadProblem, Predictor, Table
from jupyter_mlops.runtime.reading import checked
from jupyter_mlops.runtime.refusal import BadRequest


class Block(msgspec.Struct, frozen=True):
    """Rows to predict, as they come."""

    rows: list[list[Any]]
    columns: list[str] | None = None
    first: int = 1
    texts: bool = False


def serve(root: Path) -> int:
    """Answer blocks until the input ends; returns the exit code."""
    # What the notebook's code prints must not get between the answers.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        say = _sayer(answers)
        try:
            loaded, golden, rounded = _load(root)
        except LoadProblem as error:
            say({"error": str(error)})
            return 1
        signature = loaded.signature
        inputs = [column.name for column in signature.inputs] if signature else []
        outputs = [column.name for column in signature.outputs] if signature else []
        alone = _alone(loaded, golden) if golden is not None else None
        found = {"inputs": inputs, "outputs": outputs, "alone": alone, "rounded": rounded}
        say({"ready": True, **found})
        _answer(sys.stdin.buffer, loaded, signature, say)
    return 0


def _sayer(answers: BinaryIO) -> Callable[[Any], None]:
    def say(value: Any) -> None:
        answers.write(msgspec.json.encode(value) + b"\n")
        answers.flush()

    return say


def _load(root: Path) -> tuple[Predictor, Golden | None, str]:
    """Load the predictor and hold it against the golden rows; raises ``LoadProblem``.

    The text says whether this machine rounds otherwise.
    """
    try:
        published = manifest.load(root)
    except (OSError, ValueError) as error:
        raise LoadProblem(f"{manifest.FILE_NAME} cannot be read: {error}") from None
    loaded = predictor.load(root, published)
    if loaded is None:
        raise LoadProblem("This publication has no predictor.")
    golden = golden_rows.load(root)
    return loaded, golden, golden_rows.accept(loaded, golden)


def _alone(loaded: Predictor, golden: Golden) -> bool | None:
    """Tell whether a row's answer is the same without its neighbours; None where that is unknown.

    Answered one by one and together: a function that looks at all rows shows itself. What the
    order of a sum changes, which the golden rows state, is no other answer.
    """
    rows = golden.inputs
    if len(rows) < 2 or loaded.signature is None:
        return None
    try:
        single = [golden_rows.asked(loaded, [row]) for row in rows]
    except Exception:
        # Whatever the notebook's function raises for one row: it wants more of them.
        return False
    together = golden_rows.asked(loaded, rows)
    if len(together) != len(rows) or any(len(answers) != 1 for answers in single):
        return False
    scale = size(together)
    return all(
        same(answers[0], answer, golden.alone, scale)
        for answers, answer in zip(single, together, strict=True)
    )


def _answer(
    lines: Iterable[bytes],
    loaded: Predictor,
    signature: Signature | None,
    say: Callable[[Any], None],
) -> None:
    for line in lines:
        block = msgspec.json.decode(line, type=Block)
        try:
            table = checked(_table(block, signature), signature, block.first)
            answers = loaded.predict(table)
        except BadRequest as error:
            say({"problems": [str(error)]})
        except Exception as error:
            traceback.print_exc()
            last = block.first + len(block.rows) - 1
            text = f"rows {block.first} to {last}: it raised {type(error).__name__}: {error}"
            say({"error": text})
        else:
            say({"predictions": answers})


def _table(block: Block, signature: Signature | None) -> Table:
    if not block.texts:
        return Table(rows=block.rows, columns=block.columns)
    kinds = {column.name: column.dtype for column in signature.inputs} if signature else {}
    dtypes = [kinds.get(name, "") for name in block.columns or []]
    rows = [[of_text(*pair) for pair in zip(row, dtypes, strict=True)] for row in block.rows]
    return Table(rows=rows, columns=block.columns)
