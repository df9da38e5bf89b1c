"""Jobs on disk: creation, races, honesty about dead workers, deletion."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.errors import ConflictError, NotFoundError, UsageError
from jupyter_mlops.events import Log, StateChanged
from jupyter_mlops.jobs import AlreadyRunning, JobStore
from jupyter_mlops.jobs.log import Cursor, append
from jupyter_mlops.jobs.process import Process


def test_a_created_job_is_queued_and_private(store: JobStore) -> None:
    job = store.create("gated", {"subject": "a"})
    assert (job.state, job.title, job.kind) == ("queued", "Work on a", "gated")
    assert store.get(job.id) == job
    folder = store.directory(job.id)
    assert folder.stat().st_mode & 0o077 == 0
    assert {"job.json", "request.json", "events.jsonl", "log.txt"} <= {
        entry.name for entry in folder.iterdir()
    }
    assert json.loads((folder / "events.jsonl").read_text())["state"] == "queued"


def test_jobs_are_listed_newest_first(store: JobStore) -> None:
    ids = [store.create("gated", {"subject": name}).id for name in "abc"]
    assert sorted(job.id for job in store.list()) == sorted(ids)
    created = [job.created for job in store.list()]
    assert created == sorted(created, reverse=True)


def test_the_same_work_is_not_created_twice(store: JobStore) -> None:
    first = store.create("gated", {"subject": "a"})
    with pytest.raises(AlreadyRunning) as caught:
        store.create("gated", {"subject": "a"})
    assert caught.value.job.id == first.id
    assert caught.value.status == 409
    assert store.create("succeed", {"subject": "a"}).id != first.id
    store.cancel(first.id)
    assert store.create("gated", {"subject": "a"}).id != first.id


def test_of_racing_processes_one_wins(store: JobStore) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from jupyter_mlops.jobs import AlreadyRunning, JobStore
        from tests.jobs.work import KINDS
        store = JobStore(Path(sys.argv[1]), kinds=KINDS)
        sys.stdout.write("ready\\n"); sys.stdout.flush()
        sys.stdin.readline()
        try:
            print("won", store.create("gated", {"subject": "same"}).id, flush=True)
        except AlreadyRunning as error:
            print("lost", error.job.id, flush=True)
        sys.stdin.readline()
        """
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(store.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.stdout.readline().split() for racer in racers if racer.stdout]
    assert sorted(word for word, _ in said) == ["lost", "lost", "lost", "won"]
    assert len({job_id for _, job_id in said}) == 1
    for racer in racers:
        racer.communicate("end\n", timeout=30)
    # Its creator is gone and never started it: the job says so.
    assert [job.state for job in store.list()] == ["failed"]


def test_a_job_whose_process_is_dead_has_failed_and_says_why(store: JobStore) -> None:
    job = store.create("gated", {})
    store.begin(job.id)
    other = JobStore(store.root)
    assert other.get(job.id).state == "running"
    import os

    os.close(store.hand_over(job.id))  # what the system does when the worker dies
    ended = other.get(job.id)
    assert ended.state == "failed"
    assert ended.ended is not None
    assert "without a result" in ended.problems[0].problem
    assert ended.problems[0].remedy
    assert [type(e.event).__name__ for e in other.events(job.id)][-2:] == [
        "ProblemFound",
        "StateChanged",
    ]
    before = other.events(job.id)
    assert other.get(job.id) == ended
    assert other.events(job.id) == before


def test_a_reused_process_id_is_not_mistaken_for_the_worker() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        real = Process.of(child.pid)
        assert real.here
        reused = msgspec.structs.replace(real, started=real.started - 3600)
        elsewhere = msgspec.structs.replace(real, host="another-machine")
        for stranger in (reused, elsewhere):
            assert not stranger.here
            stranger.terminate()
            stranger.kill()
        assert child.poll() is None
    finally:
        child.communicate(b"\n", timeout=30)
    assert child.returncode == 0
    assert not real.here


