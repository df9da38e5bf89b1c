"""The registry of kinds, and the notebooks that they spoil."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

#: Returns the bytes of a notebook file; ``None`` when it has put something else at the path, or
#: another path at which it has put something.
Make = Callable[[Random, Path], bytes | Path | None]

KINDS: dict[str, Make] = {}
#: Kinds that take seconds: a few of each are enough.
HEAVY: set[str] = set()

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
#: One value of every type of JSON, and some that look like others.
WRONG: list[Any] = [
    None, True, False, 0, -1, 3, 2.5, 1e300, "", "x", "4", [], [1], [None, {}], {}, {"x": 1},
    {"name": None}, {"name": 3}, [["a"]], "é\u2028\x00",
]  # fmt: skip


def kind(make: Make) -> Make:
    """Register a kind under its function's name."""
    KINDS[make.__name__] = make
    return make


def heavy(make: Make) -> Make:
    """Register a kind of which there are few."""
    HEAVY.add(make.__name__)
    return kind(make)


def code(source: Any, **more: Any) -> dict[str, Any]:
    """Return a code cell."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    return {**cell, "source": source, **more}


def tagged(tags: Any, source: Any) -> dict[str, Any]:
    """Return a code cell with tags."""
    return code(source, metadata={"tags": tags})


def markdown(source: Any) -> dict[str, Any]:
    """Return a Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(cells: Any, **more: Any) -> dict[str, Any]:
    """Return a notebook of format 4.5; its cells get ids where they are cells."""
    cells = copy.deepcopy(cells)  # some hold constants of this folder
    if isinstance(cells, list):
        for number, cell in enumerate(cells):
            if isinstance(cell, dict):
                cell.setdefault("id", f"cell-{number}")
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": copy.deepcopy(KERNEL),
        "cells": cells,
        **more,
    }


def dumped(content: Any) -> bytes:
    """Return JSON as bytes; lone surrogates and NaN stand in it as Python writes them."""
    return json.dumps(content).encode()


def of_texts(texts: list[str]) -> bytes:
    """Return a valid notebook of code cells."""
    return dumped(notebook([code(text) for text in texts]))
