"""How a layer's tar is compressed: gzip for everybody, zstd where it is known, or not at all."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final, Literal, Protocol

from isal import __version__ as isal_version
from isal import isal_zlib

from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import CHUNK, LAYER_GZIP, LAYER_TAR, LAYER_ZSTD

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["BY_NAME", "GZIP", "PLAIN", "ZSTD", "Compression", "CompressionName", "Packer", "zstd"]
#: What a person can choose; ``none`` is chosen for files that compression makes no smaller.
CompressionName = Literal["gzip", "zstd"]
_GZIP_HEADER = 16 + 15  # zlib's window bits: the largest window, in gzip's format
_ZSTD_LEVEL = 3


class Compressing(Protocol):
    """Compresses a stream piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """Take bytes and return those that are ready."""

    def flush(self) -> bytes:
        """Return the rest."""


@dataclass(frozen=True)
class Compression:
    """A way to compress; ``id`` changes when the same bytes would be compressed to others."""

    name: str
    media_type: str
    id: str
    begin: Callable[[], Compressing]


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


GZIP: Final = Compression(
    "gzip",
    LAYER_GZIP,
    f"isal-{isal_version}-1",
    lambda: isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP_HEADER),
)
#: In one thread: several give other bytes.
ZSTD: Final = Compression(
    "zstd",
    LAYER_ZSTD,
    f"zstd-{zstd.zstd_version}-{_ZSTD_LEVEL}",
    lambda: zstd.ZstdCompressor(level=_ZSTD_LEVEL),
)
PLAIN: Final = Compression("none", LAYER_TAR, "none", _Plain)
BY_NAME: Final[dict[CompressionName, Compression]] = {"gzip": GZIP, "zstd": ZSTD}


class Packer:
    """Writes compressed bytes to a file while hashing both sides."""

    def __init__(self, file: IO[bytes], compression: Compression) -> None:
        self._file = file
        self._stream = compression.begin()
        self._raw, self._packed = hashlib.sha256(), hashlib.sha256()
        self._waiting: list[bytes] = []
        self._held = 0
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take uncompressed bytes; small pieces are gathered first."""
        self._waiting.append(data)
        self._held += len(data)
        if self._held >= CHUNK:
            self._drain()

    def _drain(self) -> None:
        # Fixed cuts: the compressed bytes may not depend on how the caller sliced its input.
        data = b"".join(self._waiting)
        whole = len(data) - len(data) % CHUNK
        for start in range(0, whole, CHUNK):
            self._pass(data[start : start + CHUNK])
        self._waiting = [data[whole:]]
        self._held = len(data) - whole

    def _pass(self, piece: bytes) -> None:
        self._raw.update(piece)
        self._put(self._stream.compress(piece))

    def _put(self, packed: bytes) -> None:
        self._packed.update(packed)
        self.size += self._file.write(packed)

    def finish(self) -> _store.Built:
        """Write what is left and return digest, diff_id and compressed size."""
        self._drain()
        self._pass(b"".join(self._waiting))
        self._put(self._stream.flush())
        return _store.Built(
            key="",
            digest=f"sha256:{self._packed.hexdigest()}",
            diff_id=f"sha256:{self._raw.hexdigest()}",
            size=self.size,
        )


def is_worth_it(sample: bytes, least: float = 0.05) -> bool:
    """Tell whether gzip makes a sample of a file smaller by at least such a part of it."""
    stream = GZIP.begin()
    packed = len(stream.compress(sample)) + len(stream.flush())
    return packed <= len(sample) * (1 - least)
