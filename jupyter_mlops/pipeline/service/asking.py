"""Where a notebook asks its model, or fits it; and which columns are what it predicts."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyter_mlops.pipeline.service import words
from jupyter_mlops.pipeline.service.carrying import Statement, kind

#: How many parts of tables are looked at.
MOST = 20
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@dataclass(frozen=True)
class Ask:
    """A call of a model's method: in which statement, at which of its nodes, with what."""

    at: int
    node: int
    method: str
    argument: ast.expr
    answer: ast.expr | None = None


def asks(statements: Sequence[Statement], model: str) -> tuple[list[Ask], list[Ask]]:
    """Return the calls that ask a model, the last first, and those that fit it."""
    names = {model} | _same(statements, model)
    asked: list[Ask] = []
    fitted: list[Ask] = []
    for at, statement in enumerate(statements):
        for number, call in _calls(statement.node):
            assert isinstance(call.func, ast.Attribute)
            method, owner = call.func.attr, call.func.value
            given = [*call.args, *(k.value for k in call.keywords if k.arg in ("X", "data"))]
            if not given or isinstance(given[0], ast.Starred):
                continue
            answer = call.args[1] if len(call.args) > 1 else None
            answer = next((k.value for k in call.keywords if k.arg == "y"), answer)
            found = Ask(at, number, method, given[0], answer)
            if method == "fit" and (_is(owner, names) or _gives(statement.node, call, names)):
                fitted.append(found)
            elif method in words.ANSWERS and _is(owner, names):
                asked.append(found)
    method = next((m for m in words.ANSWERS if any(a.method == m for a in asked)), "predict")
    return [a for a in reversed(asked) if a.method == method], fitted[::-1]


def _is(owner: ast.expr, names: set[str]) -> bool:
    return isinstance(owner, ast.Name) and owner.id in names


def _gives(node: ast.stmt, call: ast.Call, names: set[str]) -> bool:
    """Tell whether the call is all of ``model = Ridge().fit(X, y)``."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return value is call and name in names
    return False


def _same(statements: Sequence[Statement], model: str) -> set[str]:
    """Return the names of what a search found best."""
    found = set()
    for statement in statements:
        match statement.node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Attribute(value=ast.Name(id=owner), attr="best_estimator_"),
            ) if owner == model:
                found.add(name)
    return found


def _calls(node: ast.stmt) -> Iterator[tuple[int, ast.Call]]:
    if isinstance(node, _SCOPES | ast.For | ast.While):
        return
    for number, each in enumerate(ast.walk(node)):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            yield number, each


def tables(statements: Sequence[Statement]) -> list[str]:
    """Return the parts of tables that the text mentions, columns of them, as text."""
    found: dict[str, None] = {}
    for statement in statements:
        if isinstance(statement.node, _SCOPES):
            continue
        for each in ast.walk(statement.node):
            match each:
                case ast.Subscript(
                    value=ast.Name() as table, slice=ast.List() | ast.Name(), ctx=ast.Load()
                ) if kind(table, statement.before) == "rows":
                    found[ast.unparse(each)] = None
    return list(found)[:MOST]


def calls_of(statements: Sequence[Statement], function: str) -> list[tuple[Statement, int, bool]]:
    """Return the calls of the notebook's own function, outside of functions.

    The last part tells whether pandas calls it for each row (``table.apply(predict, axis=1)``).
    """
    found = []
    for statement in statements:
        if isinstance(statement.node, _SCOPES):
            continue
        inside = {
            id(each)
            for scope in ast.walk(statement.node)
            if isinstance(scope, _SCOPES)
            for each in ast.walk(scope)
        }
        for number, each in enumerate(ast.walk(statement.node)):
            if id(each) in inside or not isinstance(each, ast.Call):
                continue
            if isinstance(each.func, ast.Name) and each.func.id == function:
                found.append((statement, number, False))
            elif _applies(each, function):
                found.append((statement, number, True))
    return found


def _applies(call: ast.Call, function: str) -> bool:
    match call:
        case ast.Call(
            func=ast.Attribute(attr="apply" | "map"), args=[ast.Name(id=name)], keywords=keywords
        ):
            return name == function and all(k.arg == "axis" for k in keywords)
    return False


def target_columns(statements: Sequence[Statement], fits: Sequence[Ask]) -> set[str]:
    """Return the columns from which a model's answers in training are made."""
    found: set[str] = set()
    for fit in fits:
        if fit.answer is not None:
            found |= _columns(statements, fit.at, fit.answer)
    return found


def _columns(statements: Sequence[Statement], at: int, answer: ast.expr) -> set[str]:
    found, names = _named(answer, statements[at])
    for statement in reversed(statements[:at]):
        match statement.node:
            case ast.Assign(targets=[target], value=value):
                sources = _sources(target, value, names)
            case _:
                continue
        for source in sources:
            columns, more = _named(source, statement)
            found |= columns
            names |= more
    return found


def _sources(target: ast.expr, value: ast.expr, names: set[str]) -> list[ast.expr]:
    """Return the expressions that give the names their values in an assignment."""
    if isinstance(target, ast.Name):
        return [value] if target.id in names else []
    if not isinstance(target, ast.Tuple):
        return []
    places = [n for n, e in enumerate(target.elts) if isinstance(e, ast.Name) and e.id in names]
    if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
        return [value.elts[n] for n in places]
    if isinstance(value, ast.Call) and len(target.elts) == 2 * len(value.args):
        return [value.args[n // 2] for n in places]
    return []


def _named(node: ast.expr, statement: Statement) -> tuple[set[str], set[str]]:
    """Return the columns that an expression takes of tables, and the names that it reads."""
    columns: set[str] = set()
    names: set[str] = set()
    tables: set[int] = set()
    for each in ast.walk(node):
        match each:
            case ast.Subscript(
                value=ast.Name() as table, slice=ast.Constant(value=str(column))
            ) if kind(table, statement.before) == "rows":
                columns.add(column)
                tables.add(id(table))
            case ast.Subscript(value=ast.Name() as table, slice=ast.List(elts=elements)) if (
                kind(table, statement.before) == "rows"
            ):
                columns |= {str(e.value) for e in elements if isinstance(e, ast.Constant)}
                tables.add(id(table))
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as table, attr="pop"),
                args=[ast.Constant(value=str(column))],
            ):
                columns.add(column)
                tables.add(id(table))
            case ast.Attribute(value=ast.Name() as table, attr=attr) if (
                kind(table, statement.before) == "rows" and attr not in _METHODS
            ):
                columns.add(attr)
                tables.add(id(table))
            case ast.Name(id=name) if id(each) not in tables:
                if statement.before.get(name) == "rows":
                    names.add(name)
    return columns, names


_METHODS = frozenset(
    {"values", "to_numpy", "iloc", "loc", "astype", "map", "apply", "copy", "ravel", "reshape",
     "fillna", "replace", "T", "str", "dt", "cat", "squeeze", "flatten", "clip", "round", "eq"}
)  # fmt: skip
