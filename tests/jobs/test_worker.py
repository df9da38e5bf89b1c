"""Real detached processes: how work ends, and that nothing of it is lost or left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.events import Log, Progress, Stage
from jupyter_mlops.jobs import AlreadyRunning, JobEvent, JobStore, supervisor
from jupyter_mlops.jobs.process import Process
from jupyter_mlops.jobs.supervisor import submit
from jupyter_mlops.jobs.tail import Tail, follow

ROOT = Path(__file__).parents[2]


def heard(store: JobStore, job_id: str, text: str) -> None:
    """Return when the job has said ``text``."""
    for event in follow(store, job_id):
        if isinstance(event.event, Log) and event.event.text == text:
            return
    raise AssertionError(f"the job never said {text!r}: {store.log(job_id)}")


def test_work_that_succeeds(store: JobStore) -> None:
    job = submit(store, "succeed", {})
    events = list(follow(store, job.id))
    ended = store.wait(job.id, timeout=60)
    assert ended.state == "succeeded", store.log(job.id)
    assert ended.result == {"answer": 42, "rate": None}, "NaN is not JSON"
    assert ended.started and ended.ended and ended.problems == []
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events == list(store.events(job.id))
    states = [e.flat()["state"] for e in events if e.flat()["type"] == "state"]
    assert states == ["queued", "running", "succeeded"]
    stages = [e.event for e in events if isinstance(e.event, Stage)]
    assert [stage.state for stage in stages] == ["started", "finished"]
    progress = [e.event.done for e in events if isinstance(e.event, Progress)]
    assert progress[0] == 1 and progress[-1] == 1000 and len(progress) < 500
    log = store.log(job.id)
    assert "a line on stdout" in log and "reading" in log
    assert store.log(job.id, limit=5) == log[-5:]


def test_a_users_mistake_gives_every_problem(store: JobStore) -> None:
    job = submit(store, "mistake", {})
    ended = store.wait(job.id, timeout=60)
    assert ended.state == "failed"
    assert [problem.problem for problem in ended.problems] == [
        "Cell 3 raised ValueError",
        "Cell 4 is empty",
    ]
    assert "Traceback" not in store.log(job.id)
    assert [e.flat()["problem"] for e in store.events(job.id) if e.flat()["type"] == "problem"] == [
        "Cell 3 raised ValueError",
        "Cell 4 is empty",
    ]


def test_a_bug_keeps_its_traceback_in_the_log(store: JobStore) -> None:
    job = submit(store, "bug", {})
    ended = store.wait(job.id, timeout=60)
    assert ended.state == "failed"
    assert len(ended.problems) == 1
    assert "internal error" in ended.problems[0].problem
    assert "hidden-detail" not in str(ended) and "Traceback" not in str(ended)
    assert "hidden-detail" in store.log(job.id) and "Traceback" in store.log(job.id)


def test_a_killed_worker_is_seen_by_who_follows(store: JobStore) -> None:
    job = submit(store, "die", {})
    events = list(follow(store, job.id))
    assert events[-1].flat()["state"] == "failed"
    assert "without a result" in store.get(job.id).problems[0].problem


def test_cancelling_lets_the_work_clean_up(store: JobStore, tmp_path: Path) -> None:
    job = submit(store, "cleaning", {"path": str(tmp_path / "gate")})
    heard(store, job.id, "waiting")
    ended = store.cancel(job.id, grace=30)
    assert ended.state == "cancelled"
    assert ended.problems == []
    assert (tmp_path / "gate.cleaned").exists()
    assert list(follow(store, job.id))[-1].flat()["state"] == "cancelled"
    assert store.cancel(job.id) == ended


def test_cancelling_kills_what_does_not_listen(store: JobStore, tmp_path: Path) -> None:
    job = submit(store, "stubborn", {"path": str(tmp_path / "gate")})
    heard(store, job.id, "waiting")
    child = int((tmp_path / "gate.child").read_text())
    assert store.cancel(job.id, grace=0.5).state == "cancelled"
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(child).wait(timeout=30) is None


def test_a_service_that_stays_does_not_keep_the_job_alive(store: JobStore) -> None:
    job = submit(store, "leave_service", {})
    ended = store.wait(job.id, timeout=60)
    assert ended.state == "succeeded" and ended.result
    service = psutil.Process(ended.result["answer"])
    assert service.is_running()
    assert not store.alive(job.id)
    service.kill()


def test_the_work_outlives_the_process_that_started_it(store: JobStore, tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from jupyter_mlops.jobs import JobStore, submit
        from tests.jobs.work import KINDS
        store = JobStore(Path(sys.argv[1]), kinds=KINDS)
        print(submit(store, "gated", {"path": sys.argv[2]}).id, flush=True)
        os.killpg(0, signal.SIGKILL)
        """
    )
    gate = tmp_path / "gate"
    starter = subprocess.run(
        [sys.executable, "-c", program, str(store.root), str(gate)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert starter.returncode == -9
    job_id = starter.stdout.strip()
    heard(store, job_id, "waiting")
    assert store.get(job_id).state == "running"
    with pytest.raises(AlreadyRunning):
        store.create("gated", {})
    gate.touch()
    assert store.wait(job_id, timeout=60).state == "succeeded"


def test_the_worker_gets_nothing_private_of_a_kernel(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    monkeypatch.setenv("MLOPS_JOURNAL", str(tmp_path / "j"))
    job = submit(store, "gated", {"path": str(tmp_path / "gate")})
    heard(store, job.id, "waiting")
    [worker] = [
        p for p in psutil.Process().children() if str(store.directory(job.id)) in p.cmdline()
    ]
    environment = worker.environ()
    assert "JPY_PARENT_PID" not in environment and "MLOPS_JOURNAL" not in environment
    assert os.getsid(worker.pid) == worker.pid


def test_a_process_that_cannot_start_fails_the_job(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    job = supervisor.start(store, store.create("succeed", {}))
    assert job.state == "failed"
    assert "cannot be started" in job.problems[0].problem
    assert not store.alive(job.id)


def test_an_unknown_process_is_not_here() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not Process.of(child.pid).here


async def collect(tail: Tail, into: list[tuple[str, JobEvent]], last: str) -> None:
    async for job_id, event in tail.follow():
        into.append((job_id, event))
        if event.flat().get("state") == last:
            return


def test_the_tail_hears_every_new_event_once_and_no_old_one(
    store: JobStore, tmp_path: Path
) -> None:
    old = submit(store, "succeed", {"subject": "old"})
    store.wait(old.id, timeout=60)
    running = submit(store, "gated", {"subject": "running", "path": str(tmp_path / "gate")})
    heard(store, running.id, "waiting")
    before = len(store.events(running.id))
    tail = Tail(store.root)
    got: list[tuple[str, JobEvent]] = []

    async def scenario() -> None:
        listening = asyncio.ensure_future(collect(tail, got, "failed"))
        await asyncio.sleep(0)
        (tmp_path / "gate").touch()
        await asyncio.to_thread(store.wait, running.id, 60)
        fresh = await asyncio.to_thread(submit, store, "succeed", {"subject": "new"})
        await asyncio.to_thread(store.wait, fresh.id, 60)
        await asyncio.to_thread(submit, store, "mistake", {"subject": "last"})
        await asyncio.wait_for(listening, 60)

    asyncio.run(scenario())
    by_job: dict[str, list[JobEvent]] = {}
    for job_id, event in got:
        by_job.setdefault(job_id, []).append(event)
    assert old.id not in by_job
    assert by_job.pop(running.id) == list(store.events(running.id))[before:]
    assert len(by_job) == 2
    for job_id, events in by_job.items():
        assert events == list(store.events(job_id))


def test_the_tail_stops_when_told(store: JobStore) -> None:
    async def scenario() -> None:
        stop = asyncio.Event()
        tail = Tail(store.root)

        async def listen() -> None:
            async for _ in tail.follow(stop):
                raise AssertionError("there is nothing to hear")

        listening = asyncio.ensure_future(listen())
        await asyncio.sleep(0.1)
        stop.set()
        await asyncio.wait_for(listening, 30)

    asyncio.run(scenario())


def test_following_an_ended_job_leaves_no_thread(store: JobStore) -> None:
    job = submit(store, "succeed", {})
    store.wait(job.id, timeout=60)
    list(follow(store, job.id))
    for thread in threading.enumerate():
        if job.id in thread.name:
            thread.join(timeout=30)
            assert not thread.is_alive()


def test_events_that_cannot_be_written_do_not_end_the_work(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from jupyter_mlops.jobs.worker import Reporter

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    job = store.create("succeed", {})
    monkeypatch.setattr(store, "append_event", full)
    Reporter(store, job.id)(Log(text="still here"))
    assert "No space left" in caplog.text


def test_a_full_disk_does_not_hide_the_jobs(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    job = store.create("succeed", {})
    store.begin(job.id)
    os.close(store.hand_over(job.id))
    monkeypatch.setattr(store, "finish", full)
    assert [one.state for one in store.list()] == ["failed"]
