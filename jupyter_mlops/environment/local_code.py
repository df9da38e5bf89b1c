"""Modules and packages beside a notebook: which files an import means, and what those import."""

from __future__ import annotations

import ast
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlops import parsed
from jupyter_mlops.environment import private, sightings
from jupyter_mlops.environment.sightings import Seen, Sighting
from jupyter_mlops.errors import Problem

#: Files that a local package may have at most: beyond, the folder is no package of the notebook.
MOST_FILES = 2000


@dataclass(frozen=True)
class Part:
    """A piece of code that runs with the notebook: a cell (by number), or a file beside it."""

    seen: Seen
    cell: int = 0
    file: str = ""
    package: str = ""
    tree: ast.Module | None = None

    @property
    def place(self) -> str:
        """Return the place as a person names it."""
        return f"cell {self.cell}" if self.cell else self.file


@dataclass
class Local:
    """The code beside a notebook that its cells reach; ``files`` are relative to its folder.

    ``outside`` are imports that no file beside the notebook is meant by, each with its part.
    ``left_out`` is what lies in its packages and never leaves, relative to the folder.
    """

    folder: Path
    roots: list[Path]
    elsewhere: Callable[[str], bool]
    files: dict[Path, None] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    outside: list[tuple[Sighting, Part]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    tops: dict[str, Part] = field(default_factory=dict)
    written: dict[str, ast.Module] = field(default_factory=dict)
    left_out: dict[Path, None] = field(default_factory=dict)
    waiting: deque[Part] = field(default_factory=deque)
    _done: set[Path] = field(default_factory=set)
    _names: dict[Path, set[str]] = field(default_factory=dict)

    def names(self, root: Path) -> set[str]:
        """Return what may be imported from a folder, by its first name; listed once."""
        if root not in self._names:
            try:
                self._names[root] = {each.name.removesuffix(".py") for each in root.iterdir()}
            except OSError:
                self._names[root] = set()
        return self._names[root]


def follow(parts: Sequence[Part], folder: Path, elsewhere: Callable[[str], bool]) -> Local:
    """Go from cells to the files beside them that they import, and on from there.

    ``elsewhere`` tells whether a module is installed, for folders that are a package only where
    nothing else has their name.
    """
    local = Local(folder, [folder], elsewhere)
    for part in parts:
        local.written |= {Path(name).stem: tree for name, tree in part.seen.written.items()}
        for text in part.seen.paths:
            _add_root(local, text)
    local.waiting.extend(parts)
    while local.waiting:
        _take(local)
    return local


def _add_root(local: Local, text: str) -> None:
    """Take in a folder that code adds to the search path."""
    if "\0" in text:
        return
    path = _placed(local.folder, text)
    if path.is_dir() and path not in local.roots:
        local.roots.append(path)


def _placed(folder: Path, text: str) -> Path:
    """Return the path that code means by a text, below the notebook's folder if it can be."""
    path = Path(os.path.normpath(folder / Path(text).expanduser()))
    real, base = path.resolve(), folder.resolve()
    if not path.is_relative_to(folder) and real.is_relative_to(base):
        return folder / real.relative_to(base)
    return path


def _take(local: Local) -> None:
    """Go through the next part that waits."""
    part = local.waiting.popleft()
    local.parts.append(part)
    for sighting in part.seen.imports:
        _import(local, sighting, part)
    for script in part.seen.scripts:
        _script(local, script, part)


def _import(local: Local, sighting: Sighting, part: Part) -> None:
    if sighting.module.startswith("."):
        name = _absolute(sighting.module, part.package)
        if name:
            _find(local, name, part)
        return
    top = sighting.module.partition(".")[0]
    if top in local.written:
        tree, file = local.written.pop(top), f"{top}.py"
        written = Part(sightings.of(tree), cell=part.cell, file=file, tree=tree)
        local.waiting.append(written)
        local.tops.setdefault(top, part)
        return
    if _find(local, sighting.module, part):
        local.tops.setdefault(top, part)
    elif top not in local.tops:
        local.outside.append((sighting, part))


def _absolute(module: str, package: str) -> str:
    """Return the full name of a relative import in a package."""
    level = len(module) - len(module.lstrip("."))
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - level + 1]
    rest = module[level:]
    return ".".join([*kept, *([rest] if rest else [])]) if kept else rest


def _find(local: Local, module: str, part: Part) -> bool:
    """Follow the files that importing a module runs; tell whether there are any."""
    top = module.partition(".")[0]
    for root in local.roots:
        if top not in local.names(root):
            continue
        files = _files(root, module.split("."))
        regular = bool(files) and files[0].parent in (root, root / top)
        if files and (regular or not local.elsewhere(module)):
            for file in files:
                _follow(local, file, root, part)
            return True
    return False


