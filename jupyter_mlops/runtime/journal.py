"""The journal of a run: append-only JSON lines that survive a killed kernel."""

from __future__ import annotations

import json
import numbers
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

VARIABLE = "MLOPS_JOURNAL"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Values logged at one moment; ``time`` is in seconds since the epoch."""

    time: float
    values: dict[str, Any]
    step: int | None = None


class Journal:
    """Appends entries to a file, each by one write: several processes may share the file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._descriptor: int | None = None
        self._process = 0

    @classmethod
    def of_run(cls) -> Journal | None:
        """Return the journal of the run that this process belongs to, if it is in one."""
        path = os.environ.get(VARIABLE)
        return cls(path) if path else None

    def log(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Append named values (numbers, text, booleans; numpy scalars are converted).

        Raises ``OSError`` when the file cannot be written, ``TypeError`` for other values.
        """
        plain = {str(name): _plain(name, value) for name, value in values.items()}
        entry: dict[str, Any] = {"time": time.time(), "values": plain}
        if step is not None:
            entry["step"] = int(step)
        # The standard library writes NaN and Infinity as such and reads them again.
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        os.write(self._open(), line)

    def _open(self) -> int:
        if self._descriptor is None or self._process != os.getpid():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o644)
            self._process = os.getpid()
        return self._descriptor

    def close(self) -> None:
        """Close the file; logging again opens it again."""
        if self._descriptor is not None and self._process == os.getpid():
            os.close(self._descriptor)
        self._descriptor = None


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        return _plain(name, value.item())
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{name}: a {type(value).__name__} cannot be logged; log a number or a text")


def read(path: str | os.PathLike[str]) -> list[Entry]:
    """Return every whole entry in order; a line cut off by a crash is left out.

    A journal that was never written to is empty.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entries.append(msgspec.convert(json.loads(line), Entry))
        except ValueError:  # of json, of msgspec, of the text encoding: all of them are
            continue
    return entries


def metrics(path: str | os.PathLike[str]) -> dict[str, float]:
    """Return the last number logged under each name."""
    last: dict[str, float] = {}
    for entry in read(path):
        for name, value in entry.values.items():
            if isinstance(value, int | float):
                last[name] = float(value)
    return last
