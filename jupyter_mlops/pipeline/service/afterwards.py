"""What a notebook makes of its model's answers: a service that only asks the model does not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_mlops.pipeline.service import words
from jupyter_mlops.pipeline.service.carrying import Statement, called

#: Functions and methods that turn an answer back into what was measured.
TURNS = frozenset({"exp", "exp2", "expm1", "expit", "inverse_transform", "power", "sinh", "square"})


def told(statements: Sequence[Statement], model: str) -> str:
    """Return a sentence about what is made of the model's answers; empty where nothing is."""
    answers: set[str] = set()
    for statement in statements:
        for node in _made(statement.node, model, answers):
            return (
                f"The service answers what {model} gives. The notebook makes of it "
                f"{ast.unparse(node)} (cell {statement.cell.number}): to answer that, write it "
                f"into a function predict(rows)."
            )
        match statement.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                answers.discard(name)
                if _asks(value, model):
                    answers.add(name)
    return ""


def _made(statement: ast.stmt, model: str, answers: set[str]) -> Iterator[ast.expr]:
    """Yield the expressions that make something else of an answer."""

    def is_answer(node: ast.expr) -> bool:
        return _asks(node, model) or (isinstance(node, ast.Name) and node.id in answers)

    for node in ast.walk(statement):
        match node:
            case ast.Call(args=[*given]) if called(node) in TURNS and any(map(is_answer, given)):
                yield node
            case ast.BinOp(op=ast.Pow(), right=right) if is_answer(right):
                yield node
            case ast.Subscript(slice=part) if is_answer(part):
                yield node


def _asks(node: ast.expr, model: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name == model and method in words.ANSWERS
    return False
