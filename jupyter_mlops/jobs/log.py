"""The events of a job: one file of JSON lines, appended to by whole lines."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from jupyter_mlops.events import Event
from jupyter_mlops.jobs.models import JobEvent, now

_TAIL = 1 << 16


class _Stamp(msgspec.Struct):
    seq: int
    time: str


_stamps = msgspec.json.Decoder(_Stamp)
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def append(path: Path, event: Event) -> JobEvent:
    """Append an event with the next number; safe when several processes do so.

    Raises ``OSError`` when the file cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
        last = _last(tail)
        if last is None and size > _TAIL:
            last = _last(os.pread(descriptor, size, 0))
        stamped = JobEvent(seq=(last.seq if last else 0) + 1, time=now(), event=event)
        line = msgspec.json.encode(stamped.flat()) + b"\n"
        # A writer that was killed in the middle of a line must not spoil the next one.
        os.write(descriptor, line if tail.endswith(b"\n") or not tail else b"\n" + line)
    finally:
        os.close(descriptor)
    return stamped


def _last(data: bytes) -> _Stamp | None:
    for line in reversed(data.splitlines()):
        try:
            return _stamps.decode(line)
        except msgspec.DecodeError:
            continue
    return None


def parse(line: bytes) -> JobEvent | None:
    """Read one line; ``None`` for one that was cut off or is of a later version."""
    try:
        stamp = _stamps.decode(line)
        return JobEvent(seq=stamp.seq, time=stamp.time, event=_events.decode(line))
    except msgspec.DecodeError:
        return None


class Cursor:
    """Reads the whole lines that were added since it was last asked."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    @classmethod
    def at_end(cls, path: Path) -> Cursor:
        """Return a cursor that only sees what comes from now on."""
        try:
            return cls(path, path.stat().st_size)
        except FileNotFoundError:
            return cls(path)

    def read(self) -> list[JobEvent]:
        """Return the new events; none when the file is gone."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return [event for line in whole.splitlines() if (event := parse(line))]
