"""The record of one cell of a traced run."""

from __future__ import annotations

import msgspec


class CellTrace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one code cell did while it ran. All lists are sorted, ``shared`` too.

    ``number`` counts code cells from 1; 0 stands for parameters that were given to a notebook
    without a parameters cell. ``seconds`` is the time of the cell without that of the tracer.

    Names are names of the notebook, pseudo-names such as ``<rng:numpy>`` are hidden state.
    ``read`` holds what the cell looked up, in its own lines and inside the notebook's functions
    that ran; ``own`` is the part of it that was bound earlier in the same cell, so that nothing
    came from before. ``bound`` names hold another object than before, ``mutated`` names hold the
    same object whose content changed. ``unchecked`` names may have been changed: they were
    within reach of the cell and are too big, or too opaque, to be compared.

    ``shared`` are groups of names that share a mutable object; only groups that are new or
    changed since the cell before. Files are relative to the working directory where below it;
    a folder that was listed ends with ``/``; ``*`` stands for files nobody can name.

    ``modules`` are the libraries that it loaded first, ``absent`` those that its own lines asked
    for and did not get, also where they can do without; ``sought`` what libraries did not get.
    """

    number: int
    seconds: float = 0.0
    read: list[str] = []
    own: list[str] = []
    bound: list[str] = []
    mutated: list[str] = []
    deleted: list[str] = []
    shared: list[list[str]] = []
    state: list[str] = []
    files_read: list[str] = []
    files_written: list[str] = []
    modules: list[str] = []
    absent: list[str] = []
    sought: list[str] = []
    unchecked: list[str] = []
    error: str = ""


class Problem(msgspec.Struct, frozen=True):
    """A line that says why nothing was recorded from here on."""

    problem: str
