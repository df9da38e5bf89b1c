"""Which installed distribution a file belongs to, and which others that one requires."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

_REQUIRES = re.compile(r"^Requires-Dist:\s*([A-Za-z0-9][\w.-]*)", re.MULTILINE)


class Owners:
    """The distributions of a site-packages folder, by normalised name."""

    def __init__(self, site_packages: Path) -> None:
        self._root = site_packages
        self._infos = {
            _normal(info.name.partition("-")[0]): info
            for info in sorted(site_packages.glob("*.dist-info"))
        }
        self._required: dict[str, frozenset[str]] = {}

    @cached_property
    def _shared(self) -> dict[str, str]:
        """Return the distribution of each shared object that one lists, by absolute path."""
        files: dict[str, str] = {}
        for name, info in self._infos.items():
            for line in _text(info / "RECORD").splitlines():
                if ".so" in line:
                    path = line.rsplit(",", 2)[0].strip('"')
                    files[os.path.normpath(f"{self._root}/{path}")] = name
        return files

    def of(self, path: str) -> str:
        """Return the distribution of a shared object; of one not listed, its first folder."""
        owner = self._shared.get(path)
        return owner or _normal(re.split(r"[/.]", os.path.relpath(path, self._root))[0])

    def named(self, name: str) -> str:
        """Return a distribution with its version, such as "opencv-python 4.10.0"."""
        info = self._infos.get(name)
        if info is None:
            return name
        written, _, version = info.name.removesuffix(".dist-info").partition("-")
        return f"{written.replace('_', '-')} {version}".strip()

    def required(self, name: str) -> frozenset[str]:
        """Return a distribution and all that it requires, directly or not."""
        if name not in self._required:
            found, waiting = {name}, [name]
            while waiting:
                for other in self._requires.get(waiting.pop(), frozenset()) - found:
                    found.add(other)
                    waiting.append(other)
            self._required[name] = frozenset(found)
        return self._required[name]

    @cached_property
    def _requires(self) -> dict[str, frozenset[str]]:
        requires = {}
        for name, info in self._infos.items():
            fields = _text(info / "METADATA").partition("\n\n")[0]
            requires[name] = frozenset(_normal(each) for each in _REQUIRES.findall(fields))
        return requires


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
