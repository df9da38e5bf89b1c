"""Which cells of a notebook will run, in which order, under which numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.trace.start import source

# Modules beside the notebook that are looked through, and the size of the biggest, in bytes.
MODULES = 200
SIZE = 1 << 20


def setup(
    cells: Iterable[Any], path: Path, folder: Path, *, number_key: str, own_key: str, skip_tag: str
) -> str:
    """Return the code that begins the trace of a notebook whose parameters are in place.

    ``number_key`` is the metadata with a cell's number, ``own_key`` marks cells of the runner;
    ``folder`` is the working directory. Given parameters belong to the cell before them.
    """
    numbers: list[int | None] = []
    texts = []
    last = 0
    for cell in cells:
        if cell.cell_type != "code":
            continue
        last = cell.metadata.get(number_key, last)
        if not cell.source.strip() or skip_tag in cell.metadata.get("tags", []):
            continue
        own = bool(cell.metadata.get(own_key))
        numbers.append(None if own else last)
        texts.append("" if own else cell.source)
    return source(path, numbers, [*texts, *_modules(folder)])


def _modules(folder: Path) -> list[str]:
    """Return the texts of the modules beside the notebook, for they may compile its functions."""
    found = []
    for place in sorted([*folder.glob("*.py"), *folder.glob("*/*.py")])[:MODULES]:
        try:
            if place.stat().st_size <= SIZE and "site-packages" not in place.parts:
                found.append(place.read_text(errors="replace"))
        except OSError:
            continue
    return found
