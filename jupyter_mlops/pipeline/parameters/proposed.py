"""Where no cell is tagged: the cell that could be it, and the constants that could be moved."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline.parameters import defaults, usage
from jupyter_mlops.pipeline.parameters.declared import Assignment, assignments
from jupyter_mlops.pipeline.parameters.defaults import Default
from jupyter_mlops.pipeline.parameters.literals import NotLiteral
from jupyter_mlops.pipeline.parameters.models import Candidate
from jupyter_mlops.pipeline.parameters.scope import Scope
from jupyter_mlops.pipeline.parameters.usage import Passed, Usage

SEED = re.compile(r"(^|_)(seed|random_state|rng_seed)$", re.IGNORECASE)
SEEDING = re.compile(r"(^|\.)(seed|manual_seed|default_rng|RandomState|set_seed|set_random_seed)$")
READING = re.compile(r"(^|\.)(read_\w+|to_\w+|open|open_\w+|load\w*|save\w*|Path|imread|glob)$")
PATH = re.compile(r"^(\w+://\S+|[^\s*?<>|]*[\w-]\.[A-Za-z]\w{0,7}(\.(gz|bz2|xz|zip|zst))?)$")
# What is only shown, or only says how a figure looks, changes no result.
SHOWN = re.compile(
    r"^(print|display|len|isinstance|str|repr|type|format|hasattr|getattr|id|plt|ax\w*|fig\w*|"
    r"sns|px|go|pd\.set_option|np\.set_printoptions)(\.|$)"
)
SCALARS = ("bool", "int", "float", "date", "datetime")


def cells_of_literals(notebook: Notebook) -> Iterator[Cell]:
    """Yield the cells that hold nothing but imports and literal values."""
    here = Scope()
    for cell in notebook.cells:
        here.add(cell)
        if _only_literals(cell, here):
            yield cell


def _only_literals(cell: Cell, here: Scope) -> bool:
    sets_something = False
    for statement in cell.tree.body:
        if _is_text(statement) or isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        found = assignments(statement)
        if not found or not all(_default(each, here) for each in found):
            return False
        sets_something = True
    return sets_something


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _default(assignment: Assignment, here: Scope) -> Default | None:
    """Return a default that a cell may hold and still be called plain; numpy's are data."""
    if assignment.value is None:
        return None
    try:
        found = defaults.of(assignment.value, here)
    except NotLiteral:
        return None
    computed = found.form is not None and not found.form.container and not found.form.needed
    return None if computed else found


def kept(names: Sequence[str], used: Usage) -> list[str]:
    """Return the names that are bound once in the notebook and never changed in place."""
    return [name for name in names if len(used.bindings[name]) < 2 and name not in used.changed]


def candidates(notebook: Notebook, taken: set[str]) -> list[Candidate]:
    """Return the constants worth being parameters, the most useful first.

    Only names that are bound once and never changed, whose value is a single one (or a short
    list of numbers), and that a call gets, or a reader opens, or that stand in capitals.
    """
    found = _constants(notebook, taken)
    if not found:
        return []
    used = usage.of(notebook.cells, found)
    ranked: list[tuple[int, int, Candidate]] = []
    for name in kept(list(found), used):
        cell, default = found[name]
        reason = _reason(name, default, used)
        if reason is not None:
            kind = "path" if reason[0] == 1 and default.type == "str" else default.type
            candidate = Candidate(
                name=name, type=kind, default=default.value, cell=cell, why=reason[1]
            )
            ranked.append((reason[0], cell, candidate))
    return [candidate for _, _, candidate in sorted(ranked, key=lambda item: item[:2])]


def _constants(notebook: Notebook, taken: set[str]) -> dict[str, tuple[int, Default]]:
    found: dict[str, tuple[int, Default]] = {}
    here = Scope()
    for cell in notebook.cells:
        here.add(cell)
        every = (each for statement in cell.tree.body for each in assignments(statement))
        for assignment in every:
            if assignment.name in taken or not _may_be(assignment):
                continue
            default = _default(assignment, here)
            if default is not None and default.value is not None:
                found[assignment.name] = (cell.number, default)
    return found


def _may_be(assignment: Assignment) -> bool:
    """Tell quickly whether a value may be a literal: most are calls of the notebook's own."""
    value = assignment.value
    if assignment.name.startswith("_") or value is None:
        return False
    if isinstance(value, ast.Call):
        return len(value.args) + len(value.keywords) < 8 and isinstance(
            value.func, ast.Name | ast.Attribute
        )
    return not isinstance(value, ast.Name | ast.Subscript | ast.Compare | ast.ListComp)


def _reason(name: str, default: Default, used: Usage) -> tuple[int, str] | None:
    """Return the rank of a constant and why it could be a parameter."""
    passed = [each for each in used.passed[name] if not SHOWN.match(each.callee)]
    seeds = [p for p in passed if SEEDING.search(p.callee) or SEED.search(p.keyword)]
    if default.type == "int" and (seeds or (SEED.search(name) and used.read[name])):
        return 2, "it is the seed of random numbers"
    if default.type in ("str", "path"):
        return _path_reason(name, default, passed, used) or _named(name, default, passed)
    return (
        _named(name, default, passed)
        or _by_position(default, passed)
        or _in_capitals(name, default, used)
    )


def _path_reason(
    name: str, default: Default, passed: list[Passed], used: Usage
) -> tuple[int, str] | None:
    opened = [each for each in passed if READING.search(each.callee)]
    text = str(default.value)
    if opened and (default.is_path or PATH.match(text) or "/" in text):
        return 1, f"it is a path that cell {opened[0].cell} gives to {opened[0].callee}()"
    if default.is_path and used.read[name]:
        return 1, f"it is a path that cell {used.read[name][0]} uses"
    return None


def _named(name: str, default: Default, passed: list[Passed]) -> tuple[int, str] | None:
    for each in passed:
        if each.keyword == "**" and default.type == "dict":
            return 0, f"cell {each.cell} gives them to {each.callee}()"
        if each.keyword and each.keyword != "**" and _is_small(default):
            return 0, f"cell {each.cell} gives it to {each.callee}({each.keyword}=…)"
    return None


def _by_position(default: Default, passed: list[Passed]) -> tuple[int, str] | None:
    if passed and default.type in SCALARS:
        return 3, f"cell {passed[0].cell} gives it to {passed[0].callee}()"
    return None


def _in_capitals(name: str, default: Default, used: Usage) -> tuple[int, str] | None:
    if name.isupper() and default.type in SCALARS and used.read[name]:
        return 4, f"it is a constant in capitals that cell {used.read[name][0]} uses"
    return None


def _is_small(default: Default) -> bool:
    if default.type == "list":
        numbers = all(
            isinstance(item, int | float) and not isinstance(item, bool) for item in default.value
        )
        return numbers and 0 < len(default.value) <= 20
    return default.type in (*SCALARS, "str", "path")
