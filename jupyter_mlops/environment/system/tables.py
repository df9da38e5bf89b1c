"""The tables of libraries and programs: which Debian package has which, by release.

They are text files beside this one, so that a row is added without reading code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jupyter_mlops.image.installed import Installed

_FOLDER = Path(__file__).parent
#: The first releases whose packages have the names of the third column.
_NEWER = {"debian": 13.0, "ubuntu": 24.04}


@dataclass(frozen=True)
class Packages:
    """What brings a library or a program: ``names`` together; ``scripts`` must run for it."""

    names: tuple[str, ...] = ()
    scripts: bool = False

    def __bool__(self) -> bool:
        return bool(self.names)


def library(name: str, base: Installed) -> Packages:
    """Return the package of a library such as ``libGL.so.1``; none where the table has none."""
    return _row("sonames.txt", name, base)


def program(name: str, base: Installed, python: str = "") -> Packages:
    """Return the packages of a program; ``python`` is the minor version that the base has."""
    found = _row("programs.txt", name, base)
    names = tuple(each.replace("{python}", python) for each in found.names)
    return Packages(names, found.scripts)


def is_program(name: str) -> bool:
    """Tell whether the table of programs has a name, in any release."""
    return name in _rows("programs.txt")


def is_library(name: str) -> bool:
    """Tell whether a name is that of a shared library."""
    return ".so" in name


def _row(file: str, name: str, base: Installed) -> Packages:
    columns = _rows(file).get(name)
    if columns is None:
        return Packages()
    text = columns[-1] if _is_newer(base) else columns[0]
    if text == "-":
        return Packages()
    # A plus joins names only where a letter follows: "ncbi-blast+" is one name.
    names = re.split(r"\+(?=[a-z])", text.removeprefix("!"))
    return Packages(tuple(names), text.startswith("!"))


def _is_newer(base: Installed) -> bool:
    try:
        return float(base.release) >= _NEWER.get(base.system, 1e9)
    except ValueError:
        return base.system in _NEWER  # a release in the making has no number yet


@cache
def _rows(file: str) -> dict[str, tuple[str, ...]]:
    rows = {}
    for line in lines(file):
        name, *columns = line.split()
        rows[name] = tuple(columns)
    return rows


def lines(file: str) -> list[str]:
    """Return the rows of a table as they are written."""
    text = (_FOLDER / file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
