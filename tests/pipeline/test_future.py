"""An import from ``__future__`` changes how all later cells are compiled, in any step."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from jupyter_mlops.exports import export_steps, slice_names
from jupyter_mlops.pipeline import dataflow
from tests.equivalence.ours import Ours
from tests.notebooks import make
from tests.pipeline.exported import read

FUTURE = "from __future__ import annotations"
SHOW = "y = str(f.__annotations__)"


def test_every_later_step_is_compiled_so(tmp_path: Path) -> None:
    """Where it is forgotten, an annotation is a class, not a text: another value, and no error."""
    cells = [FUTURE, "def f(v: int) -> Unknown:\n    return v", SHOW, "annotations = [1]"]
    cells += ["class A:\n    q: int = 1", "z = str(A.__annotations__)"]
    path = make(tmp_path / "notebook.ipynb", [*cells])
    with Ours() as ours:
        got = ours.split_run(path, split="cells", parameters={}, folder=tmp_path / "work")
    assert got.steps == [[1], [2], [3], [4], [5], [6]]
    assert got.merges == []
    assert got.values["y"] == repr("{'v': 'int', 'return': 'Unknown'}")
    assert got.values["z"] == repr("{'q': 'int'}")


@pytest.mark.parametrize(
    ("cell", "needed"),
    [
        ("def y(v: int): ...", True),
        ("def y(*v: int): ...", True),
        ("def y() -> int: ...", True),
        ("class y:\n    v: int", True),
        ("y: int = 1", True),
        ("def y(v): ...", False),
        ("y = 1", False),
    ],
)
def test_it_belongs_to_the_slice_of_what_is_annotated(
    tmp_path: Path, cell: str, needed: bool
) -> None:
    flow = dataflow.analyze(read(tmp_path, ["x = 1", FUTURE, cell]).cells)
    assert flow.slice(["y"]) == ([2, 3] if needed else [3])


@pytest.mark.parametrize("star", ["*", "**"])
def test_annotations_of_gathered_arguments_are_read(tmp_path: Path, star: str) -> None:
    cells = ["from typing import Any as T", f"def f({star}v: T):\n    return 1", "y = f()"]
    assert dataflow.analyze(read(tmp_path, [*cells]).cells).slice(["y"]) == [1, 2, 3]


@pytest.mark.parametrize(
    ("line", "y"),
    [
        ("from __future__ import annotations", 3),
        ("from __future__ import (annotations,\n    division)  # why", 3),
        ("'é'; from __future__ import annotations; x += 10", 13),
    ],
)
def test_a_file_has_it_at_its_head(tmp_path: Path, line: str, y: int) -> None:
    cells = ["x = 2", f"{line}\nx += 1", "def f(v: Unknown):\n    return x", "y = f(1)"]
    path = make(tmp_path / "notebook.ipynb", [*cells, "exec('z = 1')"])
    slice_names(path, ["y"], tmp_path / "slice.py")
    assert runpy.run_path(str(tmp_path / "slice.py"))["y"] == y
    export_steps(path, tmp_path / "steps.py")
    assert "stand in order, not in functions" in (tmp_path / "steps.py").read_text()
    assert runpy.run_path(str(tmp_path / "steps.py"))["y"] == y
