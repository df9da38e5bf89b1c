"""Make a parameters cell do what editing it would do, wherever papermill puts its values.

Papermill injects a cell behind the one that is tagged. What that cell computes *from* its
parameters must therefore stand behind the injected one, and so must the lines that turn JSON
back into dates, paths, tuples and members of an ``Enum``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.names import bound, needed
from jupyter_mlops.pipeline.parameters.declared import assignments
from jupyter_mlops.pipeline.parameters.models import Found

WHY = "# Values are given as plain text, numbers and lists; here they become what is worked with."


@dataclass(frozen=True)
class Settled:
    """The text of the parameters cell, and of the cell behind it (empty if none is needed)."""

    head: str
    behind: str


@dataclass(frozen=True)
class _Text:
    """A cell's text: its cell magic, its lines, and the Python that these are."""

    magic: str
    lines: list[str]
    python: str

    @classmethod
    def of(cls, source: str) -> _Text:
        python = Cell(0, 0, source, frozenset()).python
        magic, _, body = source.partition("\n") if source.startswith("%%") else ("", "", source)
        lines = parsed.lines(body)
        if len(lines) != len(parsed.lines(python)):
            lines = parsed.lines(python)  # a magic over several lines: IPython runs this, too
        return cls(magic, lines, python)

    @property
    def body(self) -> list[ast.stmt]:
        try:
            return parsed.tree_of(self.python).body
        except (SyntaxError, ValueError):
            return []


@dataclass(frozen=True)
class _Part:
    """A top-level statement and its lines, counted from 0; ``first`` includes its comments."""

    statement: ast.stmt
    first: int
    last: int
    shared: bool


def settle(source: str, found: Found) -> Settled:
    """Divide the parameters cell, whose text in the step is ``source``."""
    names = {parameter.name for parameter in found.parameters}
    text = _Text.of(source)
    head, tail = _divide(text, _moved(text, names))
    conversions = _conversions(found)
    if tail and text.magic:
        tail = f"{text.magic}\n{conversions}\n{tail}" if conversions else f"{text.magic}\n{tail}"
        return Settled(head, tail)
    return Settled(head, "\n".join(filter(None, [conversions, tail])))


def _conversions(found: Found) -> str:
    statements = [
        found.forms[parameter.name].statement(parameter.name, parameter.nullable)
        for parameter in found.parameters
        if parameter.name in found.forms
    ]
    return "\n".join([WHY, *statements]) if statements else ""


def _moved(text: _Text, names: set[str]) -> list[_Part]:
    """Return what must stand behind the injected values, in its order.

    From the first statement on, behind a parameter, that reads one or calls what may do so:
    itself and all that follows, but for the parameters and what their own values need.
    """
    parts = _parts(text)
    stays = _kept_in_front(parts, names)
    set_at = [index for index, part in enumerate(parts) if _sets(part.statement, names)]
    stays |= set(range(min(set_at, default=0)))
    moved: list[_Part] = []
    affected = set(names)
    for index, part in enumerate(parts):
        if index not in stays and (moved or _may_read(part.statement, affected)):
            moved.append(part)
    return moved


def _kept_in_front(parts: list[_Part], names: set[str]) -> set[int]:
    """Return the statements that set parameters, and those that these need to be set."""
    stays = {i for i, part in enumerate(parts) if _sets(part.statement, names)}
    wanted: set[str] = set()
    for index in stays:
        wanted |= needed(parts[index].statement)
    for index in reversed(range(len(parts))):
        statement = parts[index].statement
        if index not in stays and bound(statement) & (wanted - names):
            stays.add(index)
            wanted |= needed(statement)
    return stays


def _sets(statement: ast.stmt, names: set[str]) -> bool:
    return any(assignment.name in names for assignment in assignments(statement))


