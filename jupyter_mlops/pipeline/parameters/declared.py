"""The parameters that one cell declares: default, annotation and comment taken together."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec

from jupyter_mlops.errors import Problem
from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.names import bound, needed
from jupyter_mlops.pipeline.parameters import annotated, comments, defaults
from jupyter_mlops.pipeline.parameters.annotated import Declared
from jupyter_mlops.pipeline.parameters.comments import Comments, Said
from jupyter_mlops.pipeline.parameters.defaults import Default
from jupyter_mlops.pipeline.parameters.forms import Form
from jupyter_mlops.pipeline.parameters.literals import NotLiteral
from jupyter_mlops.pipeline.parameters.scope import Scope
from jupyter_mlops.runtime.parameters import NOUNS, Parameter, ParameterProblems, Type, validate


@dataclass(frozen=True)
class Assignment:
    """``name: annotation = value`` at the top of a cell; a declaration alone has no value."""

    name: str
    value: ast.expr | None
    annotation: ast.expr | None
    statement: ast.stmt


@dataclass
class CellParameters:
    """What a cell declares, by name and in its order."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def assignments(statement: ast.stmt) -> list[Assignment]:
    """Return what a statement sets, where each name gets an expression of its own.

    ``h = i = 3`` sets two names, ``a, b = 1, 2`` too; ``a, b = pair`` and ``a = x.y = 1`` none.
    """
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [Assignment(statement.target.id, statement.value, statement.annotation, statement)]
    if not isinstance(statement, ast.Assign):
        return []
    found: list[Assignment] = []
    for target in statement.targets:
        pairs = _pairs(target, statement.value)
        if pairs is None:
            return []
        found += [Assignment(name, value, None, statement) for name, value in pairs]
    return found


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]] | None:
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Tuple | ast.List):
        return None
    if len(target.elts) != len(value.elts):
        return None
    found: list[tuple[str, ast.expr]] = []
    for inner, part in zip(target.elts, value.elts, strict=True):
        pairs = _pairs(inner, part)
        if pairs is None:
            return None
        found += pairs
    return found


def of_cell(
    cell: Cell, scope: Scope, earlier: Collection[str], later: Collection[str]
) -> CellParameters:
    """Return the parameters of a cell.

    ``earlier`` and ``later`` are the names that the cells before and behind it bind.
    """
    found = CellParameters()
    said = Comments(cell.python)
    before: list[ast.stmt] = []
    bound_before: set[str] = set()
    for statement in cell.tree.body:
        every = assignments(statement)
        if len(every) > 1 and not all(_is_literal(each, scope) for each in every):
            every = []  # one statement either sets parameters or computes
        for assignment in every:
            name = assignment.name
            if assignment.value is None and (name in later or _is_bound(name, cell, statement)):
                continue  # it only announces the type of what is computed later
            parameter = _parameter(assignment, said, scope, cell, found)
            problem = _order_problem(name, parameter, cell, before, bound_before, found, earlier)
            if problem is not None:
                found.problems.append(problem)
            elif parameter is not None:
                found.parameters[name] = parameter[0]
                if parameter[1] is not None:
                    found.forms[name] = parameter[1]
        before.append(statement)
        bound_before |= bound(statement)
    return found


def _is_literal(assignment: Assignment, scope: Scope) -> bool:
    try:
        return assignment.value is not None and bool(defaults.of(assignment.value, scope))
    except NotLiteral:
        return False


def _is_bound(name: str, cell: Cell, statement: ast.stmt) -> bool:
    return any(other is not statement and name in bound(other) for other in cell.tree.body)


def _order_problem(
    name: str,
    parameter: tuple[Parameter, Form | None] | None,
    cell: Cell,
    before: list[ast.stmt],
    bound_before: set[str],
    found: CellParameters,
    earlier: Collection[str],
) -> Problem | None:
    """Return what is wrong with setting a parameter at this place of its cell.

    What is computed moves behind the injected values, so nothing may set a parameter before
    it is set, nor read what an earlier cell left under its name.
    """
    set_before = name in found.parameters
    if parameter is not None and not set_before:
        set_before = name in bound_before
    if set_before:
        return Problem(
            problem=f"Parameter '{name}' is set twice",
            remedy="Keep one of the two lines",
            where=cell.where,
        )
    if parameter is not None and name in earlier and any(name in needed(s) for s in before):
        return Problem(
            problem=f"Parameter '{name}' is read before it is set",
            why="An earlier cell gives it another value",
            remedy="Give one of the two another name",
            where=cell.where,
        )
    return None


