"""Which names a function's or class's body binds for itself: Python's scoping rules."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True)
class Scope:
    """The names local to a function, those it declares elsewhere, and whether it yields."""

    own: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    outer: set[str] = field(default_factory=set)
    yields: bool = False


def scope_of(node: FunctionNode) -> Scope:
    """Return a function's scope; it is kept on the node, as the tree does not change."""
    known = getattr(node, "mlops_scope", None)
    if known is not None:
        return known  # type: ignore[no-any-return]
    scope = Scope()
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        scope.own.add(argument.arg)
    for extra in (arguments.vararg, arguments.kwarg):
        if extra is not None:
            scope.own.add(extra.arg)
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    for child in body:
        _collect(child, scope)
    scope.own -= scope.elsewhere | scope.outer
    node.mlops_scope = scope  # type: ignore[union-attr]
    return scope


def _collect(node: ast.AST, scope: Scope) -> None:
    """Walk a body without entering the scopes in it."""
    kind = type(node)
    if kind is ast.Name:
        if not isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
            scope.own.add(node.id)  # type: ignore[attr-defined]
        return
    if kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        scope.own.add(node.name)  # type: ignore[attr-defined]
        return
    if kind is ast.Lambda:
        return
    if kind in (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp):
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                scope.own.add(inner.target.id)
        return
    if kind is ast.Global:
        scope.elsewhere.update(node.names)  # type: ignore[attr-defined]
    elif kind is ast.Nonlocal:
        scope.outer.update(node.names)  # type: ignore[attr-defined]
    elif kind in (ast.Import, ast.ImportFrom):
        for alias in node.names:  # type: ignore[attr-defined]
            scope.own.add(alias.asname or alias.name.partition(".")[0])
    elif kind in (ast.ExceptHandler, ast.MatchAs, ast.MatchStar):
        if node.name:  # type: ignore[attr-defined]
            scope.own.add(node.name)  # type: ignore[attr-defined]
    elif kind is ast.MatchMapping and node.rest:  # type: ignore[attr-defined]
        scope.own.add(node.rest)  # type: ignore[attr-defined]
    elif kind in (ast.Yield, ast.YieldFrom):
        scope.yields = True
    for child in ast.iter_child_nodes(node):
        _collect(child, scope)
