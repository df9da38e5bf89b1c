"""Where a notebook binds, changes and passes on a few names: one walk over its cells."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell

MUTATORS = frozenset(
    """
    append extend insert pop remove clear update setdefault popitem add discard sort reverse
    difference_update intersection_update symmetric_difference_update
    """.split()
)
WORDS = re.compile(r"[^\W\d]\w*")
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True)
class Binding:
    """A statement that sets a name; ``reads`` tells whether it also reads it."""

    cell: int
    statement: ast.stmt
    reads: bool


@dataclass(frozen=True)
class Passed:
    """A name given to a call: ``keyword`` is its keyword, ``**``, or empty by position."""

    cell: int
    callee: str
    keyword: str


@dataclass
class Usage:
    """What happens to each name, in the order of the cells."""

    bindings: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    passed: dict[str, list[Passed]] = field(default_factory=lambda: defaultdict(list))
    read: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def of(cells: Iterable[Cell], names: Iterable[str]) -> Usage:
    """Return what the cells do with these names at the notebook's own level."""
    usage, wanted = Usage(), set(names)
    for cell in cells:
        there = wanted.intersection(WORDS.findall(cell.source))
        for statement in cell.tree.body if there else ():
            _Walk(usage, cell.number, statement, there).run()
    return usage


class _Walk:
    def __init__(self, usage: Usage, cell: int, statement: ast.stmt, names: set[str]) -> None:
        self.usage, self.cell, self.statement, self.names = usage, cell, statement, names
        self.stored: set[str] = set()
        self.loaded: set[str] = set()

    def run(self) -> None:
        self.visit(self.statement, frozenset())
        for name in sorted(self.stored):
            binding = Binding(self.cell, self.statement, name in self.loaded)
            self.usage.bindings[name].append(binding)

    def visit(self, node: ast.AST, hidden: frozenset[str]) -> None:
        if isinstance(node, ast.Name):
            self._name(node, hidden)
            return
        if isinstance(node, Function):
            self._function(node, hidden)
            return
        if isinstance(node, Comprehension):
            stored = (n for g in node.generators for n in ast.walk(g.target))
            hidden |= {n.id for n in stored if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Call):
            self._call(node, hidden)
        elif isinstance(node, ast.Subscript | ast.Attribute):
            if isinstance(node.ctx, ast.Store | ast.Del):
                self._change(node, hidden)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.loaded.add(node.target.id)
        elif isinstance(node, ast.ClassDef | ast.ExceptHandler) and node.name in self.names:
            self.stored.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound = {a.asname or a.name.partition(".")[0] for a in node.names}
            self.stored |= bound & self.names - hidden
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name in self.names - hidden:
            self.stored.add(node.name)
        for child in parsed.children(node):
            self.visit(child, hidden)

    def _name(self, node: ast.Name, hidden: frozenset[str]) -> None:
        if node.id not in self.names or node.id in hidden:
            return
        if isinstance(node.ctx, ast.Load):
            self.loaded.add(node.id)
            self.usage.read[node.id].append(self.cell)
        else:
            self.stored.add(node.id)

    def _function(self, node: Function, hidden: frozenset[str]) -> None:
        if not isinstance(node, ast.Lambda) and node.name in self.names - hidden:
            self.stored.add(node.name)
        for outside in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(outside, hidden)
        for decorator in getattr(node, "decorator_list", []):
            self.visit(decorator, hidden)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        inside = hidden | _locals(node, body)
        for child in body:
            self.visit(child, inside)

    def _call(self, node: ast.Call, hidden: frozenset[str]) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
            self._change(function, hidden)
        callee = dotted(function)
        pairs = [(argument, "") for argument in node.args]
        pairs += [(each.value, each.arg or "**") for each in node.keywords]
        for value, keyword in pairs:
            name = value.id if isinstance(value, ast.Name) else ""
            if callee and name in self.names and name not in hidden:
                self.usage.passed[name].append(Passed(self.cell, callee, keyword))

    def _change(self, node: ast.expr, hidden: frozenset[str]) -> None:
        while isinstance(node, ast.Subscript | ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.names and node.id not in hidden:
            self.usage.changed[node.id].append(self.cell)


def _locals(node: Function, body: list[ast.stmt] | list[ast.expr]) -> set[str]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each]
    names, outer = {each.arg for each in every}, set()
    for part in body:
        for child in ast.walk(part):
            if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
                names.add(child.id)
            elif isinstance(child, ast.Global):
                outer |= set(child.names)
    return names - outer


def dotted(node: ast.expr) -> str:
    """Return ``np.random.seed`` of such an expression, and an empty string of others."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else node.attr
    return ""