def _may_read(statement: ast.stmt, affected: set[str]) -> bool:
    """Tell whether running a statement reads a parameter, or calls what might do so."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
        return False
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = statement.args
        defaults = (*arguments.defaults, *filter(None, arguments.kw_defaults))
        run: list[ast.AST] = [*statement.decorator_list, *defaults]
    else:
        run = [statement]
    for part in run:
        for node in ast.walk(part):
            if isinstance(node, ast.Call | ast.Await):
                return True
            if isinstance(node, ast.Name) and node.id in affected:
                return True
    return False


def _parts(text: _Text) -> list[_Part]:
    spans = []
    for statement in text.body:
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(each.lineno for each in decorators)]) - 1
        spans.append((statement, first, statement.end_lineno or statement.lineno))
    parts = []
    for index, (statement, first, last) in enumerate(spans):
        others = spans[max(0, index - 1) : index] + spans[index + 1 : index + 2]
        shared = any(start < last and first < end for _, start, end in others)
        while not shared and first and text.lines[first - 1].lstrip().startswith("#"):
            first -= 1
        parts.append(_Part(statement, first, last, shared))
    return parts


def _divide(text: _Text, moved: list[_Part]) -> tuple[str, str]:
    """Return the lines that stay and those that move; magics and blank lines stay as they are."""
    tail: list[str] = []
    kept: list[str | None] = list(text.lines)
    for part in moved:
        if part.shared:
            tail.append(_segment(text, part.statement))
        else:
            tail.extend(text.lines[part.first : part.last])
            kept[part.first : part.last] = [None] * (part.last - part.first)
    gone = {(part.statement.lineno, part.statement.col_offset) for part in moved}
    for part in moved:
        if part.shared:
            _keep_rest(kept, text, part.first, gone)
    head = kept if not moved else [line for line in kept if line is not None and line.strip()]
    lines = [text.magic, *head] if text.magic else head
    return "\n".join(line for line in lines if line is not None), "\n".join(tail)


def _segment(text: _Text, statement: ast.stmt) -> str:
    return ast.get_source_segment(text.python, statement) or ""


def _keep_rest(kept: list[str | None], text: _Text, line: int, gone: set[tuple[int, int]]) -> None:
    """Rewrite lines that several statements share, without those that moved."""
    group: list[ast.stmt] = []
    last = line
    for statement in text.body:
        if statement.lineno - 1 <= last and (statement.end_lineno or 0) > line:
            group.append(statement)
            last = max(last, (statement.end_lineno or statement.lineno) - 1)
    first = min(statement.lineno for statement in group) - 1
    rest = [each for each in group if (each.lineno, each.col_offset) not in gone]
    texts = "; ".join(_segment(text, each) for each in rest)
    kept[first : last + 1] = [texts or None, *[None] * (last - first)]


def with_values(source: str, values: Mapping[str, Any], found: Found) -> str:
    """Return the text of a parameters cell with JSON ``values`` as its defaults.

    A value that has an expression of its own is replaced in place; after ``h = i = 3`` and the
    like, and after a declaration without a value, the line that sets it is added.
    """
    texts = {name: _written(value, found, name) for name, value in values.items()}
    text = _Text.of(source)
    lines = [f"{line}\n" for line in text.lines]
    for statement in reversed(text.body):
        every = assignments(statement)
        mine = [each for each in every if each.name in texts]
        own = not isinstance(statement, ast.Assign) or len(statement.targets) == 1
        added = [each for each in mine if not own or each.value is None]
        if added and isinstance(statement, ast.AnnAssign):
            _insert(lines, statement, f" = {texts[added[0].name]}")
        elif added:
            each_set = (f"; {each.name} = {texts[each.name]}" for each in added)
            _insert(lines, statement, "".join(each_set))
        for each in reversed([each for each in mine if each not in added]):
            assert each.value is not None
            _replace(lines, each.value, texts[each.name])
    if text.magic:
        lines.insert(0, f"{text.magic}\n")
    return "".join(lines).rstrip("\n")


def _written(value: Any, found: Found, name: str) -> str:
    form = found.forms.get(name)
    return form.literal(value) if form else repr(value)


def _insert(lines: list[str], statement: ast.stmt, text: str) -> None:
    """Put text directly behind a statement, on its own line: the next may share it."""
    last = (statement.end_lineno or statement.lineno) - 1
    line = lines[last].encode()
    end = len(line) if statement.end_col_offset is None else statement.end_col_offset
    lines[last] = line[:end].decode() + text + line[end:].decode()


def _replace(lines: list[str], node: ast.expr, text: str) -> None:
    """Replace an expression in place; ``ast`` counts columns in UTF-8 bytes."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset :].decode()
    lines[first : last + 1] = [head + text + tail]
