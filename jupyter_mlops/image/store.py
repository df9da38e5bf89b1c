"""The local store: blobs by digest, and what a key (a wheel's hash, say) was built into."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from jupyter_mlops.errors import ImageError

#: How the names of temporary files begin. Each is locked as long as its writer lives.
TEMPORARY = ".tmp-"
#: Seconds after which one counts as left behind where the file system knows no locks.
_OLD = 86400.0
#: Folders that this process (a fork is another one) has swept.
_swept: set[tuple[int, Path]] = set()


def blob_path(root: Path, digest: str) -> Path:
    """Return the place of a blob below a store or layout."""
    algorithm, _, value = digest.partition(":")
    return root / "blobs" / algorithm / value


@contextmanager
def writing(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a temporary file in ``folder``; the caller renames it, else it is removed.

    What writers that were killed have left in the folder goes first. Raises ImageError when there
    is no space or no permission.
    """
    path: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (os.getpid(), folder) not in _swept:
            sweep(folder)
            _swept.add((os.getpid(), folder))
        file, path = _temporary(folder)
        with file:
            yield file, path
    except OSError as error:
        raise _sentence(error, folder) from error
    finally:
        if path:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _temporary(folder: Path) -> tuple[IO[bytes], Path]:
    while True:
        path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"
        file = path.open("xb")
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file, path
        file.close()  # swept in the moment before it was locked


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Make a temporary folder in ``folder``; the caller renames it, else it is removed.

    What processes that were killed have left there goes first. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    while True:
        path = Path(tempfile.mkdtemp(dir=folder, prefix=TEMPORARY))
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            break
        os.close(lock)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def leftovers(folder: Path) -> list[Path]:
    """Return the temporary files and folders in a folder whose makers are gone."""
    return [path for path in sorted(folder.glob(f"{TEMPORARY}*")) if _abandoned(path)]


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders in a folder whose makers are gone."""
    for path in folder.glob(f"{TEMPORARY}*"):
        _abandoned(path, remove=True)


def _abandoned(path: Path, *, remove: bool = False) -> bool:
    """Tell whether nobody writes to a temporary file or folder; ``remove`` it while that is so."""
    folder = path.is_dir()
    try:
        # Network file systems lock only what is open for writing.
        lock = os.open(path, (os.O_RDONLY if folder else os.O_RDWR) | os.O_NOFOLLOW)
    except OSError:
        return False  # just renamed, or somebody else's
    try:
        if not _unlocked(lock):
            return False
        if remove and folder:
            shutil.rmtree(path, ignore_errors=True)
        elif remove:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        return True
    finally:
        os.close(lock)


def _unlocked(descriptor: int) -> bool:
    """Lock an open file that nobody has locked; where locks are unknown, its age decides."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return os.fstat(descriptor).st_mtime < time.time() - _OLD
    return True


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
