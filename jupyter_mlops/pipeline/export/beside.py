"""What lies beside a notebook and must go with it: data that it reads, modules that it imports."""

from __future__ import annotations

import ast
from pathlib import Path

from jupyter_mlops.notebook import Notebook
from jupyter_mlops.parsed import tree_of
from jupyter_mlops.pipeline import files
from jupyter_mlops.pipeline.plan import Plan

MAX_TOTAL = 256 * 1024**2  # bytes of files that no cell names but that one may read


def needed_files(notebook: Notebook, plan: Plan) -> list[str]:
    """Return paths relative to the notebook's folder, in order; only what is there."""
    folder = notebook.path.parent
    found = {path for path in files.beside(notebook) if _inside(folder, folder / path)}
    for step in plan.steps:
        for each in step.files_read:
            if each == "*":
                found |= _everything(folder)
            elif not Path(each).is_absolute() and ".." not in Path(each).parts:
                found |= _files(folder, each)
    trees = [cell.tree for cell in notebook.cells]
    found |= _modules(folder, trees)
    return sorted(found)


def _files(folder: Path, pattern: str) -> set[str]:
    paths = list(folder.glob(pattern)) if any(c in pattern for c in "*?[") else [folder / pattern]
    every = [each for path in paths for each in (path.rglob("*") if path.is_dir() else [path])]
    return {_relative(folder, each) for each in every if each.is_file() and _inside(folder, each)}


def _everything(folder: Path) -> set[str]:
    """Return all files, for a step that reads what is not known; none if that is too much."""
    found: set[str] = set()
    total = 0
    waiting = [folder]
    while waiting and total <= MAX_TOTAL:
        for path in sorted(waiting.pop().iterdir()):
            if path.name.startswith((".", "__pycache__")) or path.is_symlink():
                continue
            if path.is_dir():
                waiting.append(path)
            elif path.suffix != ".ipynb":
                total += path.stat().st_size
                found.add(_relative(folder, path))
    return found if total <= MAX_TOTAL else set()


def _inside(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _relative(folder: Path, path: Path) -> str:
    return path.resolve().relative_to(folder.resolve()).as_posix()


def _modules(folder: Path, trees: list[ast.Module]) -> set[str]:
    """Return the Python files that are imported from beside, and those that these import."""
    found: set[str] = set()
    waiting = list(trees)
    while waiting:
        for name in _imported(waiting.pop()):
            package = folder / name
            paths = list(package.rglob("*.py")) if package.is_dir() else [folder / f"{name}.py"]
            for path in paths:
                if not path.is_file() or not _inside(folder, path):
                    continue
                relative = _relative(folder, path)
                if relative not in found:
                    found.add(relative)
                    try:
                        waiting.append(tree_of(path.read_bytes()))
                    except (SyntaxError, ValueError):
                        continue
    return found


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names
