"""Which shared libraries an ELF file asks the loader for: a few fields of its dynamic section.

Reads as little as the loader would, with bounds on everything: a damaged file is no ELF file.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF"
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
#: No linker writes more: segments of a file, bytes of a dynamic section, bytes of a name.
_MOST_SEGMENTS, _MOST_DYNAMIC, _LONGEST = 4096, 1 << 20, 4096


@dataclass(frozen=True)
class Elf:
    """What the loader reads: names of libraries, and folders to look in first (``$ORIGIN/…``)."""

    needed: tuple[str, ...]
    soname: str
    search: tuple[str, ...]


def read(path: Path | str) -> Elf | None:
    """Return the dynamic section of a file; ``None`` where it is no ELF file, or a damaged one.

    A statically linked program has an empty one. Raises ``OSError`` where the file cannot be
    opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return _read(descriptor)
    except (struct.error, ValueError, OverflowError, OSError):
        return None
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Elf | None:
    head = os.pread(descriptor, 64, 0)
    if head[:4] != _MAGIC or len(head) < 52:
        return None
    wide, order = {1: False, 2: True}.get(head[4]), {1: "<", 2: ">"}.get(head[5])
    if wide is None or order is None:
        return None
    start, size, count = _segment_table(head, order, wide)
    if not 0 < size <= 256 or count > _MOST_SEGMENTS:
        return None
    table = os.pread(descriptor, size * count, start)
    loads: list[tuple[int, int, int]] = []
    dynamic = (0, 0)
    for index in range(count):
        kind, offset, address, length = _segment(table, index * size, order, wide)
        if kind == _LOAD:
            loads.append((address, offset, length))
        elif kind == _DYNAMIC:
            dynamic = (offset, length)
    return _dynamic(descriptor, *dynamic, loads, order, wide)


def _segment_table(head: bytes, order: str, wide: bool) -> tuple[int, int, int]:
    if wide:
        (start,) = struct.unpack_from(f"{order}Q", head, 32)
        size, count = struct.unpack_from(f"{order}HH", head, 54)
    else:
        (start,) = struct.unpack_from(f"{order}I", head, 28)
        size, count = struct.unpack_from(f"{order}HH", head, 42)
    return start, size, count


def _segment(table: bytes, at: int, order: str, wide: bool) -> tuple[int, int, int, int]:
    """Return kind, offset in the file, address in memory and length of a segment."""
    if wide:
        kind, _, offset, address, _, length = struct.unpack_from(f"{order}IIQQQQ", table, at)
    else:
        kind, offset, address, _, length = struct.unpack_from(f"{order}IIIII", table, at)
    return kind, offset, address, length


def _dynamic(
    descriptor: int,
    offset: int,
    length: int,
    loads: list[tuple[int, int, int]],
    order: str,
    wide: bool,
) -> Elf:
    data = os.pread(descriptor, min(length, _MOST_DYNAMIC), offset) if length else b""
    pair = struct.Struct(f"{order}{'QQ' if wide else 'II'}")
    entries: list[tuple[int, int]] = []
    for tag, value in pair.iter_unpack(data[: len(data) - len(data) % pair.size]):
        if tag == 0:
            break
        entries.append((tag, value))
    if not entries:
        return Elf((), "", ())
    strings = _offset(dict(reversed(entries)).get(_STRTAB, -1), loads)

    def texts(wanted: int) -> list[str]:
        return [_text(descriptor, strings + value) for tag, value in entries if tag == wanted]

    # A runpath makes the loader ignore an rpath.
    folders = texts(_RUNPATH) or texts(_RPATH)
    return Elf(
        needed=tuple(dict.fromkeys(texts(_NEEDED))),
        soname=next(iter(texts(_SONAME)), ""),
        search=tuple(part for text in folders for part in text.split(":") if part),
    )


def _offset(address: int, loads: list[tuple[int, int, int]]) -> int:
    """Return where in the file an address of memory comes from."""
    for start, offset, length in loads:
        if start <= address < start + length:
            return address - start + offset
    raise ValueError("an address is in no segment")


def _text(descriptor: int, offset: int) -> str:
    data, end, _ = os.pread(descriptor, _LONGEST, offset).partition(b"\0")
    if not end:
        raise ValueError("a name does not end")
    return data.decode()
