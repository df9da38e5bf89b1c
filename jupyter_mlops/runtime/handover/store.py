"""What the steps before committed, newest version first; and the commit of this one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from jupyter_mlops.runtime.handover.models import (
    Carry,
    Committed,
    Definition,
    Exported,
    HandoverError,
)

MANIFEST = "manifest.json"
STATE = "state"
FILES = "files"
_decoder = msgspec.json.Decoder(Committed)


class Version:
    """The last version of a name: in which step, in which unit."""

    __slots__ = ("cell", "folder", "position", "unit")

    def __init__(self, position: int, folder: Path, unit: Exported, cell: int) -> None:
        self.position = position
        self.folder = folder
        self.unit = unit
        self.cell = cell


class Before:
    """The program's whole state as the committed steps left it.

    Raises ``HandoverError`` when a step's manifest cannot be read.
    """

    def __init__(self, folders: list[str]) -> None:
        self.values: dict[str, Version] = {}
        # Names whose last value could not be handed over: an older one would be wrong.
        self.deleted: dict[str, int] = {}
        self.lost: dict[str, tuple[str, Carry, int]] = {}
        self.state: dict[str, tuple[Path, str, str]] = {}
        self.files: dict[str, tuple[Path, str]] = {}
        self.removed: set[str] = set()
        for folder in folders:
            self._add(Path(folder))

    def _add(self, folder: Path) -> None:
        step = read_manifest(folder)
        cell = max(step.cells, default=step.position)
        for name in step.deleted:
            self.deleted[name] = cell
            self.values.pop(name, None)
            self.lost.pop(name, None)
        for unit in step.exported:
            for name in unit.names:
                self.values[name] = Version(step.position, folder, unit, cell)
                self.lost.pop(name, None)
        for problem in step.problems:
            self.values.pop(problem.name, None)
            self.state.pop(problem.name, None)
            self.lost[problem.name] = (step.step, problem, cell)
        for key, digest in step.state.items():
            self.state[key] = (folder, digest, step.step)
            self.lost.pop(key, None)
        for path, digest in step.files.items():
            self.files[path] = (folder / FILES / path, digest)
            self.removed.discard(path)
        for path in step.removed_files:
            self.files.pop(path, None)
            self.removed.add(path)

    def needs_of(self, names: set[str]) -> set[str]:
        """Return these names and, again and again, the names that their values refer to."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                if name in self.values:
                    pending.extend(self.values[name].unit.needs)
        return found

    def comes_after(self, name: str, definitions: dict[str, Definition]) -> bool:
        """Say whether a name's value was made after the text that also binds it."""
        definition = definitions.get(name)
        return definition is None or self.values[name].cell >= definition.cell


def read_manifest(folder: Path) -> Committed:
    """Read what a step committed; raises ``HandoverError``."""
    try:
        return _decoder.decode((folder / MANIFEST).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise HandoverError(
            f"What the step {folder.name} committed cannot be read: {error}."
        ) from None


class Commit:
    """A folder that is filled aside and then put in place, or thrown away."""

    def __init__(self, out: str, durable: bool) -> None:
        self.out = Path(out)
        self._durable = durable
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f".{self.out.name}.", dir=self.out.parent))

    def finish(self, committed: Committed) -> Path:
        """Write the manifest last, and put the folder in place by one rename; return its path."""
        manifest = self.folder / MANIFEST
        manifest.write_bytes(msgspec.json.encode(committed))
        if self._durable:
            for path in sorted(self.folder.rglob("*")):
                _sync(path)
            _sync(self.folder)
        if self.out.exists():
            # A step that runs again replaces what it committed; a rename needs the place empty.
            old = Path(tempfile.mkdtemp(prefix=f".{self.out.name}.old.", dir=self.out.parent))
            self.out.rename(old)
            self.folder.rename(self.out)
            shutil.rmtree(old, ignore_errors=True)
        else:
            self.folder.rename(self.out)
        if self._durable:
            _sync(self.out.parent)
        return self.out / MANIFEST

    def discard(self) -> None:
        """Throw away what was written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
