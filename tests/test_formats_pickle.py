"""A class of the notebook's own: a pickle where it is allowed, and everybody is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import CaptureError
from jupyter_mlops.publish import publish
from tests.formats import MARKS, asked_in_docker
from tests.notebooks import make

pytestmark = MARKS


PICKLED = [
    ("markdown", "# A class of one's own"),
    "import pandas as pd\nX = pd.DataFrame({'a': [1.0, 2.0, 3.0]})\nfactor = float(X.a.mean())",
    "class Scale:\n    def __init__(self, by):\n        self.by = by\n"
    "    def __call__(self, values):\n        return values * self.by * factor",
    "scale = Scale(3)",
    ("predict", "def predict(rows):\n    return scale(rows['a'])"),
    "expected = pd.DataFrame({'answer': predict(X)})",
]


def test_a_pickle_only_when_it_is_allowed_and_then_by_its_name(
    tmp_path: Path, docker_registry: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from jupyter_mlops import cli

    notebook = make(tmp_path / "scaled.ipynb", PICKLED)
    target = f"{docker_registry.url}/lab/scaled:latest"
    with pytest.raises(CaptureError, match=r"no safe format.*--allow-pickle"):
        publish(notebook, target)
    said: list[str] = []
    done = publish(notebook, target, allow_pickle=True, on_event=lambda e: said.append(str(e)))
    assert any("is a pickle: whoever loads it runs its code" in text for text in said)
    assert {capture.name: capture.format for capture in done.captures} == {
        "factor": "json",
        "scale": "pickle",
    }
    assert cli.main(["show", target]) == 0
    assert "PICKLE" in capsys.readouterr().out
    assert cli.main(["list", docker_registry.url]) == 0
    assert "holds a pickle" in capsys.readouterr().out
    rows = {"columns": ["a"], "data": [[2.0]]}
    with asked_in_docker(target, rows) as answers:
        assert answers == [12.0]
