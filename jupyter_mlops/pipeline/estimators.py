"""What a notebook trains, read from its text: the names that are fitted, and on what."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Notebook

FITS = frozenset({"fit", "fit_transform", "fit_predict", "partial_fit"})


@dataclass
class Fitted:
    """A name that a cell fits: where (code cell number), its class if written, its data."""

    name: str
    cell: int
    type: str = ""
    inputs: list[str] = field(default_factory=list)


def fitted(notebook: Notebook) -> list[Fitted]:
    """Return the names on which a ``fit`` method is called, in order of their last fit."""
    found: dict[str, Fitted] = {}
    classes: dict[str, str] = {}
    for cell in notebook.cells:
        for node in parsed.nodes(cell.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                _note_assignment(node, classes, found, cell.number)
            elif isinstance(node, ast.Call):
                _note_fit(node, classes, found, cell.number)
    return list(found.values())


def _note_assignment(
    node: ast.Assign, classes: dict[str, str], found: dict[str, Fitted], cell: int
) -> None:
    call = node.value
    assert isinstance(call, ast.Call)
    chained = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)
    for target in node.targets:
        if not isinstance(target, ast.Name):
            continue
        classes[target.id] = _class_name(call.func)
        if chained and isinstance(call.func, ast.Attribute) and call.func.attr == "fit":
            assert isinstance(call.func.value, ast.Call)
            kind = _class_name(call.func.value.func)
            found.pop(target.id, None)
            found[target.id] = Fitted(target.id, cell, kind, _plain_names(call))


def _note_fit(node: ast.Call, classes: dict[str, str], found: dict[str, Fitted], cell: int) -> None:
    method = node.func
    if (
        isinstance(method, ast.Attribute)
        and method.attr in FITS
        and isinstance(method.value, ast.Name)
    ):
        name = method.value.id
        found.pop(name, None)
        found[name] = Fitted(name, cell, classes.get(name, ""), _plain_names(node))


def _plain_names(call: ast.Call) -> list[str]:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [value.id for value in values if isinstance(value, ast.Name)]


def _class_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
