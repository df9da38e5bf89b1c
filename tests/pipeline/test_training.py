"""What a notebook trains on, from its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops import notebook as notebooks
from jupyter_mlops.pipeline import dataflow, training
from tests.notebooks import make


def told(path: Path, *cells: str) -> list[tuple[str, str]]:
    found = training.trained(notebooks.read(make(path / "n.ipynb", cells)))
    return [(each.text, each.by) for each in found]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("model.fit(X, y)", [("X", "model"), ("y", "model")]),
        ("model = Ridge().fit(X, y=t)", [("X", "model"), ("t", "model")]),
        ("m.fit(df[cols], df['y'])", [("df[cols]", "m"), ("df['y']", "m")]),
        ("m.fit(d.data, d.target[:, 0])", [("d.data", "m"), ("d.target[:, 0]", "m")]),
        ("m.fit(df.drop(columns=gone), y)", [("df", "m"), ("gone", "m"), ("y", "m")]),
        ("m.fit(X, y, epochs=n, sample_weight=w)", [("X", "m"), ("y", "m"), ("w", "m")]),
        ("r = smf.ols('y ~ x', data=table).fit()", [("table", "r")]),
        ("for a, b in folds:\n    m.fit(X[a], y[a])", [("X", "m"), ("a", "m"), ("y", "m")]),
        ("def train(X):\n    return Ridge().fit(X)", []),
        ("Z = scaler.fit_transform(X)", [("X", "scaler")]),
        ("print('no fit')", []),
    ],
)
def test_what_is_given_to_a_fit(tmp_path: Path, cell: str, expected: list[tuple[str, str]]) -> None:
    assert told(tmp_path, cell) == expected


def test_what_else_a_value_is_made_from(tmp_path: Path) -> None:
    cells = ["import numpy as np\nX = np.ones(3)", "rate = 0.5", "w = X * rate", "w += 1"]
    notebook = notebooks.read(make(tmp_path / "n.ipynb", cells))
    found = training.made_from(dataflow.analyze(notebook.cells, [], {}))
    assert {"X", "rate"} <= set(found["w"]) and "w" not in found["w"]
