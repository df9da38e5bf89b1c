"""What a run showed, held against what the code says: whoever needs more is believed.

An edge that the code gives and the run did not show stays: another run may take the other branch.
An edge that only the run showed is added, and the cells at its two ends stay in one step.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline import trace
from jupyter_mlops.pipeline.dataflow import Dataflow, Edge
from jupyter_mlops.pipeline.effects.flow import CellFlow
from jupyter_mlops.pipeline.plan import Together
from jupyter_mlops.runtime.trace.models import CellTrace

#: How many notebooks' traces are kept.
KEPT = 200


@dataclass(frozen=True)
class Evidence:
    """The edges with who saw them, and where code and run contradict each other.

    ``together`` are the spans (first cell, last cell, reason) that must stay in one step;
    ``contradictions`` are sentences. Both are empty where the run showed nothing new.
    """

    edges: list[Edge]
    together: list[Together] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)


def settle(flow: Dataflow, traces: Sequence[CellTrace] | None) -> Evidence:
    """Return the edges after a traced run of the same cells; ``None``: there was none."""
    static = flow.edges()
    if traces is None:
        return Evidence(edges=static)
    by_number = {t.number: t for t in traces if 0 < t.number <= len(flow.flows)}
    shown = {e for e in trace.edges(list(traces)) if e[0] in by_number and e[1] in by_number}
    edges = [
        msgspec.structs.replace(edge, evidence="both")
        if (edge.source, edge.target, edge.key) in shown
        else edge
        for edge in static
    ]
    evidence = Evidence(edges=edges)
    known = {(edge.source, edge.target, edge.key) for edge in static}
    for source, target, key in sorted(shown - known):
        if _is_need(by_number[target], key):
            edge = Edge(source=source, target=target, key=key, evidence="traced")
            evidence.edges.append(edge)
            _contradiction(evidence, flow, edge)
    for number, record in sorted(by_number.items()):
        evidence.contradictions.extend(_undeclared(flow.flow(number), record))
    evidence.edges.sort(key=lambda edge: (edge.target, edge.source, edge.key))
    return evidence


def _is_need(record: CellTrace, key: str) -> bool:
    """Tell a need from a mere change: who changes a thing under one name needs no other name."""
    return key in record.read and key not in record.own


def _contradiction(evidence: Evidence, flow: Dataflow, edge: Edge) -> None:
    if edge.source in flow.upstream([edge.target]):
        return  # they are in this order already, and the value goes with what is handed over
    why = (
        f"The run showed that cell {edge.target} needs '{edge.key}' from cell {edge.source}, "
        "which the code does not tell"
    )
    evidence.together.append((edge.source, edge.target, why))
    evidence.contradictions.append(f"{why}: they stay in one step")


def _undeclared(cell: CellFlow, record: CellTrace) -> list[str]:
    """Say which names a cell changed although its code does not tell."""
    told = cell.writes | cell.deletes | cell.may_delete | {"_"}
    names = sorted({*record.bound, *record.mutated, *record.deleted} - told)
    if not names or cell.notes:  # a note says already that anything may be changed
        return []
    shown = ", ".join(f"'{name}'" for name in names)
    return [f"The run showed that cell {cell.number} changes {shown}, which its code does not tell"]


def keep(folder: Path, cells: Sequence[Cell], traced: Path) -> None:
    """Keep the trace of these cells, for who analyses them again; the oldest ones go."""
    if not traced.is_file() or trace.problems(traced):
        return
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / _file_name(cells)
    unfinished = target.with_suffix(".part")
    shutil.copyfile(traced, unfinished)
    unfinished.replace(target)
    found = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    for old in found[:-KEPT]:
        with suppress(OSError):
            old.unlink()


def recall(folder: Path, cells: Sequence[Cell]) -> list[CellTrace] | None:
    """Return the trace of the last verified run of exactly these cells, if there was one."""
    try:
        return trace.read(folder / _file_name(cells))
    except OSError:
        return None


def _file_name(cells: Sequence[Cell]) -> str:
    text = json.dumps([cell.source for cell in cells])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] + ".jsonl"
