"""What a person asks for beyond what the service needs, all the way into the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops import cli
from jupyter_mlops.analyze import analyze
from jupyter_mlops.capture import store
from jupyter_mlops.errors import MlopsError, UsageError
from jupyter_mlops.events import Event, Log
from jupyter_mlops.jobs import kinds
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.rerun import rerun
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.screening import places
from jupyter_mlops.shipping import find
from tests.notebooks import make
from tests.screening.planted import TOKENS

CELLS = [
    "%load_ext jupyter_mlops",
    "import numpy as np\nlimit = float(open('limit.txt').read())",
    "table = np.arange(6.0).reshape(3, 2) * limit\nwords = {'a': (1, 2)}\n"
    "handle = open('limit.txt')",
    "weights = table.sum(axis=0)\n%mlops_capture words",
    ("predict", "def predict(rows):\n    return (rows.to_numpy() @ weights).tolist()"),
]


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "limit.txt").write_text("2")
    return make(folder / "asked.ipynb", CELLS)


@pytest.mark.network
@pytest.mark.slow
def test_names_and_files_go_along(notebook: Path, tmp_path: Path) -> None:
    assert [each.name for each in analyze(notebook).captures] == ["weights", "words"]
    target = f"oci:{tmp_path}/registry:asked:latest"
    events: list[Event] = []
    done = publish(
        notebook,
        target,
        captures=["table"],
        ship_data=["limit.txt", "words"],
        on_event=events.append,
    )
    assert not [e for e in events if isinstance(e, Log) and "is not put into the image" in e.text]
    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    publication = publications.load(root)
    captures = {each.name: each for each in publication.captures}
    assert set(captures) == {"weights", "words", "table"}
    assert store.load(captures["words"], root) == {"a": (1, 2)}
    assert captures["table"].shape == [3, 2] and captures["table"].cell == 2
    assert [(each.path, each.shipped) for each in publication.files] == [("limit.txt", True)]
    assert (root / "data" / "limit.txt").read_text() == "2"
    assert [each.name for each in publication.data] == ["table"]
    (notebook.parent / "limit.txt").unlink()
    assert rerun(target).state == "succeeded"


@pytest.mark.network
@pytest.mark.slow
def test_a_name_that_cannot_be_captured_stops_with_who_asks(notebook: Path) -> None:
    with pytest.raises(MlopsError) as error:
        publish(notebook, captures=["handle"])
    problem = error.value.problems[0]
    assert "handle (_io.TextIOWrapper) cannot be captured" in problem.problem
    assert problem.where == "cell 3"


def test_what_makes_no_sense_is_said_at_once(notebook: Path) -> None:
    with pytest.raises(MlopsError, match="'tabel' is to be captured, but no cell defines it"):
        publish(notebook, captures=["tabel"])
    with pytest.raises(MlopsError, match="nothing is captured, so table cannot be"):
        publish(notebook, captures=["table"], verify="none")


def test_data_that_goes_along_stays_within_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "parts").mkdir(parents=True)
    for name in ("parts/b.csv", "parts/a.csv", "parts/.env", ".netrc"):
        (folder / name).write_text("x")
    (tmp_path / "far.csv").write_text("x")
    (folder / "link.csv").symlink_to(tmp_path / "far.csv")
    found = find(folder, ["parts", "parts/a.csv", "frame"])
    assert [each.as_posix() for each in found.files] == ["parts/a.csv", "parts/b.csv"]
    assert found.names == ["frame"]
    with pytest.raises(MlopsError) as error:
        find(folder, ["gone.csv", "../far.csv", "link.csv", ".netrc"])
    texts = [problem.problem for problem in error.value.problems]
    assert len(texts) == 4
    assert "gone.csv is not there" in texts[0] and "outside" in texts[1] and "outside" in texts[2]
    assert ".netrc does not leave this machine" in texts[3]


def test_a_secret_in_shipped_data_stops_a_publish(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PART", 1000)
    token = "AKIA" + "IOSFODNN7ABCDEFG"
    lines = "\n".join(f"row {number}" for number in range(5_000))
    (notebook.parent / "limit.txt").write_text(f"{lines}\n{token}\n")
    with pytest.raises(MlopsError, match="looks like a secret") as error:
        publish(notebook, ship_data=["limit.txt"])
    assert error.value.problems[0].where.startswith("limit.txt (below line ")


def test_what_of_data_is_looked_at_closely() -> None:
    """Every kind of secret that is planted elsewhere has a word that is long enough."""
    for kind, secret in TOKENS.items():
        assert places.LONG.search(f"a,{secret},1"), kind
    assert not places.LONG.search("1.2345678901234567,42,short words only,2026-01-01\n")


def test_the_command_line_and_a_job_ask_for_the_same(
    notebook: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = []

    def record(path: Path, target: str | None, **more: Any) -> None:
        asked.append(more)
        raise UsageError("enough")

    monkeypatch.setattr("jupyter_mlops.publish.publish", record)
    names = ["--capture", "a", "--capture", "b", "--ship-data", "limit.txt"]
    file = ["--signature", "s.json"]
    assert cli.main(["publish", str(notebook), *names, *file, "--from-kernel"]) == 2
    assert cli.main(["publish", str(notebook), "--from-kernel", "abc"]) == 2
    assert (asked[0]["captures"], asked[0]["ship_data"]) == (["a", "b"], ["limit.txt"])
    assert (asked[0]["from_kernel"], asked[1]["from_kernel"]) == ("auto", "abc")
    assert asked[0]["signature"] == Path("s.json")
    request = {
        "path": notebook.name,
        "captures": ["a"],
        "ship_data": ["limit.txt"],
        "from_kernel": "abc",
        "signature": "s.json",
    }
    _, settled = kinds.checked("publish", request, notebook.parent)
    with pytest.raises(UsageError):
        kinds.publish(msgspec.to_builtins(settled), lambda event: None)
    assert asked[2]["signature"] == notebook.parent / "s.json"
    same = ("captures", "ship_data", "from_kernel")
    assert [asked[2][name] for name in same] == [["a"], ["limit.txt"], "abc"]
