"""Zip files that are the same for the same content, and that are checked before they are read."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from jupyter_mlops.capture.protocol import CannotLoad

MAX_MEMBERS = 1_000_000
MAX_HEADER = 64 * 1024
# A sparse matrix inside an archive is deflated: this much growth is believed, no more.
MAX_GROWTH = 1100
MAX_UNPACKED = 16 * 1024**3


def write(path: Path | IO[bytes], members: Iterable[tuple[str, bytes]]) -> None:
    """Write members in the given order, stored, with the zip format's first date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def read(path: Path) -> dict[str, bytes]:
    """Read every member of an archive that ``write`` made.

    Raises ``CannotLoad`` when it is compressed, claims more than its own size, or holds arrays
    whose headers ask for more memory than they have data.
    """
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_MEMBERS or len({e.filename for e in entries}) != len(entries):
                raise CannotLoad("The archive has too many members, or one of them twice.")
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise CannotLoad("The archive is compressed; captures are stored as they are.")
            if sum(entry.file_size for entry in entries) > size:
                raise CannotLoad("The archive claims to hold more than its own size.")
            members = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise CannotLoad(f"The archive cannot be read: {error}.") from None
    for name, data in members.items():
        if name.endswith(".npy"):
            check_npy(io.BytesIO(data), len(data), name)
        elif name.endswith(".npz"):
            _check_npz(data, name)
    return members


def check_npy(file: IO[bytes], size: int, name: str) -> None:
    """Refuse an array file whose header does not agree with its size, or that holds objects."""
    from numpy.lib import format as npy

    readers: dict[tuple[int, int], Any] = {
        (1, 0): npy.read_array_header_1_0,
        (2, 0): npy.read_array_header_2_0,
    }
    try:
        version = npy.read_magic(file)
        if version == (3, 0):
            shape, dtype = _header_3_0(file)
        else:
            shape, _, dtype = readers[version](file, max_header_size=MAX_HEADER)
    except (ValueError, KeyError, SyntaxError, TypeError) as error:
        raise CannotLoad(f"{name} is not an array file: {error}.") from None
    if dtype.hasobject:
        raise CannotLoad(f"{name} holds Python objects, which are not safe to load.")
    if any(length < 0 for length in shape):
        raise CannotLoad(f"{name} has a negative length.")
    if math.prod(shape) * dtype.itemsize != size - file.tell():
        raise CannotLoad(f"{name} announces another size than it has.")


def _header_3_0(file: IO[bytes]) -> tuple[tuple[int, ...], Any]:
    import ast

    import numpy as np

    length = int.from_bytes(file.read(4), "little")
    if length > MAX_HEADER:
        raise ValueError("the header is too long")
    header = ast.literal_eval(file.read(length).decode("utf-8"))
    return tuple(int(part) for part in header["shape"]), np.dtype(
        [tuple(field) for field in header["descr"]]
        if isinstance(header["descr"], list)
        else header["descr"]
    )


def _check_npz(data: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            total = 0
            for entry in archive.infolist():
                total += entry.file_size
                if total > min(MAX_GROWTH * len(data), MAX_UNPACKED):
                    raise CannotLoad(f"{name} unpacks to more than is believable.")
                with archive.open(entry) as member:
                    check_npy(member, entry.file_size, f"{name}/{entry.filename}")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise CannotLoad(f"{name} cannot be read: {error}.") from None
