"""What a notebook's analysis costs, whole and after one changed cell, beside its peers.

Every round has notebooks of its own, cold for every side: 10, 100 and 1 000 cells out of the
corpus (see ``cells.py``). *Whole* is from the texts of the cells to the graph between them; ours
also divides it into steps. *Changed* is the same again after a line was added to one cell: what
a panel waits for that follows a person who types. *Everything* is all that ``jupyter mlops
analyze`` reads from the text: parameters, steps, the slice that predicts, what is fitted.

Peers run in environments of their own, which are made first, in turn with ours. What is measured
is processor time: nobody waits for anything here, and other work on the machine does not count.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat

from benchmarks import peers
from benchmarks.cells import sources
from benchmarks.peers import Peer
from benchmarks.table import Grid
from jupyter_mlops import notebook as notebooks
from jupyter_mlops import parsed
from jupyter_mlops.analyze import extract
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import dataflow
from jupyter_mlops.pipeline.plan import make_plan
from tests.equivalence.case import KERNEL

SIZES = (10, 100, 1000)
OURS, EVERYTHING = "ours", "ours, everything"


def measure(rounds: int) -> Grid:
    """Measure all sizes, each peer after ours in each round; milliseconds a cell."""
    grid = Grid("Analysis (milliseconds a cell, median)")
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        started = peers.install(folder)
        try:
            for number in range(rounds):
                for size in SIZES:
                    _one_notebook(grid, folder, started, sources(size, number), number)
        finally:
            for peer in started:
                peer.close()
        grid.notes += [note for peer in started for note in peer.notes]
    return grid


def _one_notebook(
    grid: Grid, folder: Path, started: Sequence[Peer], texts: list[str], number: int
) -> None:
    size = len(texts)
    whole = f"{size} cells, whole"
    _ours(grid, whole, folder, texts)
    for peer in started:
        _ask(grid, whole, peer, {"cells": texts}, size)
    for name, index in (("first", 0), ("middle", size // 2), ("last", size - 1)):
        row = f"{size} cells, the {name} one changed"
        _ours(grid, row, folder, texts, index)
        text = f"{texts[index]}\nchanged = {number}"
        for peer in started:
            _ask(grid, row, peer, {"change": index, "text": text}, size)


def _ours(
    grid: Grid, row: str, folder: Path, texts: Sequence[str], changed: int | None = None
) -> None:
    """Measure ours, with nothing known of the cells or all but the one that is changed."""
    for column in (OURS, EVERYTHING):
        now = list(texts)
        if changed is None:
            parsed.of.cache_clear()
            parsed.with_magics.cache_clear()
        else:
            now[changed] += f"\nchanged = {column!r}"
        book = _read(folder / "notebook.ipynb", now)
        gc.collect()
        began = time.process_time()
        if column == OURS:
            with parsed.collector_paused():  # as in extract()
                make_plan(book, dataflow.analyze(book.cells))
        else:
            extract(book)
        grid.add(row, column, (time.process_time() - began) / len(texts) * 1000)


def _read(path: Path, texts: Sequence[str]) -> Notebook:
    node = nbformat.v4.new_notebook(metadata=KERNEL)
    node.cells = [nbformat.v4.new_code_cell(text) for text in texts]
    nbformat.write(node, path)
    return notebooks.read(path)


def _ask(grid: Grid, row: str, peer: Peer, request: dict[str, object], size: int) -> None:
    answer = peer.ask(request, size)
    if answer is None:
        return
    grid.add(row, peer.name, answer["seconds"] / size * 1000)
    if answer["unread"]:
        note = f"{peer.name} cannot read some cells"
        grid.unread[note] = max(grid.unread.get(note, 0), answer["unread"] / size)
