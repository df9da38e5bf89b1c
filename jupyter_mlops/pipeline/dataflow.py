"""Who needs what from whom: the edges between cells, and the slice for a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from jupyter_mlops.notebook import Cell
from jupyter_mlops.parsed import collector_paused
from jupyter_mlops.pipeline.effects.flow import CellFlow
from jupyter_mlops.pipeline.effects.heap import reach
from jupyter_mlops.pipeline.effects.interpreter import interpret
from jupyter_mlops.pipeline.effects.world import World

EdgeKind = Literal["value", "definition", "state", "file"]
Evidence = Literal["static", "traced", "both"]


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """Cell ``target`` needs ``key`` from cell ``source`` (code cells, counted from 1)."""

    source: int
    target: int
    key: str
    kind: EdgeKind = "value"
    evidence: Evidence = "static"


@dataclass(frozen=True)
class Dataflow:
    """What every code cell does and needs; cells are counted from 1."""

    flows: Sequence[CellFlow]
    world: World

    def flow(self, number: int) -> CellFlow:
        """Return what a cell does."""
        return self.flows[number - 1]

    def edges(self) -> list[Edge]:
        """Return every edge, by target, source and key."""
        found = [
            Edge(source=source, target=flow.number, key=key, kind=_kind(flow, key))
            for flow in self.flows
            for key, sources in flow.uses.items()
            for source in sources
        ]
        return sorted(found, key=lambda edge: (edge.target, edge.source, edge.key))

    def producers(self, name: str) -> set[int] | None:
        """Return the cells that give a name's final value; ``None`` if no cell defines it."""
        binding = self.world.names.get(name)
        if binding is None:
            opened = {cell for cell, _ in self.world.open_cells}
            return opened or None
        cells = set(binding.cells)
        cells |= {obj.last for obj in reach(binding.value.objs) if obj.last}
        return cells

    def slice(self, names: Iterable[str]) -> list[int]:
        """Return the cells that are needed for the final values of the names, in order.

        Names that no cell defines are left out: ask ``producers`` for them first.
        """
        waiting = {cell for name in names for cell in self.producers(name) or ()}
        return self.upstream(waiting)

    def upstream(self, cells: Iterable[int]) -> list[int]:
        """Return the cells and every cell that they need, in order."""
        found: set[int] = set()
        waiting = list(cells)
        while waiting:
            number = waiting.pop()
            if number in found:
                continue
            found.add(number)
            for sources in self.flow(number).uses.values():
                waiting.extend(sources)
        return sorted(found)

    def downstream(self, names: Iterable[str], cell: int) -> list[int]:
        """Return the cells that a change of the values of names in a cell reaches, in order.

        The cell itself is among them only when it does more than bind these names.
        """
        changed = set(names)
        reached: set[int] = set()
        for flow in self.flows:
            if flow.number <= cell:
                continue
            for key, sources in flow.uses.items():
                from_cell = cell in sources and key in changed
                if from_cell or sources & reached:
                    reached.add(flow.number)
                    break
        return sorted(reached)


@collector_paused()
def analyze(
    cells: Sequence[Cell],
    parameters: Iterable[str] = (),
    stars: Mapping[str, Mapping[str, str]] | None = None,
) -> Dataflow:
    """Return what the cells of a notebook do; ``parameters`` are names given from outside.

    ``stars`` says what star imports bind (``Notebook.stars``); where it does not, anything.
    """
    interpreted = interpret(cells, parameters, stars)
    return Dataflow(interpreted.flows, interpreted.world)


def _kind(flow: CellFlow, key: str) -> EdgeKind:
    if key.startswith("<file"):
        return "file"
    if key.startswith("<"):
        return "state"
    return "definition" if key in flow.by_text else "value"
