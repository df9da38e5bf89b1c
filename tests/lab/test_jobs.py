"""Jobs through the server: real detached processes, the event bus, and a restart."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.jobs import JobStore, submit
from jupyter_mlops.jobs.supervisor import start
from jupyter_mlops.lab.app import SCHEMA_FILE, MlopsExtension
from jupyter_mlops.lab.broadcast import SCHEMA, Broadcaster
from tests.jobs.work import KINDS
from tests.lab.conftest import Ask

ROOT = Path(__file__).parents[2]


class Bus:
    """Listens to the event bus as a browser does."""

    def __init__(self, app: Any) -> None:
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        app.serverapp.event_logger.add_listener(schema_id=SCHEMA, listener=self._listen)

    async def _listen(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        json.dumps(data, allow_nan=False)  # what the websocket does, and what a browser can read
        await self.queue.put(data)

    async def until(self, job: str, state: str) -> list[dict[str, Any]]:
        """Return the job's events up to the one that says ``state``."""
        heard = []
        while True:
            data = await asyncio.wait_for(self.queue.get(), 60)
            if data["job"] == job:
                heard.append(data)
                if data["event"].get("state") == state and data["event"]["type"] == "state":
                    return heard


async def test_a_job_from_start_to_result(extension: Any, ask: Ask) -> None:
    bus = Bus(extension)
    status, job = await ask("jobs", method="POST", body={"kind": "succeed"})
    assert status == 202
    assert job["state"] in ("queued", "running") and job["problems"] == []
    heard = await bus.until(job["id"], "succeeded")
    assert {data["kind"] for data in heard} == {"succeed"}
    assert heard[-1]["state"] == "succeeded"
    status, ended = await ask("jobs", job["id"])
    assert (status, ended["state"], ended["result"]["answer"]) == (200, "succeeded", 42)
    events = (await ask("jobs", job["id"], "events"))[1]["events"]
    assert [data["event"] for data in heard] == events
    assert "a line on stdout" in (await ask("jobs", job["id"], "log"))[1]["log"]
    assert [one["id"] for one in (await ask("jobs"))[1]["jobs"]] == [job["id"]]
    assert (await ask("jobs", job["id"], method="DELETE"))[0] == 204
    assert (await ask("jobs"))[1] == {"jobs": []}


async def test_pressing_twice_is_a_conflict_with_the_job(
    extension: Any, ask: Ask, jp_root_dir: Path
) -> None:
    (jp_root_dir / "a.ipynb").touch()
    gate = jp_root_dir / "a.ipynb.gate"
    body = {"kind": "gated", "request": {"path": "a.ipynb"}}
    store: JobStore = extension.settings["mlops_jobs"]
    held = store.create("gated", {"path": str(gate)})
    status, answer = await ask("jobs", method="POST", body=body)
    assert status == 409
    assert answer["job"]["id"] == held.id
    assert answer["job"]["request"]["path"] == "a.ipynb.gate", "a contents path, not a file"
    assert "already under way" in answer["problems"][0]["problem"]


async def test_the_notebook_is_absolute_for_the_worker_and_a_contents_path_for_the_browser(
    extension: Any, ask: Ask, jp_root_dir: Path
) -> None:
    (jp_root_dir / "a.ipynb").touch()
    status, job = await ask(
        "jobs", method="POST", body={"kind": "succeed", "request": {"path": "RTC:a.ipynb"}}
    )
    assert status == 202
    assert job["request"]["path"] == "a.ipynb"
    order = extension.settings["mlops_jobs"].order(job["id"])
    assert order.request["path"] == str(jp_root_dir / "a.ipynb")


async def test_cancelling_a_running_job(extension: Any, ask: Ask, tmp_path: Path) -> None:
    bus = Bus(extension)
    store: JobStore = extension.settings["mlops_jobs"]
    job = await asyncio.to_thread(submit, store, "cleaning", {"path": str(tmp_path / "gate")})
    while (await asyncio.wait_for(bus.queue.get(), 60))["event"].get("text") != "waiting":
        pass
    assert (await ask("jobs", job.id, method="DELETE"))[0] == 204
    assert (await ask("jobs", job.id))[1]["state"] == "cancelled"
    assert (tmp_path / "gate.cleaned").exists()
    await bus.until(job.id, "cancelled")


