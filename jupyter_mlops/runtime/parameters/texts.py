"""Values as they are typed on a command line."""

from __future__ import annotations

import ast
import json
from typing import Any

from jupyter_mlops.runtime.parameters.models import Parameter

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


def read(parameter: Parameter, text: str) -> Any:
    """Return the value that a text stands for; raises ``ValueError`` when it stands for none."""
    if parameter.nullable and text.strip() in {"null", "None"}:
        return None
    match parameter.type:
        case "str" | "path":
            return text
        case "date" | "datetime":
            return text.strip()
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
        case "list":
            return _list(parameter, text)
        case _:
            return _literal(text)


def _list(parameter: Parameter, text: str) -> Any:
    """Read JSON, a Python literal, or, where the items are texts, words between commas."""
    try:
        return _literal(text)
    except ValueError:
        words = [word.strip() for word in text.split(",")]
        textual = parameter.items in ("str", "path", "date", "datetime")
        if textual and not set(text) & set("[](){}'\""):
            return words
        raise


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _literal(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        try:
            # Through JSON once more: tuples become lists, and keys become texts.
            return json.loads(json.dumps(ast.literal_eval(text.strip()), allow_nan=False))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise ValueError(text) from None
