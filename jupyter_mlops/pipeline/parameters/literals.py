"""Evaluate expressions made of literals: ``10 * 60``, ``"a" + "b"``, ``dict(z=1)``.

Nothing is executed: the syntax tree is walked, and sizes are bounded.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Container
from typing import Any

LARGEST_BITS = 256
LONGEST = 10_000
BIGGEST = 1_000_000
Special = Callable[[ast.expr], Any]


class NotLiteral(ValueError):
    """The expression is not made of literals only; ``str()`` may say what stands in the way."""


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
_BUILTINS: dict[str, Callable[..., Any]] = {
    kind.__name__: kind for kind in (bool, int, float, str, list, tuple, set, frozenset, dict)
}
_METHODS = frozenset({"split", "splitlines", "strip", "lstrip", "rstrip", "lower", "upper", "join"})


def evaluate(node: ast.expr, special: Special, own: Container[str]) -> Any:
    """Return the value of an expression of literals; raises ``NotLiteral``.

    ``special`` is asked first at every call, attribute, subscript and operation, and returns
    None for what it does not know. ``own`` are the names that the notebook binds itself: they
    are not Python's built-in ones.
    """
    try:
        value = _Evaluator(special, own).value(node)
    except RecursionError:
        raise NotLiteral from None
    if _size(value, BIGGEST, 0) > BIGGEST:
        raise NotLiteral("it is too long")
    return value


def _size(value: Any, most: int, depth: int) -> int:
    """Return how many items and characters a value has, or a number beyond ``most``."""
    if depth > 50:
        return most + 1
    if isinstance(value, str):
        return len(value)
    size = 1
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            size += _size(item, most - size, depth + 1)
            if size > most:
                break
    return size


class _Evaluator:
    def __init__(self, special: Special, own: Container[str]) -> None:
        self.special = special
        self.own = own

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Call | ast.Attribute | ast.Subscript | ast.BinOp):
            found = self.special(node)
            if found is not None:
                return found
        try:
            return self._value(node)
        except (TypeError, ValueError, ArithmeticError, MemoryError) as error:
            raise NotLiteral(*error.args if isinstance(error, NotLiteral) else ()) from None

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                if isinstance(value, bytes | complex) or value is ...:
                    raise NotLiteral(f"{type(value).__name__} is no type of JSON")
                return value
            case ast.List(elts=items):
                return self._items(items)
            case ast.Tuple(elts=items):
                return tuple(self._items(items))
            case ast.Set(elts=items):
                return set(self._items(items))
            case ast.Dict(keys=keys, values=values):
                return self._mapping(keys, values)
            case ast.JoinedStr(values=parts) if all(isinstance(p, ast.Constant) for p in parts):
                return "".join(self.value(part) for part in parts)
            case ast.UnaryOp(op=sign, operand=operand):
                return _UNARY[type(sign)](_plain(self.value(operand)))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
                return _bounded(sign, _plain(self.value(left)), _plain(self.value(right)))
            case ast.Call():
                return self._call(node)
        raise NotLiteral

    def _items(self, items: list[ast.expr]) -> list[Any]:
        if len(items) > LONGEST:
            raise NotLiteral("it is too long")
        return [self.value(item) for item in items]

    def _mapping(self, keys: list[ast.expr | None], values: list[ast.expr]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if key is None:
                raise NotLiteral
            found[_plain(self.value(key))] = self.value(value)
        return found

    def _call(self, node: ast.Call) -> Any:
        given = [self.value(argument) for argument in node.args]
        named = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise NotLiteral
            named[keyword.arg] = self.value(keyword.value)
        function = node.func
        if isinstance(function, ast.Name):
            if function.id not in _BUILTINS or function.id in self.own:
                raise NotLiteral
            if function.id in ("bool", "int", "float", "str"):
                given = [_plain(value) for value in given]
            return _BUILTINS[function.id](*given, **named)
        if isinstance(function, ast.Attribute) and function.attr in _METHODS and not named:
            text = self.value(function.value)
            parts = len(given[0]) if given and isinstance(given[0], list | tuple) else 1
            if isinstance(text, str) and len(text) * parts <= 10 * LONGEST:
                return _short(getattr(text, function.attr)(*given))
        raise NotLiteral


def _plain(value: Any) -> Any:
    """Return an operand that Python's own operators may work on."""
    if value is None or isinstance(value, bool | int | float | str | list | tuple | set):
        return value
    raise NotLiteral


def _bounded(sign: ast.operator, left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    if isinstance(sign, ast.Mod) and isinstance(left, str):
        raise NotLiteral
    if isinstance(sign, ast.Pow):
        if whole and left.bit_length() * abs(right) > LARGEST_BITS:
            raise NotLiteral
    elif isinstance(sign, ast.LShift):
        if whole and right > LARGEST_BITS:
            raise NotLiteral
    elif isinstance(sign, ast.Mult) and not whole:
        for items, times in ((left, right), (right, left)):
            sized = isinstance(items, str | list | tuple)
            if sized and isinstance(times, int) and len(items) * times > LONGEST:
                raise NotLiteral
    result = _BINARY[type(sign)](left, right)
    if isinstance(result, int) and result.bit_length() > LARGEST_BITS:
        raise NotLiteral
    return _short(result)


def _short(value: Any) -> Any:
    if isinstance(value, complex) or (isinstance(value, str | list) and len(value) > 10 * LONGEST):
        raise NotLiteral
    return value
