"""Long notebooks out of the corpus: its small notebooks one after another, names made distinct.

Three notebooks of everyday themes go side by side, cell by cell, so that cells are as long as
people write them. Each group of three gets names of its own and begins by reading a result of
the group before, so that cells depend on each other from the first to the last.
"""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Iterator
from typing import Any

from jupyter_mlops.parsed import plain_python
from jupyter_mlops.pipeline.names import bound
from tests.equivalence.case import Case
from tests.equivalence.corpus import CASES

#: Left out: what notebooks do once in a hundred cells, and no reader of Python alone understands.
RARE = {"dynamic", "traps", "hidden", "resources", "magics", "displays", "stars"}
ABREAST = 3


def sources(count: int, seed: int) -> list[str]:
    """Return the texts of so many code cells; the same ones for the same seed."""
    cases = [case for case in CASES if case.theme not in RARE and _is_plain(case)]
    random.Random(seed).shuffle(cases)
    return list(itertools.islice(_endless(cases), count))


def _is_plain(case: Case) -> bool:
    """Tell whether every cell is Python without magics, which not every peer understands."""
    return all(plain_python(text) == text for text in case.code) and bool(case.target)


def _endless(cases: list[Case]) -> Iterator[str]:
    before = ""
    for number, start in enumerate(itertools.cycle(range(0, len(cases) - ABREAST, ABREAST))):
        group = cases[start : start + ABREAST]
        columns = [
            _distinct(case, f"_{number}{mark}") for case, mark in zip(group, "abc", strict=True)
        ]
        for index, parts in enumerate(itertools.zip_longest(*columns, fillvalue="")):
            text = "\n".join(part for part in parts if part)
            yield f"print({before})\n{text}" if before and index == 0 else text
        before = f"{group[0].target}_{number}a"


def _distinct(case: Case, suffix: str) -> list[str]:
    """Return a case's cells with its own names renamed; what it imports keeps its name."""
    trees = [ast.parse(source) for source in case.code]
    statements = [statement for tree in trees for statement in tree.body]
    kept = {name for tree in trees for node in ast.walk(tree) for name in _imported(node)}
    own = {name for statement in statements for name in bound(statement)} - kept
    return [ast.unparse(_Renamed(own, suffix).visit(tree)) for tree in trees]


def _imported(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return []
    return [alias.asname or alias.name.partition(".")[0] for alias in node.names]


class _Renamed(ast.NodeTransformer):
    """Gives names a suffix, wherever they stand for the same variable or a parameter."""

    def __init__(self, names: set[str], suffix: str) -> None:
        self._names = names
        self._suffix = suffix

    def _new(self, name: str) -> str:
        return name + self._suffix if name in self._names else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new(node.arg)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node

    def _named(self, node: Any) -> ast.AST:
        node.name = self._new(node.name) if node.name else None
        return self.generic_visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _named
    visit_ExceptHandler = visit_MatchAs = visit_MatchStar = _named

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in self._names:
            for keyword in node.keywords:
                keyword.arg = self._new(keyword.arg) if keyword.arg else None
        return self.generic_visit(node)
