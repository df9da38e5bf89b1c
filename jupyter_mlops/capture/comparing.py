"""When two answers are the same: to the last bit, or where sums were rounded otherwise."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from jupyter_mlops.capture.models import Column

#: How far apart sums of 64-bit and of 32-bit numbers may be, of their size.
DOUBLE, SINGLE = 1e-9, 1e-5

#: How big numbers are: of answers that are objects, for each name.
Size: TypeAlias = "float | dict[str, Size]"


def same(answer: Any, expected: Any, tolerance: float = 0.0, scale: Size = 0.0) -> bool:
    """Tell whether two answers are the same; numbers may differ by a part of their size.

    ``scale`` is the size of numbers beside which tiny ones are nothing (see ``size``).
    """
    # As JSON: 1 and 1.0 and True are not the same answer.
    if msgspec.json.encode(answer) == msgspec.json.encode(expected):
        return True
    if not tolerance or type(answer) is not type(expected):
        return False
    if isinstance(answer, float):
        beside = scale if isinstance(scale, float) else 0.0
        nothing = tolerance * max(beside, tolerance)
        return math.isclose(answer, expected, rel_tol=tolerance, abs_tol=nothing)
    if isinstance(answer, dict):
        return answer.keys() == expected.keys() and all(
            same(value, expected[key], tolerance, _part(scale, key))
            for key, value in answer.items()
        )
    if isinstance(answer, list):
        return len(answer) == len(expected) and all(
            same(*pair, tolerance, scale) for pair in zip(answer, expected, strict=True)
        )
    return False


def rounding(outputs: Iterable[Column]) -> float:
    """Return by which part of their size numbers may differ that were added in another order."""
    return SINGLE if any(column.dtype == "float32" for column in outputs) else DOUBLE


def size(answers: Sequence[Any]) -> Size:
    """Return the size of the biggest number among answers; of objects, for each name its own."""
    if answers and all(isinstance(answer, dict) for answer in answers):
        names = {name for answer in answers for name in answer}
        return {
            name: size([answer[name] for answer in answers if name in answer])
            for name in sorted(names)
        }
    return max(map(abs, _numbers(answers)), default=0.0)


def _part(scale: Size, name: str) -> Size:
    return scale.get(name, 0.0) if isinstance(scale, dict) else scale


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        parts: Iterable[Any] = value.values() if isinstance(value, dict) else value
        for each in parts:
            yield from _numbers(each)


def shown(answer: Any) -> str:
    """Return an answer as it is told in a sentence."""
    text = json.dumps(answer, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def told_apart(
    answer: Any, other: Any, tolerance: float = 0.0, scale: Size = 0.0
) -> tuple[str, str]:
    """Return two answers as they are told beside each other: of objects only what differs."""
    if isinstance(answer, dict) and isinstance(other, dict) and answer.keys() == other.keys():
        names = [
            name
            for name, value in answer.items()
            if not same(value, other[name], tolerance, _part(scale, name))
        ]
        if names:
            answer, other = ({name: each[name] for name in names} for each in (answer, other))
    return shown(answer), shown(other)
