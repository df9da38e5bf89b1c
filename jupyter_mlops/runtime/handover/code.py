"""Functions of the notebook by value: their code, and what they close over."""

from __future__ import annotations

import dis
import marshal
import types
from pathlib import PurePath
from typing import Any

GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"})
_EMPTY = object()


def globals_of(code: types.CodeType) -> frozenset[str]:
    """Return the global names that code refers to, that of nested functions included."""
    known = _globals.get(code)
    if known is None:
        found = {each.argval for each in dis.get_instructions(code) if each.opname in GLOBAL}
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                found |= globals_of(constant)
        known = _globals[code] = frozenset(found)
    return known


_globals: dict[types.CodeType, frozenset[str]] = {}


class Marshalled:
    """Bytes of code objects: the same for the same code, in every process and at every time."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[types.CodeType, bytes]] = {}

    def of(self, code: types.CodeType) -> bytes:
        """Return the bytes of a code object."""
        known = self._known.get(id(code))
        if known is None:
            # Later versions of the format tell how often a constant is referred to elsewhere.
            known = self._known[id(code)] = (code, marshal.dumps(_placeless(code), 2))
        return known[1]


def _placeless(code: types.CodeType) -> types.CodeType:
    """Return code without the place of its file: the kernel names it by process and cell text."""
    constants = tuple(
        _placeless(each) if isinstance(each, types.CodeType) else each for each in code.co_consts
    )
    path = PurePath(code.co_filename)
    name = "<notebook>" if path.parent.name.startswith("ipykernel_") else path.name
    return code.replace(co_filename=name, co_consts=constants)


def make_function(
    code: bytes, scope: dict[str, Any], name: str, closure: tuple[types.CellType, ...] | None
) -> types.FunctionType:
    """Make a function whose globals are the living namespace, never a copy of it."""
    return types.FunctionType(marshal.loads(code), scope, name, None, closure)


def function_state(function: types.FunctionType) -> dict[str, Any]:
    """Return what is set on a function after it was made: it may refer to the function."""
    state = {
        "qualname": function.__qualname__,
        "module": function.__module__,
        "doc": function.__doc__,
        "defaults": function.__defaults__,
        "kwdefaults": function.__kwdefaults__,
        "annotations": dict(function.__annotations__),
        "dict": function.__dict__,
    }
    return {key: value for key, value in state.items() if value}


def set_function_state(function: types.FunctionType, state: dict[str, Any]) -> None:
    """Set what ``function_state`` returned."""
    function.__qualname__ = state.get("qualname", function.__name__)
    function.__module__ = state.get("module", "")
    function.__doc__ = state.get("doc")
    function.__defaults__ = state.get("defaults")
    function.__kwdefaults__ = state.get("kwdefaults")
    function.__annotations__ = state.get("annotations", {})
    function.__dict__.update(state.get("dict", {}))


def make_cell() -> types.CellType:
    """Make an empty cell; what it holds is set when everything else was made."""
    return types.CellType()


def cell_contents(cell: types.CellType) -> tuple[Any, ...]:
    """Return what a cell holds, as a tuple that is empty for an empty cell."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def fill(filled: list[tuple[types.CellType, tuple[Any, ...]]]) -> None:
    """Put into cells what they held."""
    for cell, contents in filled:
        if contents:
            cell.cell_contents = contents[0]
