"""Find a notebook's parameters: the cell tagged ``parameters``, or a cell that could be it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_mlops.errors import ParameterError, Problem
from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline.names import bound
from jupyter_mlops.runtime.parameters import Parameter, ParameterProblems, Type, parse, validate

SIMPLE: dict[str, Type] = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "str": "str",
    "list": "list",
    "dict": "dict",
}


@dataclass(frozen=True)
class Found:
    """The parameters, the cell that holds them, and how that cell was found."""

    parameters: list[Parameter]
    source: Literal["tagged", "proposed", "none"]
    cell: Cell | None = None
    problems: list[Problem] = field(default_factory=list)


def find(notebook: Notebook) -> Found:
    """Return the parameters of the cell tagged ``parameters`` (papermill's convention).

    Where no cell is tagged, the first cell that holds nothing but imports and literal values,
    none of them rebound later, is proposed: there an injected value does what editing would.
    """
    tagged = notebook.tagged("parameters")
    if len(tagged) > 1:
        cells = ", ".join(cell.where for cell in tagged)
        problem = Problem(
            problem="More than one cell is tagged 'parameters'",
            why=f"Papermill looks at one only: {cells}",
            remedy="Keep the tag on one of them",
            where=notebook.path.name,
        )
        return Found([], "tagged", tagged[0], [problem])
    if tagged:
        parameters, problems = _of_cell(tagged[0])
        return Found(parameters, "tagged", tagged[0], problems)
    for cell in notebook.cells:
        parameters = _proposed(notebook, cell)
        if parameters:
            return Found(parameters, "proposed", cell)
    return Found([], "none")


def check(
    known: list[Parameter], values: Mapping[str, Any], texts: Mapping[str, str], where: str
) -> dict[str, Any]:
    """Return typed ``values`` and command-line ``texts`` as one mapping of checked values.

    Raises ``ParameterError`` with every mistake in both.
    """
    problems: list[str] = []
    checked: dict[str, Any] = {}
    for read, given in ((validate, values), (parse, texts)):
        try:
            checked |= read(known, given)
        except ParameterProblems as error:
            problems += error.problems
    if problems:
        raise ParameterError.collect(Problem(problem=text, where=where) for text in problems)
    return checked


def _of_cell(cell: Cell) -> tuple[list[Parameter], list[Problem]]:
    comments = _comments(cell.python)
    found: dict[str, Parameter] = {}
    problems: list[Problem] = []
    for statement in cell.tree.body:
        target = _target(statement)
        if target is None:
            continue
        name, value, annotation = target
        if name in found:
            problems.append(
                Problem(
                    problem=f"Parameter '{name}' is set twice",
                    remedy="Keep one of the two lines",
                    where=cell.where,
                )
            )
            continue
        parameter = _parameter(name, value, annotation, _comment(comments, statement))
        if parameter is not None:
            found[name] = parameter
    return list(found.values()), problems


def _proposed(notebook: Notebook, cell: Cell) -> list[Parameter]:
    for statement in cell.tree.body:
        target = _target(statement)
        plain = target is not None and _literal(target[1]) is not None
        if not plain and not isinstance(statement, ast.Import | ast.ImportFrom):
            return []
    parameters, problems = _of_cell(cell)
    if problems:
        return []
    later = {
        name
        for other in notebook.cells
        if other.number > cell.number
        for statement in other.tree.body
        for name in bound(statement)
    }
    return [parameter for parameter in parameters if parameter.name not in later]


def _target(statement: ast.stmt) -> tuple[str, ast.expr, ast.expr | None] | None:
    """Return (name, value, annotation) of ``name = value`` or ``name: type = value``."""
    if (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
    ):
        return statement.targets[0].id, statement.value, None
    if (
        isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and statement.value is not None
    ):
        return statement.target.id, statement.value, statement.annotation
    return None


@dataclass(frozen=True)
class _Literal:
    value: Any


def _literal(node: ast.expr) -> _Literal | None:
    """Return the value of an expression made of JSON-able literals only."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return _Literal(value) if _plain(value) else None


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def _parameter(
    name: str, value: ast.expr, annotation: ast.expr | None, description: str
) -> Parameter | None:
    literal = _literal(value)
    if literal is None:
        return None
    default = literal.value
    kind, nullable, choices = _annotated(annotation)
    if not kind:
        kind = type(default).__name__ if default is not None else "any"
    if kind == "float" and isinstance(default, int) and not isinstance(default, bool):
        default = float(default)
    return Parameter(
        name=name,
        type=SIMPLE.get(kind, "any"),
        default=default,
        nullable=nullable or default is None,
        description=description,
        choices=choices,
    )


def _annotated(node: ast.expr | None) -> tuple[str, bool, list[Any]]:
    """Read ``int``, ``list[str]``, ``float | None``, ``Optional[int]``, ``Literal[...]``."""
    if node is None:
        return "", False, []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not _is_none(side)]
        if len(sides) == 1:
            return _annotated(sides[0])[0], True, []
        return "any", False, []
    if isinstance(node, ast.Subscript):
        head = _last_name(node.value)
        if head == "Optional":
            return _annotated(node.slice)[0], True, []
        if head == "Literal":
            return _choices(node.slice)
        return SIMPLE.get(head.lower(), "any"), False, []
    head = _last_name(node).lower()
    return SIMPLE.get(head, "any" if head else ""), False, []


def _choices(node: ast.expr) -> tuple[str, bool, list[Any]]:
    members = node.elts if isinstance(node, ast.Tuple) else [node]
    values = [member.value for member in members if isinstance(member, ast.Constant)]
    kinds = {type(value).__name__ for value in values if value is not None}
    kind = kinds.pop() if len(kinds) == 1 else "any"
    return SIMPLE.get(kind, "any"), None in values, values


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.id if isinstance(node, ast.Name) else ""


def _comments(source: str) -> dict[int, str]:
    found: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.lstrip("#: ").strip()
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass  # a description is a courtesy; the cell's own error is reported elsewhere
    return found


def _comment(comments: dict[int, str], statement: ast.stmt) -> str:
    return comments.get(statement.end_lineno or statement.lineno, "")
