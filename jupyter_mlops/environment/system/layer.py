"""The layer that adds Debian packages to a base: unpacked, without root, the same every time."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import msgspec

from jupyter_mlops import events
from jupyter_mlops.environment.models import SystemNeed
from jupyter_mlops.environment.system import finish
from jupyter_mlops.environment.system.needs import names_of
from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.apt import FRESH, Apt, architecture_of
from jupyter_mlops.image.apt_sources import sources_for
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.installed import Installed
from jupyter_mlops.image.layer import Layer, build_layer, remembered_layer
from jupyter_mlops.image.packages import unpack_added

#: Kind of the layer: nothing in it lies below the publication's own folder.
KIND = "system"
# Changes when the same packages would give other files.
_RECIPE = "1"
# Only needed to install packages, which nobody does in a finished image.
_ONLY_SCRIPTS = frozenset(
    """
    dpkg tar debconf debianutils perl-base readline-common install-info ucf sensible-utils
    mawk openssl gcc-12-base gcc-13-base gcc-14-base init-system-helpers
    """.split()
)


@dataclass(frozen=True)
class Added:
    """A layer of packages; ``packages`` are those asked for, with their versions.

    ``shipped`` are all that are in it, ``system`` is the distribution they are of ("debian-12").
    """

    layer: Layer
    packages: dict[str, str]
    shipped: dict[str, str]
    system: str


class _Resolved(msgspec.Struct, kw_only=True):
    """What apt said: names to install, those asked for, all files that they need, and when."""

    names: list[str]
    asked: list[str]
    files: list[str]
    asked_at: float


def add(
    needs: Sequence[SystemNeed],
    base: Base,
    installed: Installed,
    *,
    platform: str,
    store: Path,
    on_event: events.OnEvent = events.ignore,
) -> Added:
    """Return the layer with the packages of ``needs`` and all that these need beside the base.

    The same packages on the same base give the same bytes. Raises ImageError where the base is
    not Debian's, a package cannot be had, or what was asked for would not be found by the image.
    """
    architecture = architecture_of(platform)
    sources = sources_for(installed, base.name)
    folder = store / "debian" / (f"{installed.system}-{installed.codename}" if sources else "")
    apt = Apt(folder, architecture, installed.status, sources)
    names = sorted({name for need in needs for name in names_of(need)})
    # By ldconfig, ctypes.util.find_library finds libraries.
    helping = [] if "ldconfig" in installed.programs else ["libc-bin"]
    key = hashlib.sha256(_text([layer.diff_id for layer in base.layers], names).encode())
    memory = folder / f"added-{key.hexdigest()[:32]}-{architecture}.json"
    try:
        with _store.locked(store / "debian" / ".lock"):
            resolved = _recall(memory)
            if resolved is None or time.time() - resolved.asked_at > FRESH:
                resolved = _ask(apt, names, helping, resolved)
                _store.write_file(memory, msgspec.json.encode(resolved))
            work = _Work(apt, resolved, needs, base, installed, store, on_event)
            try:
                layer = work.layer()
            except _Gone as error:
                memory.unlink(missing_ok=True)
                raise ImageError(
                    f"apt-get no longer has {error}", remedy="Try again: the list is made anew"
                ) from error
    except OSError as error:
        raise ImageError(
            "The system packages cannot be written", why=str(error), where=str(folder)
        ) from error
    versions = dict(_name_and_version(file) for file in resolved.files)
    asked = {name: versions.get(name, "") for name in resolved.asked}
    shipped = dict(map(_name_and_version, _unpacked(resolved.files, resolved.names)))
    return Added(layer, asked, shipped, f"{installed.system}-{installed.release}")


def _recall(memory: Path) -> _Resolved | None:
    try:
        return msgspec.json.decode(memory.read_bytes(), type=_Resolved)
    except (OSError, msgspec.MsgspecError):
        return None


def _ask(apt: Apt, names: list[str], helping: list[str], before: _Resolved | None) -> _Resolved:
    """Let apt resolve the packages; what it said before stays when its sources do not answer."""
    try:
        apt.update()
    except ImageError:
        if before is not None:
            return before
        raise
    asked = _existing(apt, names)
    every = [*asked, *helping]
    return _Resolved(names=every, asked=asked, files=apt.resolve(every), asked_at=time.time())


def _existing(apt: Apt, names: Sequence[str]) -> list[str]:
    """Return the names by which the release has packages: Debian 13 renamed many to …t64."""
    others = {
        name: name.removesuffix("t64") if name.endswith("t64") else f"{name}t64" for name in names
    }
    known = apt.known([*others, *others.values()])
    absent = [name for name, other in others.items() if not {name, other} & set(known)]
    if absent:
        raise ImageError(
            f"There is no package {' and '.join(absent)} for the base",
            remedy="Choose a base that has it (--base), or publish without it "
            "(--system-packages none)",
        )
    return [name if name in known else other for name, other in others.items()]


def _name_and_version(file: str) -> tuple[str, str]:
    """Return what a package's file name says: ``libgl1_1.6.0-1_amd64.deb``."""
    name, version, _ = file.split("_", 2)
    return name, unquote(version)


