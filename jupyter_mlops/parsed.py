"""The code of a cell as plain Python and as syntax trees; the same text is parsed once.

Trees are shared by all who ask for the same text: nobody changes them. A notebook that is read
again after a cell was changed costs the parsing of that cell only.
"""

from __future__ import annotations

import ast
import gc
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar

from jupyter_mlops.errors import shown

_T = TypeVar("_T")

#: What parsing raises for a text that is not plain Python.
NOT_PYTHON: Final = (SyntaxError, ValueError, RecursionError, MemoryError)
PYTHON_BODY_MAGICS: Final = frozenset({"time", "timeit", "capture", "prun", "mlops_step"})
#: Nodes in each other: beyond, code that walks a tree by calling itself gives up.
DEEPEST: Final = 120
TOO_DEEP: Final = f"it is nested more than {DEEPEST} levels deep"
_LONG_NUMBER: Final = re.compile(r"\b0[xXoObB][\da-fA-F_]{3500}")
CONTEXTS: Final = frozenset({ast.Load, ast.Store, ast.Del})
PLAIN: Final = frozenset({str, int, type(None), *CONTEXTS})
#: How many texts are remembered; a tree of a usual cell takes about 10 kB.
REMEMBERED: Final = 2048


@lru_cache(maxsize=REMEMBERED)
def of(source: str) -> tuple[str, ast.Module, str]:
    """Return a cell as plain Python, its tree, and why there is none.

    A cell magic whose body is Python (``%%time``) gives its body, any other one nothing.
    """
    magic = re.match(r"\s*%%(\w+)[^\n]*\n?", source)
    if magic:
        if magic.group(1) not in PYTHON_BODY_MAGICS:
            return "", ast.Module(body=[], type_ignores=[]), ""
        source = source[magic.end() :]
    with suppress(*NOT_PYTHON):
        return source, _parse(source), ""
    try:
        transformed = _transformed(source)
        return transformed, _parse(transformed), ""
    except SyntaxError as error:
        line = f" (line {error.lineno})" if error.lineno else ""  # a null byte has none
        why = shown(error.msg, 200) + line
    except (RecursionError, MemoryError):  # what Python's parser says of depth
        why = TOO_DEEP
    except UnicodeEncodeError:
        why = "it holds half a character (a lone surrogate)"
    except ValueError as error:
        why = shown(error, 200)
    return source, ast.Module(body=[], type_ignores=[]), why


@lru_cache(maxsize=REMEMBERED)
def with_magics(source: str) -> ast.Module:
    """Return the tree of a cell with cell magics as the calls that IPython makes of them."""
    start = source.lstrip()
    if not start.startswith("%%") or start.startswith("%%mlops_step"):
        return of(source)[1]  # %%mlops_step only names the step
    try:
        return _parse(_transformed(source))
    except NOT_PYTHON:
        return of(source)[1]


def plain_python(source: str) -> str:
    """Return IPython's code as plain Python; code that is plain already stays as it is."""
    try:
        _parse(source)
    except NOT_PYTHON:
        return _transformed(source)
    return source


def _transformed(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    with unwarned():
        return str(TransformerManager().transform_cell(source))


@contextmanager
def unwarned() -> Iterator[None]:
    """Keep to itself what Python warns of in a user's text: the kernel says it when it runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def tree_of(text: str | bytes) -> ast.Module:
    """Return the tree of plain Python, as ``ast.parse`` does, but without Python's warnings."""
    with unwarned():
        return ast.parse(text)


def _parse(source: str) -> ast.Module:
    tree = tree_of(source)
    if _levels(tree)[1] > DEEPEST:
        raise RecursionError(TOO_DEEP)
    if _LONG_NUMBER.search(source) and any(
        _is_unwritable(getattr(node, "value", None)) for node in nodes(tree)
    ):
        raise ValueError("a number in it has more digits than Python writes")
    return tree


def _is_unwritable(value: object) -> bool:
    return isinstance(value, int) and value.bit_length() > 14_000


def lines(text: str) -> list[str]:
    """Return the lines of code as Python counts them: form feeds and the like end none."""
    found = text.split("\n")
    return found if found[-1] else found[:-1]


def remembered(function: Callable[[ast.Module], _T]) -> Callable[[ast.Module], _T]:
    """Let a function of a tree keep its result on the tree: the tree does not change."""
    key = f"mlops_{function.__module__}_{function.__qualname__}"

    @wraps(function)
    def once(tree: ast.Module) -> _T:
        try:
            return tree.__dict__[key]  # type: ignore[no-any-return]
        except KeyError:
            result = tree.__dict__[key] = function(tree)
            return result

    return once


def nodes(tree: ast.Module) -> list[ast.AST]:
    """Return what ``ast.walk`` gives, in its order, but for operators and contexts."""
    return _levels(tree)[0]


@remembered
def _levels(tree: ast.Module) -> tuple[list[ast.AST], int, str]:
    """Return the nodes, level by level, how many levels there are, and the tree's shape."""
    found: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    depth = 0
    said: list[str] = []
    while level:
        found += level
        below: list[ast.AST] = []
        for node in level:
            if type(node) is ast.Name:  # every second node: as in _read, without the search
                said += ("Name", node.id)
            else:
                _read(node, below, said)
        level = below
        depth += 1
    return found, depth, " ".join(said)


def _read(node: ast.AST, below: list[ast.AST], said: list[str]) -> None:
    """Add a node's children to ``below``; say its class and fields, a dot for each child."""
    said.append(type(node).__name__)
    for name in node._fields:
        part: Any = getattr(node, name, None)
        kind = type(part)
        if kind in PLAIN:
            if kind is int and _is_unwritable(part):
                said.append(hex(part))
            elif kind not in CONTEXTS:  # they follow from the place
                said.append(repr(part))
        elif kind is list:
            said.append("[")
            for each in part:
                if isinstance(each, ast.AST):
                    below.append(each)
                    said.append(".")
                else:
                    said.append(repr(each))
            said.append("]")
        elif isinstance(part, ast.AST):
            said.append("." if part._fields else type(part).__name__)
            if part._fields:
                below.append(part)
        else:
            said.append(repr(part))


def children(node: ast.AST) -> list[ast.AST]:
    """Return the direct children of a node, but for operators and contexts."""
    found: list[ast.AST] = []
    for name in node._fields:
        part = getattr(node, name, None)
        kind = type(part)
        if kind is list:
            found += [each for each in part if isinstance(each, ast.AST)]  # type: ignore[union-attr]
        elif kind not in PLAIN and isinstance(part, ast.AST) and part._fields:
            found.append(part)
    return found


def dotted(node: ast.expr) -> str:
    """Return an expression's text, as ``ast.unparse`` does; names with dots at once."""
    names: list[str] = []
    left = node
    while isinstance(left, ast.Attribute):
        names.append(left.attr)
        left = left.value
    return (
        ".".join([left.id, *reversed(names)]) if isinstance(left, ast.Name) else ast.unparse(node)
    )


def shape(tree: ast.Module) -> str:
    """Return what a tree says without comments and layout: equal for code that is equal.

    Classes and fields in their order, lists in brackets, level by level.
    """
    return _levels(tree)[2]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector: thousands of new nodes make it look at all of them anew.

    Also a decorator. Where it is paused already, nothing is done.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
