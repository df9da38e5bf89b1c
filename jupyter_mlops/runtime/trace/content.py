"""What an object holds itself, as a number to compare; what it only refers to is told apart.

Nothing here calls code of the user: no comparison, no ``__getattr__``, no iteration over classes
that the notebook defines.
"""

from __future__ import annotations

import gc
import itertools
import pickle
import sys
import types
import zlib
from collections import OrderedDict, defaultdict, deque
from functools import cache, partial
from typing import Any

from jupyter_mlops.runtime.handover.walking import function_parts
from jupyter_mlops.runtime.trace import frames, memory
from jupyter_mlops.runtime.trace.tokens import Seen, builtin, links_of, of_bytes, of_tokens

# Their classes keep what matters outside of Python's sight, and pickling them is cheap and safe.
PICKLED = ("numpy.random", "random", "sklearn.", "scipy.", "xgboost.", "lightgbm.", "catboost.")
# Too entangled to walk through; whoever reads one may have changed it.
OPAQUE = (
    "IPython.",
    "ipykernel.",
    "ipywidgets.",
    "matplotlib.",
    "zmq.",
    "tornado.",
    "asyncio",
    "_asyncio",
    "threading",
    "_thread",
    "_io",
    "tensorflow.",
    "keras.",
    "plotly.",
    "bokeh.",
    "logging",
)
_SEQUENCES: list[Any] = [[], (), range(0), "", b"", bytearray()]
_COLLECTIONS: list[Any] = [set(), {}, {}.values(), {}.items()]
INDEXED = tuple(type(iter(each)) for each in _SEQUENCES)
COUNTED = tuple(type(iter(each)) for each in _COLLECTIONS)
# Built-in classes all of whose content is in what they refer to.
OPEN = {
    object, list, tuple, dict, set, frozenset, deque, OrderedDict, defaultdict, partial, type,
    types.FunctionType, types.MethodType, types.CellType, types.SimpleNamespace, property,
    staticmethod, classmethod, types.MappingProxyType, BaseException, slice, enumerate, zip, map,
    filter, itertools.chain, itertools.starmap, itertools.takewhile, itertools.islice,
    itertools.dropwhile, itertools.compress, itertools.zip_longest, types.GeneratorType,
    types.BuiltinFunctionType,
    *INDEXED, *COUNTED,
}  # fmt: skip


def look(value: Any, *, near: bool) -> Seen:
    """Look at one object; ``near`` says that the cell could reach it, so look closely."""
    kind: Any = type(value)
    if kind in (list, tuple, set, frozenset, dict):
        return builtin(value, near)
    if kind is types.FunctionType:
        parts = function_parts(value)
        return of_tokens([id(value.__code__), *parts], parts)
    module = kind.__module__
    special = _special(kind, module)
    if special is not None:
        found: Seen = special(value, near)
        return found
    if issubclass(type(value), type):
        return _class(value)
    if module.startswith(OPAQUE):
        return Seen(0, 0, tuple(_figure(value)), opaque=True)
    held = _attributes(value, kind)
    if held is not None and _is_of_library(value, held):
        return Seen(0, 0)
    below = [each for each in gc.get_referents(value) if each is not kind and each is not held]
    keys: list[Any] = []
    if held is not None:
        keys = list(held)
        below += held.values()
    extra: list[Any] = [kind] if kind.__module__ == "__main__" else []
    if not is_open(kind):
        if module.startswith(PICKLED):
            return _pickled(value, below, near)
        return Seen(0, 0, tuple(links_of([*below, *extra])), opaque=True)
    seen = of_tokens([_position(value, kind), *keys, *below], below + extra)
    return seen if held is None else seen._replace(links=(id(held),))


def _attributes(value: Any, kind: Any) -> Any:
    """Return an instance's ``__dict__``; what Python keeps instead of it is made into one.

    Else a mere ``vars(value)`` in the notebook would look like a change.
    """
    for each in kind.__mro__:
        found = vars(each).get("__dict__")
        if type(found) is types.GetSetDescriptorType:
            return found.__get__(value)
    return None


def _is_of_library(value: Any, held: Any) -> bool:
    """Tell whether a library keeps an object under its name: numpy's functions are no plain ones.

    What is set on such a function when it is first looked at is no change.
    """
    module, name = held.get("__module__"), held.get("__qualname__")
    if type(module) is not str or type(name) is not str or module == "__main__":
        return False
    return vars(sys.modules.get(module, types)).get(name) is value


def _class(value: type[Any]) -> Seen:
    if value.__module__ != "__main__":
        return Seen(0, 0)
    skipped = ("__dict__", "__weakref__", "__doc__", "_abc_impl")
    held = {key: each for key, each in vars(value).items() if key not in skipped}
    below = [*held.values(), *value.__bases__]
    return of_tokens([*held, *below], below)


def _position(value: Any, kind: type[Any]) -> Any:
    """Return how far an iterator has gone, for that is its content."""
    if kind in INDEXED:
        return repr(value.__reduce__()[2:])
    if kind in COUNTED:
        return value.__length_hint__()
    if kind is types.GeneratorType:
        frame = value.gi_frame
        return None if frame is None else frame.f_lasti
    return None


@cache
def is_open(kind: Any) -> bool:
    """Tell whether all that an instance of a class holds is in what it refers to."""
    return all(each in OPEN or _in_python(each) for each in kind.__mro__)


def _in_python(kind: Any) -> bool:
    held = vars(kind)
    marks = ("__dict__", "__weakref__", "__slots__")
    return bool(kind.__flags__ & (1 << 9)) and (
        any(mark in held for mark in marks) or any(_in_python(base) for base in kind.__bases__)
    )


def _pickled(value: Any, below: list[Any], near: bool) -> Seen:
    if not near:
        return Seen(0, None, tuple(links_of(below)))
    try:
        return Seen(0, zlib.crc32(pickle.dumps(value, 5)), tuple(links_of(below)))
    except Exception:
        return Seen(0, 0, tuple(links_of(below)), opaque=True)


def _figure(value: Any) -> list[Any]:
    """Return what ties the parts of a figure together."""
    held = getattr(value, "__dict__", {}) if type(value).__module__.startswith("matplotlib") else {}
    found = [held.get(name) for name in ("figure", "_parent_figure", "_figure", "_root_figure")]
    return [each for each in found if each is not None and not isinstance(each, type)]


@cache
def _special(kind: Any, module: str) -> Any:
    """Return the function that looks at instances of a class of a library, if there is one."""
    numpy, pandas, torch = (sys.modules.get(name) for name in ("numpy", "pandas", "torch"))
    if numpy is not None and issubclass(kind, numpy.ndarray):
        return memory.array
    if kind in (bytearray, memoryview) or (module, kind.__name__) == ("array", "array"):
        return memory.buffer
    if (module, kind.__name__) in (("_io", "StringIO"), ("_io", "BytesIO")):
        return lambda value, near: of_bytes(repr((value.getvalue(), value.tell())).encode())
    if pandas is not None and hasattr(pandas, "DataFrame"):
        if issubclass(kind, pandas.DataFrame | pandas.Series):
            return frames.frame
        if issubclass(kind, pandas.Index):
            return frames.index
        if issubclass(kind, pandas.api.extensions.ExtensionArray):
            return frames.extension
    if torch is not None and hasattr(torch, "Tensor") and issubclass(kind, torch.Tensor):
        return memory.tensor
    if module.startswith(("pyarrow", "polars")):
        return lambda value, near: Seen(id(value), id(value))
    return None
