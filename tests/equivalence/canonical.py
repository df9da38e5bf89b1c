"""A value as text: equal texts for equal values, in any process.

Standard library only, and free of imports from this package: the source of this file is also run
inside kernels. Third-party packages are looked at only where they are loaded already.
"""

from __future__ import annotations

import collections
import contextvars
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import io
import itertools
import pathlib
import re
import sys
import types
import uuid

LONGEST = 2_000
#: The libraries' own generators: hidden state, not the value of a name that refers to them. Every
#: draw of any cell changes them, also after the last step that knows the name.
GLOBAL_RANDOM = (("random", "_inst"), ("numpy.random.mtrand", "_rand"))
DEEPEST = 12
INTERNAL = re.compile(
    r"_+|_i+|_i?\d+|_oh|_ih|_dh|_exit_code|_sh|In|Out|exit|quit|get_ipython|open|__.*__"
)
# Their attributes are machinery, not values: ids, threads, handles.
OPAQUE = {
    "_asyncio", "_contextvars", "_io", "_sqlite3", "_thread", "_weakref", "asyncio", "concurrent",
    "contextlib", "IPython", "ipykernel", "logging", "matplotlib", "queue", "sqlite3",
    "subprocess", "tempfile", "threading", "unittest", "warnings", "weakref",
}  # fmt: skip
REPR = (
    bool, int, complex, str, bytes, bytearray, range, slice, type(None), type(...),
    decimal.Decimal, fractions.Fraction, datetime.date, datetime.time, datetime.timedelta,
    datetime.tzinfo, re.Pattern, uuid.UUID, pathlib.PurePath,
)  # fmt: skip
FUNCTIONS = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType,
    types.WrapperDescriptorType, types.MethodWrapperType,
)  # fmt: skip


def names(namespace: dict[str, object], before: set[str] = frozenset()) -> dict[str, str]:  # type: ignore[assignment]
    """The canonical text of every name of a notebook, without those IPython binds."""
    return {
        name: canonical(value)
        for name, value in sorted(namespace.items())
        if not INTERNAL.fullmatch(name) and name not in before
    }


def canonical(value: object) -> str:
    """One value as text; long texts are cut and carry the hash of the whole."""
    try:
        text = _text(value, ())
    except Exception as error:
        text = f"{_kind(value)} that cannot be read: {type(error).__name__}"
    if len(text) > LONGEST:
        text = f"{text[:200]}… {len(text)} sha256:{_hash(text.encode())}"
    return text


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def _kind(value: object) -> str:
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module in {"builtins", "__main__"} else f"{module}.{kind.__name__}"


def _text(value: object, path: tuple[int, ...]) -> str:
    if isinstance(value, enum.Enum):
        return f"{_kind(value)}.{value.name}"
    if isinstance(value, float):
        return f"{_kind(value)} {float(value)!r}"
    if id(value) in path or len(path) > DEEPEST:
        return f"<{_kind(value)} again>"
    if isinstance(value, REPR) and not hasattr(value, "__dict__"):
        return value.__repr__() if isinstance(value, (str, bytes)) else f"{_kind(value)} {value!r}"
    inner = (*path, id(value))
    found = _array(value, inner) or _random(value) or _callable(value, inner)
    return found or _container(value, inner) or _object(value, inner)


def _container(value: object, path: tuple[int, ...]) -> str:
    if isinstance(value, (list, tuple, collections.deque)):
        inside = ", ".join(_text(item, path) for item in value)
    elif isinstance(value, (set, frozenset)):
        inside = ", ".join(sorted(_text(item, path) for item in value))
    elif isinstance(value, (dict, types.MappingProxyType)):
        inside = ", ".join(f"{_text(k, path)}: {_text(v, path)}" for k, v in value.items())
        if isinstance(value, collections.defaultdict):
            inside += f"; default {_text(value.default_factory, path)}"
    else:
        return ""
    return f"{_kind(value)}[{inside}{_attributes(value, path)}]"


