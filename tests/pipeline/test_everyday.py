"""What the notebooks of every day taught: small, and each once went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.pipeline import dataflow, naming
from jupyter_mlops.pipeline.boundaries import split
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.heap import reach
from jupyter_mlops.pipeline.headings import headings
from jupyter_mlops.pipeline.needs import last_needs
from jupyter_mlops.pipeline.plan import Plan, make_plan
from tests.notebooks import Cell
from tests.pipeline.exported import read


def flow_of(folder: Path, cells: list[Cell] | list[str]) -> Dataflow:
    return dataflow.analyze(read(folder, cells).cells)


def plan_of(folder: Path, cells: list[Cell] | list[str], how: str = "cells") -> Plan:
    found = read(folder, cells)
    return make_plan(found, dataflow.analyze(found.cells), how)  # type: ignore[arg-type]


def test_columns_made_from_columns_stay_few_objects(tmp_path: Path) -> None:
    cells = ["import pandas as pd\ndf = pd.read_csv('a.csv')"]
    cells += [f"df['c{n}'] = df['b'].map(str).fillna(0)" for n in range(14)]
    flow = flow_of(tmp_path, cells)
    assert len(reach(flow.world.names["df"].value.objs)) < 100


def test_parts_of_a_list_that_may_be_itself_stay_few_objects(tmp_path: Path) -> None:
    cells = ["items = [[1], [2]]"] + ["if len(items) > 1:\n    items = items[1:]"] * 14
    flow = flow_of(tmp_path, cells)
    assert len(flow.world.names["items"].value.objs) < 50


def test_attributes_of_instances_are_told_apart(tmp_path: Path) -> None:
    cells = [
        "class Model:\n    def __init__(self, rows):\n        self.rows = rows\n"
        "        self.size = len(rows)\n        self.names = ['a']",
        "rows = [1]\nmodel = Model(rows)",
        "size, names = model.size, model.names",
        "model.rows.append(2)",
        "model.names.append('b')",
        "total = size + 1",
    ]
    flow = flow_of(tmp_path, cells)
    assert flow.slice(["total"]) == [1, 2, 3, 6]
    assert flow.slice(["rows"]) == [1, 2, 4]


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ("one.__dict__ = {'kept': rows}", "one.kept.append(2)"),
        ("vars(one).update(kept=rows)", "one.kept.append(2)"),
        ("setattr(one, 'ke' + 'pt', rows)", "one.kept.append(2)"),
        ("one.__dict__['kept'] = rows", "one.kept.append(2)"),
        ("one.kept = rows", "copy.copy(one).kept.append(2)"),
        ("one.hook = rows.append", "one.hook(2)"),
        ("one.look = lambda: rows.append(2)", "one.look()"),
    ],
)
def test_attributes_set_by_other_means_are_seen(tmp_path: Path, before: str, change: str) -> None:
    cells = [
        "import copy\n\nclass Thing:\n    kept = None\n\n    def look(self):\n        return 1",
        f"rows = [1]\none = Thing()\none.kept = one.kept\n{before}",
        change,
        "total = len(rows)",
    ]
    assert flow_of(tmp_path, cells).slice(["total"]) == [1, 2, 3, 4]


def test_a_step_has_no_inputs_that_it_makes_itself(tmp_path: Path) -> None:
    cells = [
        "import numpy as np\nclass Box:\n    pass",
        "grid = np.zeros(3)\nrows = [grid]\nfor row in rows:\n    row[0] = 1",
        "box = Box()\nbox.grid = np.ones(2)\nfor row in [box.grid]:\n    print(row)",
    ]
    first, second = plan_of(tmp_path, [cells[0] + "\n" + cells[1], cells[2]]).steps
    assert first.inputs == first.optional == []
    assert second.inputs == []


def test_a_caught_exception_is_no_input(tmp_path: Path) -> None:
    cells = ["try:\n    {}[0]\nexcept KeyError as e:\n    print(e)"] * 2
    _, second = plan_of(tmp_path, cells).steps
    assert second.inputs == []
    assert second.after == []
    kept = plan_of(tmp_path, ["e = 1", cells[0], "print(e)"])
    assert kept.steps[2].after == [kept.steps[0].name, kept.steps[1].name]


def test_a_step_is_named_by_what_others_take_from_it(tmp_path: Path) -> None:
    cells = [
        "import pandas as pd\ntable = pd.read_csv('a.csv')\nparts = table.dropna()",
        "parts = [1]",
        "print(parts, table)",
    ]
    found = read(tmp_path, cells)
    flow = dataflow.analyze(found.cells)
    names = naming.names(split(found, flow, "cells"), found, flow)
    assert names[0] == "load-table"


def test_dashes_of_any_length_part_words() -> None:
    assert naming.slug("Channel flow with Navier–Stokes") == "channel-flow-with-navier-stokes"
    assert naming.slug("Before—after") == "before-after"


def test_headings_with_a_line_below(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        [
            ("markdown", "The title\n======\n***"),
            ("markdown", "Load\n----"),
            "x = abs(1)",
            ("markdown", "a | b\n--- | ---\n1 | 2"),
            ("markdown", "Two lines\nof text\n---\n\n- item\n---\n\n```\nCode\n----\n```"),
            "y = abs(x)",
            ("markdown", "Some text.\n\nPlot *it*\n---\n"),
            "print(y)",
        ],
    )
    assert found.title == "The title"
    assert [(h.level, h.text, h.cell) for h in headings(found)] == [
        (2, "Load", 1),
        (2, "Plot it", 3),
    ]


def test_older_tags_of_kale_mark_steps(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        [
            ("imports", "import os"),
            ("block:load", "x = len(os.sep)"),
            ("skip", "print(x)"),
            ("block:fit", "y = x + 1\nprint(y)"),
        ],
    )
    groups = split(found, dataflow.analyze(found.cells))
    assert [group.cells for group in groups] == [[1, 2, 3], [4]]
    assert [group.title for group in groups] == ["load", "fit"]


def test_addresses_on_the_network_are_shown_as_written(tmp_path: Path) -> None:
    cells = ["import pandas as pd\npath = 'https://example.org/a.csv'\ndf = pd.read_csv(path)"]
    (flow,) = flow_of(tmp_path, cells).flows
    assert any("https://example.org/a.csv" in why for why in flow.varies)


def test_only_drawing_from_a_distribution_is_random(tmp_path: Path) -> None:
    cells = [
        "from scipy.stats import norm\nimport numpy as np\nx = norm.pdf(0, loc=1)",
        "made = norm(0, 1)",
        "made.cdf(1)",
        "made.rvs(3)",
        "norm.rvs(size=2)",
    ]
    touched = ["<rng:numpy>" in flow.touches for flow in flow_of(tmp_path, cells).flows]
    assert touched == [False, False, False, True, True]


def test_what_cannot_be_handed_over_is_needed_until_it_is_bound_anew(tmp_path: Path) -> None:
    cells = [
        "x, y = [1], [2]",
        "print(x)",
        "x = [3]",
        "print(x, y)",
        "if y:\n    y = 1",
        "print(y)",
    ]
    found = read(tmp_path, cells)
    flow = dataflow.analyze(found.cells)
    steps = make_plan(found, flow, "cells").steps
    assert last_needs(flow, ["x", "y", "never"], steps[1:]) == {"x": 2, "y": 6}


def test_what_was_made_first_says_where_a_step_begins(tmp_path: Path) -> None:
    cells = [f"g{n} = (i for i in range({n}))" for n in range(1, 9)]
    everything = ", ".join(f"g{n}" for n in range(1, 9))
    flow = flow_of(tmp_path, [*cells, f"both = [{everything}]", "print(both)"])
    assert flow.flow(10).held["both"][0] == 1
