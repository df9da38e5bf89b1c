"""Pickle for the way from one step of a run to the next; never a format that is published.

What the notebook's own text makes in every process is referred to by name. Functions that it does
not make go by value, and find the living namespace as their globals when they are loaded.
"""

from __future__ import annotations

import functools
import importlib
import io
import pickle
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from jupyter_mlops.runtime.handover import arrays, classes, code, definitions, reasons, sets
from jupyter_mlops.runtime.handover.models import CannotCarry, HandoverError
from jupyter_mlops.runtime.handover.scope import Scope, is_importable
from jupyter_mlops.runtime.handover.walking import path_to

PROTOCOL = 5
HERE = __name__


def by_name(path: str) -> Any:
    """Stand for the object that the notebook binds to a name; loading replaces this function."""
    raise HandoverError(f"{path} can only be loaded into a notebook.")


def notebook_globals() -> dict[str, Any]:
    """Stand for the living namespace; loading replaces this function."""
    raise HandoverError("A function of a notebook can only be loaded into a notebook.")


def module_globals(name: str) -> dict[str, Any]:
    """Return the globals of a module."""
    return vars(importlib.import_module(name))


def attribute_of(module: str, name: str) -> Any:
    """Return an object of which every process has its own."""
    return vars(importlib.import_module(module))[name]


class NotebookPickler(pickle.Pickler):
    """Writes one unit. ``needs`` are the names of the notebook that it refers to.

    Raises ``CannotCarry`` for what cannot be handed over.
    """

    def __init__(
        self,
        file: Any,
        scope: Scope,
        memory: arrays.Memory | None = None,
        marshalled: code.Marshalled | None = None,
        **options: Any,
    ) -> None:
        super().__init__(file, PROTOCOL, **options)
        self.scope = scope
        self.needs: set[str] = set()
        self._memory = memory
        self._marshalled = marshalled or code.Marshalled()
        self._cells: list[types.CellType] = []
        self._singles = reasons.singles()
        # The names that are written here: only they may hold a class itself.
        self._roots: frozenset[str] = frozenset()
        # Sets, with what gives them their order again.
        self.orders: list[tuple[Any, ...]] = []

    def dump_all(self, value: Any) -> None:
        """Write a value, then what the cells of its closures hold: they may refer to each other."""
        if type(value) is dict:
            self._roots = frozenset(name for name, each in value.items() if isinstance(each, type))
        try:
            self.dump(value)
            while self._cells:
                cells, self._cells = self._cells, []
                self.dump([(cell, code.cell_contents(cell)) for cell in cells])
            self.dump([])
            self.dump(self.orders)
        except RecursionError:
            raise CannotCarry("It is nested too deeply to be handed over.") from None

    def reducer_override(self, value: Any) -> Any:
        """Say how to write what pickle would write wrongly, or not at all."""
        name = self.scope.definition_of(value)
        if name is not None and not self.scope.is_of_a_library(value):
            return self._by_name(name)
        single = self._singles.get(id(value))
        if single is not None:
            return attribute_of, single
        if isinstance(value, type):
            return self._class(value)
        kind = type(value)
        if kind is types.FunctionType:
            return self._function(value)
        if kind is types.CellType:
            self._cells.append(value)
            return code.make_cell, ()
        if kind is types.ModuleType or isinstance(value, types.ModuleType):
            return self._module(value)
        if self._memory is not None and arrays.is_array(value):
            flat = self._memory.shared(value)
            if flat is not None:
                return arrays.make_view, arrays.view_arguments(value, flat)
            buffer = self._memory.buffer(value)
            if buffer is not None:
                return arrays.over, (buffer,)
        return self._other(value)

    def _by_name(self, path: str) -> Any:
        self.needs.add(path.split(".")[0])
        return by_name, (path,)

    def _class(self, value: type) -> Any:
        if not self.scope.is_notebook_class(value):
            return NotImplemented
        path = self.scope.class_path(value)
        if path is not None and path in self._roots:
            made = classes.recipe(value)
            if made is not None:
                return made
            raise CannotCarry(
                f"The class {value.__qualname__} was not made by a class statement of its own.",
                value,
            )
        top = value.__qualname__.partition(".")[0]
        if path is not None and path.partition(".")[0] != top and classes.recipe(value) is None:
            path = None  # an alias: no text makes it under that name
        if path is None:
            where = "inside of a function" if "<locals>" in value.__qualname__ else "earlier"
            raise CannotCarry(
                f"The class {value.__qualname__} was defined {where}, "
                f"and no name leads to it any more.",
                value,
            )
        return self._by_name(path)

    def _module(self, value: types.ModuleType) -> Any:
        if vars(value) is self.scope.namespace:
            return sys.modules.get, ("__main__",)
        if sys.modules.get(value.__name__) is not value:
            raise CannotCarry(f"The module {value.__name__} cannot be imported by its name.", value)
        return importlib.import_module, (value.__name__,)

    def _function(self, value: types.FunctionType) -> Any:
        scope: Any
        if self.scope.is_notebook_function(value):
            self.needs |= code.globals_of(value.__code__)
            scope = _Globals("")
        elif is_importable(value):
            return NotImplemented
        else:
            module = sys.modules.get(value.__module__ or "")
            if module is None or vars(module) is not value.__globals__:
                raise CannotCarry(
                    f"The function {value.__qualname__} was made by other code, in a namespace "
                    f"of its own.",
                    value,
                )
            scope = _Globals(module.__name__)
        made = self._marshalled.of(value.__code__)
        state = code.function_state(value)
        arguments = (made, scope, value.__name__, value.__closure__)
        return code.make_function, arguments, state, None, None, code.set_function_state

    def _other(self, value: Any) -> Any:
        if isinstance(value, _Globals):
            return (module_globals, (value.module,)) if value.module else (notebook_globals, ())
        told = reasons.words(value)
        if told is not None:
            raise CannotCarry(reasons.sentence(told), value)
        if isinstance(value, functools._lru_cache_wrapper):
            wrapped, options = value.__wrapped__, value.cache_parameters()
            if definitions.cache_matters(value):
                raise CannotCarry(definitions.FILLED, value)
            return _cached, (wrapped, options["maxsize"], options["typed"])
        if isinstance(value, BaseException):
            return self._exception(value)
        if isinstance(value, types.MappingProxyType):
            return _proxy, (dict(value),)
        return NotImplemented

    def _exception(self, value: BaseException) -> Any:
        """Write an error only if it can be made again from what it tells of itself."""
        reduced: Any = value.__reduce_ex__(PROTOCOL)
        try:
            again = reduced[0](*reduced[1])
        except Exception as error:
            raise CannotCarry(
                f"A {type(value).__name__} cannot be made again from its arguments: {error}.", value
            ) from None
        if type(again) is not type(value):
            raise CannotCarry(f"A {type(value).__name__} cannot be handed over.", value)
        return reduced


