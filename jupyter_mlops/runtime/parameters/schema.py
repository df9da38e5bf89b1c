"""The JSON Schema of a notebook's parameters: for forms, HTTP and other programs.

It accepts what ``validate`` accepts, but for four things that JSON Schema cannot say or says
otherwise: numbers beyond 64 bits, ``1.0`` for a whole number, days that no month has where
formats are not checked, and a time without its zone where the format ``date-time`` is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyter_mlops.runtime.parameters.models import Parameter, Type
from jupyter_mlops.runtime.parameters.plain import DATE_PATTERN, DATETIME_PATTERN, KEY_PATTERN

SCHEMA_TYPES: dict[Type, str] = {
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "str": "string",
    "date": "string",
    "datetime": "string",
    "path": "string",
    "list": "array",
    "dict": "object",
}
MORE: dict[Type, dict[str, str]] = {
    "date": {"format": "date", "pattern": f"^{DATE_PATTERN}$"},
    "datetime": {"format": "date-time", "pattern": f"^{DATETIME_PATTERN}$"},
    "path": {"format": "path"},
}
LENGTHS: dict[Type, str] = {
    "str": "Length",
    "path": "Length",
    "list": "Items",
    "dict": "Properties",
}


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
    schema: dict[str, Any] = {"title": parameter.name, **_of_type(parameter.type)}
    if parameter.nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.choices:
        nothing = parameter.nullable or parameter.type == "any"
        extra = [None] if nothing and None not in parameter.choices else []
        schema["enum"] = [*parameter.choices, *extra]
    schema |= _bounds(parameter) | _inside(parameter)
    if not parameter.required:
        schema["default"] = parameter.default
    return schema


def _of_type(kind: Type) -> dict[str, Any]:
    return {"type": SCHEMA_TYPES[kind], **MORE.get(kind, {})} if kind in SCHEMA_TYPES else {}


def _bounds(parameter: Parameter) -> dict[str, Any]:
    length = LENGTHS.get(parameter.type)
    found = {
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "exclusiveMinimum": parameter.exclusive_minimum,
        "exclusiveMaximum": parameter.exclusive_maximum,
    }
    if length:
        found |= {f"min{length}": parameter.min_length, f"max{length}": parameter.max_length}
    return {key: value for key, value in found.items() if value is not None}


def _inside(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if parameter.items and parameter.type in ("list", "dict"):
        key = "items" if parameter.type == "list" else "additionalProperties"
        schema[key] = _of_type(parameter.items)
    if parameter.type == "dict" and parameter.keys == "int":
        schema["propertyNames"] = {"pattern": f"^{KEY_PATTERN}$"}
    return schema
