"""Small ELF files as a linker would write them: a header, two segments, names."""

from __future__ import annotations

import struct


def shared_object(
    *needed: str, soname: str = "", runpath: str = "", rpath: str = "", wide: bool = True,
    order: str = "<",
) -> bytes:  # fmt: skip
    """Return a shared object that asks for ``needed``; 64 or 32 bits, of either byte order."""
    strings, places = b"\0", {}
    for text in [*needed, soname, runpath, rpath]:
        if text and text not in places:
            places[text] = len(strings)
            strings += text.encode() + b"\0"
    base = 0x10000  # names do not lie in memory where they lie in the file
    header, segment = (64, 56) if wide else (52, 32)
    start = header + 2 * segment
    entries = [(1, places[name]) for name in needed]
    entries += [(14, places[soname])] if soname else []
    entries += [(29, places[runpath])] if runpath else []
    entries += [(15, places[rpath])] if rpath else []
    entries.insert(0, (5, base + start))
    entries.append((0, 0))
    pair = struct.Struct(f"{order}{'QQ' if wide else 'II'}")
    dynamic = b"".join(pair.pack(*entry) for entry in entries)
    size = start + len(strings) + len(dynamic)
    segments = _segment(1, 0, base, size, wide, order)
    segments += _segment(2, start + len(strings), base + start + len(strings), len(dynamic), wide,
                         order)  # fmt: skip
    return _header(header, segment, wide, order) + segments + strings + dynamic


def _header(header: int, segment: int, wide: bool, order: str) -> bytes:
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + b"\0" * 9
    word = "Q" if wide else "I"
    return ident + struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH",
        3, 62, 1, 0, header, 0, 0, header, segment, 2, 0, 0, 0,
    )  # fmt: skip


def _segment(kind: int, offset: int, address: int, size: int, wide: bool, order: str) -> bytes:
    if wide:
        return struct.pack(f"{order}IIQQQQQQ", kind, 4, offset, address, address, size, size, 8)
    return struct.pack(f"{order}IIIIIIII", kind, offset, address, address, size, size, 4, 4)
