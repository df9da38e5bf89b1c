"""The backward slice from ``predict``: the code that answers, without the code that trains.

The slice stops at names whose value is captured from the run. Imports, helper functions,
classes and literal constants come along as text; training and data loading do not.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from jupyter_mlops import parsed
from jupyter_mlops.errors import Problem
from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline.asked import asked
from jupyter_mlops.pipeline.names import bound, needed


@dataclass(frozen=True)
class Slice:
    """The text of ``service.py``, the function to call, and the names to capture for it.

    ``asked`` is what the notebook itself gives to the function, as text (see ``asked.py``).
    """

    function: str
    source: str
    captured: list[str]
    cells: list[int]
    problems: list[Problem] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Binding:
    cell: Cell
    statement: ast.stmt
    order: int


def predict_function(notebook: Notebook, chosen: str | None = None) -> tuple[str, Cell] | None:
    """Return the name and cell of the notebook's own predict function, if it defines one.

    It is the one that was ``chosen`` by its name, else the function of the cell tagged
    ``predict`` (named ``predict``, or the only one there), else the last top-level
    ``def predict``.
    """
    if chosen:
        return next(((n, cell) for n, cell in reversed(_functions(notebook)) if n == chosen), None)
    for cell in reversed(notebook.tagged("predict")):
        names = [s.name for s in cell.tree.body if isinstance(s, ast.FunctionDef)]
        if "predict" in names or len(names) == 1:
            return ("predict" if "predict" in names else names[0]), cell
    for cell in reversed(notebook.cells):
        for statement in cell.tree.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "predict":
                return "predict", cell
    return None


def _functions(notebook: Notebook) -> list[tuple[str, Cell]]:
    return [
        (statement.name, cell)
        for cell in notebook.cells
        for statement in cell.tree.body
        if isinstance(statement, ast.FunctionDef)
    ]


def predict_problems(notebook: Notebook, chosen: str | None = None) -> list[Problem]:
    """Say where a cell is tagged ``predict`` but which function answers cannot be told.

    Also where the function that was ``chosen`` is not there.
    """
    if chosen:
        if predict_function(notebook, chosen) is not None:
            return []
        there = ", ".join(dict.fromkeys(name for name, _ in _functions(notebook)))
        return [
            Problem(
                problem=f"No cell defines a function {chosen}",
                why=f"Those that are defined are: {there}" if there else "None is defined",
                remedy=f"{'Name one of them' if there else 'Define it'}, or leave --predict out",
                where=notebook.path.name,
            )
        ]
    tagged = notebook.tagged("predict")
    if not tagged or predict_function(notebook) is not None:
        return []
    return [
        Problem(
            problem="The cell tagged 'predict' does not say which function answers",
            why="It defines no function, or several and none is called 'predict'",
            remedy="Define one function there: def predict(rows): ..., or say which: "
            "--predict NAME",
            where=tagged[-1].where,
        )
    ]


def slice_predict(
    notebook: Notebook,
    parameters: Set[str],
    keep: Sequence[str] = (),
    chosen: str | None = None,
) -> Slice | None:
    """Return the slice of the notebook's predict function, or ``None`` if it has none.

    ``parameters`` are captured, never copied as text: a re-run may have changed them. ``keep``
    are classes and functions that come along although nothing names them: a capture needs them.
    ``chosen`` names the function that answers.
    """
    found = predict_function(notebook, chosen)
    if found is None:
        return None
    function, cell = found
    gathered = gather(notebook, parameters, [*keep, function])
    head = f'"""What answers: {function}(rows), sliced from the notebook."""'
    return Slice(
        function=function,
        source=gathered.text(head),
        captured=gathered.captured,
        cells=gathered.cells,
        problems=[_undefined(function, name, cell) for name in gathered.missing],
        asked=asked(notebook, function),
    )


@dataclass(frozen=True)
class Gathered:
    """The code that some names need, and the names whose value must be captured for it."""

    bindings: list[_Binding]
    captured: list[str]
    missing: list[str]

    @property
    def cells(self) -> list[int]:
        """Return the code cells, from 1, that the code stands in."""
        return sorted({binding.cell.number for binding in self.bindings})

    def text(self, head: str, captured: Sequence[str] = ()) -> str:
        """Return the code under a first line, with the cell beside each block."""
        return _write(head, self.bindings, sorted({*self.captured, *captured}))


def gather(notebook: Notebook, parameters: Set[str], names: Sequence[str]) -> Gathered:
    """Return the imports, functions, classes and constants that names stand for or need."""
    bindings = _bindings(notebook)
    taken: dict[int, _Binding] = {}
    captured: list[str] = []
    missing: list[str] = []
    waiting, seen = [*names], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        binding = _text_binding(bindings.get(name, []), name in parameters)
        if binding is not None:
            taken[binding.order] = binding
            waiting.extend(sorted(needed(binding.statement)))
        elif name in bindings:
            captured.append(name)
        elif not _take_star_imports(notebook, taken):
            missing.append(name)
    return Gathered([taken[order] for order in sorted(taken)], sorted(captured), missing)


def class_names(notebook: Notebook, parameters: set[str]) -> dict[str, list[str]]:
    """Return the names to capture should a class of the notebook come along, for each class."""
    defined = [
        statement.name
        for cell in notebook.cells
        for statement in cell.tree.body
        if isinstance(statement, ast.ClassDef)
    ]
    return {name: gather(notebook, parameters, [name]).captured for name in dict.fromkeys(defined)}


def _bindings(notebook: Notebook) -> dict[str, list[_Binding]]:
    table: dict[str, list[_Binding]] = {}
    order = 0
    for cell in notebook.cells:
        for statement in cell.tree.body:
            for name in bound(statement):
                table.setdefault(name, []).append(_Binding(cell, statement, order))
            order += 1
    return table


def _text_binding(bindings: list[_Binding], is_parameter: bool) -> _Binding | None:
    """Return the statement to copy for a name, or ``None`` when its value must be captured."""
    if not bindings or is_parameter:
        return None
    last = bindings[-1]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    if isinstance(last.statement, ast.Import | ast.ImportFrom):
        return last
    if isinstance(last.statement, kinds):
        return last
    if len(bindings) == 1 and _is_constant(last.statement):
        return last
    return None


def _is_constant(statement: ast.stmt) -> bool:
    """Tell whether it binds immutable literals only, so that text and value cannot differ."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    try:
        value = ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return _immutable(value)


