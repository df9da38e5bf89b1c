"""Which names carry rows, which what was learned of them: read from the text, top to bottom."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline.service import words

Kind = Literal["rows", "grouped", "learned", "plain"]
Names = Mapping[str, Kind]
_ORDER: tuple[Kind, ...] = ("plain", "learned", "grouped", "rows")
_DEFINES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Statement:
    """A top-level statement, with what names carried before it."""

    cell: Cell
    node: ast.stmt
    before: Names


def statements(notebook: Notebook) -> list[Statement]:
    """Return the top-level statements of a notebook in their order."""
    found: list[Statement] = []
    names: dict[str, Kind] = {}
    for cell in notebook.cells:
        for node in cell.tree.body:
            found.append(Statement(cell, node, dict(names)))
            _note(node, names)
    return found


def kind(node: ast.AST | None, names: Names) -> Kind:
    """Say what the value of an expression carries."""
    match node:
        case ast.Name(id=name):
            return names.get(name, "plain")
        case ast.Attribute(value=value, attr=attr):
            base = kind(value, names)
            if base in ("rows", "grouped"):
                return "learned" if attr in words.ABOUT else base
            return base
        case ast.Subscript(value=value, slice=part):
            base = kind(value, names)
            if base in ("rows", "grouped", "learned"):
                return base
            return "rows" if kind(part, names) == "rows" else most([value, part], names)
        case ast.Call():
            return _call(node, names)
        case ast.Lambda() | ast.Constant() | None:
            return "plain"
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
            return _comprehension(node, names)
        case ast.Compare(left=left, comparators=others):
            return most([left, *others], names)
    return most(ast.iter_child_nodes(node), names) if node is not None else "plain"


def most(nodes: Iterable[ast.AST | None], names: Names) -> Kind:
    """Return the kind of what is made of several parts."""
    return max((kind(each, names) for each in nodes), key=_ORDER.index, default="plain")


def _comprehension(
    node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp, names: Names
) -> Kind:
    inner = dict(names)
    over: list[Kind] = []
    for each in node.generators:
        over.append(kind(each.iter, inner))
        _bind(each.target, over[-1], inner)
    if isinstance(node, ast.DictComp):
        made = most([node.key, node.value], inner)
    else:
        made = kind(node.elt, inner)
    found = max([made, *over], key=_ORDER.index)
    several = isinstance(node, ast.DictComp | ast.SetComp)
    return "learned" if several and found in ("rows", "grouped") else found


def _call(node: ast.Call, names: Names) -> Kind:
    arguments = [*node.args, *(each.value for each in node.keywords)]
    given = most([a.value if isinstance(a, ast.Starred) else a for a in arguments], names)
    name = called(node)
    if isinstance(node.func, ast.Name) and f"{name}()" in names:
        return names[f"{name}(rows)" if given in ("rows", "grouped") else f"{name}()"]
    if name in words.FRAMES or name.startswith(words.READS):
        return "rows"
    if isinstance(node.func, ast.Attribute):
        base = kind(node.func.value, names)
        if base == "grouped":
            return "rows" if name in ("transform", "cumsum", "cumcount", "shift") else "learned"
        if base == "rows":
            if name == "groupby":
                return "grouped"
            return "learned" if name in words.LEARNS and not _along_columns(node) else "rows"
        if given == "rows" and name in ("groupby",):
            return "grouped"
    if given in ("rows", "grouped"):
        learns = name in words.WHOLE or name.endswith(words.METRICS)
        learns = learns or name.startswith("cross_val")
        learns = learns or (name in words.LEARNS and not _along_columns(node))
        made = name[:1].isupper() and name not in words.FRAMES
        return "learned" if learns or made else "rows"
    if name in words.SOURCES:
        return "rows"
    if isinstance(node.func, ast.Attribute):
        return max(given, kind(node.func.value, names), key=_ORDER.index)
    return given


def called(node: ast.AST) -> str:
    """Return the last part of the name that a call calls."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _along_columns(node: ast.Call) -> bool:
    along = [each.value for each in node.keywords if each.arg == "axis"]
    if not along and called(node) in ("sum", "mean", "min", "max", "std", "any", "all", "median"):
        own = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
        # ``np.mean(X, 1)`` and ``X.mean(1)``
        along = node.args[1:2] if own and len(node.args) > 1 else []
    return any(
        isinstance(each, ast.Constant) and each.value in (1, "columns", -1) for each in along
    )


