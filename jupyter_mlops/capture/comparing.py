"""When two answers are the same: to the last bit, or where sums were rounded otherwise."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

#: How far apart sums of 64-bit and of 32-bit numbers may be, of their size.
DOUBLE, SINGLE = 1e-9, 1e-5


def same(answer: Any, expected: Any, tolerance: float = 0.0, scale: float = 0.0) -> bool:
    """Tell whether two answers are the same; numbers may differ by a part of their size.

    ``scale`` is the size of numbers beside which tiny ones are nothing.
    """
    # As JSON: 1 and 1.0 and True are not the same answer.
    if msgspec.json.encode(answer) == msgspec.json.encode(expected):
        return True
    if not tolerance or type(answer) is not type(expected):
        return False
    if isinstance(answer, float):
        nothing = tolerance * max(scale, tolerance)
        return math.isclose(answer, expected, rel_tol=tolerance, abs_tol=nothing)
    if isinstance(answer, dict):
        return answer.keys() == expected.keys() and all(
            same(value, expected[key], tolerance, scale) for key, value in answer.items()
        )
    if isinstance(answer, list):
        return len(answer) == len(expected) and all(
            same(*pair, tolerance, scale) for pair in zip(answer, expected, strict=True)
        )
    return False


def size(answers: Any) -> float:
    """Return the size of the biggest number among answers."""
    return max(map(abs, _numbers(answers)), default=0.0)


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