def _callable(value: object, path: tuple[int, ...]) -> str:
    if _draws(value):
        return f"function {value.__name__} of random numbers"  # type: ignore[attr-defined]
    if isinstance(value, types.ModuleType):
        return _module(value, path)
    if isinstance(value, type):
        data = {
            k: v
            for k, v in vars(value).items()
            if not k.startswith("__") and not _is_code(v) and value.__module__ == "__main__"
        }
        bases = [base.__name__ for base in value.__bases__]
        return f"class {value.__qualname__}{bases}{_pairs(data, path)}"
    if isinstance(value, types.MethodType):
        return f"method {value.__func__.__qualname__} of {_text(value.__self__, path)}"
    if isinstance(value, functools.partial):
        inside = [_text(part, path) for part in (value.func, value.args, value.keywords)]
        return f"partial{inside}"
    if isinstance(value, types.FunctionType):
        return _function(value, path)
    if isinstance(value, FUNCTIONS):
        return f"function {value.__qualname__}"
    return _of_library(value)


def _draws(value: object) -> bool:
    """Whether it is a method of a library's own generator: what that holds is hidden state."""
    owner = getattr(value, "__self__", None)
    own = (("random", "_inst"), ("numpy.random.mtrand", "_rand"))
    found = [vars(sys.modules.get(module, types)).get(name) for module, name in own]
    return owner is not None and any(owner is each for each in found)


def _of_library(value: object) -> str:
    """The path of an object that a library keeps under its name; its attributes are machinery."""
    module, path = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    if not isinstance(module, str) or not isinstance(path, str) or module == "__main__":
        return ""
    if path and vars(sys.modules.get(module, types)).get(path) is value:
        return f"{_kind(value)} {module}.{path}"
    return ""


def _is_code(value: object) -> bool:
    code = (*FUNCTIONS, classmethod, staticmethod, property, functools.cached_property)
    return isinstance(value, (*code, types.GetSetDescriptorType, types.MemberDescriptorType))


def _function(value: types.FunctionType, path: tuple[int, ...]) -> str:
    """Kind and name, and what the function has kept: defaults, closure, attributes."""
    kept: dict[str, object] = {k: v for k, v in vars(value).items() if k != "__wrapped__"}
    if value.__defaults__:
        kept["__defaults__"] = value.__defaults__
    if value.__kwdefaults__:
        kept["__kwdefaults__"] = value.__kwdefaults__
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=False):
        try:
            kept[f"closure {name}"] = cell.cell_contents
        except ValueError:
            kept[f"closure {name}"] = "unbound"
    return f"function {value.__qualname__}{_pairs(kept, path) if kept else ''}"


def _module(value: types.ModuleType, path: tuple[int, ...]) -> str:
    """The name; a module beside the notebook also with its data."""
    where = getattr(value, "__file__", None)
    local = where and pathlib.Path(where).resolve().parent == pathlib.Path.cwd().resolve()
    data = {k: v for k, v in vars(value).items() if not k.startswith("__")} if local else {}
    data = {k: v for k, v in data.items() if not isinstance(v, types.ModuleType)}
    return f"module {value.__name__}{_pairs(data, path) if data else ''}"


def _array(value: object, path: tuple[int, ...]) -> str:
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.generic):
        return f"{value.dtype} {value.item()!r}"  # type: ignore[attr-defined]
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _ndarray(value, path)
    if pandas is None:
        return ""
    if isinstance(value, pandas.DataFrame):
        columns = [_series(value.iloc[:, at], path) for at in range(value.shape[1])]
        index = _text(value.index, path)
        return f"DataFrame {_text(value.columns, path)} {index} {columns}"
    if isinstance(value, pandas.Series):
        return f"Series {value.name!r} {_text(value.index, path)} {_series(value, path)}"
    if isinstance(value, pandas.Index):
        return f"{type(value).__name__} {value.names} {value.dtype} {_texts(value, path)}"
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return f"{type(value).__name__} {value.dtype} {_texts(value, path)}"
    return f"{_kind(value)} {value!r}" if value is pandas.NA or value is pandas.NaT else ""


