"""The local store grows with every publish: the layers used least recently go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from jupyter_mlops.image import store as _store

#: How many bytes of layers stay.
AT_MOST = 20 * 2**30
#: What was used within so many seconds stays in any case: a publish may be about to send it.
RECENT = 24 * 3600


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed of the store, with the bytes that are free again, and what stays."""

    removed: list[str]
    freed: int
    kept: int
    size: int


def sweep(store: Path, *, at_most: int = AT_MOST, recent: float = RECENT) -> Swept:
    """Remove layers beyond ``at_most`` bytes, the oldest use first, and what was left behind.

    Nothing is lost by it but time: what is needed again is built again.
    """
    before = time.time() - recent
    removed, freed, kept, size = [], 0, 0, 0
    for used, path, length in sorted(_blobs(store), reverse=True):
        if path.name.startswith(".tmp-"):  # of a process that was killed
            if used < before:
                path.unlink(missing_ok=True)
                freed += length
        elif used < before and size + length > at_most and _is_still(path, used):
            path.unlink(missing_ok=True)
            removed.append(f"sha256:{path.name}")
            freed += length
        else:
            kept, size = kept + 1, size + length
    _forget(store)
    return Swept(removed=removed, freed=freed, kept=kept, size=size)


def _blobs(store: Path) -> Iterator[tuple[float, Path, int]]:
    for path in (store / "blobs" / "sha256").glob("*"):
        with suppress(OSError):
            stat = path.stat()
            yield stat.st_mtime, path, stat.st_size


def _is_still(path: Path, used: float) -> bool:
    """Tell whether nobody has used a blob since it was looked at."""
    try:
        return path.stat().st_mtime == used
    except OSError:
        return False


def _forget(store: Path) -> None:
    """Remove the records of layers that are gone."""
    for record in (store / "layers").glob("*/*.json"):
        with suppress(OSError, msgspec.MsgspecError):
            built = msgspec.json.decode(record.read_bytes(), type=_store.Built)
            if not _store.blob_path(store, built.digest).exists():
                record.unlink()
