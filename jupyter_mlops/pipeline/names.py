"""Which names a statement binds, and which it needs from outside: scopes as Python sees them."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator

BUILTINS = frozenset(dir(builtins)) | {"get_ipython", "display", "__name__", "__file__", "__doc__"}


def bound(statement: ast.stmt) -> set[str]:
    """Return the top-level names that a statement binds, in whatever way."""
    return {symbol.get_name() for symbol in _top(statement).get_symbols() if _binds(symbol)}


def needed(statement: ast.stmt) -> set[str]:
    """Return the names that a statement reads from the notebook, built-in names left out.

    Names that a function in it reads when it is called count too: whoever calls it needs them.
    """
    table = _top(statement)
    own = {symbol.get_name() for symbol in table.get_symbols() if _binds(symbol)}
    read = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    for scope in _nested(table):
        inner = {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
        read |= inner
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        own = set()  # `x = x + 1` needs x; a recursive function does not need itself
    return read - own - BUILTINS


def _top(statement: ast.stmt) -> symtable.SymbolTable:
    source = ast.unparse(ast.Module(body=[statement], type_ignores=[]))
    try:
        return symtable.symtable(source, "<cell>", "exec")
    except SyntaxError:  # a ``nonlocal`` outside of functions: Python will not run it
        return symtable.symtable("", "<cell>", "exec")


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _nested(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _nested(child)
