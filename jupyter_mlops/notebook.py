"""Read and check a notebook: its cells, their tags, its kernel. Never writes it."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import NotebookError, Problem

#: What parsing raises for a text that is not plain Python.
NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
PYTHON_BODY_MAGICS = frozenset({"time", "timeit", "capture", "prun", "mlops_step"})


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
        """The plain Python, its tree, and why there is none; parsed once where it is plain."""
        source = self.source
        magic = re.match(r"\s*%%(\w+)[^\n]*\n?", source)
        if magic:
            if magic.group(1) not in PYTHON_BODY_MAGICS:
                return "", ast.Module(body=[], type_ignores=[]), ""
            source = source[magic.end() :]
        with suppress(*NOT_PYTHON):
            return source, _parse(source), ""
        source = _transformed(source)
        try:
            return source, _parse(source), ""
        except SyntaxError as error:
            why = f"{error.msg} (line {error.lineno})"
        except (ValueError, RecursionError, MemoryError) as error:
            why = str(error) or type(error).__name__
        return source, ast.Module(body=[], type_ignores=[]), why

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
        start = self.source.lstrip()
        if not start.startswith("%%") or start.startswith("%%mlops_step"):
            return self.tree  # %%mlops_step only names the step
        try:
            return _parse(_transformed(self.source))
        except NOT_PYTHON:
            return self.tree


def plain_python(source: str) -> str:
    """Return IPython's code as plain Python; code that is plain already stays as it is."""
    try:
        _parse(source)
    except NOT_PYTHON:
        return _transformed(source)
    return source


def _transformed(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(source))


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in a user's text is not our news
        return ast.parse(source)


@dataclass(frozen=True)
class Notebook:
    """A saved notebook as it was read; ``node`` is its nbformat 4 content."""

    path: Path
    node: Any
    cells: Sequence[Cell]
    kernel_name: str
    sha256: str

    @property
    def name(self) -> str:
        """Return a name fit for a repository: lower case, digits, dashes."""
        return re.sub(r"[^a-z0-9]+", "-", self.path.stem.lower()).strip("-") or "notebook"

    @cached_property
    def title(self) -> str:
        """Return the first Markdown heading, or the file's name."""
        for cell in self.node.cells:
            if cell.cell_type == "markdown":
                heading = re.search(r"^#{1,3}\s+(.+?)\s*#*$", cell.source, re.MULTILINE)
                if heading:
                    return heading.group(1).strip()
        return self.path.stem

    @cached_property
    def description(self) -> str:
        """Return the first Markdown paragraph that is not a heading, on one line."""
        for cell in self.node.cells:
            if cell.cell_type != "markdown":
                continue
            for block in re.split(r"\n\s*\n", cell.source):
                text = " ".join(line for line in block.splitlines() if not line.startswith("#"))
                if text.strip():
                    return text.strip()[:500]
        return ""

    def tagged(self, tag: str) -> list[Cell]:
        """Return the code cells that carry a tag."""
        return [cell for cell in self.cells if tag in cell.tags]


def read(path: Path | str) -> Notebook:
    """Read a notebook file and check it.

    Raises ``NotebookError`` with every problem found: no file, not JSON, not a notebook, an
    old format, no kernel named, a language other than Python, no code.
    """
    path = Path(path)
    raw = _read_bytes(path)
    content = _decode(path, raw)
    node = _validate(path, content)
    cells = _code_cells(node)
    problems = _check_kernel(path, node)
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
        kernel_name=str(node.metadata["kernelspec"]["name"]),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotebookError(
            "There is no such file",
            remedy="Check the path; notebooks end in .ipynb",
            where=str(path),
        ) from None
    except IsADirectoryError:
        raise NotebookError(
            "This is a folder, not a notebook", remedy="Name an .ipynb file in it", where=str(path)
        ) from None
    except OSError as error:
        raise NotebookError(
            "The file cannot be read", why=error.strerror or str(error), where=str(path)
        ) from None


def _decode(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotebookError(
            "This is not a notebook",
            why=f"It is not UTF-8 text: byte {error.start} cannot be decoded",
            remedy="Name a saved .ipynb file",
            where=path.name,
        ) from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise NotebookError(
            "This is not a notebook, or it was cut off while it was written",
            why=f"It is not valid JSON: {error}",
            remedy="Open it in JupyterLab and save it again, or restore it from a checkpoint",
            where=path.name,
        ) from None
    if not isinstance(content, dict) or "nbformat" not in content:
        raise NotebookError(
            "This is JSON, but not a notebook",
            why="It has no 'nbformat' field",
            remedy="Name a saved .ipynb file",
            where=path.name,
        )
    return content


def _validate(path: Path, content: dict[str, Any]) -> Any:
    import nbformat
    from nbformat.v4.rwbase import rejoin_lines

    if content["nbformat"] != 4:
        raise NotebookError(
            f"The notebook has format {content['nbformat']}; format 4 is needed",
            remedy=f"Convert it: jupyter nbconvert --to notebook --inplace {path.name}",
            where=path.name,
        )
    try:
        node = rejoin_lines(nbformat.from_dict(content))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing cell ids: normalize() adds them
            _, node = nbformat.validator.normalize(node)
        nbformat.validate(node)
    except (nbformat.ValidationError, LookupError, TypeError, AttributeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotebookError(
            "The notebook is damaged",
            why=f"It does not follow the notebook format: {reason}",
            remedy="Open it in JupyterLab and save it again",
            where=path.name,
        ) from None
    return node


def _code_cells(node: Any) -> list[Cell]:
    cells: list[Cell] = []
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "code":
            tags = cell.metadata.get("tags", [])
            found = frozenset(tag for tag in tags if isinstance(tag, str))
            cells.append(Cell(index, len(cells) + 1, cell.source, found))
    return cells


def _check_kernel(path: Path, node: Any) -> list[Problem]:
    kernelspec = node.metadata.get("kernelspec") or {}
    language = (node.metadata.get("language_info") or {}).get("name") or kernelspec.get("language")
    if not kernelspec.get("name"):
        return [
            Problem(
                problem="The notebook names no kernel",
                why="Without one nobody knows which environment it runs in",
                remedy="Open it in JupyterLab, choose a kernel, and save it",
                where=path.name,
            )
        ]
    if language and language.lower() != "python":
        return [
            Problem(
                problem=f"The notebook is written in {language}",
                why="Only Python notebooks can be published",
                where=path.name,
            )
        ]
    return []
