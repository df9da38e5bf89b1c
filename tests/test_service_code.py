"""A model that is asked about prepared rows becomes a service of raw ones, all the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_mlops.analyze import analyze
from jupyter_mlops.errors import NotebookError
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.notebooks import make

CELLS = [
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.preprocessing import StandardScaler\nfrom sklearn.datasets import load_iris\n"
    "df = load_iris(as_frame=True).frame",
    "def with_area(rows):\n"
    "    return rows.assign(area=rows['petal length (cm)'] * rows['petal width (cm)'])",
    "df = with_area(df)\nX, y = df.drop(columns='target'), df['target']",
    "scaler = StandardScaler()\nscaled = scaler.fit_transform(X)",
    "model = LogisticRegression(max_iter=500).fit(scaled, y)\nmodel.predict(scaled[:20])",
]


@pytest.mark.network
@pytest.mark.slow
def test_raw_rows_are_asked_for_and_the_image_is_always_the_same(tmp_path: Path) -> None:
    notebook = make(tmp_path / "by-hand.ipynb", CELLS)
    first = publish(notebook, f"oci:{tmp_path}/one:by-hand:latest")
    second = publish(notebook, f"oci:{tmp_path}/two:by-hand:latest")
    assert first.digest == second.digest
    repository = open_repository(Reference.parse(f"oci:{tmp_path}/one:by-hand:latest"))
    root = unpack(repository, first.digest, tmp_path / "unpacked")
    assert first.signature is not None
    names = [column.name for column in first.signature.inputs]
    assert len(names) == 4 and "area" not in names
    assert sorted(capture.name for capture in first.captures) == ["model", "scaler"]
    source = (root / "service.py").read_text()
    assert source == analyze(notebook).service_code.source
    assert "    scaled = scaler.transform(X)  # cell 4\n" in source
    golden = json.loads((root / "golden.json").read_bytes())
    assert set(golden["outputs"]) <= {0, 1, 2} and len(golden["inputs"]) == 5


def test_a_function_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    notebook = make(tmp_path / "by-hand.ipynb", CELLS)
    with pytest.raises(NotebookError, match="No cell defines a function rate"):
        publish(notebook, f"oci:{tmp_path}/one:by-hand:latest", predict="rate")
