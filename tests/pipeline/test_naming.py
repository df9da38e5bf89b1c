from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.pipeline import dataflow, parameters
from jupyter_mlops.pipeline.boundaries import Group, How, split
from jupyter_mlops.pipeline.naming import LONGEST, names, slug
from tests.notebooks import Cell
from tests.pipeline.exported import read
from tests.pipeline.test_boundaries import SCIENCE


def named(folder: Path, cells: list[Cell] | list[str], how: How = "cells") -> list[str]:
    found = read(folder, cells)
    given = [each.name for each in parameters.find(found).parameters]
    flow = dataflow.analyze(found.cells, given)
    return names(split(found, flow, how), found, flow)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Load the data", "load-the-data"),
        ("2.1 Größe & Maße", "grosse-masse"),
        ("Step 3: Train!", "train"),
        ("What's next?", "whats-next"),
        ("3", "3"),
        ("2024 in numbers", "2024-in-numbers"),
        ("IV. Results", "results"),
        ("数据", ""),
        ("a word " * 12, "a-word-a-word-a-word-a-word-a-word-a"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected
    assert len(slug(text)) <= LONGEST


def test_what_cells_do_names_them(tmp_path: Path) -> None:
    found = named(tmp_path, SCIENCE)
    assert found[0] == "setup"
    assert found[2] == "load-df"
    assert found[4].startswith("prepare-df")
    assert found[8] == "train-model"
    assert found[9] == "evaluate-model"
    assert found[11] == "plot-df"
    assert found[12] == "save-predicted"
    assert len(set(found)) == len(found)


def test_titles_become_slugs_and_twins_are_numbered(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("markdown", "## Load"), "a = abs(1)",
        ("markdown", "## Load"), "b = abs(a)",
        ("markdown", "## 数据"), "c = abs(b)",
    ]  # fmt: skip
    assert named(tmp_path, cells, "headings") == ["load", "load-2", "compute-c"]


def test_definitions_and_parameters(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("parameters", "n = 3"), "import os", "def load_data():\n    return 1",
        "class A:\n    pass\ndef f():\n    pass", "xs = [1, 2]", "print(load_data(), n)",
    ]  # fmt: skip
    found = named(tmp_path, cells)
    assert found[:5] == ["parameters", "setup", "define-load-data", "define", "set-xs"]


def test_an_edit_elsewhere_leaves_names(tmp_path: Path) -> None:
    before = named(tmp_path, SCIENCE)
    after = named(tmp_path, [*SCIENCE[:6], "print(len(df))", *SCIENCE[6:], "print(error)"])
    assert before[2:6] == after[2:6]
    assert before[8] == after[9]


def test_long_titles_stay_unique(tmp_path: Path) -> None:
    cells: list[Cell] = []
    for number in range(3):
        cells += [("markdown", "## " + "x" * 60), f"v{number} = abs({number})"]
    found = named(tmp_path, cells, "headings")
    assert len(set(found)) == 3
    assert all(len(name) <= LONGEST for name in found)


def test_groups_without_cells_that_do_anything(tmp_path: Path) -> None:
    found = read(tmp_path, ["# words", "x = 1"])
    flow = dataflow.analyze(found.cells)
    assert names([Group(cells=[1])], found, flow) == ["setup"]
