"""Code and run held against each other; towards safety, and told."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline import dataflow, evidence
from jupyter_mlops.runtime.trace.models import CellTrace


def cells(*sources: str) -> list[Cell]:
    return [Cell(i, i + 1, source, frozenset()) for i, source in enumerate(sources)]


def settled(sources: list[str], traces: list[CellTrace]) -> evidence.Evidence:
    return evidence.settle(dataflow.analyze(cells(*sources)), traces)


def test_what_both_saw_and_what_only_the_code_says() -> None:
    flow = dataflow.analyze(cells("a = 1", "b = 2", "c = a if a else b"))
    traces = [
        CellTrace(number=1, bound=["a"]),
        CellTrace(number=2, bound=["b"]),
        CellTrace(number=3, read=["a"], bound=["c"]),
    ]
    found = evidence.settle(flow, traces)
    assert {(e.source, e.key): e.evidence for e in found.edges} == {
        (1, "a"): "both",
        (2, "b"): "static",
    }
    assert found.together == [] and found.contradictions == []


def test_without_a_run_there_is_the_code_only() -> None:
    flow = dataflow.analyze(cells("a = 1", "a"))
    found = evidence.settle(flow, None)
    assert [e.evidence for e in found.edges] == ["static"]


def test_what_only_the_run_showed_is_an_edge_and_keeps_cells_together() -> None:
    sources = ["a = 1", "b = 2", "c = 3"]
    traces = [
        CellTrace(number=1, bound=["a"]),
        CellTrace(number=2, bound=["b"]),
        CellTrace(number=3, read=["a"], bound=["c"]),
    ]
    found = settled(sources, traces)
    assert [(e.source, e.target, e.key, e.evidence) for e in found.edges] == [(1, 3, "a", "traced")]
    assert [(first, last) for first, last, _ in found.together] == [(1, 3)]
    assert found.contradictions == [
        "The run showed that cell 3 needs 'a' from cell 1, which the code does not tell: "
        "they stay in one step"
    ]


def test_a_change_that_the_code_does_not_tell_is_said() -> None:
    found = settled(
        ["a = [1]", "b = 2"],
        [CellTrace(number=1, bound=["a"]), CellTrace(number=2, bound=["b"], mutated=["a"])],
    )
    assert found.contradictions == [
        "The run showed that cell 2 changes 'a', which its code does not tell"
    ]


def test_a_trace_belongs_to_the_very_cells_that_ran(tmp_path: Path) -> None:
    traced = tmp_path / "trace.jsonl"
    record = CellTrace(number=1, bound=["a"])
    traced.write_bytes(msgspec.json.encode(record) + b"\n")
    evidence.keep(tmp_path / "traces", cells("a = 1"), traced)
    assert evidence.recall(tmp_path / "traces", cells("a = 1")) == [record]
    assert evidence.recall(tmp_path / "traces", cells("a = 2")) is None


def test_a_trace_that_broke_off_is_no_evidence(tmp_path: Path) -> None:
    traced = tmp_path / "trace.jsonl"
    traced.write_bytes(b'{"problem":"Tracing ended at cell 1: out of luck"}\n')
    evidence.keep(tmp_path / "traces", cells("a = 1"), traced)
    assert evidence.recall(tmp_path / "traces", cells("a = 1")) is None


def test_only_the_newest_traces_are_kept(tmp_path: Path) -> None:
    traced = tmp_path / "trace.jsonl"
    traced.write_bytes(msgspec.json.encode(CellTrace(number=1)) + b"\n")
    folder = tmp_path / "traces"
    for number in range(evidence.KEPT + 3):
        evidence.keep(folder, cells(f"a = {number}"), traced)
        name = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(name, (number, number))
    evidence.keep(folder, cells("last = 1"), traced)
    assert len(list(folder.iterdir())) == evidence.KEPT
    assert evidence.recall(folder, cells("a = 0")) is None
    assert evidence.recall(folder, cells("last = 1")) is not None
