"""Notebooks of other shapes than the examples, all the way to an answering service."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from jupyter_mlops.analyze import analyze
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.rerun import rerun
from jupyter_mlops.serve import serve, stop_service
from tests.notebooks import make

pytestmark = [pytest.mark.network, pytest.mark.slow]

BY_HAND = [
    ("markdown", "# Scaled by hand"),
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from tools import ratio",
    "strength = 1.0  # regularisation\nseed = 3",
    "rng = np.random.default_rng(seed)\n"
    "data = pd.DataFrame({'a': rng.normal(size=80), 'b': rng.normal(2, 1, size=80)})\n"
    "target = (ratio(data) > 0).astype(int)\n"
    "centre = data.mean().to_numpy()\nscale = data.std().to_numpy()",
    "LABELS = ('no', 'yes')\n\ndef prepare(rows):\n"
    "    return (rows[['a', 'b']].to_numpy() - centre) / scale",
    "clf = LogisticRegression(C=1 / strength).fit(prepare(data), target)",
    (
        "predict",
        "def predict(rows):\n    return [LABELS[i] for i in clf.predict(prepare(rows))]\n",
    ),
    "expected = predict(data.head(20))\nprint(expected)",
]


def test_a_predict_function_with_values_prepared_by_hand_and_a_local_module(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(
        "def ratio(frame):\n    return frame['a'] - frame['b'] + 2\n"
    )
    path = make(tmp_path / "by_hand.ipynb", BY_HAND)
    before = path.read_bytes()
    registry = f"oci:{tmp_path}/registry"
    done = publish(path, registry, parameters={"strength": 0.5})
    assert path.read_bytes() == before
    assert done.reference == f"{registry}:by-hand:latest"
    assert {capture.name for capture in done.captures} == {"clf", "centre", "scale"}

    root = unpack(open_repository(done.reference), done.digest, tmp_path / "unpacked")
    code = (root / "service.py").read_text()
    assert "default_rng" not in code and "LogisticRegression(" not in code
    assert (root / "src" / "tools.py").is_file()
    publication = json.loads((root / "publication.json").read_bytes())
    assert [p["default"] for p in publication["parameters"]] == [0.5, 3]

    (tmp_path / "tools.py").unlink()
    service = serve(done.reference)
    try:
        rows = {"dataframe_records": [{"a": -2.0, "b": 3.0}, {"a": 3.0, "b": 0.5}]}
        answer = httpx.post(f"{service.url}/invocations", json=rows, trust_env=False)
        assert answer.json() == {"predictions": ["no", "yes"]}, answer.text
        wrong = httpx.post(
            f"{service.url}/invocations", json={"dataframe_records": [{"a": 1}]}, trust_env=False
        )
        assert wrong.status_code in {400, 422} and "Traceback" not in wrong.text
    finally:
        stop_service(service.id)
    assert rerun(done.reference, {"seed": 4}).parameters == {"strength": 0.5, "seed": 4}


def test_unverified_is_said_and_still_runs(tmp_path: Path) -> None:
    path = make(tmp_path / "plain.ipynb", [("parameters", "n = 2"), "print(n * 21)"])
    done = publish(path, f"oci:{tmp_path}/registry:x", verify="none")
    assert done.verified == "none" and done.captures == []
    assert done.reference == f"oci:{tmp_path}/registry:x"
    run = rerun(done.reference, {"n": 3}, output=tmp_path / "out.ipynb")
    assert "63" in (tmp_path / "out.ipynb").read_text() and run.state == "succeeded"


def test_what_only_the_run_shows_keeps_cells_in_one_step_and_is_told(tmp_path: Path) -> None:
    path = make(
        tmp_path / "hidden_hand.ipynb",
        [
            ("markdown", "# Begin"),
            "calls = ['mark']",
            ("markdown", "# Work"),
            # No analysis of the text can tell which list this is.
            "import gc\n"
            "found = [o for o in gc.get_objects() if type(o) is list and o[:1] == ['mark']]\n"
            "found[0].append(1)\ndel found",
            ("markdown", "# Show"),
            "print(len(calls))\nassert len(calls) == 2",
        ],
    )
    before = analyze(path)
    assert [step.cells for step in before.steps] == [[1, 2], [3]]
    assert {edge.evidence for edge in before.edges} == {"static"}
    told: list[str] = []
    publish(
        path,
        f"oci:{tmp_path}/registry:x",
        on_event=lambda event: told.append(getattr(event, "text", "")),
    )
    after = analyze(path)
    assert {edge.evidence for edge in after.edges} == {"static", "traced"}
    assert [step.cells for step in after.steps] == [[1, 2, 3]]
    assert any("cell 3 needs 'calls' from cell 2" in text for text in after.contradictions)
    assert set(after.contradictions) <= set(told)
