"""Parameters of a notebook: their types, their checks, and their JSON Schema."""

from __future__ import annotations

from jupyter_mlops.runtime.parameters.checks import check, effective, parse, validate
from jupyter_mlops.runtime.parameters.models import (
    DERIVED,
    NOUNS,
    Parameter,
    ParameterProblems,
    Type,
)
from jupyter_mlops.runtime.parameters.plain import plain
from jupyter_mlops.runtime.parameters.schema import SCHEMA_TYPES, json_schema
from jupyter_mlops.runtime.parameters.shown import limits_text, type_text

__all__ = [
    "DERIVED",
    "NOUNS",
    "SCHEMA_TYPES",
    "Parameter",
    "ParameterProblems",
    "Type",
    "check",
    "effective",
    "json_schema",
    "limits_text",
    "parse",
    "plain",
    "type_text",
    "validate",
]
