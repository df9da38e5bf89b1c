"""Captures on disk: files named by their SHA-256, verified before they are opened."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from jupyter_mlops.capture.formats import by_name, format_for
from jupyter_mlops.capture.models import Capture
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Format

FOLDER = "weights"
MAX_SIZE = 32 * 1024**3


def save(
    name: str, value: Any, directory: Path, cell: int | None = None
) -> tuple[Capture, list[str]]:
    """Save a value under ``directory/weights``; also return the modules that loading imports.

    Raises ``CannotSave``, and ``OSError`` when the disk does not take it.
    """
    chosen = format_for(value)
    if chosen is None:
        raise CannotSave(
            f"{name} is a {type_name(value)}, for which there is no safe format.",
            remedy="Keep what `predict` needs of it as an estimator, an array, a frame or a plain "
            "value.",
        )
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    described = chosen.describe(value)
    digest, size = _write(chosen, value, folder)
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
    )
    return capture, described.modules


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


def load(capture: Capture, root: Path) -> Any:
    """Load a capture from an unpacked publication.

    The size and the SHA-256 are compared before the file is opened by its format; raises
    ``CannotLoad``.
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
    return by_name(capture.format).load(path)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def type_name(value: Any) -> str:
    """Return the full name of a value's class."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
