"""A publish stops before a secret leaves: in what is written, given, shipped and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import SecretError
from jupyter_mlops.events import Event, Stage
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.runtime import publication as publications
from tests.notebooks import Cell, make
from tests.screening.planted import TOKENS

TOKEN = TOKENS["GitHub"]


def refused(path: Path, **options: Any) -> tuple[str, set[str]]:
    """Return what a publish says that stops, and the stages that it began."""
    events: list[Event] = []
    target = f"oci:{path.parent}/registry"
    with pytest.raises(SecretError) as caught:
        publish(path, target, on_event=events.append, **options)
    assert not (path.parent / "registry" / "index.json").exists()
    said = str(caught.value)
    assert TOKEN not in said and "--allow-secret " in said
    return said, {event.name for event in events if isinstance(event, Stage)}


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        (["x = 1", f"x = 2\ntoken = {TOKEN!r}"], "cell 2, line 2"),
        (["x = 1", f"!curl -H 'Authorization: token {TOKEN}' localhost"], "cell 2, line 1"),
        ([("markdown", f"Take {TOKEN}"), "x = 1"], "Markdown cell (number 1 of all), line 1"),
        ([("parameters", f"token = {TOKEN!r}"), "x = 1"], "cell 1, line 1"),
    ],
)  # fmt: skip
def test_what_is_written_stops_it_before_anything_runs(
    tmp_path: Path, cells: list[Cell], where: str
) -> None:
    said, stages = refused(make(tmp_path / "a.ipynb", cells))
    assert where in said and "looks like a secret" in said
    assert stages == {"read"}


def test_a_value_that_is_given_becomes_a_default(tmp_path: Path) -> None:
    path = make(tmp_path / "a.ipynb", [("parameters", "where = 'here'"), "print(where)"])
    said, _ = refused(path, parameters={"where": f"https://me:{TOKEN}@example.org"})
    assert "parameter 'where'" in said


def test_a_local_file_that_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(f"x = 1\nclient_key = {TOKEN!r}\n")
    path = make(tmp_path / "a.ipynb", ["import tools\nprint(tools.x)"])
    said, stages = refused(path)
    assert "tools.py, line 2" in said and "lock" not in stages


@pytest.mark.network
@pytest.mark.slow
def test_what_the_run_shows_and_what_is_allowed(tmp_path: Path) -> None:
    start, end = TOKEN[:9], TOKEN[9:]
    path = make(tmp_path / "a.ipynb", ["x = 1", f"print('a')\nprint({start!r}, {end!r}, sep='')"])
    said, stages = refused(path)
    assert "the output of cell 2, line 2" in said and "push" not in stages
    fingerprint = said.rpartition("--allow-secret ")[2].strip(" .")
    done = publish(path, f"oci:{tmp_path}/registry", allowed_secrets=[fingerprint])
    root = unpack(open_repository(done.reference), done.digest, tmp_path / "unpacked")
    assert publications.load(root).allowed_secrets == [fingerprint]
