"""Calls a function of the notebook the way it takes its rows: the same in kernel and service."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_mlops.capture.models import Column, Signature, Takes
from jupyter_mlops.capture.rows import arguments, array, outputs, plain, table
from jupyter_mlops.capture.taps import Called

Function = Callable[..., Any]
_SCALARS = bool | int | float | str


def answers(
    function: Function,
    takes: Takes,
    rows: Sequence[Sequence[Any]],
    signature: Signature,
    params: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Return one JSON value for each row; raises whatever the function raises."""
    more = dict(params or {})
    names = [column.name for column in signature.inputs]
    listed = [list(row) for row in rows]
    match takes:
        case "table":
            return outputs(function(table_of(listed, signature), **more))
        case "records":
            records = [dict(zip(names, row, strict=True)) for row in listed]
            return outputs(function(records, **more))
        case "lists":
            return outputs(function(listed, **more))
        case "values":
            return outputs(function([row[0] for row in listed], **more))
    return [plain(_one(function, takes, row, signature, more)) for row in listed]


def _one(
    function: Function, takes: Takes, row: list[Any], signature: Signature, more: dict[str, Any]
) -> Any:
    names = [column.name for column in signature.inputs]
    match takes:
        case "record":
            return function(dict(zip(names, row, strict=True)), **more)
        case "series":
            return function(table_of([row], signature).iloc[0], **more)
        case "list":
            return function(row, **more)
        case "value":
            return function(row[0], **more)
        case "arguments":
            return function(**dict(zip(names, row, strict=True)), **more)
    answer = outputs(function(table_of([row], signature), **more))
    return answer[0] if len(answer) == 1 else answer


def table_of(rows: list[list[Any]], signature: Signature) -> Any:
    """Make the table of rows, in the form that the signature says."""
    if signature.rows == "array":
        return array(rows, signature.inputs)
    if signature.rows == "any" and len(signature.inputs) == 1:
        return arguments(rows, signature)
    return table(rows, signature.inputs)


def shown(function: Function, calls: Sequence[Called]) -> tuple[Takes, Signature, list[Any]] | None:
    """Return how the notebook's own calls give one row each, with these rows; None if they do not.

    Tables and arrays are for ``golden`` to look at.
    """
    found: tuple[Takes, Signature] | None = None
    rows: list[Any] = []
    for each in calls:
        made = _shown(function, each)
        if made is None:
            continue
        takes, signature, row = made
        names = [column.name for column in signature.inputs]
        if found is None:
            found = takes, signature
        if takes == found[0] and names == [column.name for column in found[1].inputs]:
            rows.append((each, row))
    return None if found is None else (*found, rows)


def _shown(function: Function, call: Called) -> tuple[Takes, Signature, list[list[Any]]] | None:
    values = [*call.others, *call.named.values()]
    if not values:
        return None
    first = values[0]
    names = _names(function)
    if isinstance(first, dict) and _flat(first.values()):
        return "record", _described(list(first), [list(first.values())]), [list(first.values())]
    if isinstance(first, list) and first:
        return _of_list(first, call, names)
    needed = [name for name in names if _is_needed(function, name)]
    if not _flat(values) or not names:
        return None
    if len(needed) > 1 or len(values) > 1:
        bound = {**dict(zip(names, call.others, strict=False)), **call.named}
        bound = {name: value for name, value in bound.items() if name in needed}
        return "arguments", _described(list(bound), [list(bound.values())]), [list(bound.values())]
    return "value", _described(names[:1], [[first]]), [[first]]


def _of_list(
    first: list[Any], call: Called, names: list[str]
) -> tuple[Takes, Signature, list[list[Any]]] | None:
    if all(isinstance(each, dict) and _flat(each.values()) for each in first):
        columns = list(first[0])
        if any(list(each) != columns for each in first):
            return None
        rows = [list(each.values()) for each in first]
        return "records", _described(columns, rows), rows
    if all(isinstance(each, list) and _flat(each) for each in first):
        columns = [f"x{i}" for i in range(len(first[0]))]
        if any(len(each) != len(columns) for each in first):
            return None
        return "lists", _described(columns, first), first
    if not _flat(first):
        return None
    several = hasattr(call.answer, "__len__") and not isinstance(call.answer, str | dict)
    if several and len(call.answer) == len(first):
        return "values", _described(names[:1], [[each] for each in first]), [[e] for e in first]
    return "list", _described([f"x{i}" for i in range(len(first))], [first]), [first]


def _flat(values: Any) -> bool:
    return all(isinstance(each, _SCALARS) for each in values)


def _names(function: Function) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each.name for each in parameters if each.kind in kinds]


def _is_needed(function: Function, name: str) -> bool:
    return inspect.signature(function).parameters[name].default is inspect.Parameter.empty


def required(function: Function) -> list[str]:
    """Return the arguments of a function that have no default."""
    return [name for name in _names(function) if _is_needed(function, name)]


def _described(names: list[str], rows: list[list[Any]]) -> Signature:
    columns = zip(*rows, strict=True)
    inputs = [
        Column(name=str(name), dtype=_dtype(values))
        for name, values in zip(names, columns, strict=True)
    ]
    return Signature(inputs=inputs, rows="any")


def _dtype(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds <= {int, float} and float in kinds:
        return "float64"
    names = {bool: "bool", int: "int64", float: "float64", str: "str"}
    return names.get(next(iter(kinds)), "object") if len(kinds) == 1 else "object"
