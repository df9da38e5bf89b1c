from __future__ import annotations

import time
from pathlib import Path

import pytest

from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import dataflow, parameters
from jupyter_mlops.pipeline.boundaries import Group, How, split
from jupyter_mlops.pipeline.plan import merged_groups
from tests.notebooks import Cell
from tests.pipeline.exported import read

SCIENCE: list[str] = [
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "SEED = 1\nSHARE = 0.2",
    "df = pd.read_csv('a.csv')",
    "df.head()",
    "df = df.dropna()",
    "df['area'] = df.w * df.h",
    "X = df[['area']]\ny = df.price",
    "model = LinearRegression()",
    "model.fit(X, y)",
    "predicted = model.predict(X)",
    "error = abs(predicted - y).mean()\nerror",
    "df.plot('area', 'price')",
    "pd.Series(predicted).to_csv('out.csv')",
]


def groups(folder: Path, cells: list[Cell] | list[str], how: How = "auto") -> list[Group]:
    found = read(folder, cells)
    return split(found, _flow(found), how)


def _flow(found: Notebook) -> dataflow.Dataflow:
    names = [each.name for each in parameters.find(found).parameters]
    return dataflow.analyze(found.cells, names)


def cells_of(found: list[Group]) -> list[list[int]]:
    return [group.cells for group in found]


def test_comments_mark_steps_and_imports_go_with_the_first(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        [
            "import os",
            "# step: load data\nx = len(os.sep)",
            "y = x",
            "# Step: train\nz = y\nprint(z)",
        ],
    )
    assert cells_of(found) == [[1, 2, 3], [4]]
    assert [group.title for group in found] == ["load data", "train"]
    assert "marked" in found[1].why


def test_tags_of_kale_and_the_magic_mark_steps(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        [
            ("step:load", "x = abs(1)"),
            ("step:load", "y = abs(x)"),
            "%%mlops_step fit it\nz = abs(y)",
            "print(z)",
        ],
    )
    assert cells_of(found) == [[1, 2], [3, 4]]
    assert [group.title for group in found] == ["load", "fit it"]


def test_a_mark_makes_a_step_even_of_imports(tmp_path: Path) -> None:
    found = groups(tmp_path, ["# step: tools\nimport os", "# step: work\nprint(os.sep)"])
    assert cells_of(found) == [[1], [2]]


def test_marks_win_over_headings_unless_headings_are_asked_for(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("markdown", "## One"),
        "a = abs(1)",
        ("markdown", "## Two"),
        "# step: all\nb = abs(a)",
        "c = abs(b)",
    ]
    assert cells_of(groups(tmp_path, cells)) == [[1], [2, 3]]
    assert [g.title for g in groups(tmp_path, cells, "headings")] == ["One", "Two"]


def test_the_title_and_headings_without_code_are_no_steps(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("markdown", "# The title\n\nwords"),
        "import os",
        ("markdown", "## Data"),
        ("markdown", "### **Load** [it](http://x.y)"),
        "x = abs(1)",
        ("markdown", "## Model"),
        "y = abs(x)",
        ("markdown", "## Words\n\n```\n## not a heading\n```"),
        ("markdown", "## Result"),
        "print(y)",
        ("markdown", "## The end"),
    ]
    found = groups(tmp_path, cells)
    assert cells_of(found) == [[1, 2], [3], [4]]
    assert [group.title for group in found] == ["Data", "Model", "Result"]


def test_the_level_with_a_sensible_number_of_steps_is_taken(tmp_path: Path) -> None:
    cells: list[Cell] = []
    for part in range(2):
        cells.append(("markdown", f"# Part {part}"))
        for section in range(3):
            cells.append(("markdown", f"## Section {part}.{section}"))
            for detail in range(5):
                cells += [("markdown", f"### Detail {detail}"), f"x{part}{section} = abs({detail})"]
    found = groups(tmp_path, cells)
    assert [len(group.cells) for group in found] == [5] * 6
    assert found[0].title == "Section 0.0"


def test_a_heading_over_definitions_only_joins_the_next(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("markdown", "## Functions"),
        "def f(x):\n    return x + 1",
        ("markdown", "## Work"),
        "a = f(1)",
        ("markdown", "## More"),
        "b = f(a)",
        ("markdown", "## Appendix"),
        "def g():\n    pass",
    ]
    found = groups(tmp_path, cells)
    assert cells_of(found) == [[1, 2], [3, 4]]
    assert [group.title for group in found] == ["Work", "More"]


def test_work_before_the_first_heading_is_a_step(tmp_path: Path) -> None:
    cells: list[Cell] = [
        "a = abs(1)",
        ("markdown", "## B"),
        "b = abs(a)",
        ("markdown", "## C"),
        "b",
    ]
    assert cells_of(groups(tmp_path, cells)) == [[1], [2], [3]]


def test_cuts_fall_between_phases(tmp_path: Path) -> None:
    found = groups(tmp_path, SCIENCE)
    assert 3 <= len(found) <= 6
    assert found[0].cells[:4] == [1, 2, 3, 4]  # imports, constants, loading, a look at it
    trained = next(group for group in found if 9 in group.cells)
    assert 8 in trained.cells
    assert [n for group in found for n in group.cells] == list(range(1, 14))


def test_what_cannot_be_handed_over_is_not_cut(tmp_path: Path) -> None:
    cells = ["a = abs(1)", "g = (i for i in range(9))", "b = next(g)", "print(b)", "c = next(g)",
             "d = abs(c)", "e = abs(d)", "print(e)"]  # fmt: skip
    found = groups(tmp_path, cells)
    together = [group for group in found if set(group.cells) & {2, 3, 4, 5}]
    assert len(found) > 1
    assert len(together) == 1


def test_cells_mode_and_merging(tmp_path: Path) -> None:
    cells = ["import os", "", "# words", "g = (i for i in range(9))", "next(g)", "print(os.sep)"]
    notebook = read(tmp_path, cells)
    flow = _flow(notebook)
    found = split(notebook, flow, "cells")
    assert cells_of(found) == [[1, 2], [3, 4], [5], [6]]
    merged = merged_groups(found, flow)
    assert [group.cells for group, _ in merged] == [[1, 2], [3, 4, 5], [6]]
    assert "generator" in merged[1][1][0]


@pytest.mark.parametrize("how", ["auto", "headings", "cells", "none"])
def test_odd_notebooks_are_one_step(tmp_path: Path, how: How) -> None:
    for cells in (["# only words"], ["", "x = 1"], ["import os"], ["x ="]):
        found = groups(tmp_path, cells, how)
        assert cells_of(found) == [list(range(1, len(cells) + 1))]


def test_a_thousand_cells_are_fast_and_give_few_steps(tmp_path: Path) -> None:
    cells = [f"x{i} = abs(x{i - 1})" if i else "x0 = 1" for i in range(1000)]
    notebook = read(tmp_path, cells)
    flow = _flow(notebook)
    started = time.perf_counter()
    found = split(notebook, flow)
    seconds = time.perf_counter() - started
    assert 3 <= len(found) <= 9
    assert seconds < 5  # far above what it takes: only to notice another order of growth
    assert found == split(notebook, flow)
