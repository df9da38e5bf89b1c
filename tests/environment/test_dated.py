from __future__ import annotations

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.environment import dated, kernel
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.notebook import Notebook
from tests.notebooks import make


def noted(tmp_path: Path, *cells: dict[str, Any], **metadata: Any) -> Notebook:
    path = make(tmp_path / "n.ipynb", ["x = 1"] * (len(cells) or 1), metadata=metadata)
    node = json.loads(path.read_text())
    for cell, found in zip(node["cells"], cells, strict=False):
        cell["metadata"] = found
    path.write_text(json.dumps(node))
    os.utime(path, (1_400_000_000, 1_400_000_000))
    return notebook.read(path, needs_kernel=False)


@pytest.mark.parametrize(
    "metadata",
    [
        {"execution": {"iopub.status.busy": "2021-03-04T05:06:07.000Z"}},
        {"ExecuteTime": {"start_time": "2020-01-01", "end_time": "2021-03-04T05:06:07"}},
        {"executionInfo": {"timestamp": 1614834367000, "user": {}}},
        {"papermill": {"end_time": "2021-03-04T05:06:07+00:00"}},
    ],
)
def test_the_last_run_of_a_cell(tmp_path: Path, metadata: dict[str, Any]) -> None:
    earlier = {"execution": {"iopub.status.idle": "2019-01-01T00:00:00Z"}}
    found = noted(tmp_path, metadata, earlier)
    assert kernel.era(found) == date(2021, 3, 4)
    assert dated.evidence(found).why == "its cells were last run then"


def test_papermill_of_the_whole(tmp_path: Path) -> None:
    found = noted(tmp_path, papermill={"end_time": "2022-05-06T23:30:00-02:00"})
    assert kernel.era(found) == date(2022, 5, 7)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"papermill": "2021-03-04"},
        {"execution": {"iopub.status.busy": "yesterday"}},
        {"execution": {"iopub.status.busy": "1970-01-01T00:00:00Z"}},
        {"execution": {"iopub.status.busy": "2999-01-01T00:00:00Z"}},
        {"executionInfo": {"timestamp": 1e300}},
    ],
)
def test_the_time_of_the_file_where_cells_tell_nothing(
    tmp_path: Path, metadata: dict[str, Any]
) -> None:
    found = noted(tmp_path, metadata)
    assert dated.evidence(found) == dated.Dated(
        date(2014, 5, 13), "its file was last written then", sure=False
    )


def test_the_last_commit_unless_it_changed_since(tmp_path: Path) -> None:
    found = noted(tmp_path)
    environment = {
        **os.environ,
        "GIT_COMMITTER_DATE": "2018-02-03T04:05:06+00:00",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, env=environment, check=True)
    assert dated.evidence(found) == dated.Dated(date(2018, 2, 3), "it was last committed then")
    found.path.write_text(found.path.read_text() + "\n")
    os.utime(found.path, (1_500_000_000, 1_500_000_000))
    assert kernel.era(found) == date(2017, 7, 14)


def test_no_file_no_day(tmp_path: Path) -> None:
    found = noted(tmp_path)
    found.path.unlink()
    with pytest.raises(MlopsError, match="day of the notebook"):
        kernel.era(found)
