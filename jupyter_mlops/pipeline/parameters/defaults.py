"""From the expression of a default to its JSON value, its type and its form."""

from __future__ import annotations

import ast
import datetime
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from jupyter_mlops.pipeline.parameters.forms import Container, Form, by_call, by_member, contained
from jupyter_mlops.pipeline.parameters.literals import NotLiteral, evaluate
from jupyter_mlops.pipeline.parameters.scope import Scope
from jupyter_mlops.runtime.parameters import Type, plain
from jupyter_mlops.runtime.parameters.plain import iso_date, iso_datetime, unfit

PATHS = ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath")
MOMENTS = ("pandas.Timestamp", "pandas.to_datetime")
ZONES = ("datetime.timezone.utc", "datetime.UTC")
NUMBERS: dict[str, type] = {
    **{f"numpy.float{bits}": float for bits in (16, 32, 64)},
    **{f"numpy.{sign}int{bits}": int for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "numpy.bool_": bool,
}
ARRAYS = ("numpy.array", "numpy.asarray")
TYPES: dict[type, Type] = {bool: "bool", int: "int", float: "float", str: "str", dict: "dict"}


@dataclass(frozen=True)
class Default:
    """A value as JSON, its type (``any`` for None), and how the notebook writes it."""

    value: Any
    type: Type
    form: Form | None = None
    items: Type | None = None
    int_keys: bool = False
    choices: list[str] = field(default_factory=list)
    is_path: bool = False

    def __hash__(self) -> int:
        return hash((repr(self.value), self.type))


def of(node: ast.expr, scope: Scope) -> Default:
    """Return the default that an expression writes.

    Raises ``NotLiteral`` for whatever must be computed, with a text where a person may wonder.
    """
    value = evaluate(node, lambda part: _special(part, scope), scope)
    found = _described(value)
    why = unfit(found.value)
    if why:
        raise NotLiteral(why)
    return found


def _described(value: Any) -> Default:
    if isinstance(value, Default):
        return value
    if value is None:
        return Default(None, "any")
    if type(value) in (bool, int, float, str):
        return Default(value, TYPES[type(value)])
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list | tuple | set | frozenset):
        container: Container = type(value).__name__  # type: ignore[assignment]
        every = [_described(item) for item in value]
        if isinstance(value, set | frozenset):
            every.sort(key=lambda item: (item.type, repr(item.value)))
        form, items = _alike(every)
        return Default([item.value for item in every], "list", contained(container, form), items)
    raise NotLiteral


def _mapping(value: dict[Any, Any]) -> Default:
    every = {key: _described(item) for key, item in value.items()}
    form, items = _alike(list(every.values()))
    int_keys = bool(every) and all(type(key) is int for key in every)
    if not int_keys and not all(isinstance(key, str) for key in every):
        raise NotLiteral("its keys are neither all texts nor all whole numbers")
    return Default(
        {str(key): item.value for key, item in every.items()},
        "dict",
        contained("dict", form, int_keys),
        items,
        int_keys,
    )


def _alike(every: list[Default]) -> tuple[Form | None, Type | None]:
    """Return the form that all items share, and their type where it is not plain JSON."""
    forms = {item.form for item in every}
    if len(forms) > 1:
        raise NotLiteral("what is in it is of several kinds, which JSON cannot tell apart")
    form = forms.pop() if forms else None
    types = {item.type for item in every}
    items = types.pop() if len(types) == 1 and form and not form.container else None
    return form, items if items in ("date", "datetime", "path") else None


def _special(node: ast.expr, scope: Scope) -> Default | None:
    """Return the default of a date, a path, a member of an ``Enum`` or a number of numpy."""
    if isinstance(node, ast.Call):
        return _member_called(node, scope) or _called(node, scope)
    if isinstance(node, ast.Attribute):
        return _member(node.value, node.attr, scope)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return _member(node.value, node.slice.value, scope)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _joined(node, scope)
    return None


def _member(enum: ast.expr, name: Any, scope: Scope) -> Default | None:
    members = scope.enums.get(enum.id) if isinstance(enum, ast.Name) else None
    if not isinstance(enum, ast.Name) or not members or name not in members:
        return None
    return Default(name, "str", by_member(enum.id), choices=list(members))


def _member_called(node: ast.Call, scope: Scope) -> Default | None:
    members = scope.enums.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if not members or len(node.args) != 1 or not isinstance(node.args[0], ast.Constant):
        return None
    value = node.args[0].value
    names = [name for name, each in members.items() if each == value and each is not None]
    return _member(node.func, names[0], scope) if names else None


