"""The top-level statements of plain cells: their text, what they bind, what they read and when."""

from __future__ import annotations

import ast
import copy
import itertools
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from jupyter_mlops.parsed import tree_of
from jupyter_mlops.pipeline.names import BUILTINS, bound, needed

_INLINE = frozenset({"listcomp", "setcomp", "dictcomp"})
#: What consumes a generator expression at once, so that it reads nothing later.
_CONSUMERS = frozenset(
    "sum any all min max sorted list set tuple dict frozenset join array fromiter".split()
)


@dataclass(frozen=True)
class Statement:
    """A top-level statement with the comments right above it; lines count from 0 in its cell."""

    cell: int
    node: ast.stmt
    first: int
    last: int
    text: str

    @cached_property
    def binds(self) -> set[str]:
        """Return every name that it binds, deletes or may bind."""
        if isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return bound(self.node)
        return (bound(self.node) | set(_walrus(self.node))) - _only_handled(self.node)

    @cached_property
    def needs(self) -> set[str]:
        """Return every name of the notebook that it reads, also when a function in it is called."""
        changed = {
            each.id
            for node in ast.walk(self.node)
            if isinstance(node, ast.AugAssign | ast.Delete)
            for each in ([node.target] if isinstance(node, ast.AugAssign) else node.targets)
            if isinstance(each, ast.Name)
        }
        return needed(self.node) | (changed & self.binds)

    @cached_property
    def late(self) -> set[str]:
        """Return the names that functions in it read when they are called, maybe much later."""
        tree = _Consumed().visit(copy.deepcopy(self.node))
        source = ast.unparse(ast.fix_missing_locations(tree))
        return set(_late(symtable.symtable(source, "<cell>", "exec"), inside=False)) - BUILTINS


@dataclass(frozen=True)
class Body:
    """A plain cell as statements; ``head`` are the lines in front of the first one."""

    cell: int
    text: str
    statements: list[Statement]

    def without(self, taken: set[int]) -> str:
        """Return the text without the statements whose positions are given."""
        lines = self.text.split("\n")
        kept: list[str | None] = list(lines)
        for index in taken:
            each = self.statements[index]
            kept[each.first : each.last] = [None] * (each.last - each.first)
        text = "\n".join(line for line in kept if line is not None)
        return _squeezed(text) if taken else text


def body(cell: int, text: str) -> Body:
    """Divide a plain cell; one whose statements share lines is written anew."""
    tree = tree_of(text)
    if _share_lines(tree):
        text = ast.unparse(tree)
        tree = tree_of(text)
    lines = text.split("\n")
    found: list[Statement] = []
    before = 0
    for node in tree.body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(each.lineno for each in decorators)]) - 1
        while first > before and lines[first - 1].startswith("#"):
            first -= 1
        last = node.end_lineno or node.lineno
        found.append(Statement(cell, node, first, last, "\n".join(lines[first:last])))
        before = last
    return Body(cell, text, found)


def _share_lines(tree: ast.Module) -> bool:
    ends = [(node.lineno, node.end_lineno or node.lineno) for node in tree.body]
    return any(start <= end for (_, end), (start, _) in itertools.pairwise(ends))


def _squeezed(text: str) -> str:
    """Leave no gaps where statements were taken out; texts in quotes keep their blank lines."""
    if '"""' in text or "'''" in text:
        return text.strip("\n")
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line.strip() or (lines and lines[-1].strip()):
            lines.append(line)
    return "\n".join(lines)


def _walrus(node: ast.AST) -> Iterator[str]:
    """Yield what ``:=`` binds, in comprehensions too, but not in functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(child, ast.NamedExpr):
            yield child.target.id
        yield from _walrus(child)


def _only_handled(node: ast.stmt) -> set[str]:
    """Return the names of ``except … as name`` that nothing else binds: they end there."""
    handled: set[str] = set()
    others: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.ExceptHandler) and each.name:
            handled.add(each.name)
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            others.add(each.id)
        elif isinstance(each, ast.alias):
            others.add(each.asname or each.name.partition(".")[0])
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            others.add(each.name)
    return handled - others


class _Consumed(ast.NodeTransformer):
    """Makes lists of generator expressions that are consumed where they stand."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        if name in _CONSUMERS:
            node.args = [
                ast.ListComp(elt=each.elt, generators=each.generators)
                if isinstance(each, ast.GeneratorExp)
                else each
                for each in node.args
            ]
        return node


def _late(table: symtable.SymbolTable, inside: bool) -> Iterator[str]:
    for child in table.get_children():
        later = inside or (child.get_type() == "function" and child.get_name() not in _INLINE)
        if later:
            for symbol in child.get_symbols():
                if symbol.is_global() and symbol.is_referenced():
                    yield symbol.get_name()
        yield from _late(child, later)
