"""What a notebook imports, read from its text: every import, with the cells it stands in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

OURS = "jupyter_mlops"
LOAD_EXTENSION = re.compile(r"^[ \t]*%(?:re)?load_ext[ \t]+([\w.]+)", re.MULTILINE)
MATPLOTLIB = re.compile(r"^[ \t]*%matplotlib\b", re.MULTILINE)


@dataclass
class Import:
    """A module (dotted name) with the cells that import it.

    ``guarded`` is true when every import of it may fail without harm (``try``/``except
    ImportError``); ``file`` is set when a local module beside the notebook imports it.
    """

    module: str
    cells: list[int] = field(default_factory=list)
    guarded: bool = True
    file: str = ""

    @property
    def where(self) -> str:
        """Return the places of the import as a person names them."""
        if not self.cells:
            return self.file
        return "cell " + ", ".join(str(number) for number in self.cells)


@dataclass(frozen=True)
class Imports:
    """Everything imported: from distributions, and local files (relative to the folder)."""

    modules: list[Import]
    local: list[Path]


def find(cells: list[tuple[int, str, ast.Module]], folder: Path) -> Imports:
    """Return what the cells (number, source, tree) import; local modules are followed."""
    found: dict[str, Import] = {}
    local: dict[Path, None] = {}
    for number, source, tree in cells:
        modules = list(_imported(tree))
        modules += [(name, False) for name in LOAD_EXTENSION.findall(source)]
        if MATPLOTLIB.search(source):
            modules += [("matplotlib", False)]
        for module, guarded in modules:
            _add(found, local, module, guarded, folder, cell=number)
    found.pop(OURS, None)
    others = [item for item in found.values() if item.module.split(".")[0] != OURS]
    return Imports(others, sorted(local))


def _add(
    found: dict[str, Import],
    local: dict[Path, None],
    module: str,
    guarded: bool,
    folder: Path,
    *,
    cell: int | None = None,
    file: str = "",
) -> None:
    path = _local_file(module, folder)
    if path is not None:
        _follow(found, local, path, folder)
        return
    item = found.setdefault(module, Import(module, file=file))
    item.guarded = item.guarded and guarded
    if cell is not None and cell not in item.cells:
        item.cells.append(cell)


def _local_file(module: str, folder: Path) -> Path | None:
    """Return the file or package beside the notebook that a module's first name means."""
    top = folder / module.split(".")[0]
    if top.with_suffix(".py").is_file():
        return top.with_suffix(".py")
    if (top / "__init__.py").is_file():
        return top
    return None


def _follow(found: dict[str, Import], local: dict[Path, None], path: Path, folder: Path) -> None:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    for file in files:
        relative = file.relative_to(folder)
        if relative in local:
            continue
        local[relative] = None
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue  # the verified run will say it where it matters
        for module, guarded in _imported(tree):
            _add(found, local, module, guarded, folder, file=str(relative))


def _imported(tree: ast.AST, guarded: bool = False) -> Iterator[tuple[str, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, guarded) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(node, guarded)
        elif isinstance(node, ast.Try) and _catches_import_error(node):
            for statement in node.body:
                yield from _imported(ast.Module([statement], []), True)
            for part in (*node.handlers, *node.orelse, *node.finalbody):
                yield from _imported(ast.Module([part], []), guarded)  # type: ignore[list-item]
        else:
            if isinstance(node, ast.Call):
                yield from _by_name(node, guarded)
            yield from _imported(node, guarded)


def _from(node: ast.ImportFrom, guarded: bool) -> Iterator[tuple[str, bool]]:
    if node.level or not node.module:
        return
    # `from google.cloud import storage`: the module may be google.cloud.storage.
    yield from (
        (f"{node.module}.{a.name}" if a.name != "*" else node.module, guarded) for a in node.names
    )


def _by_name(node: ast.Call, guarded: bool) -> Iterator[tuple[str, bool]]:
    """Yield the module of ``importlib.import_module("literal")`` and ``__import__("literal")``."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in {"import_module", "__import__"} and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, guarded


def _catches_import_error(node: ast.Try) -> bool:
    caught = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(
        handler.type is None
        or any(isinstance(n, ast.Name) and n.id in caught for n in ast.walk(handler.type))
        for handler in node.handlers
    )
