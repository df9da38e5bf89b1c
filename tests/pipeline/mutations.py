"""Small programs over what values are made of, how they are passed on, and how they are changed.

A program is ``x = MAKER``, ``y = PASSER`` (of x), ``CHANGER`` (of y), and then both are looked
at. What a changer really changes is found by running the program with and without it.
"""

from __future__ import annotations

import contextlib
import io
import random
import signal
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import pandas

from .mutation_parts import CHANGERS, MAKERS, PASSERS, PRELUDE


@dataclass(frozen=True)
class Program:
    """Three cells and two looks: ``x = maker``, ``y = passer``, ``changer``, ``x``, ``y``."""

    maker: str
    passer: str
    changer: str

    @property
    def cells(self) -> list[str]:
        """The code cells: 1 prelude, 2 maker, 3 passer, 4 changer, 5 looks at x, 6 at y."""
        return [PRELUDE, f"x = {self.maker}", f"y = {self.passer}", self.changer, "x", "y"]

    def changed(self) -> set[int]:
        """Return which of the looks (5, 6) see what the changer did; run it to find out.

        A program that fails changes nothing that anybody would keep: the empty set.
        """
        before, after = self._looks(skip=True), self._looks(skip=False)
        if before is None or after is None:
            return set()
        return {5 + i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}

    def _looks(self, skip: bool) -> tuple[Any, Any] | None:
        space = dict(_BASE)
        random.seed(0)  # both runs draw the same numbers
        numpy.random.seed(0)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                with _limit(seconds=5):  # some lists grow while they are read
                    for cell in self.cells[1:3] if skip else self.cells[1:4]:
                        exec(cell, space)
                return _seen(space["x"]), _seen(space["y"])
        except Exception:
            return None


@contextlib.contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def end(*_: object) -> None:
        raise TimeoutError("the program does not end")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_BASE: dict[str, Any] = {"__name__": "__main__"}
exec(PRELUDE, _BASE)


def _seen(value: Any, depth: int = 0) -> Any:
    """Return what a look at a value could tell, as plain comparable things."""
    if depth > 6:
        return "…"
    inner = depth + 1
    if isinstance(value, numpy.ndarray):
        flags = value.flags.writeable
        held = [_seen(v, inner) for v in value.ravel().tolist()]
        mask = _seen(numpy.ma.getmaskarray(value).tolist()) if numpy.ma.isMA(value) else None
        return ("array", value.shape, held, mask, flags)
    if isinstance(value, pandas.DataFrame | pandas.Series | pandas.Index):
        axes = [
            [_seen(v, inner) for v in axis] + [axis.name] for axis in getattr(value, "axes", [])
        ]
        cells = [_seen(v, inner) for v in value.to_numpy().ravel().tolist()]
        name = str(getattr(value, "name", ""))
        return (type(value).__name__, axes, cells, name, str(getattr(value, "attrs", "")))
    if isinstance(value, dict) or type(value).__name__ in ("mappingproxy", "ChainMap"):
        return {repr(k): _seen(v, inner) for k, v in dict(value).items()}, list(map(repr, value))
    if isinstance(value, list | tuple) or type(value).__name__ in ("deque", "UserList"):
        return [type(value).__name__, *(_seen(v, inner) for v in value)]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    return _seen_object(value, inner)


def _seen_object(value: Any, inner: int) -> Any:
    name = type(value).__name__
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, numpy.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, numpy.random.RandomState):
        return repr(value.get_state())
    if isinstance(value, io.StringIO):
        return value.getvalue(), value.tell()
    if hasattr(value, "__next__"):
        return [repr(item) for item in itertools_first(value)]
    if name == "function":
        kept = [cell.cell_contents for cell in value.__closure__ or ()]
        return [_seen(v, inner) for v in (*kept, *(value.__defaults__ or ()))]
    if name == "partial":
        return [_seen(v, inner) for v in value.args]
    if hasattr(value, "__self__"):
        return _seen(value.__self__, inner)
    if hasattr(value, "__dict__") and name in ("Box", "Row", "SimpleNamespace"):
        return {key: _seen(v, inner) for key, v in vars(value).items()}
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    text = repr(value)
    return name if " at 0x" in text else text


def itertools_first(value: Any) -> Iterator[Any]:
    """Return the next five items."""
    for _ in range(5):
        try:
            yield next(value)
        except StopIteration:
            return


def sample(count: int, seed: int) -> list[Program]:
    """Return random programs; half of them pass the value on as it is."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        passer = "x" if chance.random() < 0.4 else chance.choice(PASSERS)
        found.append(Program(chance.choice(MAKERS), passer, chance.choice(CHANGERS)))
    return found


def quiet() -> contextlib.AbstractContextManager[Any]:
    """Return a context without the warnings of odd programs."""
    return warnings.catch_warnings(action="ignore")