async def test_the_death_of_a_worker_is_told_without_being_asked(extension: Any, ask: Ask) -> None:
    bus = Bus(extension)
    _, job = await ask("jobs", method="POST", body={"kind": "die"})
    heard = await bus.until(job["id"], "failed")
    assert "problem" in [data["event"]["type"] for data in heard]


async def test_a_job_that_another_process_starts_is_heard(extension: Any) -> None:
    bus = Bus(extension)
    other = JobStore(extension.settings["mlops_jobs"].root, kinds=KINDS)
    job = other.create("succeed", {})
    start(other, job)
    heard = await bus.until(job.id, "succeeded")
    assert [data["event"]["seq"] for data in heard] == list(range(1, len(heard) + 1))


async def test_events_go_on_after_somebody_removed_the_folder(extension: Any) -> None:
    bus = Bus(extension)
    store: JobStore = extension.settings["mlops_jobs"]
    extension.broadcaster.ready.clear()
    shutil.rmtree(store.root)
    await asyncio.wait_for(extension.broadcaster.ready.wait(), 60)
    job = await asyncio.to_thread(submit, store, "succeed", {})
    await bus.until(job.id, "succeeded")


async def test_work_goes_on_and_is_heard_after_a_restart_of_the_server(
    extension: Any, tmp_path: Path
) -> None:
    """A first server (a process of its own) starts a job and is killed; the next one hears it."""
    store: JobStore = extension.settings["mlops_jobs"]
    await extension.stop_extension()
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from jupyter_mlops.jobs import JobStore, submit
        from tests.jobs.work import KINDS
        print(submit(JobStore(Path(sys.argv[1]), kinds=KINDS), "gated", {"path": sys.argv[2]}).id,
              flush=True)
        os.killpg(0, signal.SIGKILL)
        """
    )
    gate = tmp_path / "gate"
    first = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(store.root),
        str(gate),
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    out, _ = await first.communicate()
    assert first.returncode == -signal.SIGKILL
    job_id = out.decode().strip()
    bus = Bus(extension)
    again = Broadcaster(store, extension.serverapp.event_logger, extension.log)
    task = asyncio.create_task(again.run())
    await again.ready.wait()
    seen = len(store.events(job_id))
    gate.touch()
    heard = await bus.until(job_id, "succeeded")
    again.stop()
    await asyncio.wait_for(task, 30)
    told = [data["event"]["seq"] for data in heard]
    assert told == list(range(told[0], len(store.events(job_id)) + 1))
    assert told[0] <= seen + 1, "nothing between what REST gives and what the bus tells is missing"


async def test_a_worker_that_died_while_no_server_ran_is_told_at_the_start(
    extension: Any, tmp_path: Path
) -> None:
    store: JobStore = extension.settings["mlops_jobs"]
    await extension.stop_extension()
    job = store.create("gated", {})
    store.begin(job.id)
    os.close(store.hand_over(job.id))
    bus = Bus(extension)
    again = Broadcaster(store, extension.serverapp.event_logger, extension.log)
    task = asyncio.create_task(again.run())
    await bus.until(job.id, "failed")
    again.stop()
    await asyncio.wait_for(task, 30)


def test_options_reach_the_environment(
    jp_configurable_serverapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", "before")
    monkeypatch.setenv("JUPYTER_MLOPS_REGISTRY", "before")
    app = jp_configurable_serverapp(
        config={
            "ServerApp": {"jpserver_extensions": {"jupyter_mlops.lab": True}},
            "MlopsExtension": {"home": str(tmp_path / "h"), "registry": "localhost:5000/lab"},
        }
    )
    assert os.environ["JUPYTER_MLOPS_HOME"] == str(tmp_path / "h")
    assert os.environ["JUPYTER_MLOPS_REGISTRY"] == "localhost:5000/lab"
    assert app.web_app.settings["mlops_jobs"].root == tmp_path / "h" / "jobs"


def test_the_package_is_a_server_extension_under_its_own_name() -> None:
    import jupyter_mlops

    [point] = jupyter_mlops._jupyter_server_extension_points()
    assert point["app"] is MlopsExtension
    config = json.loads(
        (ROOT / "jupyter-config" / "server-config" / "jupyter_mlops.json").read_text()
    )
    assert config == {"ServerApp": {"jpserver_extensions": {"jupyter_mlops": True}}}
    assert SCHEMA in SCHEMA_FILE.read_text()