def _parameter(
    assignment: Assignment, said: Comments, scope: Scope, cell: Cell, found: CellParameters
) -> tuple[Parameter, Form | None] | None:
    declared = annotated.read(assignment.annotation, scope)
    comment = said.at(assignment.statement)
    if assignment.value is None:
        spoken = comments.read(comment, assignment.name, None)
        made = _made(assignment.name, Default(None, "any"), declared, spoken)
        return msgspec.structs.replace(made, required=True, nullable=declared.nullable), (
            declared.form
        )
    try:
        default = defaults.of(assignment.value, scope)
    except NotLiteral as error:
        if str(error):
            found.notes.append(f"'{assignment.name}' in {cell.where} is no parameter: {error!s}.")
        return None
    if default.form is not None and default.form.container and _is_shared(assignment):
        found.notes.append(
            f"'{assignment.name}' in {cell.where} is no parameter: it shares its value with "
            "another name."
        )
        return None
    spoken = comments.read(comment, assignment.name, default.value)
    if spoken.type and assignment.annotation is None:
        declared = annotated.read(_annotation(spoken.type), scope)
    declared = _reconciled(assignment.name, default, declared, found)
    parameter = _made(assignment.name, default, declared, spoken)
    problem = _default_problem(parameter, cell)
    if problem is not None:
        found.problems.append(problem)
    return parameter, _form(default, declared)


def _is_shared(assignment: Assignment) -> bool:
    """Tell whether ``a = b = value`` sets it: a copy would not follow the other name's changes."""
    return isinstance(assignment.statement, ast.Assign) and len(assignment.statement.targets) > 1


def _annotation(text: str) -> ast.expr:
    return ast.Constant(value=text)


def _reconciled(name: str, default: Default, declared: Declared, found: CellParameters) -> Declared:
    """Return the annotation, or a wider one where the default is of another type."""
    if declared.type is None or declared.type == "any" or default.value is None:
        return declared
    if _fits(default, declared.type):
        return declared
    numbers = declared.type == "int" and default.type == "float"
    wider: Type = "float" if numbers else "any"
    found.notes.append(
        f"The default of '{name}' is not {NOUNS[declared.type]}, as its annotation says: "
        f"{NOUNS[wider]} is taken."
    )
    return Declared(type=wider, nullable=declared.nullable, description=declared.description)


def _fits(default: Default, kind: Type) -> bool:
    try:
        validate([Parameter(name="x", type=kind)], {"x": default.value})
    except ParameterProblems:
        return False
    return True


def _made(name: str, default: Default, declared: Declared, spoken: Said) -> Parameter:
    kind = declared.type or default.type
    value = default.value
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    limits: dict[str, Any] = dict(declared.limits) or (
        dict(spoken.limits) if kind in ("int", "float") else {}
    )
    choices = declared.choices or default.choices
    textual = kind in ("int", "float", "str", "path")
    if not choices and not declared.limits and textual:
        choices = spoken.choices
    lengths: dict[str, Any] = dict(declared.lengths)
    inside = kind in ("list", "dict")
    return Parameter(
        name=name,
        type=kind,
        default=value,
        nullable=declared.nullable or value is None,
        description=spoken.description or declared.description,
        choices=choices,
        **limits,
        **lengths,
        items=(declared.items or default.items) if inside else None,
        keys="int" if kind == "dict" and (declared.int_keys or default.int_keys) else "str",
    )


def _default_problem(parameter: Parameter, cell: Cell) -> Problem | None:
    """Return the problem that a default does not keep to what its own line declares."""
    try:
        validate([parameter], {parameter.name: parameter.default})
    except ParameterProblems as error:
        return Problem(
            problem=f"The default of {error.problems[0].rstrip('.')}",
            why="Its annotation excludes it",
            remedy="Change one of the two",
            where=cell.where,
        )
    return None


def _form(default: Default, declared: Declared) -> Form | None:
    """Return how values are written: as the default is, as declared where that shows nothing."""
    if default.value is None:
        return declared.form
    form = default.form
    if default.value in ([], {}) and declared.form is not None:
        empty = form.container if form else default.type
        return declared.form if declared.form.container == empty else form
    return form