class _Globals:
    """Stands for the globals of a function while it is written; memoized as one object."""

    __slots__ = ("module",)

    def __init__(self, module: str) -> None:
        self.module = module


def _proxy(value: dict[Any, Any]) -> Any:
    return types.MappingProxyType(value)


def _cached(function: Any, maxsize: int | None, typed: bool) -> Any:
    return functools.lru_cache(maxsize, typed)(function)


class NotebookUnpickler(pickle.Unpickler):
    """Reads one unit into a notebook's namespace."""

    def __init__(self, file: Any, scope: Scope, **options: Any) -> None:
        super().__init__(file, **options)
        self._scope = scope

    def load_all(self) -> Any:
        """Read a value, and what the cells of its closures hold."""
        value = self.load()
        while True:
            filled = self.load()
            code.fill(filled)
            if not filled:
                break
        for each in self.load():
            sets.refill(*each)
        return value

    def find_class(self, module: str, name: str) -> Any:
        """Find a class or function; the notebook's own come from its namespace."""
        if module == HERE and name == "by_name":
            return self._by_name
        if module == HERE and name == "notebook_globals":
            return lambda: self._scope.namespace
        return super().find_class(module, name)

    def _by_name(self, path: str) -> Any:
        try:
            return self._scope.resolve(path)
        except (KeyError, AttributeError):
            raise HandoverError(
                f"The value refers to {path}, which this step does not define."
            ) from None


def dumps(value: Any, scope: Scope, memory: arrays.Memory | None = None) -> tuple[bytes, set[str]]:
    """Return the bytes of a value, and the notebook's names that it refers to."""
    file = io.BytesIO()
    needs = dump(value, file, scope, memory)
    return file.getvalue(), needs


def dump(
    value: Any,
    file: BinaryIO | Any,
    scope: Scope,
    memory: arrays.Memory | None = None,
    orders: Sequence[tuple[Any, ...]] = (),
) -> set[str]:
    """Write a value; return the names it refers to. Raises ``CannotCarry``."""
    pickler = NotebookPickler(file, scope, memory)
    pickler.orders = list(orders)
    try:
        pickler.dump_all(value)
    except CannotCarry as error:
        if isinstance(value, Mapping) and error.offender is not None:
            path = path_to(dict(value), error.offender)
            if path and path not in value:
                raise CannotCarry(f"{error.reason} It is {path}.", error.offender) from None
        raise
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, NotImplementedError) as e:
        raise CannotCarry(_told(e)) from e
    except (MemoryError, OSError):
        raise
    except Exception as error:
        # Whatever the __reduce__ or __getstate__ of a foreign class raises.
        raise CannotCarry(_told(error)) from error
    return pickler.needs


def _told(error: Exception) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    return f"It cannot be handed over: {text}."


def loads(data: bytes, scope: Scope) -> Any:
    """Return the value that ``dumps`` wrote."""
    return NotebookUnpickler(io.BytesIO(data), scope).load_all()
