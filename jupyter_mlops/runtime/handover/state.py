"""State of a process that no variable names, as a table of small entries."""

from __future__ import annotations

import decimal
import importlib
import locale
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from jupyter_mlops.runtime.handover import logs


class Entry(NamedTuple):
    """One piece of state. ``module`` must be imported; ``get`` returns a value that compares."""

    key: str
    module: str
    get: Callable[[], Any]
    put: Callable[[Any], None]


def _numpy_random() -> Any:
    name, keys, *rest = sys.modules["numpy.random"].get_state(legacy=True)
    return name, keys.tobytes(), *rest


def _put_numpy_random(value: Any) -> None:
    import numpy

    name, keys, *rest = value
    words = numpy.frombuffer(keys, dtype=numpy.uint32).copy()
    numpy.random.set_state((name, words, *rest))


def _torch_random() -> Any:
    torch = sys.modules["torch"]
    return torch.get_rng_state().numpy().tobytes()


def _put_torch_random(value: Any) -> None:
    torch = importlib.import_module("torch")

    torch.set_rng_state(torch.frombuffer(bytearray(value), dtype=torch.uint8))


def _pandas_options() -> Any:
    from pandas._config import config

    flat: dict[str, Any] = {}
    # Reading the tree itself neither warns of old options nor costs a call for each.
    pending: list[tuple[str, Any]] = [("", config._global_config)]
    while pending:
        prefix, node = pending.pop()
        for name, value in node.items():
            if isinstance(value, dict) and f"{prefix}{name}" not in config._registered_options:
                pending.append((f"{prefix}{name}.", value))
            else:
                flat[f"{prefix}{name}"] = value
    registered = config._registered_options
    return {
        key: value
        for key, value in flat.items()
        if key in registered and value is not registered[key].defval
    }


def _put_pandas_options(value: dict[str, Any]) -> None:
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key in _pandas_options():
            if key not in value:
                pandas.reset_option(f"^{key}$")
        for key, each in value.items():
            pandas.set_option(key, each)


def _numpy_options() -> Any:
    numpy = sys.modules["numpy"]
    return dict(numpy.get_printoptions()), dict(numpy.geterr())


def _put_numpy_options(value: Any) -> None:
    import numpy

    printed, errors = value
    # ``override_repr`` is there only in newer versions.
    known = numpy.get_printoptions()
    numpy.set_printoptions(**{key: each for key, each in printed.items() if key in known})
    numpy.seterr(**errors)


def _rc_parameters() -> Any:
    # Not by its own methods: they choose a backend, and take their time.
    items: Any = dict.items
    return {
        key: list(value) if isinstance(value, list) else value
        for key, value in items(sys.modules["matplotlib"].rcParams)
        if key not in ("backend", "backend_fallback")
    }


def _put_rc_parameters(value: dict[str, Any]) -> None:
    import matplotlib

    # Not by its own method: that checks, and warns of old names.
    update: Any = dict.update
    update(matplotlib.rcParams, value)


def _decimal() -> Any:
    context = decimal.getcontext()
    flags = sorted(each.__name__ for each, on in context.flags.items() if on)
    traps = sorted(each.__name__ for each, on in context.traps.items() if on)
    plain = (context.prec, context.rounding, context.Emin, context.Emax)
    return *plain, context.capitals, context.clamp, flags, traps


def _put_decimal(value: Any) -> None:
    *plain, flags, traps = value
    named = [[getattr(decimal, name) for name in names] for names in (flags, traps)]
    decimal.setcontext(decimal.Context(*plain, *named))


def _warnings() -> Any:
    return list(warnings.filters)


def _put_warnings(value: list[Any]) -> None:
    # What this step's own imports added stays, unless it was there already.
    added = [each for each in warnings.filters if each not in value]
    warnings.filters[:] = value + added  # type: ignore[index]
    getattr(warnings, "_filters_mutated", getattr(warnings, "_filters_mutated_lock_held", int))()


