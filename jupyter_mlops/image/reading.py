"""A layer's tar, read from its compressed chunks as they come."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import cast

from isal import isal_zlib

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.blob import LAYER_GZIP, LAYER_TAR, LAYER_ZSTD
from jupyter_mlops.image.compression import zstd

_GZIP = 16 + 15
#: What reading a damaged layer raises.
DAMAGED = (tarfile.TarError, EOFError, cast(type[Exception], isal_zlib.error), zstd.ZstdError)


def uncompressed(packed: Iterator[bytes], media_type: str) -> Iterator[bytes]:
    """Return the bytes of a layer's tar; raises RegistryError for a format that is not known.

    Reading raises one of ``DAMAGED`` where the data is damaged.
    """
    if media_type == LAYER_TAR:
        return packed
    if media_type == LAYER_GZIP:
        return _inflated(packed)
    if media_type == LAYER_ZSTD:
        return _unpacked(packed)
    raise RegistryError(f"A layer has the format {media_type}, which cannot be unpacked here")


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflate = isal_zlib.decompressobj(_GZIP)
    for chunk in packed:
        rest = chunk
        while rest:
            if inflate.eof:  # gzip may consist of several members
                inflate = isal_zlib.decompressobj(_GZIP)
            data = inflate.decompress(rest, 1 << 20)
            if data:
                yield data
            rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
    if not inflate.eof:
        raise EOFError("the compressed data ends too early")


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    stream = zstd.ZstdDecompressor()
    for chunk in packed:
        rest = chunk
        while rest or not (stream.needs_input or stream.eof):
            if stream.eof:  # zstd may consist of several frames
                stream = zstd.ZstdDecompressor()
            data = stream.decompress(rest, 1 << 20)
            if data:
                yield data
            rest = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise EOFError("the compressed data ends too early")


class Reader(io.RawIOBase):
    """A file over an iterator of chunks, as tarfile wants it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = memoryview(b"")

    def readable(self) -> bool:
        """Return true: it can only be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes: fewer only at the end."""
        parts, need = [], size if size >= 0 else 1 << 62
        while need:
            if not self._held:
                self._held = memoryview(next(self._chunks, b""))
                if not self._held:
                    break
            parts.append(bytes(self._held[:need]))
            self._held = self._held[need:]
            need -= len(parts[-1])
        return b"".join(parts)
