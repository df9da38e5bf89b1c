"""Read and check a notebook: its cells, their tags, its kernel. Never writes it."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_mlops import notebook_format, parsed
from jupyter_mlops.errors import NotebookError, Problem, shown

#: What tools write as the language of a Python kernel: some add the version.
PYTHON = re.compile(r"i?python ?[\d.]*", re.IGNORECASE)
#: Hashes before a heading, or a line below it.
HEADING = re.compile(
    r"^#{1,3}[ \t]+(?P<text>.+?)[ \t]*#*$"
    r"|(?:\A|\n[ \t]*\n)(?P<lined>[^\s#>|*-].*)\n(?:=+|-{2,})[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Cell:
    """A code cell: ``number`` counts code cells from 1, as readers do, ``index`` all from 0."""

    index: int
    number: int
    source: str
    tags: frozenset[str]

    @property
    def where(self) -> str:
        """Return how to name the cell to a person."""
        return f"cell {self.number}"

    @property
    def python(self) -> str:
        """Return the cell as plain Python: magics and shell lines become function calls.

        A cell magic whose body is Python (``%%time``) gives its body, any other one nothing.
        """
        return self._parsed[0]

    @cached_property
    def _parsed(self) -> tuple[str, ast.Module, str]:
        return parsed.of(self.source)

    @property
    def tree(self) -> ast.Module:
        """Return the syntax tree; empty where ``syntax_error`` says why there is none."""
        return self._parsed[1]

    @property
    def syntax_error(self) -> str:
        """Return why the cell cannot be parsed, or an empty string."""
        return self._parsed[2]

    @cached_property
    def full_tree(self) -> ast.Module:
        """Return the syntax tree with cell magics as the calls that IPython makes of them."""
        return parsed.with_magics(self.source)


@dataclass(frozen=True)
class Notebook:
    """A saved notebook as it was read; ``node`` is its nbformat 4 content.

    ``stars`` says what star imports bind, by module: each name with its dotted path; empty
    until that was found out.
    """

    path: Path
    node: Any
    cells: Sequence[Cell]
    kernel_name: str
    sha256: str
    stars: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return a name fit for a repository: lower case, digits, dashes."""
        return re.sub(r"[^a-z0-9]+", "-", self.path.stem.lower()).strip("-") or "notebook"

    @cached_property
    def title(self) -> str:
        """Return the first Markdown heading, or the file's name."""
        for cell in self.node.cells:
            if cell.cell_type == "markdown":
                heading = HEADING.search(cell.source)
                if heading:
                    return shown(heading["text"] or heading["lined"], 200)
        return shown(self.path.stem, 200)

    @cached_property
    def description(self) -> str:
        """Return the first Markdown paragraph that is not a heading, on one line."""
        for cell in self.node.cells:
            if cell.cell_type != "markdown":
                continue
            for block in re.split(r"\n\s*\n", cell.source):
                text = " ".join(line for line in block.splitlines() if not line.startswith("#"))
                if text.strip():
                    return shown(text, 500)
        return ""

    def tagged(self, tag: str) -> list[Cell]:
        """Return the code cells that carry a tag."""
        return [cell for cell in self.cells if tag in cell.tags]


def read(path: Path | str, *, needs_kernel: bool = True) -> Notebook:
    """Read a notebook file and check it.

    Raises ``NotebookError`` with every problem found: no file, not JSON, not a notebook, an
    old format, no kernel named (unless none is needed: its name is empty then), a language
    other than Python, no code.
    """
    path = Path(path)
    return parse(path, notebook_format.read_bytes(path), needs_kernel=needs_kernel)


def parse(path: Path, raw: bytes, *, needs_kernel: bool = True) -> Notebook:
    """Check a notebook's bytes that are, or will be, the file ``path``; raises like ``read``."""
    node = notebook_format.validated(path, notebook_format.decode(path, raw))
    cells = code_cells(node)
    problems = _check_kernel(path, node, needs_kernel)
    if not any(cell.source.strip() for cell in cells):
        problems.append(
            Problem(
                problem="The notebook has no code",
                remedy="Write at least one code cell, save, and try again",
                where=path.name,
            )
        )
    if problems:
        raise NotebookError.collect(problems)
    return Notebook(
        path=path.absolute(),
        node=node,
        cells=cells,
        kernel_name=str((node.metadata.get("kernelspec") or {}).get("name") or ""),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def code_cells(node: Any) -> list[Cell]:
    """Return the code cells of validated nbformat content."""
    cells: list[Cell] = []
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "code":
            tags = cell.metadata.get("tags", [])
            found = frozenset(tag for tag in tags if isinstance(tag, str))
            cells.append(Cell(index, len(cells) + 1, cell.source, found))
    return cells


def _check_kernel(path: Path, node: Any, needs_kernel: bool) -> list[Problem]:
    kernelspec = node.metadata.get("kernelspec") or {}
    language = (node.metadata.get("language_info") or {}).get("name") or kernelspec.get("language")
    if needs_kernel and not kernelspec.get("name"):
        return [
            Problem(
                problem="The notebook names no kernel",
                why="Without one nobody knows which environment it runs in",
                remedy="Open it in JupyterLab, choose a kernel, and save it",
                where=path.name,
            )
        ]
    if language and not PYTHON.fullmatch(str(language)):
        return [
            Problem(
                problem=f"The notebook is written in {shown(language)}",
                why="Only Python notebooks can be published",
                where=path.name,
            )
        ]
    return []
