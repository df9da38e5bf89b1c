"""Which steps need what a step could not hand over: they run together with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.plan import PlannedStep


def last_needs(flow: Dataflow, keys: Iterable[str], later: Sequence[PlannedStep]) -> dict[str, int]:
    """Return, by name or hidden state, the last cell of the last later step that needs it.

    A step behind one that surely binds a name anew needs that, and not what it was before.
    """
    waiting = set(keys)
    found: dict[str, int] = {}
    for step in later:
        found |= {key: step.cells[-1] for key in waiting if needs(step, key)}
        flows = [flow.flow(cell) for cell in step.cells]
        waiting -= {name for each in flows for name in each.binds - each.may_delete}
    return found


def needs(step: PlannedStep, key: str) -> bool:
    """Tell whether a step needs a name or hidden state that could not be handed over."""
    if key.startswith("<module:"):
        module = key[8:-1].partition(".")[0]
        return any(module in item.source for item in step.definitions) or key in step.state
    if key.startswith("<file:") and {key[6:-1], "*"} & set(step.files_read):
        return True
    return key in step.reads or key in step.optional or key in step.state
