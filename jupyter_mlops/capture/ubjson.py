"""Reads Universal Binary JSON, as xgboost writes it, without xgboost: to look before opening."""

from __future__ import annotations

import struct
from typing import Any

from jupyter_mlops.capture.protocol import CannotLoad

MAX_DEPTH = 64
_NUMBERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}
_SINGLE = {"Z": None, "T": True, "F": False}


def read(data: bytes) -> Any:
    """Return the value that a text of Universal Binary JSON stands for.

    Arrays of numbers are numpy arrays. Raises ``CannotLoad`` for what is not such a text, for one
    that claims more than it has, and for one that is nested too deeply.
    """
    try:
        reader = _Reader(data)
        value = reader.value(reader.mark(), 0)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise CannotLoad(f"It is not Universal Binary JSON: {error!r}.") from None
    if reader.place != len(data):
        raise CannotLoad("There is something behind the end of the model.")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.place:
            raise CannotLoad("It claims to hold more than its own size.")
        self.place += count
        return self.data[self.place - count : self.place]

    def mark(self) -> str:
        found = "N"
        while found == "N":
            found = chr(self.take(1)[0])
        return found

    def number(self, mark: str) -> Any:
        code = _NUMBERS[mark]
        return struct.unpack(f">{code}", self.take(struct.calcsize(code)))[0]

    def text(self) -> str:
        return self.take(int(self.number(self.mark()))).decode()

    def value(self, mark: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise CannotLoad("It is nested too deeply.")
        if mark in _SINGLE:
            return _SINGLE[mark]
        if mark == "C":
            return self.take(1).decode()
        if mark in ("S", "H"):
            return self.text()
        if mark == "[":
            return self.array(depth)
        if mark == "{":
            return self.object(depth)
        return self.number(mark)

    def sizes(self) -> tuple[str, int | None, str]:
        """Return the type and the count of a container, where it has them, and the next mark."""
        kind, count, mark = "", None, self.mark()
        if mark == "$":
            kind, mark = self.mark(), self.mark()
        if mark == "#":
            count, mark = int(self.number(self.mark())), ""
        return kind, count, mark

    def array(self, depth: int) -> Any:
        kind, count, mark = self.sizes()
        if kind in _NUMBERS and count is not None:
            return self.numbers(_NUMBERS[kind], count)
        if count is not None:
            self.bounded(count)
            return [self.value(kind or self.mark(), depth + 1) for _ in range(count)]
        found = []
        while mark != "]":
            found.append(self.value(mark, depth + 1))
            mark = self.mark()
        return found

    def numbers(self, code: str, count: int) -> Any:
        import numpy as np

        dtype = np.dtype(code).newbyteorder(">")
        return np.frombuffer(self.take(count * dtype.itemsize), dtype=dtype)

    def object(self, depth: int) -> dict[str, Any]:
        kind, count, mark = self.sizes()
        found: dict[str, Any] = {}
        if count is not None:
            self.bounded(count)
            for _ in range(count):
                name = self.text()
                found[name] = self.value(kind or self.mark(), depth + 1)
            return found
        while mark != "}":
            name = self.take(int(self.number(mark))).decode()
            found[name] = self.value(self.mark(), depth + 1)
            mark = self.mark()
        return found

    def bounded(self, count: int) -> None:
        # Even what has no bytes of its own may not be more than there are bytes.
        if not 0 <= count <= len(self.data) - self.place:
            raise CannotLoad("It claims to hold more than its own size.")