def _ndarray(value: object, path: tuple[int, ...]) -> str:
    head = f"ndarray {value.dtype} {value.shape}"  # type: ignore[attr-defined]
    if value.dtype.hasobject or value.size <= 30:  # type: ignore[attr-defined]
        return f"{head} {_text(value.tolist(), path)}"  # type: ignore[attr-defined]
    return f"{head} sha256:{_hash(value.tobytes())}"  # type: ignore[attr-defined]


def _series(value: object, path: tuple[int, ...]) -> str:
    return f"{value.dtype} {_texts(value, path)}"  # type: ignore[attr-defined]


def _texts(value: object, path: tuple[int, ...]) -> str:
    return _text(value.tolist(), path)  # type: ignore[attr-defined]


def _random(value: object) -> str:
    kind = f"{type(value).__module__}.{type(value).__name__}"
    if any(value is getattr(sys.modules.get(name), own, None) for name, own in GLOBAL_RANDOM):
        return f"{kind} of the library"
    if hasattr(value, "getstate") and kind.startswith("random."):
        return f"{kind} {_hash(repr(value.getstate()).encode())}"
    if kind.endswith(".RandomState"):
        return f"{kind} {_hash(repr(value.get_state(legacy=False)).encode())}"  # type: ignore[attr-defined]
    if kind.startswith("numpy.random") and hasattr(value, "bit_generator"):
        return f"{kind} {_hash(repr(value.bit_generator.state).encode())}"
    return ""


def _object(value: object, path: tuple[int, ...]) -> str:
    tops = {kind.__module__.partition(".")[0] for kind in type(value).__mro__}
    if isinstance(value, (io.StringIO, io.BytesIO)) and not value.closed:
        return f"{_kind(value)} {value.getvalue()!r} at {value.tell()}"
    if isinstance(value, itertools.count):
        return repr(value)
    if isinstance(value, contextvars.ContextVar):
        return f"{_kind(value)} {value.name} {_text(value.get(None), path)}"
    if isinstance(value, io.IOBase):
        return f"{_kind(value)} closed={value.closed}"
    if "matplotlib" in tops:
        return _drawing(value, path)
    if type(value).__module__ == "sklearn.tree._tree":
        return f"{_kind(value)} {_text(value.__getstate__(), path)}"  # type: ignore[attr-defined]
    if tops & OPAQUE or not (hasattr(value, "__dict__") or hasattr(type(value), "__slots__")):
        return f"{_kind(value)}"
    return f"{_kind(value)}{_attributes(value, path)}"


def _drawing(value: object, path: tuple[int, ...]) -> str:
    axes = getattr(value, "axes", None)
    if isinstance(axes, list):
        return f"{_kind(value)} {[_drawing(one, path) for one in axes]}"
    if not hasattr(value, "get_lines"):
        return _kind(value)
    lines = [_text(line.get_xydata(), path) for line in value.get_lines()]
    texts = [value.get_title(), value.get_xlabel(), value.get_ylabel()]  # type: ignore[attr-defined]
    bars = [patch.get_path().vertices.shape for patch in value.patches]  # type: ignore[attr-defined]
    return f"{_kind(value)} {texts} {lines} {bars}"


def _attributes(value: object, path: tuple[int, ...]) -> str:
    data = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot) and not slot.startswith("__"):
                data[slot] = getattr(value, slot)
    return _pairs(data, path) if data else ""


def _pairs(data: dict[str, object], path: tuple[int, ...]) -> str:
    return "{" + ", ".join(f"{k}={_text(v, path)}" for k, v in sorted(data.items())) + "}"
