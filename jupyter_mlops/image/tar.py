"""Deterministic tar streams: the same entries give the same bytes on any machine."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator

_BLOCK = 512
#: mode, uid, gid of a regular entry; everything belongs to root and nobody else may write.
FILE_MODE, PROGRAM_MODE, DIRECTORY_MODE, LINK_MODE = 0o644, 0o755, 0o755, 0o777


def source_date_epoch() -> int:
    """Return the time stamped on everything: SOURCE_DATE_EPOCH (seconds), else 0."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(text) if text.isdecimal() else 0


def header(
    name: str, *, size: int = 0, mode: int = FILE_MODE, kind: bytes = b"0", link: str = "",
    mtime: int = 0,
) -> bytes:  # fmt: skip
    """Return the header block(s) of one member: ustar, with a PAX record only where needed."""
    if (
        len(name) <= 100
        and len(link) <= 100
        and name.isascii()
        and link.isascii()
        and (size < 8**11 and mtime < 8**11)
    ):
        head = b"%s%07o\x000000000\x000000000\x00%011o\x00%011o\x00" % (
            name.encode().ljust(100, b"\0"), mode, size, mtime,
        )  # fmt: skip
        tail = b"%s%s%s%s" % (kind, link.encode().ljust(100, b"\0"), b"ustar\x0000", b"\0" * 247)
        checksum = sum(head) + sum(tail) + 8 * 32
        return b"%s%06o\0 %s" % (head, checksum, tail)
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.type, member.linkname = size, mode, kind, link
    member.mtime = mtime
    try:
        if name.isascii() and link.isascii():
            return member.tobuf(tarfile.USTAR_FORMAT)
    except ValueError:
        pass  # longer than ustar's prefix and name can hold
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """Return the zeros that fill a member's last block."""
    return b"\0" * (-size % _BLOCK)


END = b"\0" * (2 * _BLOCK)


class TarWriter:
    """Writes members to ``write`` in the order given, parent directories before their children."""

    def __init__(self, write: Callable[[bytes], object], *, mtime: int = 0) -> None:
        self._write = write
        self._mtime = mtime
        self._directories: set[str] = set()

    def directory(self, name: str, mode: int = DIRECTORY_MODE) -> None:
        """Add a directory and its parents, each once."""
        name = name.rstrip("/")
        if not name or name in self._directories:
            return
        self.parents(name)
        self._directories.add(name)
        self._write(header(f"{name}/", mode=mode, kind=b"5", mtime=self._mtime))

    def parents(self, name: str) -> None:
        """Add the directories above ``name`` that are not there yet."""
        parent = name.rpartition("/")[0]
        if parent and parent not in self._directories:
            self.directory(parent)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self.parents(name)
        self._write(header(name, mode=LINK_MODE, kind=b"2", link=target, mtime=self._mtime))

    def file(self, name: str, size: int, chunks: Iterator[bytes], mode: int = FILE_MODE) -> None:
        """Add a file of exactly ``size`` bytes; raises ValueError when the chunks differ in sum."""
        self.parents(name)
        self._write(header(name, size=size, mode=mode, mtime=self._mtime))
        left = size
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                break
            self._write(chunk)
        if left:
            raise ValueError(f"{name} changed its size while it was read")
        fill = padding(size)
        if fill:
            self._write(fill)

    def end(self) -> None:
        """Write the two zero blocks that end an archive."""
        self._write(END)