def _files(root: Path, names: Sequence[str]) -> list[Path]:
    """Return the files below a root that importing a dotted name runs, in their order."""
    found: list[Path] = []
    place = root
    for name in names:
        if not name.isidentifier():
            break
        package, module = place / name / "__init__.py", place / f"{name}.py"
        if package.is_file():
            found.append(package)
        elif module.is_file():
            return [*found, module]
        elif not (place / name).is_dir():
            break
        place = place / name
    return found


def _follow(local: Local, file: Path, root: Path, part: Part) -> None:
    relative = _taken(local, file, part)
    if relative is None:
        return
    inside = file.relative_to(root)
    top = root / inside.parts[0]
    if (top / "__init__.py").is_file():
        _ship(local, top)
    names = inside.with_suffix("").parts
    tree = _tree(file)
    read = Part(
        sightings.of(tree),
        file=str(relative),
        package=".".join(names[:-1]),
        tree=tree,
    )
    local.waiting.append(read)
    if read.seen.dynamic and top.is_dir():  # it imports what only it knows
        for other in _python_files(local, top):
            _follow(local, other, root, read)


def _taken(local: Local, file: Path, part: Part) -> Path | None:
    """Take in a file, once; return its place in the folder, or None where it is not to be read."""
    if file in local._done:
        return None
    local._done.add(file)
    if not file.is_relative_to(local.folder):
        local.problems.append(_outside(local, file, part))
        return None
    relative = file.relative_to(local.folder)
    if _is_private(local, file):
        local.problems.append(_private(relative, part))
        return None
    local.files[relative] = None
    return relative


def _ship(local: Local, package: Path) -> None:
    """Take in all files of a package: what it reads at run time may be any of them."""
    for file in _python_files(local, package):
        local.files[file.relative_to(local.folder)] = None


def _python_files(local: Local, folder: Path) -> Iterable[Path]:
    """Return the Python files of a package, and note what lies there and never leaves."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        every = {name: Path(place, name) for name in (*folders, *names)}
        kept = {
            name: path
            for name, path in every.items()
            if not (private.is_private(name) or (path.is_symlink() and _is_private(local, path)))
        }
        for name in every.keys() - kept.keys() - private.CACHES:
            local.left_out[every[name].relative_to(local.folder)] = None
        folders[:] = [name for name in folders if name in kept]
        found += [kept[name] for name in names if name in kept and name.endswith(".py")]
    return sorted(found)[:MOST_FILES]


def _is_private(local: Local, file: Path) -> bool:
    """Tell whether a file, or what it is a link to, never leaves."""
    real, base = file.resolve(), local.folder.resolve()
    really = real.relative_to(base) if real.is_relative_to(base) else real
    return private.within(file.relative_to(local.folder).parts) or private.within(really.parts)


def _tree(file: Path) -> ast.Module:
    """Return a file's tree, empty where it has none: the verified run will say it."""
    try:
        return parsed.of(file.read_text(encoding="utf-8-sig"))[1]
    except (OSError, ValueError):
        return parsed.of("")[1]


def _script(local: Local, text: str, part: Part) -> None:
    """Follow a file that ``%run`` or a shell line runs."""
    file = _placed(local.folder, text)
    relative = _taken(local, file, part) if file.is_file() else None
    if relative is None:
        return
    for source in _sources(file):
        tree = parsed.of(source)[1]
        for seen in sightings.of_cell(source, tree):
            local.waiting.append(Part(seen, file=str(relative), tree=tree))


def _sources(file: Path) -> list[str]:
    """Return the code of a script, or of the cells of a notebook."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix != ".ipynb":
            return [text]
        cells = json.loads(text)["cells"]
        found = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return [source if isinstance(source, str) else "".join(source) for source in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _private(file: Path, part: Part) -> Problem:
    return Problem(
        problem=f"'{file}' is used, and it, or what it is a link to, never leaves this machine",
        why=private.WHY,
        remedy="Move the code into a file, and a folder, of another name",
        where=part.place,
    )


def left_out(local: Local) -> list[Problem]:
    """Say what stays here of the packages that are shipped."""
    if not local.left_out:
        return []
    names = private.named([str(path) for path in sorted(local.left_out)])
    return [Problem(problem=f"Not shipped: {names}", why=private.WHY)]


def _outside(local: Local, file: Path, part: Part) -> Problem:
    return Problem(
        problem=f"'{file.name}' is used, but lies outside the notebook's folder",
        why=f"Only what is in {local.folder} goes with the notebook",
        remedy="Move or copy it beside the notebook, or make it a package and install that "
        "in the kernel",
        where=part.place,
    )
