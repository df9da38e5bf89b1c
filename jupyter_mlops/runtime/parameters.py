"""Parameters of a notebook: their types, their checks, and their JSON Schema."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

Type = Literal["bool", "int", "float", "str", "list", "dict", "any"]
NOUNS: dict[Type, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "list": "a list",
    "dict": "a mapping",
    "any": "a JSON value",
}
SCHEMA_TYPES: dict[Type, str] = {
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "str": "string",
    "list": "array",
    "dict": "object",
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A typed input of the notebook, declared in its cell tagged ``parameters``.

    ``minimum`` and ``maximum`` are inclusive; ``choices`` empty means any value of the type.
    """

    name: str
    type: Type = "any"
    default: Any = None
    nullable: bool = False
    required: bool = False
    description: str = ""
    choices: list[Any] = []
    minimum: float | None = None
    maximum: float | None = None


class ParameterProblems(ValueError):
    """Parameters that cannot be used; ``problems`` holds one sentence for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def validate(parameters: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given values, checked; whole numbers given for a float become floats.

    Defaults are not filled in: the notebook holds them. Raises ``ParameterProblems``.
    """
    known = {parameter.name: parameter for parameter in parameters}
    problems = _names_problems(known, values)
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name in known:
            checked[name], found = _check(known[name], value)
            problems += found
    if problems:
        raise ParameterProblems(problems)
    return checked


def parse(parameters: Iterable[Parameter], texts: Mapping[str, str]) -> dict[str, Any]:
    """Turn ``name=value`` texts of a command line into checked values.

    Lists and mappings are JSON or Python literals. Raises ``ParameterProblems``.
    """
    known = {parameter.name: parameter for parameter in parameters}
    problems = _names_problems(known, texts)
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in known:
            continue
        try:
            value = _read(known[name], text)
        except ValueError:
            problems.append(_wrong_type(known[name], text))
            continue
        values[name], found = _check(known[name], value)
        problems += found
    if problems:
        raise ParameterProblems(problems)
    return values


def effective(parameters: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the notebook runs with: the defaults, and the given values over them."""
    defaults = {p.name: p.default for p in parameters if not p.required}
    return {**defaults, **values}


def json_schema(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an object with these parameters."""
    every = list(parameters)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {parameter.name: _property(parameter) for parameter in every},
        "additionalProperties": False,
    }
    required = [parameter.name for parameter in every if parameter.required]
    if required:
        schema["required"] = required
    return schema


def _property(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": parameter.name}
    kind = SCHEMA_TYPES.get(parameter.type)
    if kind:
        schema["type"] = [kind, "null"] if parameter.nullable else kind
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.choices:
        extra = [None] if parameter.nullable and None not in parameter.choices else []
        schema["enum"] = [*parameter.choices, *extra]
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        schema["maximum"] = parameter.maximum
    if not parameter.required:
        schema["default"] = parameter.default
    return schema


def _names_problems(known: Mapping[str, Parameter], values: Mapping[str, Any]) -> list[str]:
    problems = []
    for name in values:
        if name not in known:
            there = ", ".join(known) if known else "none"
            problems.append(f"{name}: there is no such parameter; the parameters are: {there}.")
    for name, parameter in known.items():
        if parameter.required and name not in values:
            problems.append(f"{name}: this parameter has no default; give {NOUNS[parameter.type]}.")
    return problems


def _check(parameter: Parameter, value: Any) -> tuple[Any, list[str]]:
    if value is None and (parameter.nullable or parameter.type == "any"):
        return value, []
    if not _ACCEPTS[parameter.type](value):
        return value, [_wrong_type(parameter, value)]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return value, [f"{parameter.name}: the number does not fit in 64 bits."]
    if parameter.type == "float":
        value = float(value)
        if not math.isfinite(value):
            return value, [f"{parameter.name}: {value} is not a finite number."]
    if parameter.choices and not _is_choice(value, parameter.choices):
        choices = ", ".join(_shown(choice) for choice in parameter.choices)
        return value, [f"{parameter.name}: {_shown(value)} is not one of {choices}."]
    return value, _range_problems(parameter, value)


def _is_choice(value: Any, choices: list[Any]) -> bool:
    # True == 1 in Python, but a flag is no number.
    return any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool)
        for choice in choices
    )


def _range_problems(parameter: Parameter, value: Any) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    if parameter.minimum is not None and value < parameter.minimum:
        return [f"{parameter.name}: {value} is less than the minimum, {parameter.minimum:g}."]
    if parameter.maximum is not None and value > parameter.maximum:
        return [f"{parameter.name}: {value} is more than the maximum, {parameter.maximum:g}."]
    return []


def _wrong_type(parameter: Parameter, value: Any) -> str:
    nothing = " or null" if parameter.nullable else ""
    return f"{parameter.name}: {_shown(value)} is not {NOUNS[parameter.type]}{nothing}."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ACCEPTS: dict[Type, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": _is_number,
    "str": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
    "any": lambda value: True,
}
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


def _read(parameter: Parameter, text: str) -> Any:
    if parameter.nullable and text.strip() in {"null", "None"}:
        return None
    match parameter.type:
        case "str":
            return text
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "bool":
            word = text.strip().lower()
            if word in _TRUE | _FALSE:
                return word in _TRUE
            raise ValueError(text)
        case "any":
            try:
                return _literal(text)
            except ValueError:
                return text
        case _:
            return _literal(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _literal(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        try:
            # Through JSON once more: tuples become lists, and keys become texts.
            return json.loads(json.dumps(ast.literal_eval(text), allow_nan=False))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise ValueError(text) from None
