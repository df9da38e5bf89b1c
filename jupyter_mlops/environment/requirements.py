"""What a notebook and the files beside it ask to be installed, in the user's own words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_mlops import installs
from jupyter_mlops.environment import requirement_lines as lines
from jupyter_mlops.environment.models import Requirement
from jupyter_mlops.errors import Problem, shown
from jupyter_mlops.notebook import Notebook

TEXT = "requirements.txt"
PROJECT = "pyproject.toml"
CONDA = ("environment.yml", "environment.yaml")
#: PEP 723: metadata of a script in a block of comments, as ``juv`` writes it into a cell.
SCRIPT = re.compile(r"(?m)^# /// script[ \t]*$\n(?P<content>(?:^#(?:| .*)$\n)*?)^# ///[ \t]*$")
#: Files beyond this size are no lists of requirements.
MOST_BYTES = 2_000_000
DEEPEST = 10


class Asked:
    """What is asked for, in the order in which it is read, and what could not be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requirements: list[Requirement] = []
        self.warnings: list[Problem] = []
        self.python = ""
        self._reading: list[Path] = []

    def take(self, found: Iterator[Requirement]) -> None:
        """Keep what a file or a line asks for."""
        self.requirements = lines.unique([*self.requirements, *found])

    def tell(self, problem: Problem) -> None:
        """Keep what is wrong with a file or a line."""
        self.warnings.append(problem)

    def cell(self, number: int, source: str) -> None:
        """Read the lines of a cell that install, and its script metadata (PEP 723)."""

        def include(name: str) -> Iterator[Requirement]:
            # A file may list a whole stack: it bounds what is imported, and adds nothing.
            yield from self.text(self.folder / name, cell=number)

        for install in installs.of(source):
            self.take(iter(lines.of_install(install, number, include, self.tell)))
        block = SCRIPT.search(source if source.endswith("\n") else f"{source}\n")
        if block:
            self.script(block["content"], number)

    def script(self, content: str, cell: int) -> None:
        """Read script metadata: what the notebook itself says that it needs."""
        where = f"script metadata in cell {cell}"
        text = "".join(
            line[2:] if line[:2] == "# " else line[1:] for line in content.splitlines(True)
        )
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self._unreadable(where, error)
            return
        self.metadata(found, where, cell)

    def metadata(self, found: dict[str, Any], where: str, cell: int = 0) -> None:
        """Read the dependencies and the Python that the notebook itself names."""
        listed = found.get("dependencies")
        self.python = str(found.get("requires-python") or self.python)
        if isinstance(listed, list):
            self.take(self._each(listed, where, cell=cell, adds=True))

    def text(self, path: Path, *, cell: int = 0) -> Iterator[Requirement]:
        """Yield what a ``requirements.txt`` asks for, with the files that it includes."""
        where = f"{self._name(path)}" + (f" (cell {cell})" if cell else "")
        if path in self._reading or len(self._reading) > DEEPEST:
            return  # files that include each other
        content = self._content(path, where)
        self._reading.append(path)
        for line in _logical(content):
            include = re.match(r"(?:-r|-c|--requirements?|--constraints?)[\s=]*(\S+)", line)
            if include:
                yield from self.text(path.parent / include.group(1), cell=cell)
                continue
            editable = re.match(r"(?:-e|--editable)[\s=]\s*(\S+)", line)
            if line.startswith("-") and not editable:
                continue  # options: indexes, hashes, binaries
            yield from self._each([editable.group(1) if editable else line], where, cell=cell)
        self._reading.pop()

    def project(self, path: Path) -> Iterator[Requirement]:
        """Yield what a ``pyproject.toml`` asks for: PEP 621, and poetry's tables."""
        where = self._name(path)
        try:
            found = tomllib.loads(self._content(path, where))
        except tomllib.TOMLDecodeError as error:
            self._unreadable(where, error)
            return
        project = _table(found, "project")
        self.python = str(project.get("requires-python") or self.python)
        listed = project.get("dependencies")
        yield from self._each(listed if isinstance(listed, list) else [], where)
        for extra in _table(project, "optional-dependencies").values():
            yield from self._each(extra if isinstance(extra, list) else [], where)
        for group in _table(found, "dependency-groups").values():
            texts = (
                [each for each in group if isinstance(each, str)] if isinstance(group, list) else []
            )
            yield from self._each(texts, where)
        poetry = _table(_table(found, "tool"), "poetry")
        tables = [_table(poetry, "dependencies")]
        tables += [_table(group, "dependencies") for group in _table(poetry, "group").values()]
        for table in tables:
            for name, value in table.items():
                requirement = lines.of_poetry(name, value, where)
                if requirement is not None:
                    yield requirement

    def conda(self, path: Path) -> Iterator[Requirement]:
        """Yield what an ``environment.yml`` asks for: conda packages, and its pip section."""
        import yaml

        where = self._name(path)
        try:
            found = yaml.safe_load(self._content(path, where))
        except (yaml.YAMLError, RecursionError) as error:
            self._unreadable(where, error)
            return
        listed = found.get("dependencies") if isinstance(found, dict) else None
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, str):
                python = re.match(r"\s*python\s*={1,2}\s*(\d+(?:\.\d+)?)", each)
                self.python = f"=={python[1]}.*" if python else self.python
                requirement = lines.of_conda_spec(each, where)
                if requirement is not None:
                    yield requirement
            elif isinstance(each, dict) and isinstance(each.get("pip"), list):
                for text in map(str, each["pip"]):
                    include = re.match(r"(?:-r|--requirement)[\s=]*(\S+)", text)
                    if include:
                        yield from self.text(path.parent / include.group(1))
                    elif not text.startswith("-"):
                        yield from self._each([text], where)

    def _each(
        self, texts: list[Any], where: str, *, cell: int = 0, adds: bool = False
    ) -> Iterator[Requirement]:
        for text in texts:
            found = lines.parse(str(text), where, cell=cell, adds=adds)
            if found is None:
                self.tell(
                    Problem(
                        problem=f"'{shown(text)}' is no requirement that can be read",
                        remedy="Write it as pip understands it: name>=version",
                        where=where,
                    )
                )
            else:
                yield found

    def _content(self, path: Path, where: str) -> str:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise OSError(f"it is larger than {MOST_BYTES} bytes")
            return path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self._unreadable(where, error)
            return ""

    def _unreadable(self, where: str, error: Exception) -> None:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        self.tell(
            Problem(
                problem="What it asks for cannot be read, and is left out",
                why=shown(why, 200),
                remedy="Correct it, or remove it",
                where=where,
            )
        )

    def _name(self, path: Path) -> str:
        try:
            return path.relative_to(self.folder).as_posix()
        except ValueError:
            return path.name


