"""Edges from what a traced run recorded."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.pipeline.trace import edges, problems, read
from jupyter_mlops.runtime.trace.models import CellTrace, Problem


def cell(number: int, **fields: object) -> CellTrace:
    return msgspec.convert({"number": number, **fields}, CellTrace)


def test_the_last_cell_that_bound_or_changed() -> None:
    found = edges(
        [
            cell(1, bound=["a", "b"]),
            cell(2, bound=["a"]),
            cell(3, read=["a", "b"], mutated=["b"]),
            cell(4, read=["a", "b", "unknown"]),
            cell(5, read=["b", "x"], own=["b"]),
            cell(6, deleted=["a"]),
        ]
    )
    assert found == [(1, 3, "b"), (2, 3, "a"), (2, 4, "a"), (2, 6, "a"), (3, 4, "b")]


def test_a_change_under_another_name() -> None:
    traces = [
        cell(1, bound=["a", "b"], shared=[["a", "b"]]),
        cell(2, read=["a"], unchecked=["a"]),
        cell(3, read=["b"]),
        cell(4, bound=["b"]),
        cell(5, read=["a"], mutated=["a"]),
        cell(6, read=["b"]),
    ]
    assert edges(traces) == [(1, 2, "a"), (1, 3, "b"), (2, 3, "b"), (2, 5, "a"), (4, 6, "b")]


def test_state_and_files() -> None:
    traces = [
        cell(1, state=["<rng:numpy>"], files_written=["a.csv", "d/b.csv"]),
        cell(2, files_read=["a.csv"]),
        cell(3, state=["<rng:numpy>"], files_written=["a.csv"]),
        cell(4, state=["<rng:numpy>"], files_read=["a.csv", "d/"]),
        cell(5, files_read=["*"]),
    ]
    assert edges(traces) == [
        (1, 2, "<file:a.csv>"),
        (1, 3, "<rng:numpy>"),
        (1, 4, "<file:d/b.csv>"),
        (1, 5, "<file:d/b.csv>"),
        (3, 4, "<file:a.csv>"),
        (3, 4, "<rng:numpy>"),
        (3, 5, "<file:a.csv>"),
    ]


def test_what_was_shown() -> None:
    traces = [cell(1, bound=["_"]), cell(2, bound=["_"]), cell(3, read=["_", "Out"])]
    assert edges(traces) == [(1, 3, "Out"), (2, 3, "Out"), (2, 3, "_")]


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    first = cell(1, bound=["a"], seconds=1.0)
    given = cell(1, bound=["a"], read=["a", "z"], seconds=0.5)
    lines = [msgspec.json.encode(each) for each in (first, given, cell(2, read=["a"]))]
    path.write_bytes(b"\n".join(lines) + b'\n{"number": 3, "rea')
    found = read(path)
    assert [each.number for each in found] == [1, 2]
    assert (found[0].seconds, found[0].read, found[0].own) == (1.5, ["a", "z"], ["a"])
    assert problems(path) == []
    path.write_bytes(msgspec.json.encode(Problem("It ended.")) + b"\n")
    assert (read(path), problems(path)) == ([], ["It ended."])
    with pytest.raises(OSError, match="absent"):
        read(tmp_path / "absent")
