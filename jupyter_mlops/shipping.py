"""The data that goes along into the image, because a person asked for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlops.environment import private
from jupyter_mlops.errors import Problem, UsageError
from jupyter_mlops.runtime.publication import DATA

#: Where a person says what goes along.
OPTION = "--ship-data"


@dataclass(frozen=True)
class Shipped:
    """Files of the notebook's folder (relative, sorted), and names whose value is captured."""

    files: list[Path] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def find(folder: Path, asked: Iterable[str]) -> Shipped:
    """Return what is asked for: files and folders beside the notebook, else names in it.

    Raises ``UsageError`` with all that cannot go along.
    """
    files: set[Path] = set()
    names: list[str] = []
    problems: list[Problem] = []
    for text in asked:
        path = folder / text
        if not path.exists() and text.isidentifier():
            names.append(text)
            continue
        try:
            found = _files(folder, path)
        except ValueError as error:
            remedy = "Name a file or a folder below the notebook's, or a name that a cell defines"
            problems.append(Problem(problem=f"{text} {error}", remedy=remedy, where=OPTION))
            continue
        hidden = [each.as_posix() for each in found if private.within(each.parts)]
        if hidden and path.is_file():
            text = f"{private.named(hidden)} does not leave this machine"
            problems.append(Problem(problem=text, why=private.WHY, where=OPTION))
        files.update(each for each in found if not private.within(each.parts))
    if problems:
        raise UsageError.collect(problems)
    return Shipped(sorted(files), list(dict.fromkeys(names)))


def _files(folder: Path, path: Path) -> list[Path]:
    if not path.exists():
        raise ValueError("is not there")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError("lies outside of the notebook's folder")
    found = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    if not found:
        raise ValueError("holds no file")
    for each in found:
        if not each.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"holds a link out of the notebook's folder: {each.name}")
    return [Path(each.absolute().relative_to(folder.absolute())) for each in found]


def put(folder: Path, files: Sequence[Path], root: Path) -> None:
    """Copy files of the notebook's folder to where the image has them."""
    for path in files:
        target = root / DATA / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, target)


def unpack(root: Path, folder: Path) -> None:
    """Copy what went along into the working directory of a run, where the notebook looks for it."""
    if (root / DATA).is_dir():
        shutil.copytree(root / DATA, folder, dirs_exist_ok=True)
