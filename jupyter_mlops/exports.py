"""Take a notebook elsewhere: its steps as a folder or a module, or the slice of a name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import stars
from jupyter_mlops.errors import NotebookError, UsageError
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import dataflow, export, parameters, slices
from jupyter_mlops.pipeline.boundaries import How
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.plan import make_plan
from jupyter_mlops.pipeline.slices import NameSlice


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written; ``notebooks`` are in the order in which they run."""

    output: str
    steps: list[str]
    notebooks: list[str] = []
    notes: list[str] = []


def export_steps(path: Path | str, output: Path, split: How = "auto") -> Exported:
    """Write a notebook's steps as a folder of notebooks, or as one module (``OUT.py``).

    Raises ``NotebookError``: no notebook, a folder that is not empty, code that cannot leave
    IPython for a module.
    """
    notebook, flow = _read(path)
    plan = make_plan(notebook, flow, split)
    steps = [step.name for step in plan.steps]
    notes = [reason for step in plan.steps for reason in step.merged]
    if output.suffix == ".py":
        _write(output, export.to_module(notebook, plan))
        return Exported(output=str(output), steps=steps, notes=notes)
    written = export.export_folder(notebook, plan, output)
    names = [each.name for each in written]
    return Exported(output=str(output), steps=steps, notebooks=names, notes=notes)


def slice_names(path: Path | str, names: Sequence[str], output: Path | None = None) -> NameSlice:
    """Return the cells that names need, and write them to ``OUT.py`` or ``OUT.ipynb`` if asked.

    Raises ``NotebookError`` for names that no cell defines, ``UsageError`` for another ending.
    """
    if output is not None and output.suffix not in (".py", ".ipynb"):
        raise UsageError(
            f"A slice cannot be written as '{output.suffix or output.name}'",
            remedy="Name a file that ends in .py or .ipynb",
            where=str(output),
        )
    notebook, flow = _read(path)
    chosen = slices.take(notebook, flow, names)
    if output is not None and output.suffix == ".py":
        _write(output, slices.as_python(notebook, flow, chosen))
    elif output is not None:
        import nbformat

        _write(output, nbformat.writes(slices.as_notebook(notebook, chosen)) + "\n")
    return chosen


def _read(path: Path | str) -> tuple[Notebook, Dataflow]:
    notebook = stars.resolve(notebooks.read(path))
    names = [each.name for each in parameters.find(notebook).parameters]
    return notebook, dataflow.analyze(notebook.cells, names, notebook.stars)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")  # a file is whole, or as it was
        try:
            part.write_bytes(text.encode())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise NotebookError(
            "The file cannot be written", why=error.strerror or str(error), where=str(path)
        ) from None
