"""Captures on disk: files named by their SHA-256, verified before they are opened."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_mlops.capture import code
from jupyter_mlops.capture.formats import by_name, format_for
from jupyter_mlops.capture.models import Capture
from jupyter_mlops.capture.pickled import PickleFormat
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, Format

FOLDER = "weights"
MAX_SIZE = 32 * 1024**3
ALLOW = "Or publish with --allow-pickle, when everyone who runs it trusts you: a pickle is code."


def save(
    name: str,
    value: Any,
    directory: Path,
    cell: int | None = None,
    *,
    allow_pickle: bool = False,
) -> tuple[Capture, list[str]]:
    """Save a value under ``directory/weights``; also return the modules that loading imports.

    With ``allow_pickle`` what no safe format keeps is pickled. Raises ``CannotSave``, and
    ``OSError`` when the disk does not take it.
    """
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        chosen = _chosen(name, value)
        described, digest, size = _written(chosen, value, folder)
    except CannotSave as error:
        if not allow_pickle:
            remedy = f"{error.remedy} {ALLOW}".strip()
            raise CannotSave(error.problem, why=error.why, remedy=remedy) from None
        chosen = PickleFormat()
        described, digest, size = _written(chosen, value, folder)
    capture = Capture(
        name=name,
        kind=chosen.kind,
        format=chosen.name,
        file=f"{FOLDER}/{digest}.{chosen.extension}",
        sha256=digest,
        size=size,
        type=type_name(value),
        shape=described.shape,
        dtype=described.dtype,
        cell=cell,
        classes=sorted(described.classes),
    )
    return capture, described.modules


def _chosen(name: str, value: Any) -> Format:
    found = format_for(value)
    if found is None:
        raise CannotSave(
            f"{name} is a {type_name(value)}, for which there is no safe format.",
            remedy="Keep what `predict` needs of it as an estimator, an array, a frame or a plain "
            "value. A format of another package counts when that package is in the lock: "
            "--add PACKAGE.",
        )
    return found


def _written(chosen: Format, value: Any, folder: Path) -> tuple[Description, str, int]:
    described = chosen.describe(value)
    with code.using(described.classes):
        return described, *_write(chosen, value, folder)


def _write(chosen: Format, value: Any, folder: Path) -> tuple[str, int]:
    descriptor, temporary = tempfile.mkstemp(dir=folder, suffix=f".{chosen.extension}")
    os.close(descriptor)
    path = Path(temporary)
    try:
        chosen.save(value, path)
        digest = sha256_of(path)
        size = path.stat().st_size
        path.chmod(0o644)
        path.replace(folder / f"{digest}.{chosen.extension}")
    finally:
        path.unlink(missing_ok=True)
    return digest, size


def load(capture: Capture, root: Path, namespace: Mapping[str, Any] | None = None) -> Any:
    """Load a capture from an unpacked publication.

    The size and the SHA-256 are compared before the file is opened by its format, and what is
    larger than the memory is not opened. ``namespace`` is that of the notebook's own code, where
    it is not this process' main module. Raises ``CannotLoad``.
    """
    path = root / capture.file
    if not path.resolve().is_relative_to(root.resolve()):
        raise CannotLoad(f"{capture.name}: {capture.file} is outside of the publication.")
    try:
        size = path.stat().st_size
        if size != capture.size or size > MAX_SIZE:
            raise CannotLoad(f"{capture.name}: {capture.file} does not have the published size.")
        if sha256_of(path) != capture.sha256:
            raise CannotLoad(f"{capture.name}: {capture.file} is not the file that was published.")
    except OSError as error:
        raise CannotLoad(
            f"{capture.name}: {capture.file} cannot be read: {error.strerror}."
        ) from None
    if size > _memory():
        raise CannotLoad(f"{capture.name}: {capture.file} is larger than the memory here.")
    format_ = PickleFormat() if capture.format == PickleFormat.name else by_name(capture.format)
    try:
        with code.using(capture.classes, namespace):
            return format_.load(path)
    except CannotLoad as error:
        raise CannotLoad(f"{capture.name}: {error}") from None


def _memory() -> int:
    """Return the bytes of memory that there are: the machine's, or fewer in a container."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limits.append(int(Path(name).read_text()))
    return min(limits)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def type_name(value: Any) -> str:
    """Return the full name of a value's class."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
