"""What libraries need beside Python packages, by the table ``known.txt``."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from jupyter_mlops.environment.system.scope import Scope
from jupyter_mlops.environment.system.tables import lines

_WITH_TEXT = re.compile(r"([\w.]+)\(\"([^\"]*)\"\)")


@dataclass(frozen=True)
class Need:
    """What is needed: names to choose from, by which library, whether all of it needs it."""

    names: tuple[str, ...]
    by: str
    sure: bool = True


@dataclass(frozen=True)
class _Row:
    """A row of the table; ``text`` is a pattern of the first argument, or a value."""

    module: str
    text: str
    need: Need


def needed(node: ast.AST, scope: Scope) -> Iterator[Need]:
    """Yield what the libraries that a notebook imports need for one piece of code."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _imported(alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield from _imported(f"{node.module}.{alias.name}")
    elif isinstance(node, ast.Call):
        yield from _call(node, scope)
    elif isinstance(node, ast.Assign | ast.Dict):
        for key, value in _items(node):
            yield from _set(key, value, scope.imported)


def _imported(name: str) -> Iterator[Need]:
    for row in _table()["*"].get("*", []):
        if _is_below(name, row.module):
            yield row.need


def _call(node: ast.Call, scope: Scope) -> Iterator[Need]:
    name = scope.dotted(node.func)
    last = name.rpartition(".")[2]
    for row in _table()["call"].get(last, []):
        if _is_of(name, row.module, scope.imported) and _fits(node, row, scope):
            yield row.need
    if isinstance(node.func, ast.Attribute):
        for row in _table()["method"].get(last, []):
            if _uses(scope.imported, row.module) and _fits(node, row, scope):
                yield row.need
    for keyword in node.keywords:
        yield from _set(keyword.arg or "", keyword.value, scope.imported)
    if last in ("run_line_magic", "run_cell_magic") and len(node.args) > 1:
        words = [getattr(each, "value", "") for each in node.args[:2]]
        yield from _magic(str(words[0]), str(words[1]))


def _is_of(name: str, module: str, imported: Collection[str]) -> bool:
    """Tell whether a function is the module's: by its full name, or by a star import."""
    if "." not in name:
        return any(each.endswith(".*") and _is_below(each, module) for each in imported)
    return _is_below(name, module)


def _fits(node: ast.Call, row: _Row, scope: Scope) -> bool:
    if not row.text:
        return True
    texts = scope.texts.of(node.args[0]) if node.args else []
    return any(fnmatchcase(text, row.text) for text in texts)


def _magic(name: str, line: str) -> Iterator[Need]:
    for row in _table()["magic"].get(name, []):
        yield row.need
    if name in ("load_ext", "reload_ext"):
        yield from _imported(line.strip())


def _items(node: ast.Assign | ast.Dict) -> Iterator[tuple[str, ast.expr]]:
    """Yield what ``options["key"] = value`` and ``{"key": value}`` say."""
    if isinstance(node, ast.Dict):
        pairs = list(zip(node.keys, node.values, strict=True))
    else:
        keys = [each.slice for each in node.targets if isinstance(each, ast.Subscript)]
        pairs = [(key, node.value) for key in keys]
    for key, value in pairs:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value


def _set(key: str, value: ast.expr, imported: Collection[str]) -> Iterator[Need]:
    rows = _table()["set"].get(key, [])
    if rows and isinstance(value, ast.Constant):
        for row in rows:
            if row.text == str(value.value) and _uses(imported, row.module):
                yield row.need


def _uses(imported: Collection[str], module: str) -> bool:
    return any(_is_below(name, module) for name in imported)


def _is_below(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


@cache
def _table() -> Mapping[str, dict[str, list[_Row]]]:
    """Return the rows by kind, and by the name that leads to them."""
    table: dict[str, dict[str, list[_Row]]] = {
        kind: {} for kind in ("*", "call", "method", "set", "magic")
    }
    for line in lines("known.txt"):
        module, ways, what = line.split()
        names = tuple(what.removesuffix("?").split("|"))
        need = Need(names, module.removeprefix("%"), not what.endswith("?"))
        if module.startswith("%"):
            rows = [("magic", need.by, "")]
        elif ways == "*":
            rows = [("*", "*", "")]
        else:
            rows = [_way(way) for way in ways.split(",")]
        for kind, name, text in rows:
            table[kind].setdefault(name, []).append(_Row(module, text, need))
    return table


def _way(way: str) -> tuple[str, str, str]:
    """Return kind, name and text of a way: ``name``, ``.name("*.mp4")``, ``key=value``."""
    match = _WITH_TEXT.fullmatch(way)
    name, text = (match[1], match[2]) if match else (way, "")
    if name.startswith("."):
        return "method", name[1:], text
    key, equals, value = name.partition("=")
    return ("set", key, value) if equals else ("call", name, text)
