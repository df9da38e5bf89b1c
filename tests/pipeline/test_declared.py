"""Names that a notebook itself wants captured."""

from __future__ import annotations

from pathlib import Path

from jupyter_mlops import notebook as notebooks
from jupyter_mlops.pipeline import dataflow
from jupyter_mlops.pipeline.declared import declared
from tests.notebooks import make


def told(path: Path, *cells: str) -> tuple[dict[str, str], list[str]]:
    notebook = notebooks.read(make(path / "n.ipynb", cells))
    found, problems = declared(notebook, dataflow.analyze(notebook.cells, [], {}))
    return found, [problem.sentence() for problem in problems]


def test_the_lines_of_the_magic(tmp_path: Path) -> None:
    cells = ["a, b = 1, 2\nc = 3", "%mlops_capture a b", "if True:\n    %mlops_capture c\nx = 1"]
    assert told(tmp_path, *cells) == (
        {
            "a": "%mlops_capture in cell 2",
            "b": "%mlops_capture in cell 2",
            "c": "%mlops_capture in cell 3",
        },
        [],
    )
    assert told(tmp_path, "text = '%mlops_capture a'", "# %mlops_capture a") == ({}, [])


def test_what_cannot_be_captured_is_said_before_anything_runs(tmp_path: Path) -> None:
    found, problems = told(tmp_path, "a = 1", "%mlops_capture a gone a.b")
    assert set(found) == {"a", "gone"}
    assert len(problems) == 2
    assert any("'gone' is to be captured, but no cell defines it" in text for text in problems)
    assert any("'a.b' is none" in text for text in problems)
