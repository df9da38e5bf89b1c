"""Two extractors to test the harness with: one that cannot be wrong, one that must be caught."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from .case import Case, read
from .harness import Got
from .oracle import Forked
from .recorded import CellRecord
from .truth import stored, tree_of


class OneStep:
    """Everything is one step: always right, never useful."""

    def __init__(self, oracle: Forked) -> None:
        self._oracle = oracle

    def split_run(
        self, notebook: Path, *, split: str, parameters: Mapping[str, object], folder: Path
    ) -> Got:
        """Run the notebook as it is."""
        case = read(notebook)
        run = self._oracle.run(case, parameters)
        return Got(run.cells, run.values, steps=[list(_numbers(case))])

    def slice(self, notebook: Path, names: list[str]) -> list[int]:
        """All cells."""
        return list(_numbers(read(notebook)))

    def reached(self, notebook: Path, parameters: list[str]) -> set[int]:
        """All cells."""
        return set(_numbers(read(notebook)))

    def hidden(self, notebook: Path) -> list[str]:
        """Nothing at all."""
        return []


class NamesOnly(OneStep):
    """One step per cell, tied by the names they bind and read; knows nothing of mutation.

    A step is run after the cells that bind what it reads, as if their values had been loaded.
    """

    def split_run(
        self, notebook: Path, *, split: str, parameters: Mapping[str, object], folder: Path
    ) -> Got:
        """Run each cell after the cells that its names lead to."""
        case = read(notebook)
        records: list[CellRecord] = []
        values: dict[str, str] = {}
        for number in _numbers(case):
            run = self._oracle.run(case, parameters, self._before(case, number) | {number})
            failed = CellRecord(number, error=run.failed.error if run.failed else "")
            records.append(run.cell(number) or failed)
            values |= {k: v for k, v in run.values.items() if k in stored(case.code[number - 1])}
        return Got(records, values, steps=[[number] for number in _numbers(case)])

    def slice(self, notebook: Path, names: list[str]) -> list[int]:
        """The last cell that binds each name, and the cells that its names lead to."""
        case = read(notebook)
        found: set[int] = set()
        for name in names:
            binding = [n for n in _numbers(case) if name in stored(case.code[n - 1])]
            found |= {number for last in binding[-1:] for number in self._before(case, last)}
            found |= set(binding[-1:])
        return sorted(found)

    def reached(self, notebook: Path, parameters: list[str]) -> set[int]:
        """The cells whose names lead back to the first one."""
        case = read(notebook)
        return {n for n in _numbers(case) if n == 1 or 1 in self._before(case, n)}

    def _before(self, case: Case, number: int) -> set[int]:
        found: set[int] = set()
        waiting = [number]
        while waiting:
            reader = waiting.pop()
            for name in _used(case.code[reader - 1]):
                binding = [n for n in range(1, reader) if name in stored(case.code[n - 1])]
                if binding and binding[-1] not in found:
                    found.add(binding[-1])
                    waiting.append(binding[-1])
        return found


def _numbers(case: Case) -> range:
    return range(1, len(case.code) + 1)


def _used(source: str) -> set[str]:
    nodes = ast.walk(tree_of(source))
    return {node.id for node in nodes if isinstance(node, ast.Name) and node.id}
