"""What an image needs of the operating system that its base lacks, before it is built."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from jupyter_mlops.environment.models import SystemNeed
from jupyter_mlops.environment.system import executables, scan, tables
from jupyter_mlops.environment.system.executables import Called
from jupyter_mlops.environment.system.tables import Packages
from jupyter_mlops.errors import Problem
from jupyter_mlops.image.installed import Installed

#: ``auto`` adds what is missing, ``ask`` wants to be told so, ``none`` leaves it out.
Mode = Literal["auto", "ask", "none"]
#: The same package without what a screen needs.
_HEADLESS = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
}

#: Names the packages of libraries and programs that no table has; by name.
LookUp = Callable[[Collection[str]], dict[str, str]]


def needs(
    site_packages: Path,
    base: Installed,
    cells: Sequence[tuple[int, str, ast.Module]],
    *,
    python: str = "",
    look_up: LookUp | None = None,
    loaded: Collection[str] | None = None,
) -> list[SystemNeed]:
    """Return what installed packages and cells (number, source, tree) need and the base lacks.

    ``python`` is the base's minor version; ``look_up`` names packages that no table has;
    ``loaded`` are the files that a run has loaded, where that is known: then no others count.
    """
    found = [
        SystemNeed(kind="library", name=item.name, needed_by=_some(item.owners))
        for item in scan.missing(site_packages, base.libraries, loaded)
    ]
    scripts = _scripts(site_packages)
    called: dict[tuple[str, str], list[Called]] = {}
    for item in executables.calls(cells):
        name = _lacking(item, base, scripts)
        if name:
            called.setdefault((name, item.by), []).append(item)
    for (name, by), items in called.items():
        found.append(_need(name, by, items))
    return _with_packages(_unique(found), base, python, look_up)


def _lacking(called: Called, base: Installed, scripts: frozenset[str]) -> str:
    """Return the name of what a call needs and nothing brings; empty where something does."""
    for name in called.names:
        if name == "Python.h":
            there = base.headers
        elif tables.is_library(name):
            there = name in base.libraries
        else:
            there = name in base.programs or name in scripts
        if there:
            return ""
    fitting = [name for name in called.names if tables.library(name, base)]
    return next(iter(fitting), called.names[0])


def _scripts(site_packages: Path) -> frozenset[str]:
    """Return the programs that Python packages bring; they are on the image's path."""
    folder = site_packages.parent.parent.parent / "bin"
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def _need(name: str, by: str, items: list[Called]) -> SystemNeed:
    numbers = sorted({item.cell for item in items})
    cells = f"cell {numbers[0]}" if len(numbers) == 1 else f"cells {_some(map(str, numbers))}"
    return SystemNeed(
        kind="library" if tables.is_library(name) else "executable",
        name=name,
        needed_by=f"{by} in {cells}" if by else cells,
        sure=any(item.sure for item in items),
    )


def _some(names: Iterable[str], most: int = 3) -> str:
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if every[most:] else "")


def _unique(found: list[SystemNeed]) -> list[SystemNeed]:
    """Return each name once, by all that need it."""
    names: dict[str, SystemNeed] = {}
    for need in found:
        before = names.get(need.name)
        if before is not None:
            need = msgspec.structs.replace(
                before,
                needed_by=f"{before.needed_by}, {need.needed_by}",
                sure=before.sure or need.sure,
            )
        names[need.name] = need
    return sorted(names.values(), key=lambda need: (need.kind != "library", need.name))


def _with_packages(
    found: list[SystemNeed], base: Installed, python: str, look_up: LookUp | None
) -> list[SystemNeed]:
    rows: dict[str, Packages] = {}
    for need in found:
        if need.kind == "library":
            rows[need.name] = tables.library(need.name, base)
        else:
            rows[need.name] = tables.program(need.name, base, python)
    unknown = [name for name, row in rows.items() if not row]
    looked_up = look_up(unknown) if look_up and unknown and base.is_debian else {}
    return [
        msgspec.structs.replace(
            need,
            package="+".join(rows[need.name].names) or looked_up.get(need.name, ""),
            scripts=rows[need.name].scripts,
        )
        for need in found
    ]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of needs: which are added, what stops the publish, what is only told."""

    add: list[SystemNeed]
    problems: list[Problem]
    notes: list[str]


def settle(found: Sequence[SystemNeed], mode: Mode, base: str, is_debian: bool) -> Settled:
    """Decide by ``mode`` what becomes of needs; ``base`` is the base's name."""
    add: list[SystemNeed] = []
    problems: list[list[SystemNeed]] = []
    notes: list[list[SystemNeed]] = []
    for group in _by_package(found):
        need = group[0]
        if mode == "auto" and _can_be_added(need, is_debian):
            add += group
        elif mode == "none" or not need.sure or (need.kind == "executable" and not need.package):
            notes.append(group)
        else:
            problems.append(group)
    return Settled(
        add=add,
        problems=[_problem(group, base, is_debian) for group in problems],
        notes=[_problem(group, base, is_debian).sentence() for group in notes],
    )


def _by_package(found: Sequence[SystemNeed]) -> list[list[SystemNeed]]:
    """Return needs together that one package meets; a need without a package stands alone."""
    groups: dict[tuple[str, str, bool], list[SystemNeed]] = {}
    for need in found:
        key = (need.kind, need.package or f"? {need.name}", need.sure)
        groups.setdefault(key, []).append(need)
    return list(groups.values())


def _can_be_added(need: SystemNeed, is_debian: bool) -> bool:
    return bool(need.package) and not need.scripts and is_debian


def _problem(group: Sequence[SystemNeed], base: str, is_debian: bool) -> Problem:
    need, them = group[0], "them" if len(group) > 1 else "it"
    names = " and ".join(each.name for each in group)
    owners = ", ".join(dict.fromkeys(each.needed_by for each in group))
    why = f"The base {base} does not have {them}"
    if need.package:
        package = " and ".join(names_of(need))
        why += f" (Debian package {package})"
        if not is_debian:
            why += "; packages can only be added to a base of Debian or Ubuntu"
    else:
        why += ", and no package is known that does"
    if need.scripts:
        why += "; only its own scripts, which are not run here, would set it up"
    remedies = ["choose a base that has " + them + " (--base)"]
    if _can_be_added(need, is_debian):
        remedies.insert(0, f"have {them} added (--system-packages auto)")
    remedies += _headless(group)
    text = ", ".join(remedies)
    return Problem(
        problem=f"The image lacks {names}, {'' if need.sure else 'perhaps '}needed by {owners}",
        why=why,
        remedy=f"{text[0].upper()}{text[1:]}, or publish without {them} (--system-packages none)",
    )


def names_of(need: SystemNeed) -> list[str]:
    """Return the names in ``a+b``; in "ncbi-blast+" and "libstdc++6" the plus joins nothing."""
    return re.split(r"\+(?=[a-z])", need.package)


def _headless(group: Sequence[SystemNeed]) -> list[str]:
    for need in group:
        for owner in need.needed_by.split(", "):
            other = _HEADLESS.get(owner.partition(" ")[0].lower())
            if other and need.kind == "library":
                return [f"install {other} instead, which needs no screen"]
    return []