def find(notebook: Notebook) -> Asked:
    """Return what a notebook's cells and metadata, and the files beside it, ask for."""
    asked = Asked(notebook.path.parent)
    for cell in notebook.cells:
        asked.cell(cell.number, cell.source)
    for cell in notebook.node.cells:  # juv also writes it into a raw cell
        if cell.cell_type == "raw" and "# /// script" in cell.source:
            block = SCRIPT.search(f"{cell.source}\n")
            if block:
                asked.script(block["content"], 0)
    own = notebook.node.metadata.get("uv")
    if isinstance(own, dict):
        asked.metadata(own, "the notebook's metadata")
    for folder in _folders(notebook.path.parent):
        found = [folder / name for name in (TEXT, PROJECT, *CONDA) if (folder / name).is_file()]
        for path in found:
            readers = {TEXT: asked.text, PROJECT: asked.project}
            asked.take(readers.get(path.name, asked.conda)(path))
        if found:
            break
    return asked


def project_name(path: Path) -> str:
    """Return the name of the project that a ``pyproject.toml`` describes, empty if it has none."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    poetry = _table(_table(found, "tool"), "poetry")
    return str(_table(found, "project").get("name") or poetry.get("name") or "")


def _folders(folder: Path) -> list[Path]:
    """Return the notebook's folder, and those above it up to the root of its repository."""
    above = [folder, *folder.parents]
    roots = [at for at, each in enumerate(above) if (each / ".git").exists()]
    return above[: roots[0] + 1] if roots else [folder]


def _table(found: Any, key: str) -> dict[str, Any]:
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, dict) else {}


def _logical(content: str) -> Iterator[str]:
    """Yield the lines of a requirements file: joined, without comments, hashes and options."""
    joined = re.sub(r"\\\r?\n", " ", content)
    for raw in joined.splitlines():
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        line = re.split(r"\s--(?:hash|config-settings|global-option)\b", line)[0].strip()
        if line:
            yield line
