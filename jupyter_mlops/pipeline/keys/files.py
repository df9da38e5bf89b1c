"""What is in the files that a step reads, as digests: those of earlier steps, and the user's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from jupyter_mlops.runtime.handover.files import EVERYTHING, MAX_SIZE, StepFiles, scan
from jupyter_mlops.runtime.handover.store import Before

ABSENT = "absent"
#: More bytes than this are not read for a step that may read any file.
MAX_EVERYTHING = 1024**3

_Signature = tuple[int, int, int]


class Contents:
    """The digests of files on disk; a file that did not change is read once."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Signature, str]] = {}

    def of(self, path: Path) -> str:
        """Return a file's SHA-256, or that there is none. Raises ``OSError``."""
        try:
            told = path.stat()
        except FileNotFoundError:
            return ABSENT
        now = (told.st_size, told.st_mtime_ns, told.st_ino)
        before = self._known.get(path)
        if before is not None and before[0] == now:
            return before[1]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._known[path] = (now, digest)
        return digest


def contents(
    declared: Iterable[str], folder: Path, before: Before, known: Contents
) -> tuple[dict[str, str], str]:
    """Return the digest of every file that a step is declared to read, by path.

    Paths are relative to the notebook's folder, but for those that lie elsewhere. The second
    value says why they do not tell all, where they do not.
    """
    found: dict[str, str] = {}
    placed = StepFiles(folder, folder, before)
    try:
        for each in declared:
            if each == EVERYTHING and _size(folder) > MAX_EVERYTHING:
                return found, "it may read any file, and there is more than 1 GB of them"
            if Path(each).is_absolute() and not Path(each).is_relative_to(folder):
                found |= _on_disk(Path(each), each, known)
                continue
            for path in placed.matching(each):
                digest = before.files[path][1] if path in before.files else ""
                if path in before.removed:
                    found[path] = ABSENT
                elif digest:
                    found[path] = digest
                else:
                    found |= _on_disk(folder / path, path, known)
    except OSError as error:
        name = Path(str(error.filename)).name
        return found, f"the file {name} cannot be read: {error.strerror}"
    if placed.problems:
        first = placed.problems[0]
        return found, f"{first.name[6:-1]}: {first.reason}"
    return found, ""


def _on_disk(path: Path, shown: str, known: Contents) -> dict[str, str]:
    if not path.is_dir():
        return {shown: known.of(path)}
    inner = [each for each, _ in scan(path) if not each.endswith("/")]
    return {shown: "folder", **{f"{shown}/{each}": known.of(path / each) for each in inner}}


def _size(folder: Path) -> int:
    return sum(size for _, (size, _, _) in scan(folder) if size <= MAX_SIZE)
