"""The process that follows a live kernel's journal: nothing logged is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.runtime.journal import Journal
from jupyter_mlops.tracking import live, store
from jupyter_mlops.tracking.live import Sent

pytestmark = pytest.mark.slow  # a process that lives, and one that ends


def _follower(journal: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlops.tracking", str(journal), "--name", "live"],
        stdin=subprocess.PIPE,
    )


def _sent(journal: Path) -> Sent:
    return msgspec.json.decode(journal.with_name(f"{journal.name}.sent").read_bytes(), type=Sent)


@pytest.fixture
def journal(home: Path) -> Journal:
    return Journal(home / "tracking" / "journals" / "a.jsonl")


def test_entries_arrive_while_the_kernel_lives_and_after_its_end(journal: Journal) -> None:
    journal.log({"loss": 1.0}, step=0)
    follower = _follower(journal.path)
    assert follower.stdin
    follower.stdin.write(b".")
    follower.stdin.flush()
    file = journal.path.with_name("a.jsonl.sent")
    deadline = time.monotonic() + 120
    while not (file.exists() and _sent(journal.path).offset) and time.monotonic() < deadline:
        time.sleep(0.1)
    early = _sent(journal.path)
    assert not early.ended
    assert store.client().get_run(early.run_id).info.status == "RUNNING"
    journal.log({"loss": 0.5}, step=1)
    journal.log({"loss": 0.25}, step=2)
    follower.stdin.close()  # what the system does when the kernel is killed
    assert follower.wait(120) == 0
    history = store.client().get_metric_history(early.run_id, "loss")
    assert [point.value for point in history] == [1.0, 0.5, 0.25]
    run = store.client().get_run(early.run_id)
    assert run.info.status == "FINISHED"
    assert _sent(journal.path).ended


def test_a_kernel_that_logs_nothing_makes_no_run(empty_home: Path) -> None:
    journal = Journal(empty_home / "tracking" / "journals" / "a.jsonl")
    journal.path.parent.mkdir(parents=True)
    follower = _follower(journal.path)
    follower.communicate(timeout=120)
    assert follower.returncode == 0
    assert _sent(journal.path).ended
    assert not (empty_home / "tracking" / "mlflow.db").exists()


def test_what_could_not_be_sent_is_sent_by_the_next_follower(
    home: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.log({"loss": 3.0})
    with monkeypatch.context() as away:
        away.setenv("JUPYTER_MLOPS_TRACKING_URI", "http://127.0.0.1:1")
        away.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        follower = _follower(journal.path)
        follower.communicate(timeout=120)
        assert follower.returncode == 1
    assert _sent(journal.path) == Sent(name="live")
    live.sweep(journal.path.parent)
    sent = _sent(journal.path)
    assert sent.ended
    assert store.client().get_run(sent.run_id).data.metrics == {"loss": 3.0}
    live.sweep(journal.path.parent)
    assert len(store.client().search_runs([store.experiment("live")])) == 1


def test_a_sweep_leaves_a_followed_journal_alone(journal: Journal) -> None:
    from filelock import FileLock

    journal.log({"loss": 3.0})
    live.Follower(journal.path, "live").save()
    holder = (
        "import sys; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire();"
        "print('held', flush=True); sys.stdin.readline()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder, f"{journal.path}.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout and other.stdout.readline() == b"held\n"
    live.sweep(journal.path.parent)
    assert not _sent(journal.path).ended
    other.communicate(b"\n", timeout=30)
    with FileLock(f"{journal.path}.lock", timeout=30):
        pass