def _immutable(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_immutable(item) for item in value)
    return value is None or isinstance(value, bool | int | float | complex | str | bytes)


def _take_star_imports(notebook: Notebook, taken: dict[int, _Binding]) -> bool:
    order, found = 0, False
    for cell in notebook.cells:
        for statement in cell.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                taken[order] = _Binding(cell, statement, order)
                found = True
            order += 1
    return found


def _undefined(function: str, name: str, cell: Cell) -> Problem:
    return Problem(
        problem=f"{function}() needs '{name}', which no cell defines",
        why="It may come from a cell that was deleted after it ran",
        remedy=f"Define '{name}' in a cell, or remove its use",
        where=cell.where,
    )


def _write(first: str, bindings: list[_Binding], captured: list[str]) -> str:
    head = [first]
    if captured:
        head.append(
            f"# Captured from the run and set before this is executed: {', '.join(captured)}"
        )
    parts = ["\n".join(head)]
    previous = 0
    for binding in bindings:
        text = text_of(binding.cell, binding.statement)
        if binding.cell.number != previous:
            text = f"# {binding.cell.where}\n{text}"
            previous = binding.cell.number
        parts.append(text)
    return "\n\n".join(parts) + "\n"


def text_of(cell: Cell, statement: ast.stmt) -> str:
    """Return a top-level statement as the cell has it, or as near as its own lines allow."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    lines = parsed.lines(cell.python)[first - 1 : statement.end_lineno]
    text = "\n".join(lines)
    if statement.col_offset or ";" in lines[0] or ";" in lines[-1]:
        return ast.unparse(statement)
    return text