@pytest.mark.parametrize(
    ("kind", "request_", "says"),
    [
        ("bake", {}, "no kind of job called 'bake'"),
        ("publish", {}, "path"),
        ("publish", {"path": "a.ipynb", "colour": "red"}, "colour"),
        ("publish", {"path": "a.ipynb", "verify": "perhaps"}, "perhaps"),
        ("publish", {"path": "a.ipynb", "environment": {"extra": ["six"]}}, "extra"),
        ("run", {}, "either `reference` or `path`"),
        ("run", {"path": "a", "reference": "b"}, "either `reference` or `path`"),
        ("serve", {"reference": "a", "with": "magic"}, "magic"),
        ("serve", {"reference": "a", "port": "80"}, "port"),
    ],
)
def test_a_request_that_is_not_valid_is_refused(
    tmp_path: Path, kind: str, request_: dict[str, object], says: str
) -> None:
    store = JobStore(tmp_path / "jobs")
    with pytest.raises(UsageError, match=says):
        store.create(kind, request_)
    assert store.list() == []


def test_local_paths_are_absolute_and_the_notebook_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").touch()
    (tmp_path / "link.ipynb").symlink_to("a.ipynb")
    store = JobStore(tmp_path / "jobs")
    job = store.create("publish", {"path": "a.ipynb", "target": "oci:reg:1"}, base=tmp_path)
    assert job.title == "Publish a.ipynb"
    assert job.request["path"] == str(tmp_path / "a.ipynb")
    assert job.request["target"] == f"oci:{tmp_path}/reg:1"
    with pytest.raises(AlreadyRunning):
        store.create("publish", {"path": "link.ipynb", "target": "oci:reg:1"}, base=tmp_path)
    store.create("publish", {"path": "a.ipynb", "target": "localhost:5000/a"}, base=tmp_path)
    run = store.create("run", {"reference": "localhost:5000/a", "parameters": {"x": 1, "y": 2}})
    with pytest.raises(AlreadyRunning, match=run.id):
        store.create("run", {"reference": "localhost:5000/a", "parameters": {"y": 2, "x": 1}})
    serve = store.create("serve", {"reference": "localhost:5000/a:3"})
    assert serve.request == {"reference": "localhost:5000/a:3", "with": "process", "port": None}


def test_an_active_job_is_not_deleted_an_ended_one_is_gone(store: JobStore) -> None:
    job = store.create("gated", {})
    with pytest.raises(ConflictError, match="still goes on"):
        store.delete(job.id)
    assert store.cancel(job.id).state == "cancelled"
    store.delete(job.id)
    assert list(store.root.glob("*-*")) == []
    for ask in (store.get, store.delete, store.events, store.log, store.cancel, store.order):
        with pytest.raises(NotFoundError):
            ask(job.id)


@pytest.mark.parametrize("name", ["", ".", "..", "../jobs", "/etc", ".lock", "a/b"])
def test_a_job_id_never_leads_out_of_the_store(store: JobStore, name: str) -> None:
    store.create("gated", {})
    with pytest.raises(NotFoundError):
        store.get(name)


def test_a_folder_that_cannot_be_written_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="JUPYTER_MLOPS_HOME"):
        JobStore(tmp_path / "file" / "jobs").create("publish", {"path": "a.ipynb"})


def test_events_are_numbered_without_gaps_after_a_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, Log(text="one"))
    append(path, Log(text="x" * 200_000))
    with path.open("ab") as file:
        file.write(b'{"seq":3,"time":"2026-')  # killed here
    assert append(path, StateChanged(state="failed")).seq == 3
    cursor = Cursor(path)
    assert [event.seq for event in cursor.read()] == [1, 2, 3]
    assert cursor.read() == []
    with path.open("ab") as file:
        file.write(b'{"seq":4,"time":"t","type":"log",')
        file.flush()
        assert cursor.read() == []
        file.write(b'"text":"whole now"}\n')
    assert [event.flat()["text"] for event in cursor.read()] == ["whole now"]


def test_writers_of_one_event_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    program = (
        "import sys; from pathlib import Path; from jupyter_mlops.jobs.log import append;"
        "from jupyter_mlops.events import Log;"
        "[append(Path(sys.argv[1]), Log(text='y' * 5000)) for _ in range(50)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert [event.seq for event in Cursor(path).read()] == list(range(1, 151))