def _put_python_random(value: Any) -> None:
    random.setstate(value)


def _interpreter() -> Any:
    return sys.getrecursionlimit(), sys.get_int_max_str_digits()


def _put_interpreter(value: Any) -> None:
    depth, digits = value
    sys.setrecursionlimit(depth)
    sys.set_int_max_str_digits(digits)


def _locale() -> Any:
    return locale.setlocale(locale.LC_ALL)


def _put_locale(value: Any) -> None:
    locale.setlocale(locale.LC_ALL, value)


def _sklearn() -> Any:
    return dict(sys.modules["sklearn"].get_config())


def _put_sklearn(value: Any) -> None:
    importlib.import_module("sklearn").set_config(**value)


def _torch() -> Any:
    torch = sys.modules["torch"]
    return str(torch.get_default_dtype()), torch.is_grad_enabled(), torch.get_num_threads()


def _put_torch(value: Any) -> None:
    torch = importlib.import_module("torch")
    kind, grad, threads = value
    torch.set_default_dtype(getattr(torch, kind.rpartition(".")[2]))
    torch.set_grad_enabled(grad)
    torch.set_num_threads(threads)


TABLE: tuple[Entry, ...] = (
    Entry("<warnings>", "warnings", _warnings, _put_warnings),
    Entry("<logging>", "logging", logs.describe, logs.put),
    Entry("<interpreter>", "sys", _interpreter, _put_interpreter),
    Entry("<locale>", "locale", _locale, _put_locale),
    Entry("<sklearn options>", "sklearn", _sklearn, _put_sklearn),
    Entry("<torch options>", "torch", _torch, _put_torch),
    Entry("<decimal>", "decimal", _decimal, _put_decimal),
    Entry("<pandas options>", "pandas._config.config", _pandas_options, _put_pandas_options),
    Entry("<numpy options>", "numpy", _numpy_options, _put_numpy_options),
    Entry("<rcParams>", "matplotlib", _rc_parameters, _put_rc_parameters),
    Entry("<rng:torch>", "torch", _torch_random, _put_torch_random),
    Entry("<rng:numpy>", "numpy.random", _numpy_random, _put_numpy_random),
    Entry("<rng:python>", "random", random.getstate, _put_python_random),
)


def snapshot() -> dict[str, Any]:
    """Return the state of every library that is imported by now."""
    return {entry.key: entry.get() for entry in TABLE if entry.module in sys.modules}


def restore(values: dict[str, Any]) -> None:
    """Set what was handed over; libraries with state are imported for it."""
    for entry in TABLE:
        if entry.key in values:
            entry.put(values[entry.key])


class Environment:
    """What a step found in its environment, so that only what the notebook set is handed over.

    The path of modules keeps the places of what was there: elsewhere they are other folders.
    """

    def __init__(self) -> None:
        self.variables = dict(os.environ)
        self.paths = list(sys.path)

    def changes(self) -> dict[str, str | None]:
        """Return the variables that differ from the beginning; None for those that are gone."""
        now = dict(os.environ)
        if now == self.variables:
            return {}
        changed: dict[str, str | None] = {
            name: value for name, value in now.items() if self.variables.get(name) != value
        }
        changed.update((name, None) for name in self.variables if name not in now)
        return changed

    def apply(self, changes: dict[str, str | None]) -> None:
        """Set the variables that earlier steps had set."""
        for name, value in changes.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def path_changes(self) -> list[int | str]:
        """Return the module path: a number for what was there, a text for what was added."""
        if sys.path == self.paths:
            return []
        places = {each: number for number, each in reversed(list(enumerate(self.paths)))}
        return [places.get(each, each) for each in sys.path]

    def apply_path(self, changes: Iterable[int | str]) -> None:
        """Set the module path that earlier steps had made."""
        made = []
        for each in changes:
            if isinstance(each, str):
                made.append(each)
            elif each < len(self.paths):
                made.append(self.paths[each])
        if made:
            sys.path[:] = made