def _called(node: ast.Call, scope: Scope) -> Default | None:
    name, callee = scope.qualified(node.func), ast.unparse(node.func)
    if name in ("datetime.date.fromisoformat", "datetime.datetime.fromisoformat"):
        return _dated(iso_text(node, scope), name.split(".")[1], callee.rpartition(".")[0])
    if name in ("datetime.date", "datetime.datetime"):
        return _dated(_moment(node, name, scope), name.split(".")[1], callee)
    if name == "datetime.datetime.strptime":
        return _dated(_parsed(node, scope), "datetime", callee.rpartition(".")[0])
    if name in PATHS and node.args and not node.keywords:
        parts = [evaluate(argument, lambda _: None, scope) for argument in node.args]
        if all(isinstance(part, str) for part in parts):
            return _path(str(PurePosixPath(*parts)), callee)
        return None
    if name in MOMENTS or name == "numpy.datetime64":
        return _of_text(node, name, callee, scope)
    if name in NUMBERS:
        return _number(node, NUMBERS[name], callee, scope)
    return _array(node, callee, scope) if name in ARRAYS else None


def _dated(text: str | None, kind: str, callee: str) -> Default | None:
    if text is None:
        return None
    type_: Type = "date" if kind == "date" else "datetime"
    return Default(text, type_, by_call(f"{callee}.fromisoformat"))


def iso_text(node: ast.Call, scope: Scope) -> str | None:
    """Return the ISO text that is a call's only argument."""
    if len(node.args) != 1 or node.keywords:
        return None
    text = evaluate(node.args[0], lambda _: None, scope)
    if not isinstance(text, str):
        return None
    return iso_date(text) or iso_datetime(text)


def _moment(node: ast.Call, name: str, scope: Scope) -> str | None:
    numbers = [evaluate(argument, lambda _: None, scope) for argument in node.args]
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg == "tzinfo" and scope.qualified(keyword.value) in ZONES:
            named["tzinfo"] = datetime.UTC
        elif keyword.arg:
            named[keyword.arg] = evaluate(keyword.value, lambda _: None, scope)
    kind = datetime.date if name == "datetime.date" else datetime.datetime
    try:
        return kind(*numbers, **named).isoformat()
    except (TypeError, ValueError):
        return None


def _parsed(node: ast.Call, scope: Scope) -> str | None:
    try:
        texts = [evaluate(argument, lambda _: None, scope) for argument in node.args]
        return iso_datetime(datetime.datetime.strptime(*texts).isoformat())
    except (TypeError, ValueError):
        return None


def _path(text: str, callee: str) -> Default:
    return Default(text, "path", by_call(callee), is_path=True)


def _joined(node: ast.BinOp, scope: Scope) -> Default | None:
    """Return the path of ``Path("a") / "b"``."""
    left = node.left
    if isinstance(left, ast.BinOp | ast.Call):
        head = _special(left, scope)
        if head is not None and head.is_path and head.form is not None:
            tail = evaluate(node.right, lambda _: None, scope)
            if isinstance(tail, str):
                return _path(str(PurePosixPath(head.value, tail)), head.form.convert[:-4])
    return None


def _of_text(node: ast.Call, name: str, callee: str, scope: Scope) -> Default | None:
    text = iso_text(node, scope)
    if text is None:
        return None
    if name == "numpy.datetime64":
        # Of a moment the unit would follow the way it is written.
        return Default(text, "date", by_call(callee)) if iso_date(text) else None
    return Default(iso_datetime(text), "datetime", by_call(callee))


def _number(node: ast.Call, kind: type, callee: str, scope: Scope) -> Default | None:
    if len(node.args) != 1 or node.keywords:
        return None
    value = evaluate(node.args[0], lambda _: None, scope)
    if not isinstance(value, bool | int | float) or (kind is int and not isinstance(value, int)):
        return None
    return Default(kind(value), TYPES[kind], Form(convert=f"{callee}({{}})"))


def _array(node: ast.Call, callee: str, scope: Scope) -> Default | None:
    if len(node.args) != 1 or any(keyword.arg != "dtype" for keyword in node.keywords):
        return None
    value = plain(evaluate(node.args[0], lambda _: None, scope))
    if not isinstance(value, list):
        return None
    more = "".join(f", dtype={ast.unparse(keyword.value)}" for keyword in node.keywords)
    return Default(value, "list", Form(convert=f"{callee}({{}}{more})"))
