"""What only shows at run time is added, told, and known the next time."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops import prove
from jupyter_mlops.environment import ground, runtime_needs
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import LockError, RunError, UsageError
from jupyter_mlops.events import Event, Log, Stage
from jupyter_mlops.notebook import read
from jupyter_mlops.pipeline.run import Ran
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.runtime.trace.models import CellTrace
from tests.notebooks import make

#: A distribution that the kernel has, and that nothing else in these notebooks needs.
PLUGIN = "defusedxml"

LOADER = """
import importlib

def load(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ImportError(f"Missing optional dependency '{name}'.") from None
"""


def _warnings(events: list[Event]) -> list[str]:
    return [e.text for e in events if isinstance(e, Log) and e.level == "warning"]


def _publish(path: Path) -> tuple[dict[str, str], list[str]]:
    events: list[Event] = []
    done = publish(path, f"oci:{path.parent}/registry", on_event=events.append)
    root = unpack(open_repository(done.reference), done.digest, path.parent / "unpacked")
    return publications.load(root).direct, _warnings(events)


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(
            ["import importlib", f"name = {PLUGIN[:4]!r} + {PLUGIN[4:]!r}",
             "module = importlib.import_module(name)\nprint(module.__name__)"],
            id="a name that is computed",
        ),
        pytest.param(
            ["import importlib", f"name = {PLUGIN[:4]!r} + {PLUGIN[4:]!r}",
             "try:\n    module = importlib.import_module(name)\n    there = True\n"
             "except ImportError:\n    there = False\nassert there"],
            id="a cell that would do without it",
        ),
        pytest.param(
            ["from loader import load", f"name = {PLUGIN[:4]!r} + {PLUGIN[4:]!r}",
             "module = load(name)\nprint(module.__name__)"],
            id="a library that loads it by its name",
        ),
    ],
)  # fmt: skip
def test_what_only_shows_at_run_time_is_added(tmp_path: Path, cells: list[str]) -> None:
    (tmp_path / "loader.py").write_text(LOADER)
    path = make(tmp_path / "late.ipynb", [("markdown", "# Late"), *cells])
    direct, told = _publish(path)
    assert PLUGIN in direct
    assert [text for text in told if "begins again" in text] == [
        f"{PLUGIN} {direct[PLUGIN]} is added (seen at run time: cell 3 asks for {PLUGIN}), "
        "and the run begins again"
    ]
    found = ground.find(read(path)).inferred.dependencies
    assert [(d.source, d.why) for d in found if d.name == PLUGIN] == [
        ("runtime", f"seen at run time: cell 3 asks for {PLUGIN}")
    ]
    again, told = _publish(path)
    assert again == direct
    assert not [text for text in told if "begins again" in text]


@pytest.mark.network
@pytest.mark.slow
def test_a_persons_edits_are_published(tmp_path: Path) -> None:
    path = make(tmp_path / "edited.ipynb", ["import six, defusedxml\nprint(six.__version__)"])
    options = LockOptions(additions=["webencodings"], removals=["defusedxml"])
    with pytest.raises(RunError, match="No module named 'defusedxml'"):  # it was taken away
        publish(path, f"oci:{tmp_path}/registry", environment=options)
    options = LockOptions(additions=["webencodings"], overrides={"six": "1.15.0"})
    done = publish(path, f"oci:{tmp_path}/registry", environment=options)
    root = unpack(open_repository(done.reference), done.digest, tmp_path / "unpacked")
    direct = publications.load(root).direct
    assert set(direct) == {"six", "defusedxml", "webencodings"} and direct["six"] == "1.15.0"


@pytest.mark.network
@pytest.mark.slow
def test_what_the_kernel_does_not_have_either_fails_once(tmp_path: Path) -> None:
    parts = "parts = ['no_such', 'thing']"
    cells = ["import importlib", parts, "module = importlib.import_module('_'.join(parts))"]
    path = make(tmp_path / "never.ipynb", cells)
    events: list[Event] = []
    with pytest.raises(RunError, match="No module named 'no_such_thing'"):
        publish(path, f"oci:{tmp_path}/registry", on_event=events.append)
    assert not [text for text in _warnings(events) if "begins again" in text]
    assert [e.state for e in events if isinstance(e, Stage) and e.name == "run"][-1] == "failed"


def test_a_kernel_that_is_gone_is_replaced_only_where_its_day_is_known(tmp_path: Path) -> None:
    spec = {"kernelspec": {"name": "lost-env", "display_name": "Lost"}}
    path = make(tmp_path / "a.ipynb", ["x = 1"], metadata=spec)
    with pytest.raises(LockError, match=r"--exclude-newer 20.*its file was last written then"):
        ground.find(read(path))
    found = ground.find(read(path), LockOptions(exclude_newer="2024-05-01"))
    assert found.options.exclude_newer == "2024-05-01"


def _ran(state: str, text: str = "") -> Ran:
    return Ran(state=state, parameters={}, metrics={}, error={"evalue": text})


def test_only_what_the_error_names_counts_of_what_libraries_look_for() -> None:
    cell = CellTrace(number=4, sought=["bottleneck", "netCDF4", "h5netcdf._x"], error="ValueError")
    text = "found matches in xarray's backends: ['netcdf4']. Their dependencies may be missing"
    assert prove.lacking(_ran("failed", text), [cell]) == {"netCDF4": [4]}
    assert prove.lacking(_ran("failed", "division by zero"), [cell]) == {}
    assert prove.lacking(_ran("succeeded"), [cell]) == {}


def test_what_the_notebook_asks_for_counts_also_where_it_copes() -> None:
    cells = [CellTrace(number=2, absent=["a.b"]), CellTrace(number=5, absent=["a.b", "c"])]
    assert prove.lacking(_ran("succeeded"), cells) == {"a.b": [2, 5], "c": [5]}


def test_a_name_in_the_error_is_enough_without_a_trace() -> None:
    found = prove.lacking(_ran("failed", "No module named 'google.cloud'"), [])
    assert found == {"google.cloud": []}


def test_what_was_seen_is_forgotten_with_its_cell(tmp_path: Path) -> None:
    path = make(tmp_path / "a.ipynb", ["x = 1", "y = load('a')", "y = load('b')"])
    notebook = read(path)
    assert runtime_needs.recall(notebook) == {}
    runtime_needs.keep(notebook, {"six": [2], "tomli": [3]})
    runtime_needs.keep(notebook, {"six": [3]})
    assert runtime_needs.recall(notebook) == {"six": [2, 3], "tomli": [3]}
    make(path, ["y = load('a')", "z = 3"])
    assert runtime_needs.recall(read(path)) == {"six": [1]}


def test_a_target_that_cannot_be_proven_here_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    path = make(tmp_path / "a.ipynb", ["x = 1"])
    options = LockOptions(platform="linux/arm64", python="3.13")
    with pytest.raises(UsageError, match=r"linux/arm64 with Python 3\.13 cannot be proven here"):
        publish(path, f"oci:{tmp_path}/registry", environment=options)
    options = LockOptions(platform="linux/arm64", python="3.9x")
    with pytest.raises(UsageError, match=r"'3\.9x' is not a Python version"):
        publish(path, f"oci:{tmp_path}/registry", environment=options)


def test_a_question_stops_a_publish_and_names_the_answer(tmp_path: Path) -> None:
    path = make(tmp_path / "a.ipynb", ["import no_such_thing"])
    found = ground.find(read(path))
    with pytest.raises(LockError, match=r"--answer no_such_thing="):
        ground.settle(found)
    answered = ground.find(read(path), answers={"no_such_thing": "such-a-thing"})
    assert [(d.name, d.source) for d in answered.inferred.dependencies] == [
        ("such-a-thing", "user")
    ]
