"""``/etc/ld.so.cache``: where the loader finds libraries, read and written without root.

The format is glibc's "new" one since 2.2 (sysdeps/generic/dl-cache.h): a header, entries of 24
bytes sorted from the last name to the first, then the names. ``ctypes.util.find_library`` reads it
too, by way of ``ldconfig -p``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sIIB3xI12x")
_ENTRY = struct.Struct("<iIIIQ")
_LITTLE_ENDIAN = 2
#: FLAG_ELF_LIBC6 with the architecture's own flag.
FLAGS = {"amd64": 0x0303, "arm64": 0x0A03}
_MOST_ENTRIES = 1 << 20


def read_cache(data: bytes, flags: int) -> dict[str, str]:
    """Return soname → path of the entries with these flags; none where it is no such cache.

    Entries for certain processors are left out: each has one for all beside it.
    """
    start = data.find(_MAGIC)  # older caches have another format before it
    if start < 0 or len(data) < start + _HEADER.size:
        return {}
    data = data[start:]
    _, count, _, _, _ = _HEADER.unpack_from(data)
    if count > _MOST_ENTRIES or len(data) < _HEADER.size + count * _ENTRY.size:
        return {}
    found: dict[str, str] = {}
    for index in range(count):
        kind, key, value, _, hardware = _ENTRY.unpack_from(data, _HEADER.size + index * _ENTRY.size)
        if kind == flags and not hardware:
            found.setdefault(_text(data, key), _text(data, value))
    return {name: path for name, path in found.items() if name and path}


def _text(data: bytes, start: int) -> str:
    end = data.find(b"\0", start)
    return data[start:end].decode(errors="replace") if 0 <= start < end else ""


def write_cache(libraries: Mapping[str, str], flags: int) -> bytes:
    """Return the cache of soname → path: the same bytes for equal mappings."""
    names = sorted(libraries, key=_order, reverse=True)
    entries, strings = [], b""
    start = _HEADER.size + len(names) * _ENTRY.size
    for name in names:
        key = start + len(strings)
        strings += name.encode() + b"\0"
        entries.append(_ENTRY.pack(flags, key, start + len(strings), 0, 0))
        strings += libraries[name].encode() + b"\0"
    header = _HEADER.pack(_MAGIC, len(names), len(strings), _LITTLE_ENDIAN, 0)
    return header + b"".join(entries) + strings


def _order(name: str) -> tuple[tuple[int, int], ...]:
    """Order names as the loader's binary search does: numbers by value, and after letters."""
    parts = re.findall(r"[0-9]+|[^0-9]", name)
    return tuple((1, int(part)) if part.isdigit() else (0, ord(part)) for part in parts)
