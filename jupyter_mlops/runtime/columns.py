"""Checks values against the column types of a signature."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import Any

from jupyter_mlops.capture.models import Column, Signature

Check = Callable[[Any], bool]
NOUNS = {
    type(None): "nothing",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def problems_of(rows: list[list[Any]], signature: Signature, first: int = 1) -> list[str]:
    """Return a sentence for every value of a wrong type, by row (from ``first``) and column."""
    problems = []
    for position, column in enumerate(signature.inputs):
        accepts, expected = _check(column)
        for number, row in enumerate(rows, start=first):
            value = row[position]
            if value is None:
                if column.required:
                    problems.append(f"Row {number}, column {column.name}: a value is missing.")
            elif not accepts(value):
                got = NOUNS.get(type(value), "a value")
                told = f"{expected} is expected"
                if not expected.startswith("one of"):
                    told += f", not {got}"
                problems.append(f"Row {number}, column {column.name}: {told}.")
            elif expectation := _outside(value, column):
                problems.append(f"Row {number}, column {column.name}: {expectation} is expected.")
    return problems


def _outside(value: Any, column: Column) -> str:
    """Say what a person wants of a value that is of the right type; empty where it is fine."""
    if column.allowed is not None and value not in column.allowed:
        return "one of the allowed values"
    if column.limit and column.minimum is not None and value < column.minimum:
        return f"at least {column.minimum:g}"
    if column.limit and column.maximum is not None and value > column.maximum:
        return f"at most {column.maximum:g}"
    return ""


def _check(column: Column) -> tuple[Check, str]:
    dtype = column.dtype.lower()
    if dtype.startswith("float"):
        return _is_number, "a number"
    if dtype.startswith(("int", "uint")):
        low, high = _range(dtype)
        return lambda value: _is_whole(value) and low <= value <= high, f"a whole number ({dtype})"
    if dtype.startswith("bool"):
        return lambda value: isinstance(value, bool), "true or false"
    if dtype == "str":
        return lambda value: isinstance(value, str), "a text"
    if dtype == "category":
        known = column.categories
        if known is None:
            return _is_scalar, "a single value"
        return lambda value: _is_scalar(value) and value in known, "one of the known values"
    if dtype.startswith("datetime"):
        return _is_time, "a date or time in ISO 8601"
    return _is_scalar, "a single value"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_float(value)


def _is_float(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _range(dtype: str) -> tuple[int, int]:
    bits = int("".join(filter(str.isdigit, dtype)) or 64)
    if dtype.startswith("u"):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parsed = datetime.datetime.fromisoformat(value)
    except ValueError:
        return False
    # What fits into nanoseconds since 1970.
    return 1678 <= parsed.year <= 2261


def of_text(text: str, dtype: str) -> Any:
    """Read a field of a CSV as its column's type; what is not of it stays text, and is refused."""
    if text == "" and dtype != "str":
        return None
    name = dtype.lower()
    try:
        if name.startswith(("int", "uint")):
            return int(text)
        if name.startswith("float"):
            return float(text)
    except ValueError:
        return text
    if name.startswith("bool"):
        return {"true": True, "false": False}.get(text.lower(), text)
    if name in ("", "object"):
        return _guess(text)
    return text


def _guess(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
