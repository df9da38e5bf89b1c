"""Where to cut a notebook that says nothing of steps: where little is handed over."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.flow import CellFlow
from jupyter_mlops.pipeline.phases import Kind, phase

CELLS_PER_STEP = 2.5
MOST_STEPS = 8
#: So many places are weighed against each other; in a long notebook the cheapest of each stretch.
MOST_CANDIDATES = 120
ATOM, STATE, TEXT = 0.3, 0.5, 0.05
SAME_PHASE, NO_PHASE, ONLY_LOOKS = 1.0, 0.4, 2.0


def starts(cells: Sequence[Cell], kinds: Sequence[Kind], flow: Dataflow) -> list[int]:
    """Return the cells (counted from 1) at which steps begin, but for the first one.

    Few and small values cross a cut; what cannot be handed over stays together; imports,
    definitions and parameters stay with the first work behind them.
    """
    work = [kind == "work" for kind in kinds]
    steps = min(MOST_STEPS, round(sum(work) / CELLS_PER_STEP))
    if steps < 2:
        return []
    allowed = _allowed(kinds, flow)
    costs = _costs(cells, work, flow)
    size = -(-len(allowed) // MOST_CANDIDATES) or 1
    stretches = [allowed[first : first + size] for first in range(0, len(allowed), size)]
    places = [min(stretch, key=lambda place: costs[place]) for stretch in stretches]
    return _cheapest(places, costs, work, sum(work) / steps)


def _allowed(kinds: Sequence[Kind], flow: Dataflow) -> list[int]:
    """Return the cells before which a cut may be made."""
    count = len(kinds)
    tied = [0] * (count + 2)
    for first, last in _together(flow):
        tied[first + 1] += 1
        tied[last + 1] -= 1
    work_ahead = [False] * (count + 2)
    for number in range(count, 0, -1):
        work_ahead[number] = work_ahead[number + 1] or kinds[number - 1] == "work"
    found, depth, work_behind = [], 0, False
    for number in range(1, count + 1):
        depth += tied[number]
        after_work = number > 1 and kinds[number - 2] == "work"
        if depth == 0 and work_behind and after_work and work_ahead[number]:
            found.append(number)
        work_behind = work_behind or kinds[number - 1] == "work"
    return found


def _together(flow: Dataflow) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for cell in flow.flows:
        found += [(origin, cell.number) for origin, _ in cell.held.values()]
        found += [(text.cell, cell.number) for text in cell.stale]
        for key, sources in cell.uses.items():
            if key.startswith("<module:"):
                found.append((min(sources), cell.number))
    return [(first, last) for first, last in found if first < last]


def _costs(cells: Sequence[Cell], work: Sequence[bool], flow: Dataflow) -> list[float]:
    """Return, by cell, what a cut before it costs; 1 is the average of what crosses."""
    crossing = _crossing(flow, len(cells))
    mean = sum(crossing) / max(1, sum(1 for each in crossing if each)) or 1.0
    costs = [each / mean for each in crossing]
    before = ""
    for cell in cells:
        if not work[cell.number - 1]:
            continue
        own = flow.flow(cell.number)
        now = phase(cell, own)
        if _only_looks(own) and now not in ("evaluate", "plot", "save"):
            costs[cell.number] += ONLY_LOOKS
        elif not now:
            costs[cell.number] += NO_PHASE
        elif now == before:
            costs[cell.number] += SAME_PHASE
        before = now or before
    return costs


def _only_looks(flow: CellFlow) -> bool:
    return not (flow.writes or flow.deletes or flow.files_out)


def _crossing(flow: Dataflow, count: int) -> list[float]:
    """Return, by cell, the weight of the names that a cut before it would hand over."""
    change = [0.0] * (count + 2)
    ends: dict[str, int] = {}
    for cell in flow.flows:
        for key, sources in cell.uses.items():
            # Every use is at a later cell than the last, so spans of a name are merged in order.
            first = max(min(sources), ends.get(key, 0))
            if first < cell.number:
                weight = TEXT if key in cell.by_text else _weight(flow, key)
                change[first + 1] += weight
                change[cell.number + 1] -= weight
            ends[key] = cell.number
    total, result = 0.0, []
    for each in change[: count + 1]:
        total += each
        result.append(max(0.0, total))
    return result


def _weight(flow: Dataflow, key: str) -> float:
    if key.startswith("<"):
        return STATE
    binding = flow.world.names.get(key)
    return ATOM if binding is not None and not binding.value.objs else 1.0


def _cheapest(
    places: Sequence[int], costs: Sequence[float], work: Sequence[bool], length: float
) -> list[int]:
    """Return the cuts whose costs, and steps of very different lengths, add up to the least."""
    done = [0]
    for each in work:
        done.append(done[-1] + each)
    ends = [1, *places, len(work) + 1]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for index in range(1, len(ends)):
        options = []
        for before in range(index):
            size = (done[ends[index] - 1] - done[ends[before] - 1]) / length
            uneven = (size - 1) ** 2 * (1.0 if size > 1 else 0.5)
            options.append((best[before][0] + uneven, before))
        total, chosen = min(options)
        final = index == len(ends) - 1
        best.append((total if final else total + costs[ends[index]], chosen))
    found: list[int] = []
    index = best[-1][1]
    while index:
        found.append(ends[index])
        index = best[index][1]
    return sorted(found)
