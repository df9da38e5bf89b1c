"""Which names of the notebook a piece of code looks up, by Python's rules of scopes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Scope:
    """A scope: the names it binds, and the scope around it (``None`` for the notebook's own).

    In a class body, ``local`` grows statement by statement: before a name is bound there, it is
    looked up outside. ``assigned`` are the names that the cell has surely bound by now.
    """

    def __init__(self, kind: str, outer: Scope | None = None, local: Iterable[str] = ()) -> None:
        self.kind = kind
        self.outer = outer
        self.local = set(local)
        self.outside: set[str] = set()
        self.assigned: set[str] = set()

    def reaches_notebook(self, name: str) -> bool:
        """Tell whether a look-up of this name from here ends in the notebook's namespace."""
        scope: Scope | None = self
        first = True
        while scope is not None and scope.kind != "module":
            if name in scope.outside:
                return True
            # What a class body binds is not seen by the functions in it.
            if name in scope.local and (first or scope.kind != "class"):
                return False
            first = False
            scope = scope.outer
        return True

    def runs_at_once(self) -> bool:
        """Tell whether code here runs in line with the cell, not in a function called later."""
        scope: Scope | None = self
        while scope is not None and scope.kind in ("class", "comprehension"):
            scope = scope.outer
        return scope is not None and scope.kind == "module"

    def is_assigned(self, name: str) -> bool:
        """Tell whether the cell surely bound the name before this look-up."""
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return self.runs_at_once() and name in scope.assigned


def of_function(node: FUNCTIONS | ast.Lambda, outer: Scope) -> Scope:
    """Return the scope of a function's body."""
    scope = Scope("function", outer, (a.arg for a in _arguments(node.args)))
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    for inner in _same_scope(body):
        if isinstance(inner, ast.Global):
            scope.outside.update(inner.names)
        elif isinstance(inner, ast.Nonlocal):
            pass
        else:
            scope.local.update(binds(inner))
    for parameter in getattr(node, "type_params", []):
        scope.local.add(parameter.name)
    inherited = {n for i in _same_scope(body) if isinstance(i, ast.Nonlocal) for n in i.names}
    scope.local -= scope.outside | inherited
    return scope


def of_comprehension(node: COMPREHENSIONS, outer: Scope) -> Scope:
    """Return the scope of a comprehension: its loop variables."""
    scope = Scope("comprehension", outer)
    for generator in node.generators:
        scope.local.update(targets(generator.target))
    return scope


def targets(node: ast.AST) -> set[str]:
    """Return the names bound by the target of an assignment."""
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }


def binds(node: ast.AST) -> list[str]:
    """Return the names that this one node binds, without those of the nodes below it."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case ast.ExceptHandler(name=str(name)):
            return [name]
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
    return []


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    for star in (arguments.vararg, arguments.kwarg):
        if star is not None:
            yield star


def _same_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Walk through nodes without entering the scopes of functions and classes in them.

    Of a comprehension only the assignment expressions count: they bind outside of it.
    """
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, FUNCTIONS | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, COMPREHENSIONS):
            walked = ast.walk(node)
            yield from (n.target for n in walked if isinstance(n, ast.NamedExpr))
            continue
        waiting.extend(ast.iter_child_nodes(node))