def _note(node: ast.stmt, names: dict[str, Kind]) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _assign(target, value, names)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            _assign(target, value, names)
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            names[name] = max(names.get(name, "plain"), kind(value, names), key=_ORDER.index)
        case ast.For(target=target, iter=over, body=body):
            turn = kind(over, names)
            _bind(target, turn, names)
            for each in body:
                _note(each, names)
        case ast.If() | ast.With() | ast.Try() | ast.While():
            for field in ("body", "handlers", "orelse", "finalbody"):
                for each in getattr(node, field, []):
                    inner = each.body if isinstance(each, ast.ExceptHandler) else [each]
                    for one in inner:
                        _note(one, names)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            names[node.name] = "plain"
            if isinstance(node, ast.FunctionDef):
                names[f"{node.name}()"] = _returned(node, "plain", names)
                names[f"{node.name}(rows)"] = _returned(node, "rows", names)


def _returned(node: ast.FunctionDef, given: Kind, names: Names) -> Kind:
    """Say what a function gives back for arguments of a kind."""
    inner = dict(names)
    plain = len(node.args.args) - len(node.args.defaults)
    for number, argument in enumerate(node.args.args):
        inner[argument.arg] = given if number < max(plain, 1) else "plain"
    for each in node.body:
        _note(each, inner)
    own = (each for each in ast.walk(node) if isinstance(each, ast.Return))
    return most([each.value for each in own], inner)


def _assign(target: ast.expr, value: ast.expr, names: dict[str, Kind]) -> None:
    several = ast.Tuple | ast.List
    if isinstance(target, several) and isinstance(value, several):
        for each, part in zip(target.elts, value.elts, strict=False):
            _assign(each, part, names)
        return
    _bind(target, kind(value, names), names)


def _bind(target: ast.expr, found: Kind, names: dict[str, Kind]) -> None:
    if isinstance(target, ast.Name):
        names[target.id] = found
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            _bind(each, found, names)
    elif isinstance(target, ast.Starred):
        _bind(target.value, found, names)


def base(node: ast.AST) -> str:
    """Return the name that ``name.a[b].c()`` begins with; empty for anything else."""
    while True:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=value) | ast.Subscript(value=value):
                node = value
            case ast.Call(func=ast.Attribute(value=value)):
                node = value
            case _:
                return ""


def changed(node: ast.stmt, functions: Mapping[str, ast.FunctionDef]) -> set[str]:
    """Return the names whose objects a statement changes in place."""
    found: set[str] = set()
    if isinstance(node, _DEFINES):
        return found
    for each in ast.walk(node):
        match each:
            case (
                ast.Subscript(ctx=ast.Store() | ast.Del())
                | ast.Attribute(ctx=ast.Store() | ast.Del())
            ):
                found.add(base(each))
            case ast.AugAssign(target=target):
                found.add(base(target))
            case ast.For(target=ast.Name(id=name), iter=ast.List(elts=elts) | ast.Tuple(elts=elts)):
                if any(name in changed(inner, functions) for inner in each.body):
                    found |= {e.id for e in elts if isinstance(e, ast.Name)}
            case ast.Call(func=ast.Attribute(value=value, attr=attr), keywords=keywords):
                inplace = any(
                    k.arg == "inplace" and isinstance(k.value, ast.Constant) and k.value.value
                    for k in keywords
                )
                if inplace or attr in ("insert", "pop", "append", "extend", "update"):
                    found.add(base(value))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        definition = functions.get(called(node.value))
        if definition is not None:
            own = [argument.arg for argument in definition.args.args]
            inside = set().union(*(changed(each, {}) for each in definition.body))
            for name, given in zip(own, node.value.args, strict=False):
                if name in inside and isinstance(given, ast.Name):
                    found.add(given.id)
    return found - {""}
