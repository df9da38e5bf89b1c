"""Checks of values against parameters: every mistake at once, each as a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jupyter_mlops.runtime.parameters.models import NOUNS, Parameter, ParameterProblems, Type
from jupyter_mlops.runtime.parameters.plain import (
    KEY_PATTERN,
    iso_date,
    iso_datetime,
    plain,
    unfit,
)
from jupyter_mlops.runtime.parameters.shown import UNITS, shown
from jupyter_mlops.runtime.parameters.texts import read


def validate(parameters: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given values, checked, as JSON has them.

    Whole numbers given for a float become floats, dates and moments are written as Python
    writes them. Defaults are not filled in: the notebook holds them. Raises
    ``ParameterProblems``.
    """
    return check(parameters, values, {})


def parse(parameters: Iterable[Parameter], texts: Mapping[str, str]) -> dict[str, Any]:
    """Turn ``name=value`` texts of a command line into checked values.

    Lists and mappings are JSON or Python literals. Raises ``ParameterProblems``.
    """
    return check(parameters, {}, texts)


def check(
    parameters: Iterable[Parameter], values: Mapping[str, Any], texts: Mapping[str, str]
) -> dict[str, Any]:
    """Check typed ``values`` and ``texts`` of a command line as one; a text wins over a value.

    Raises ``ParameterProblems`` with every mistake in both.
    """
    known = {parameter.name: parameter for parameter in parameters}
    given = {**values, **texts}
    problems = _names_problems(known, given)
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            continue
        if name in texts:
            try:
                value = read(known[name], texts[name])
            except ValueError:
                problems.append(_wrong_type(known[name], value))
                continue
        try:
            checked[name], found = _check(known[name], plain(value))
        except RecursionError:
            found = [f"{name}: the value contains itself, or is nested too deeply."]
        problems += found
    if problems:
        raise ParameterProblems(problems)
    return checked


def effective(parameters: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the notebook runs with: the defaults, and the given values over them."""
    defaults = {p.name: p.default for p in parameters if not p.required}
    return {**defaults, **values}


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
    """Return a plain value in the parameter's own type, and at most one problem with it."""
    if value is None and (parameter.nullable or parameter.type == "any"):
        return value, []
    fitting = _fitting(parameter.type, value)
    if fitting is None:
        return value, [_wrong_type(parameter, value)]
    why = unfit(value)
    if why:
        return value, [f"{parameter.name}: {why}."]
    value, problems = fitting[0], _inside_problems(parameter, fitting[0])
    if problems:
        return value, problems
    if parameter.type in ("list", "dict") and parameter.items:
        value = _settled(parameter.items, value)
    if parameter.choices and not _is_choice(value, parameter.choices):
        choices = ", ".join(shown(choice) for choice in parameter.choices)
        return value, [f"{parameter.name}: {shown(value)} is not one of {choices}."]
    return value, _range_problems(parameter, value) or _length_problems(parameter, value)


def _fitting(kind: Type, value: Any) -> tuple[Any] | None:
    """Return the value as one of this type, in a tuple, or None when it is not one."""
    if kind in ("date", "datetime"):
        text = value if isinstance(value, str) else ""
        found = iso_date(text) if kind == "date" else iso_datetime(text)
        return None if found is None else (found,)
    if not _ACCEPTS[kind](value):
        return None
    if kind == "float" and not unfit(value):
        return (float(value),)
    return (value,)


def _settled(kind: Type, value: Any) -> Any:
    def settle(item: Any) -> Any:
        fitting = _fitting(kind, item)
        return item if fitting is None else fitting[0]

    if isinstance(value, list):
        return [settle(item) for item in value]
    return {key: settle(item) for key, item in value.items()}


def _inside_problems(parameter: Parameter, value: Any) -> list[str]:
    if parameter.type == "dict" and parameter.keys == "int":
        for key in value:
            if not re.fullmatch(KEY_PATTERN, key):
                return [f"{parameter.name}: the key {shown(key)} is not a whole number."]
    if parameter.items and parameter.type in ("list", "dict"):
        for place, item in _places(value):
            if _fitting(parameter.items, item) is None:
                noun = NOUNS[parameter.items]
                return [f"{parameter.name}: {place}, {shown(item)}, is not {noun}."]
    return []


def _places(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"item {number}", item) for number, item in enumerate(value, 1))
    else:
        yield from ((f"the value of {shown(key)}", item) for key, item in value.items())


def _is_choice(value: Any, choices: list[Any]) -> bool:
    # True == 1 in Python, but a flag is no number.
    return any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool)
        for choice in choices
    )


def _range_problems(parameter: Parameter, value: Any) -> list[str]:
    if not _is_number(value):
        return []
    name = parameter.name
    if parameter.minimum is not None and value < parameter.minimum:
        return [f"{name}: {value} is less than the minimum, {parameter.minimum:g}."]
    if parameter.maximum is not None and value > parameter.maximum:
        return [f"{name}: {value} is more than the maximum, {parameter.maximum:g}."]
    if parameter.exclusive_minimum is not None and value <= parameter.exclusive_minimum:
        return [f"{name}: {value} is not more than {parameter.exclusive_minimum:g}."]
    if parameter.exclusive_maximum is not None and value >= parameter.exclusive_maximum:
        return [f"{name}: {value} is not less than {parameter.exclusive_maximum:g}."]
    return []


def _length_problems(parameter: Parameter, value: Any) -> list[str]:
    if parameter.type not in ("str", "path", "list", "dict"):
        return []
    low, high = parameter.min_length, parameter.max_length
    unit = UNITS.get(parameter.type, "characters")
    head = f"{parameter.name}: {shown(value)} has {len(value)} {unit}"
    if low is not None and len(value) < low:
        return [f"{head}; the least is {low}."]
    if high is not None and len(value) > high:
        return [f"{head}; the most is {high}."]
    return []


def _wrong_type(parameter: Parameter, value: Any) -> str:
    nothing = " or null" if parameter.nullable else ""
    return f"{parameter.name}: {shown(value)} is not {NOUNS[parameter.type]}{nothing}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ACCEPTS: dict[Type, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": _is_number,
    "str": lambda value: isinstance(value, str),
    "path": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
    "any": lambda value: True,
}
