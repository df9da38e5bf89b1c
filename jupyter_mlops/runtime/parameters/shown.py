"""How a parameter is shown to a person: its type as Python writes it, and its limits."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.runtime.parameters.models import Parameter

UNITS = {"list": "items", "dict": "entries"}


def type_text(parameter: Parameter) -> str:
    """Return the type as Python writes it: ``list[int]``, ``dict[str, float] | None``."""
    text: str = parameter.type
    if parameter.type == "list" and parameter.items:
        text = f"list[{parameter.items}]"
    if parameter.type == "dict" and (parameter.items or parameter.keys != "str"):
        text = f"dict[{parameter.keys}, {parameter.items or 'any'}]"
    return f"{text} | None" if parameter.nullable and parameter.type != "any" else text


def limits_text(parameter: Parameter) -> str:
    """Return range, lengths and choices: ``0..1``, ``> 0, <= 1``, ``one of 'a', 'b'``."""
    parts = [_range(parameter), _lengths(parameter)]
    if parameter.choices:
        parts.append("one of " + ", ".join(repr(choice) for choice in parameter.choices))
    return ", ".join(part for part in parts if part)


def _range(parameter: Parameter) -> str:
    if parameter.minimum is not None and parameter.maximum is not None:
        return f"{parameter.minimum:g}..{parameter.maximum:g}"
    bounds = (
        (">=", parameter.minimum),
        (">", parameter.exclusive_minimum),
        ("<=", parameter.maximum),
        ("<", parameter.exclusive_maximum),
    )
    return ", ".join(f"{sign} {value:g}" for sign, value in bounds if value is not None)


def _lengths(parameter: Parameter) -> str:
    low, high = parameter.min_length, parameter.max_length
    unit = UNITS.get(parameter.type, "characters")
    if low is not None and low == high:
        return f"{low} {unit}"
    texts = [f"at least {low}" if low is not None else "", f"at most {high}" if high else ""]
    found = ", ".join(text for text in texts if text)
    return f"{found} {unit}" if found else ""


def shown(value: Any) -> str:
    """Return a value as Python writes it, cut to the length of a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
