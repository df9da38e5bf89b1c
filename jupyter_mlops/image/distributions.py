"""Installed packages as sets of files that depend on nothing but their wheels."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.layer import Entry

#: Where packages live in an image.
SITE = "opt/mlops/site"

# Written by the installer, and different from machine to machine.
_INSTALLER_FILES = {
    "INSTALLER", "REQUESTED", "RECORD", "RECORD.jws", "RECORD.p7s",
    "direct_url.json", "uv_cache.json", "uv_build.json",
}  # fmt: skip
_SHEBANG = b"#!/usr/bin/env python3\n"


@dataclass(frozen=True)
class Distribution:
    """An installed package: its files as layer entries, their size in bytes, its wheel's hash.

    ``name`` is normalised (PEP 503); ``sha256`` is empty when the caller does not know the wheel.
    """

    name: str
    version: str
    files: tuple[Entry, ...]
    size: int
    sha256: str = ""


def normalised(name: str) -> str:
    """Return a package name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_distributions(
    site: Path, hashes: Mapping[str, str] | None = None, *, prefix: str = SITE
) -> list[Distribution]:
    """Read every package installed in ``site`` (a venv's or ``--target``'s), sorted by name.

    ``hashes`` maps package names to the sha256 of the wheel each was installed from. Files go
    below ``prefix`` in the image, console scripts into its ``bin`` with a portable first line.
    Raises ImageError when a package has no RECORD or files that are not there.
    """
    wheels = {normalised(name): value for name, value in (hashes or {}).items()}
    try:
        folders = sorted(path for path in site.iterdir() if path.name.endswith(".dist-info"))
    except OSError as error:
        raise ImageError(
            "The packages cannot be read", why=str(error.strerror), where=str(site)
        ) from error
    found = [_read(site, folder, wheels, prefix) for folder in folders]
    return sorted(found, key=lambda distribution: distribution.name)


def _read(site: Path, info: Path, hashes: Mapping[str, str], prefix: str) -> Distribution:
    try:
        metadata = HeaderParser().parsestr((info / "METADATA").read_text("utf-8"))
        rows = list(csv.reader((info / "RECORD").read_text("utf-8").splitlines()))
    except OSError as error:
        raise ImageError(
            f"Package {info.name.removesuffix('.dist-info')} has no list of its files",
            why="It was not installed from a wheel",
            remedy="Make the environment anew from its lock",
            where=str(error.filename),
        ) from error
    name, version = normalised(metadata["Name"] or info.name.split("-")[0]), metadata["Version"]
    files, size, record = [], 0, []
    for row in rows:
        if not row or _is_skipped(row[0], info.name):
            continue
        entry = _entry(site, row, prefix)
        files.append(entry)
        length = len(entry.source) if isinstance(entry.source, bytes) else _size(entry, name)
        size += length
        record.append((entry.path.removeprefix(f"{prefix}/"), f"sha256={entry.sha256}", length))
    files.append(_record(info.name, record, prefix))
    ordered = tuple(sorted(files, key=lambda entry: entry.path))
    return Distribution(name, version or "", ordered, size, hashes.get(name, ""))


def _is_skipped(path: str, info: str) -> bool:
    parts = path.split("/")
    if "__pycache__" in parts or path.endswith(".pyc"):
        return True
    return parts[0] == info and len(parts) == 2 and parts[1] in _INSTALLER_FILES


def _entry(site: Path, row: list[str], prefix: str) -> Entry:
    listed = row[0].replace("\\", "/")
    # In a venv, scripts and data lie above site-packages; in the image they lie inside it.
    inside = re.sub(r"^(\.\./)+", "", listed)
    source = Path(listed) if listed.startswith("/") else site / listed
    if listed.startswith("/") or ".." in inside.split("/"):
        raise ImageError("A package lists a file outside of its environment", where=listed)
    path = f"{prefix}/{inside}"
    if inside.startswith("bin/"):
        return _script(path, source, row)
    try:
        executable = bool(source.stat().st_mode & 0o100)
    except OSError as error:
        raise ImageError(
            "A file that a package lists is not there",
            remedy="Make the environment anew from its lock",
            where=str(source),
        ) from error
    return Entry(path, source, executable, _recorded(row))


def _script(path: str, source: Path, row: list[str]) -> Entry:
    try:
        with source.open("rb") as file:
            if file.read(2) != b"#!":
                return Entry(path, source, True, _recorded(row))
            text = b"#!" + file.read()
    except OSError as error:
        raise ImageError(
            "A script that a package lists is not there",
            remedy="Make the environment anew from its lock",
            where=str(source),
        ) from error
    first, _, rest = text.partition(b"\n")
    if rest.startswith(b"'''exec' "):  # what installers write when the interpreter's path is long
        text = _SHEBANG + rest.split(b"\n", 2)[2]
    elif b"python" in first:
        text = _SHEBANG + rest
    return Entry(path, text, True, _hash(text))


def _recorded(row: list[str]) -> str:
    algorithm, _, value = (row[1] if len(row) > 1 else "").partition("=")
    return value if algorithm == "sha256" else ""


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _size(entry: Entry, name: str) -> int:
    assert isinstance(entry.source, Path)
    try:
        return entry.source.stat().st_size
    except OSError as error:
        raise ImageError(
            f"A file of package {name} is not there",
            remedy="Make the environment anew from its lock",
            where=str(entry.source),
        ) from error


def _record(info: str, rows: Iterable[tuple[str, str, int]], prefix: str) -> Entry:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path, sha256, size in sorted(rows):
        writer.writerow((path, "" if sha256 == "sha256=" else sha256, size))
    writer.writerow((f"{info}/RECORD", "", ""))
    return Entry(f"{prefix}/{info}/RECORD", text.getvalue().encode())
