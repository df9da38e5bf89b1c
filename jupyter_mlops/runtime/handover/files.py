"""Files as part of a notebook's state: put in place before a step, and found again after it."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from jupyter_mlops.runtime.handover.formats import checked
from jupyter_mlops.runtime.handover.models import Carry, HandoverError
from jupyter_mlops.runtime.handover.opened import Opened
from jupyter_mlops.runtime.handover.store import FILES, Before

EVERYTHING = "*"
MAX_SIZE = 1024**3  # bytes; of a file that is taken only because everything is
OUTSIDE = "It lies outside of the notebook's folder."
SKIPPED = frozenset({"__pycache__", "node_modules"})
#: How many folders above the notebook's own may be read from, as in ``../data/a.csv``.
ABOVE = 2
Signature = tuple[int, int, int]


class StepFiles:
    """The working directory of one step.

    ``beside`` is the notebook's own folder, which is read and never written. ``above`` is how many
    of the folders above the working directory are the step's own, too.
    """

    def __init__(self, work: Path, beside: Path, before: Before, above: int = 0) -> None:
        self.work = work
        self.beside = beside
        self.problems: list[Carry] = []
        self.declared: set[str] = set()
        self._before = before
        self._above = above
        self._seen: dict[str, Signature] = {}
        self._digests: dict[str, str] = {}

    def place(self, declared: list[str]) -> None:
        """Put the declared files, and every folder that is known, into the working directory."""
        for path in self._before.files:
            if path.endswith("/"):
                (self.work / path).mkdir(parents=True, exist_ok=True)
        for each in declared:
            for path in self.matching(each):
                if _levels(path) > self._above:
                    self._refuse(path, OUTSIDE)
                else:
                    self._place(path)
        self._seen = dict(scan(self.work))
        self._seen_above = dict(self._scan_above())

    def _scan_above(self) -> Iterator[tuple[str, Signature]]:
        """Yield the files in the step's folders above its working directory, relative to it."""
        if self._above:
            root = self.work.parents[self._above - 1]
            for path, signature in scan(root):
                shown = os.path.relpath(root / path, self.work)
                if _levels(shown) and not path.endswith("/"):
                    yield shown, signature

    def matching(self, declared: str) -> Iterator[str]:
        """Yield the paths in the notebook's folder that a declared path or pattern means."""
        known = [path for path in self._before.files if not path.endswith("/")]
        if declared == EVERYTHING:
            yield from known
            yield from self._all_beside()
            return
        path = os.path.normpath(declared)
        if _levels(path) > ABOVE:
            self._refuse(declared, OUTSIDE)
        elif os.path.isabs(path):  # noqa: PTH117
            inside = Path(path)
            if inside.is_relative_to(self.beside):
                yield str(inside.relative_to(self.beside))
        elif any(sign in path for sign in "*?["):
            yield from fnmatch.filter(known, path)
            yield from (str(p.relative_to(self.beside)) for p in self.beside.glob(path))
        else:
            yield path
            yield from (each for each in known if each.startswith(f"{path}/"))

    def _all_beside(self) -> Iterator[str]:
        for path, (size, _, _) in scan(self.beside):
            if path.endswith(("/", ".ipynb")):
                continue
            if size > MAX_SIZE:
                self._refuse(path, "It is bigger than 1 GB; name it in the code to have it copied.")
                continue
            yield path

    def _refuse(self, path: str, reason: str) -> None:
        self.problems.append(Carry(name=f"<file:{path}>", type="file", reason=reason))

    def _place(self, path: str) -> None:
        self.declared.add(path)
        target = self.work / path
        if target.exists() or path in self._before.removed:
            return
        known = self._before.files.get(path)
        if known is not None:
            source, digest = known
            checked(source, digest, source.stat().st_size, f"the file {path}")
            self._copy(source, target)
            self._digests[path] = digest
            return
        source = self.beside / path
        if source.is_dir():
            for inner, _ in scan(source):
                if not inner.endswith("/"):
                    self._place(f"{path}/{inner}")
        elif source.is_file() and source.resolve() != target.resolve():
            self._copy(source, target)

    def _copy(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
            target.chmod(target.stat().st_mode | stat.S_IWUSR)
        except OSError as error:
            raise HandoverError(
                f"The file {source.name} cannot be put into the step's folder: {error.strerror}."
            ) from None

    def collect(self, folder: Path) -> tuple[dict[str, str], list[str]]:
        """Copy what the step made or changed into a folder; return digests, and what is gone."""
        now = dict(scan(self.work))
        changed: dict[str, str] = {}
        for path, signature in now.items():
            if self._seen.get(path) == signature:
                continue
            if path.endswith("/"):
                if path not in self._seen:
                    changed[path] = ""
                continue
            if signature[0] < 0:
                self._refuse(path, "It is neither a file nor a folder.")
                continue
            digest = self._keep(path, folder)
            if digest is not None:
                changed[path] = digest
        removed = [path for path in self._seen if path not in now]
        for path, signature in self._scan_above():
            if self._seen_above.get(path) != signature:
                self._refuse(path, OUTSIDE)
        return changed, removed

    def _keep(self, path: str, folder: Path) -> str | None:
        source = self.work / path
        try:
            with source.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if self._digests.get(path) == digest:
                return None
            target = folder / FILES / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
        except OSError as error:
            self._refuse(path, f"It cannot be read: {error.strerror}.")
            return None
        return digest

    def undeclared(self, opened: Opened) -> list[str]:
        """Return the files that were opened to be read, exist, and were not put in place."""
        found = []
        for each, was_there in opened.paths.items():
            outside = os.path.relpath(each, self.work)
            if 0 < _levels(outside) <= self._above:
                if not was_there and (self.beside / outside).is_file():
                    found.append(f"<file:{outside}>")
                continue
            path = self._relative(each)
            if path is None:
                continue
            known = path in self._before.files
            if was_there:
                if Path(each).is_relative_to(self.work):
                    continue  # put in place, or made by this step
                if known:
                    self._refuse(path, "It was read where an earlier step did not write it.")
                elif path not in self.declared:
                    found.append(f"<file:{path}>")
            elif known or (path not in self._before.removed and (self.beside / path).is_file()):
                found.append(f"<file:{path}>")
        for each in opened.listed:
            if self._relative(each) is not None and self._lists_more(each):
                found.append("<files>")
        return list(dict.fromkeys(found))

    def _relative(self, path: str) -> str | None:
        """Return a path relative to the notebook's folder, or None where it is not in it."""
        for root in (self.work, self.beside):
            inside = os.path.relpath(path, root)
            if not inside.startswith(".."):
                if inside.endswith((".py", ".pyc", ".so")) and root == self.beside:
                    return None  # a module that was imported
                return inside
        return None

    def _lists_more(self, path: str) -> bool:
        """Say whether a folder that was listed holds more in the notebook's own place."""
        inside = self._relative(path) or "."
        prefix = "" if inside == "." else f"{inside}/"
        known = (each for each in self._before.files if each.startswith(prefix))
        if any(each not in self._seen for each in known):
            return True
        try:
            return any(
                not each.name.startswith(".") and each.suffix != ".ipynb"
                for each in (self.beside / inside).iterdir()
                if f"{prefix}{each.name}" not in self.declared
            )
        except OSError:
            return False


def _levels(path: str) -> int:
    """Return how many folders a normal relative path goes up."""
    return Path(path).parts.count("..")


def scan(root: Path) -> Iterator[tuple[str, Signature]]:
    """Yield every file and folder (with ``/``) below a folder: size, time and inode.

    The size of what is neither is -1. Folders that begin with a dot are not looked into.
    """
    pending = [(str(root), "")]
    while pending:
        folder, prefix = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = f"{prefix}{entry.name}"
            try:
                told = entry.stat()
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name not in SKIPPED:
                        yield f"{path}/", (0, 0, 0)
                        pending.append((entry.path, f"{path}/"))
                elif entry.is_file():
                    yield path, (told.st_size, told.st_mtime_ns, told.st_ino)
                else:
                    yield path, (-1, told.st_mtime_ns, told.st_ino)
            except OSError:
                continue
