"""Where no cell is tagged: what is proposed, and what could be."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.pipeline import parameters
from tests.notebooks import Cell, make


def find(tmp_path: Path, *cells: Cell) -> parameters.Found:
    return parameters.find(notebook.read(make(tmp_path / "n.ipynb", cells)))


def names(found: parameters.Found) -> list[str]:
    return [candidate.name for candidate in found.candidates]


def test_candidates_in_the_order_of_their_use(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        "import numpy as np, pandas as pd\ndf = pd.read_csv('y.csv')",
        "path = 'data/x.csv'\ndf = pd.read_csv(path)\nseed = 3\nrng = np.random.default_rng(seed)",
        "n_trees = 100\nmodel = Forest(n_estimators=n_trees)\nmodel.fit(df)",
        "params = {'a': 1}\nother = Forest(**params)\nLIMIT = 5\nhead = df[df.x < LIMIT]\n"
        "steps = 4\nwalk(steps)",
    )
    assert found.source == "none" and found.parameters == []
    assert names(found) == ["n_trees", "params", "path", "seed", "steps", "LIMIT"]
    assert found.candidates[0].why == "cell 3 gives it to Forest(n_estimators=…)"
    assert found.candidates[2].type == "path" and found.candidates[2].cell == 2


@pytest.mark.parametrize(
    "cell",
    [
        "n = 3\nprint(n)",
        "title = 'x'\nplt.title(title)",
        "color = 'red'\nax.plot(x, color=color)",
        "losses = []\nf(losses)\nlosses.append(1)",
        "n = 3\nf(x=n)\nn = 4",
        "n = 3\nf(x=n)\nn += 1",
        "n = 3\nf(x=n)\ndel n",
        "n = 3\nf(x=n)\ndef g():\n    global n\n    n = 4",
        "options = {'a': 1}\nf(**options)\noptions['a'] = 2",
        "n = 3\ndef g(n):\n    return f(x=n)",
        "if True:\n    n = 3\nf(x=n)",
        "mapping = {'a': 1}\ndf.rename(columns=mapping)",
        "columns = ['a', 'b']\ndf[columns]",
        "_hidden = 3\nf(x=_hidden)",
        "n = len('abc')\nf(x=n)",
        "word = 'hello'\nf(word)",
    ],
)
def test_what_is_no_candidate(tmp_path: Path, cell: str) -> None:
    assert names(find(tmp_path, "import math\nmath.pi", cell)) == []


def test_a_tagged_cell_ends_the_search(tmp_path: Path) -> None:
    assert find(tmp_path, ("parameters", "a = 1"), "n = 3\nf(x=n)").candidates == []


def test_beside_a_proposed_cell_the_others_are_candidates(tmp_path: Path) -> None:
    found = find(tmp_path, "a = 1\nb = (1, 2)", "print(a)\nn = 3\nf(x=n, y=a)")
    assert [p.name for p in found.parameters] == ["a", "b"]
    assert names(found) == ["n"]


def test_what_is_changed_in_place_is_not_proposed(tmp_path: Path) -> None:
    found = find(tmp_path, "a = 1\nlosses = []", "losses.append(a)")
    assert [p.name for p in found.parameters] == ["a"]


def test_a_cell_of_dates_and_paths_is_proposed(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        "from datetime import date\nfrom pathlib import Path",
        "d = date(2024, 1, 1)\np = Path('x')",
    )
    assert found.source == "proposed" and [p.type for p in found.parameters] == ["date", "path"]


def test_arrays_are_data(tmp_path: Path) -> None:
    assert find(tmp_path, "import numpy as np", "x = np.array([1, 2])").source == "none"
