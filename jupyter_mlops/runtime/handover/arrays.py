"""Arrays that share memory: after the hand-over, they share it again."""

from __future__ import annotations

import sys
from typing import Any

from jupyter_mlops.runtime.handover.models import CannotCarry


def is_array(value: Any) -> bool:
    """Say whether a value is a numpy array, without importing numpy."""
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    return array is not None and isinstance(value, array)


def is_pandas(value: Any) -> bool:
    """Say whether a value is a frame, a series or an index, without importing pandas."""
    pandas = sys.modules.get("pandas")
    # ``DataFrame`` is absent while pandas is imported by another thread.
    if not hasattr(pandas, "DataFrame"):
        return False
    return isinstance(value, (pandas.DataFrame, pandas.Series, pandas.Index))  # type: ignore[union-attr]


def copy_on_write() -> bool:
    """Say whether pandas itself keeps frames apart that share memory."""
    pandas: Any = sys.modules["pandas"]
    if int(pandas.__version__.split(".")[0]) >= 3:
        return True
    return bool(pandas.get_option("mode.copy_on_write") is True)


def owner_of(array: Any) -> Any:
    """Return the object that owns an array's memory: an array, or a buffer."""
    current = array
    while True:
        if isinstance(current, memoryview) and current.obj is not None:
            current = current.obj
        elif is_array(current) and current.base is not None:
            current = current.base
        elif type(current).__name__ == "DummyArray" and hasattr(current, "base"):
            current = current.base  # what numpy puts between, as in sliding_window_view
        else:
            return current


class Memory:
    """Arrays by the memory that they look at.

    Those ``inside`` of pandas objects are kept apart: with copy-on-write pandas knows who shares,
    and copies before it writes, so each of them gets its own memory.
    """

    def __init__(self) -> None:
        self.outer: dict[int, dict[int, Any]] = {}
        self.inner: dict[int, dict[int, Any]] = {}
        self._refused: dict[int, CannotCarry] = {}
        self._shared: dict[int, Any] = {}
        self._buffers: dict[int, Any] = {}
        self._named: set[int] = set()

    def add_buffer(self, buffer: bytearray) -> int:
        """Note a buffer that is itself a value: arrays over it stay over it."""
        self._named.add(id(buffer))
        return id(buffer)

    def add(self, array: Any, inside: bool) -> int:
        """Note an array; return the key of its memory."""
        key = id(owner_of(array))
        side = self.inner if inside and copy_on_write() else self.outer
        side.setdefault(key, {})[id(array)] = array
        return key

    def is_open(self, key: int) -> bool:
        """Say whether something other than pandas looks at a memory."""
        return key in self.outer or key in self._named

    def settle(self) -> None:
        """Decide which arrays stay views of which memory."""
        for key, found in self.outer.items():
            members = list(found.values())
            inner = list(self.inner.get(key, {}).values())
            try:
                self._settle(members, inner)
            except CannotCarry as error:
                self._refused.update((id(each), error) for each in members)

    def _settle(self, members: list[Any], inner: list[Any]) -> None:
        if len(inner) == 1:
            members = members + inner
        elif inner and any(each.flags.writeable for each in members):
            raise CannotCarry(
                "An array shares its memory with several frames, which cannot be restored.",
                members[0],
            )
        owner = owner_of(members[0])
        if (len(members) > 1 or id(owner) in self._named) and members[0].nbytes:
            flat = _flat(owner)
            if not is_array(owner):
                self._buffers[id(flat)] = owner
            self._shared.update((id(each), flat) for each in members)

    def shared(self, array: Any) -> Any:
        """Return the bytes that this array must stay a view of, or None.

        Raises ``CannotCarry`` where that cannot be restored.
        """
        if id(array) in self._refused:
            raise self._refused[id(array)]
        return self._shared.get(id(array))

    def buffer(self, array: Any) -> Any:
        """Return the buffer whose bytes this array is, if it stands for one."""
        return self._buffers.get(id(array))


def _flat(owner: Any) -> Any:
    numpy = sys.modules["numpy"]
    if not is_array(owner):
        # numpy's own unpickling puts arrays over buffers.
        if not isinstance(owner, bytes | bytearray):
            kind = type(owner).__name__
            raise CannotCarry(f"Arrays that share the memory of a {kind} cannot be handed over.")
        return over(owner)
    if owner.dtype.hasobject and owner.dtype.names:
        raise CannotCarry("Records of objects that share memory cannot be handed over.", owner)
    if not owner.flags.forc:
        raise CannotCarry("An array with gaps that shares its memory cannot be handed over.", owner)
    line = owner.reshape(-1, order="A")
    return line if owner.dtype.hasobject else line.view(numpy.uint8)


def over(buffer: Any) -> Any:
    """Return the bytes of a buffer as an array."""
    import numpy

    return numpy.frombuffer(buffer, dtype=numpy.uint8)


def view_arguments(array: Any, flat: Any) -> tuple[Any, ...]:
    """Return the arguments of ``make_view`` for an array."""
    numpy = sys.modules["numpy"]
    if type(array) is not numpy.ndarray:
        kind = type(array).__name__
        raise CannotCarry(f"A {kind} that shares its memory cannot be handed over.", array)
    start = array.__array_interface__["data"][0] - flat.__array_interface__["data"][0]
    return flat, start, array.dtype, array.shape, array.strides, array.flags.writeable


def make_view(
    flat: Any, start: int, dtype: Any, shape: tuple[int, ...], strides: Any, writeable: bool
) -> Any:
    """Make an array that looks at other memory."""
    import numpy

    if flat.dtype.hasobject:  # numpy takes no buffer of objects
        line = flat[start // flat.itemsize :]
        array = numpy.lib.stride_tricks.as_strided(line, shape, strides)
    else:
        array = numpy.ndarray(shape, dtype, buffer=flat, offset=start, strides=strides)
    if array.flags.writeable and not writeable:
        array.flags.writeable = False
    return array
