"""Check a layout directory: every blob is read, every entry of the index followed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.errors import NotFoundError, Problem, RegistryError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import MANIFESTS, Descriptor
from jupyter_mlops.image.index_file import REF_NAME
from jupyter_mlops.image.repository import load_json

_AGAIN = "Publish again: it is stored anew"
_NAME = re.compile(r"[0-9a-f]{64}")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: damage, blobs that no tag leads to, files that dead writers left.

    Sizes are in bytes. Orphans are no damage: the next publish may use them.
    """

    directory: str
    tags: int
    blobs: int
    size: int
    problems: list[Problem]
    orphans: list[str]
    orphaned: int
    leftovers: list[str]
    removed: list[str]


def fsck(directory: Path, *, repair: bool = False) -> Checked:
    """Read a layout whole and say all that is wrong; nothing is changed without ``repair``.

    ``repair`` removes blobs whose content is not what their name says, which no publish would
    write anew as long as they are there, and what dead writers left. Raises NotFoundError when
    there is no layout, RegistryError when it cannot be read.
    """
    if not (directory / "index.json").exists() and not (directory / "blobs").is_dir():
        raise NotFoundError(
            "There is no registry directory", remedy="Publish to it first", where=str(directory)
        )
    try:
        found = _Check(directory)
        found.run()
        removed = found.repair() if repair else []
    except OSError as error:
        raise RegistryError(
            "The registry directory cannot be read",
            why=f"{error.strerror or error}: {error.filename or directory}",
            where=str(directory),
        ) from error
    orphans = sorted(set(found.sizes) - found.reached)
    return Checked(
        directory=str(directory),
        tags=found.tags,
        blobs=len(found.sizes),
        size=sum(found.sizes.values()),
        problems=found.problems,
        orphans=orphans,
        orphaned=sum(found.sizes[digest] for digest in orphans),
        leftovers=[str(path) for path in found.leftovers],
        removed=removed,
    )


class _Check:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / "blobs" / "sha256"
        self.problems: list[Problem] = []
        self.sizes: dict[str, int] = {}
        self.damaged: set[str] = set()
        self.reached: set[str] = set()
        self.tags = 0
        self.leftovers: list[Path] = []

    def run(self) -> None:
        self._files()
        for path in (self.directory, self.folder):
            self.leftovers += _store.leftovers(path)
        index = self.directory / "index.json"
        if not index.exists():
            return  # the first publish was stopped: nothing is promised yet
        if not (self.directory / "oci-layout").exists():
            self._say("oci-layout is missing", remedy="Publish again: it is written anew")
        names: set[str] = set()
        for item in self._entries(index):
            name = str((item.get("annotations") or {}).get(REF_NAME, ""))
            if name and name in names:
                self._say(f"{name} is in the index twice", remedy="Publish it again")
            names |= {name} - {""}
            self._follow(item, name or str(item.get("digest")), top=True)
        self.tags = len(names)

    def _files(self) -> None:
        for path in sorted(self.folder.glob("*")):
            if path.name.startswith("."):
                continue
            if not _NAME.fullmatch(path.name) or not path.is_file():
                self._say(f"{path.name} is no blob", remedy="Move it elsewhere")
                continue
            digest = f"sha256:{path.name}"
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
                self.sizes[digest] = file.tell()
            if found != path.name:
                self.damaged.add(digest)
                self._say(
                    f"blob {digest} has another content",
                    why=f"Its {self.sizes[digest]} bytes are {found[:12]}…",
                    remedy="Remove it: jupyter mlops fsck --repair; then publish again",
                )

    def _entries(self, index: Path) -> Iterator[dict[str, Any]]:
        try:
            entries = load_json(index.read_bytes(), "index").get("manifests") or []
        except RegistryError as error:
            self._say("index.json cannot be read", why=str(error), remedy="Publish again")
            return
        yield from (item for item in entries if isinstance(item, dict))

    def _follow(self, item: dict[str, Any], name: str, *, top: bool = False) -> None:
        """Look at what an entry leads to; a part of an index that is not here is no damage."""
        try:
            found = Descriptor.from_dict(item)
        except RegistryError as error:
            self._say(f"{name}: an entry cannot be read", why=str(error), remedy=_AGAIN)
            return
        digest, inner = found.digest, top or found.media_type in MANIFESTS
        size = self.sizes.get(digest)
        if size is None:
            if top or not inner:
                self._say(f"{name}: blob {digest} is missing", remedy=_AGAIN)
            return
        if size != found.size:
            why = f"It has {size} bytes, and {found.size} are expected"
            self._say(f"{name}: blob {digest} has another size", why=why, remedy=_AGAIN)
        first = digest not in self.reached
        self.reached.add(digest)
        if not inner or not first or digest in self.damaged:
            return
        try:
            value = load_json((self.folder / digest[7:]).read_bytes(), "manifest")
        except RegistryError as error:
            self._say(f"{name}: manifest {digest} cannot be read", why=str(error), remedy=_AGAIN)
            return
        config = [value["config"]] if isinstance(value.get("config"), dict) else []
        for part in [*(value.get("manifests") or []), *config, *(value.get("layers") or [])]:
            self._follow(part, name)

    def repair(self) -> list[str]:
        removed = []
        with _store.locked(self.directory / ".lock"):
            for digest in sorted(self.damaged):
                (self.folder / digest[7:]).unlink(missing_ok=True)
                removed.append(digest)
        for path in (self.directory, self.folder):
            removed += [str(item) for item in _store.leftovers(path)]
            _store.sweep(path)
        return removed

    def _say(self, problem: str, *, why: str = "", remedy: str = "") -> None:
        where = str(self.directory)
        self.problems.append(Problem(problem=problem, why=why, remedy=remedy, where=where))
