"""The local store: blobs by digest, and what a key (a wheel's hash, say) was built into."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from jupyter_mlops.errors import ImageError


def blob_path(root: Path, digest: str) -> Path:
    """Return the place of a blob below a store or layout."""
    algorithm, _, value = digest.partition(":")
    return root / "blobs" / algorithm / value


@contextmanager
def writing(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a temporary file in ``folder``; the caller renames it, else it is removed.

    Raises ImageError when there is no space or no permission.
    """
    path = folder / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            yield file, path
    except OSError as error:
        raise _sentence(error, folder) from error
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def replace(file: IO[bytes], temporary: Path, final: Path) -> None:
    """Make a written temporary file durable under its final name."""
    file.flush()
    os.fsync(file.fileno())
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(final)


def write_file(path: Path, data: bytes) -> None:
    """Write a small file atomically: either the old or the new content is there."""
    with writing(path.parent) as (file, temporary):
        file.write(data)
        replace(file, temporary, path)


def _sentence(error: OSError, folder: Path) -> ImageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ImageError(
            "There is no space left to build the image",
            remedy="Free some space, or set JUPYTER_MLOPS_HOME to a folder on another disk",
            where=str(folder),
        )
    return ImageError(
        "The image cannot be written",
        why=f"{error.strerror or error}: {error.filename or folder}",
        remedy="Give this user the right to read its sources and to write there, "
        "or set JUPYTER_MLOPS_HOME",
        where=str(folder),
    )


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What a key was built into."""

    key: str
    digest: str
    diff_id: str
    size: int


def _record(store: Path, key: str) -> Path:
    name = hashlib.sha256(key.encode()).hexdigest()
    return store / "layers" / name[:2] / f"{name}.json"


def remembered(store: Path, key: str) -> Built | None:
    """Return what ``key`` was built into, if its blob is still there with the right size."""
    try:
        built = msgspec.json.decode(_record(store, key).read_bytes(), type=Built)
        blob = blob_path(store, built.digest)
        size = blob.stat().st_size
        with suppress(PermissionError):  # a store that others have filled
            os.utime(blob)  # used now: see sweep.py
    except (OSError, msgspec.MsgspecError):
        return None
    return built if built.key == key and size == built.size else None


def remember(store: Path, built: Built) -> None:
    """Keep what a key was built into."""
    write_file(_record(store, built.key), msgspec.json.encode(built))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes for the length of the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
