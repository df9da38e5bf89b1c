"""Whether running a step again would give the same, as far as its text tells; if not, why."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.flow import CellFlow

#: Hidden state that the process brings along, whatever the notebook sets of it.
FROM_OUTSIDE = {
    "<environ>": "reads environment variables",
    "<cwd>": "asks for its working directory",
}


def verdict(flow: Dataflow, flows: Sequence[CellFlow]) -> tuple[bool, str]:
    """Return whether a step of these cells can be cached, and every reason why not."""
    reasons = sorted({why for cell in flows for why in cell.varies})
    opened = dict(flow.world.open_cells)
    for cell in flows:
        number = cell.number
        for key in sorted(cell.touches):
            if key.startswith("<rng:") and not any(key in f.sets for f in flow.flows[:number]):
                reasons.append(f"cell {number} draws random numbers without a seed")
        reasons += [
            f"cell {number} {what}" for key, what in FROM_OUTSIDE.items() if key in cell.looks
        ]
        if number in opened and not opened[number].startswith("from "):
            reasons.append(f"cell {number}: {opened[number]}")
    return not reasons, "; ".join(dict.fromkeys(reasons))
