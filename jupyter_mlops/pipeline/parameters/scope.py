"""What stands in the cells up to the parameters: imports, Enum classes, aliases of types."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops.notebook import Cell

ENUMS = frozenset({"enum.Enum", "enum.StrEnum", "enum.IntEnum"})


@dataclass
class Scope:
    """Names and what they stand for; a name that is bound otherwise later is forgotten.

    ``imports`` maps a name to its full one (``dt`` to ``datetime``), ``enums`` a class of the
    notebook to its members and their literal values, ``aliases`` a name to the expression that
    it was set to. ``own`` are all names that the notebook binds itself.
    """

    imports: dict[str, str] = field(default_factory=dict)
    enums: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    aliases: dict[str, ast.expr] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)

    def qualified(self, node: ast.expr) -> str:
        """Return the full name of ``dt.date``, or an empty string if no import gives it."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, "")
        if isinstance(node, ast.Attribute):
            head = self.qualified(node.value)
            return f"{head}.{node.attr}" if head else ""
        return ""

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self.imports

    def add(self, cell: Cell) -> None:
        """Take in the next cell."""
        for statement in cell.tree.body:
            _add(self, statement)

    def forget(self, name: str) -> None:
        """Drop what a name stood for."""
        for known in (self.imports, self.enums, self.aliases):
            known.pop(name, None)


def upto(cells: Iterable[Cell], last: Cell) -> Scope:
    """Return what the cells up to and with ``last`` bind at their top level."""
    scope = Scope()
    for cell in cells:
        if cell.number > last.number:
            break
        scope.add(cell)
    return scope


def _add(scope: Scope, statement: ast.stmt) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            name = alias.asname or alias.name.partition(".")[0]
            scope.forget(name)
            scope.imports[name] = alias.name if alias.asname else name
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            scope.forget(alias.asname or alias.name)
            if statement.module and not statement.level and alias.name != "*":
                scope.imports[alias.asname or alias.name] = f"{statement.module}.{alias.name}"
    elif isinstance(statement, ast.ClassDef):
        _bind(scope, statement.name)
        if any(scope.qualified(base) in ENUMS for base in statement.bases):
            scope.enums[statement.name] = members(statement)
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        _bind(scope, statement.name)
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name):
                    _bind(scope, node.id)
            if isinstance(target, ast.Name) and statement.value is not None:
                scope.aliases[target.id] = statement.value
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                _bind(scope, node.id)


def _bind(scope: Scope, name: str) -> None:
    scope.forget(name)
    scope.own.add(name)


def members(statement: ast.ClassDef) -> dict[str, Any]:
    """Return the members of an ``Enum`` class with their values where these are literals."""
    found: dict[str, Any] = {}
    for line in statement.body:
        if not isinstance(line, ast.Assign):
            continue
        for target in line.targets:
            if isinstance(target, ast.Name) and not target.id.startswith("_"):
                try:
                    found[target.id] = ast.literal_eval(line.value)
                except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                    found[target.id] = None
    return found
