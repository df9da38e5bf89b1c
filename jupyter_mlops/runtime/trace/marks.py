"""Sets the marks into the tree of a cell, without changing what it does or where its lines are."""

from __future__ import annotations

import ast
from collections.abc import Callable

from jupyter_mlops.runtime.trace import scopes, statements

MARK = "__mlops_seen__"


def mark(number: int, place: ast.AST) -> ast.expr:
    """Return the mark of a block, at the lines of what it stands before."""
    made = ast.Subscript(ast.Name(MARK, ast.Load()), ast.Constant(number), ast.Load())
    for node in ast.walk(made):
        if isinstance(node, ast.expr):
            ast.copy_location(node, place)
    return made


def statement(number: int, place: ast.AST) -> ast.stmt:
    """Return the mark of a block as a line of its own."""
    return ast.copy_location(ast.Expr(mark(number, place)), place)


def inserted(body: list[ast.stmt], index: int) -> Callable[[int], None]:
    """Return what sets a block's mark as a line before one of a body's."""

    def edit(number: int) -> None:
        body.insert(index, statement(number, body[min(index, len(body) - 1)]))

    return edit


def before(body: list[ast.stmt], line: ast.stmt) -> Callable[[int], None]:
    """Return what sets a block's mark before a line of a body, wherever it is by then."""

    def edit(number: int) -> None:
        body.insert(body.index(line), statement(number, line))

    return edit


def before_value(node: ast.Lambda) -> Callable[[int], None]:
    """Return what sets the mark of a lambda."""

    def edit(number: int) -> None:
        # A mark is 0, so that the value is the lambda's own.
        either = ast.BoolOp(ast.Or(), [mark(number, node.body), node.body])
        node.body = ast.copy_location(either, node.body)

    return edit


def before_items(node: ast.GeneratorExp) -> Callable[[int], None]:
    """Return what sets the mark of a generator expression: it is passed at every item."""

    def edit(number: int) -> None:
        unless = ast.UnaryOp(ast.Not(), mark(number, node.elt))
        node.generators[0].ifs.insert(0, ast.copy_location(unless, node.elt))

    return edit


def everywhere(body: list[ast.stmt], head: int) -> Callable[[int], None]:
    """Mark a function that stops and goes on, perhaps in another cell, wherever it may go on."""

    def walk(lines: list[ast.stmt], start: int, number: int) -> None:
        marked = [*lines[:start], statement(number, lines[min(start, len(lines) - 1)])]
        for line in lines[start:]:
            marked.append(line)
            if isinstance(line, scopes.FUNCTIONS | ast.ClassDef):
                continue
            for inner in statements.bodies(line):
                walk(inner, 0, number)
            if statements.pauses(line):
                marked.append(statement(number, line))
        lines[:] = marked

    return lambda number: walk(body, head, number)