def _text(*parts: object) -> str:
    return json.dumps([_RECIPE, *parts])


class _Gone(Exception):
    """A package file that apt named before and does not have now."""


@dataclass
class _Work:
    """The making of one layer."""

    apt: Apt
    resolved: _Resolved
    needs: Sequence[SystemNeed]
    base: Base
    installed: Installed
    store: Path
    on_event: events.OnEvent

    def layer(self) -> Layer:
        """Return the layer, the one built before where nothing changed."""
        files = _unpacked(self.resolved.files, self.resolved.names)
        title = f"system packages: {', '.join(self.resolved.asked)}"
        wanted = sorted(need.name for need in self.needs)
        below = [layer.diff_id for layer in self.base.layers]
        digest = hashlib.sha256(_text(files, wanted, below, finish.RECIPE).encode()).hexdigest()
        key = f"system:{digest}"
        known = remembered_layer(key, kind=KIND, title=title, store=self.store)
        if known:
            return known
        names = ", ".join(self.resolved.asked)
        self.on_event(events.Log(text=f"adding {len(files)} system packages for {names}"))
        self.apt.download(self.resolved.names)
        paths = [self.apt.archives / name for name in files]
        for path in paths:
            if not path.exists():
                raise _Gone(path.name)
        with tempfile.TemporaryDirectory(dir=self.apt.folder, prefix="unpack-") as staging:
            members = unpack_added(paths, Path(staging), self.installed.place)
            done = finish.finish(members, paths, self.installed, self.apt.architecture)
            self._check(done, members)
            layer = build_layer(
                list(members.values()), kind=KIND, title=title, store=self.store, key=key
            )
        shutil.rmtree(self.apt.archives, ignore_errors=True)  # the layer is what counts
        return layer

    def _check(self, done: finish.Finished, members: Collection[str]) -> None:
        """Refuse a layer that would not bring what it was made for."""
        for need in self.needs:
            if need.name in done.libraries or need.name in done.programs:
                continue
            if need.name == "Python.h" and any(path.endswith("/Python.h") for path in members):
                continue
            raise ImageError(
                f"The package {' and '.join(names_of(need))} does not bring {need.name} "
                "when it is only unpacked",
                why="Its own scripts would set it up, and they are not run here",
                remedy="Choose a base that has it (--base), or publish without it "
                "(--system-packages none)",
            )
        for name, users in sorted(done.absent.items()):
            text = f"{users[0]} of the system packages asks for {name}, which is not in the image"
            self.on_event(events.Log(text=text, level="warning"))


def _unpacked(files: Sequence[str], asked: Collection[str]) -> list[str]:
    """Return the package files that go into the layer: none that only scripts need."""
    names = {file.partition("_")[0] for file in files}
    kept = set(asked) | ({"perl-base"} if names & {"perl", "libperl5.36", "libperl5.40"} else set())
    return [
        file
        for file in files
        if (name := re.split("_", file)[0]) not in _ONLY_SCRIPTS or name in kept
    ]
