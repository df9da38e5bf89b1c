"""From a kind and a seed to one file: the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import Random

from . import broken_code, broken_files, odd_parameters, shapes, sizes  # noqa: F401  (register)
from .kinds import HEAVY, KINDS

#: One in so many is of a heavy kind.
HEAVY_IN = 200


def plan(count: int, seed: int = 0) -> Iterator[tuple[str, int]]:
    """Yield ``count`` pairs of a kind and a seed; all kinds in turn, heavy ones now and then."""
    usual = cycle(sorted(set(KINDS) - HEAVY))
    few = cycle(sorted(HEAVY))
    for number in range(seed, seed + count):
        yield next(few if number % HEAVY_IN == HEAVY_IN - 1 else usual), number


def make(kind: str, seed: int, folder: Path) -> Path:
    """Write the notebook of a kind and a seed into a folder, and return its path."""
    path = folder / f"{kind.replace('_', '-')}-{seed}.ipynb"
    content = KINDS[kind](Random(f"{kind} {seed}"), path)
    if isinstance(content, Path):
        return content
    if content is not None:
        path.write_bytes(content)
    return path
