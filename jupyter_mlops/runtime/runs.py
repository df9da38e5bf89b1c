"""Runs of the notebook inside the service: a bounded queue of subprocesses of the runner."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from jupyter_mlops.runtime import scratch
from jupyter_mlops.runtime.parameters import effective, validate
from jupyter_mlops.runtime.publication import DATA, FILE_NAME, Publication

KEPT = 100
# How long a cancelled run may take to stop its kernel before it is killed, in seconds.
GRACE = 10
ENDED = ("succeeded", "failed", "cancelled")


class QueueFull(RuntimeError):
    """As many runs wait as the service wants to keep."""


class KeyTaken(RuntimeError):
    """The idempotency key belongs to a run with other parameters."""


class Run(msgspec.Struct, kw_only=True):
    """One run; times are ISO 8601 in UTC, ``done`` of ``total`` cells were run."""

    id: str
    parameters: dict[str, Any]
    given: dict[str, Any]
    folder: Path
    timeout: float | None = None
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"] = "queued"
    created: str
    started: str | None = None
    ended: str | None = None
    metrics: dict[str, float] = {}
    error: dict[str, Any] | None = None
    done: int = 0
    total: int = 0
    label: str = ""

    @property
    def output(self) -> Path:
        """The executed notebook; it exists once the run has ended by itself."""
        return self.folder / "output.ipynb"

    def shown(self) -> dict[str, Any]:
        """Return the run as callers see it."""
        return {
            "id": self.id,
            "state": self.state,
            "parameters": self.parameters,
            "metrics": self.metrics,
            "error": self.error,
            "cells": {"done": self.done, "total": self.total, "label": self.label},
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "notebook": f"/v1/runs/{self.id}/notebook" if self.output.exists() else None,
        }


class Runs:
    """All runs of one service."""

    def __init__(
        self,
        root: Path,
        publication: Publication,
        at_once: int,
        queue: int,
        on_end: Callable[[str], None],
    ) -> None:
        self._root = root
        self._publication = publication
        self._queue = queue
        self._slots = asyncio.Semaphore(at_once)
        self._on_end = on_end
        self._runs: dict[str, Run] = {}
        self._keys: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._stopping = False

    def create(
        self, values: dict[str, Any], key: str | None = None, timeout: float | None = None
    ) -> Run:
        """Queue a run; the same key gives the same run again.

        Raises ``ParameterProblems``, ``QueueFull`` and ``KeyTaken``.
        """
        given = validate(self._publication.parameters, values)
        if key is not None and key in self._keys:
            known = self._runs[self._keys[key]]
            if known.given != given:
                raise KeyTaken
            return known
        waiting = sum(run.state == "queued" for run in self._runs.values())
        if waiting >= self._queue or self._stopping:
            raise QueueFull
        self._forget_old()
        run = Run(
            id=uuid.uuid4().hex,
            parameters=effective(self._publication.parameters, given),
            given=given,
            folder=Path(tempfile.mkdtemp(prefix="mlops-run-", dir=scratch.parent())),
            timeout=timeout,
            created=_now(),
        )
        self._runs[run.id] = run
        self._ended[run.id] = asyncio.Event()
        if key is not None:
            self._keys[key] = run.id
        self._tasks[run.id] = asyncio.create_task(self._execute(run))
        return run

    def get(self, identifier: str) -> Run | None:
        """Return a run with its progress, or None."""
        run = self._runs.get(identifier)
        if run is not None and run.state == "running":
            _read_events(run)
        return run

    def list(self) -> list[Run]:
        """Return all runs, newest first."""
        return [run for name in reversed(self._runs) if (run := self.get(name))]

    async def wait(self, identifier: str, seconds: float) -> None:
        """Wait until a run has ended or the time is over."""
        try:
            await asyncio.wait_for(self._ended[identifier].wait(), seconds)
        except TimeoutError:
            return

    async def cancel(self, run: Run) -> None:
        """Stop a run that has not ended, and its kernel with it."""
        task = self._tasks.get(run.id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def forget(self, run: Run) -> None:
        """Remove an ended run and its files."""
        self._runs.pop(run.id, None)
        self._ended.pop(run.id, None)
        self._keys = {key: name for key, name in self._keys.items() if name != run.id}
        shutil.rmtree(run.folder, ignore_errors=True)

    async def stop(self) -> None:
        """Cancel everything and remove all files: the service ends."""
        self._stopping = True
        await asyncio.gather(*(self.cancel(run) for run in list(self._runs.values())))
        for run in list(self._runs.values()):
            self.forget(run)

    def release(self) -> None:
        """Let everyone who waits for a run go: the service is about to end."""
        self._stopping = True
        for event in self._ended.values():
            event.set()

    def _forget_old(self) -> None:
        ended = [run for run in self._runs.values() if run.state in ENDED]
        for run in ended[: max(0, len(ended) - KEPT + 1)]:
            self.forget(run)

    async def _execute(self, run: Run) -> None:
        try:
            async with self._slots:
                run.state, run.started = "running", _now()
                await self._process(run)
        except asyncio.CancelledError:
            _read_events(run)
            run.state, run.error = "cancelled", None
        except OSError as error:
            run.state = "failed"
            run.error = {"ename": type(error).__name__, "evalue": error.strerror or str(error)}
        finally:
            run.ended = _now()
            self._tasks.pop(run.id, None)
            self._ended[run.id].set()
            self._on_end(run.state)

    async def _process(self, run: Run) -> None:
        work = run.folder / "work"
        notebook = self._root / _notebook(self._publication)
        _fill(work, notebook)
        (run.folder / "parameters.json").write_bytes(msgspec.json.encode(run.given))
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "run"]
        command += ["--notebook", str(notebook), "--output", str(run.output)]
        command += ["--parameters", f"@{run.folder / 'parameters.json'}"]
        command += ["--publication", str(self._root / FILE_NAME), "--cwd", str(work)]
        command += ["--journal", str(run.folder / "journal.jsonl")]
        command += ["--events", str(run.folder / "events.jsonl")]
        if run.timeout is not None:
            command += ["--timeout", str(run.timeout)]
        process = await asyncio.create_subprocess_exec(
            *command,
            env=_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        _read_events(run)
        if run.state == "running":
            # Killed before it could say anything.
            run.state = "failed"
            run.error = {"ename": "RunnerDied", "evalue": f"The runner ended with code {code}."}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the runner to stop its kernel and itself; kill it when it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), GRACE)
    except (TimeoutError, asyncio.CancelledError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    # The caller's secret is none of the notebook's business.
    return {name: value for name, value in os.environ.items() if name != "MLOPS_TOKEN"}


def _notebook(publication: Publication) -> str:
    return publication.notebook


def _fill(work: Path, notebook: Path) -> None:
    """Make the working directory, with what lies beside the notebook, so that it is found."""
    work.mkdir()
    data = notebook.parents[1] / DATA
    shipped = data.iterdir() if data.is_dir() else ()
    for beside in (*notebook.parent.iterdir(), *shipped):
        if beside.name != notebook.name:
            (work / beside.name).symlink_to(beside.resolve())


def _read_events(run: Run) -> None:
    try:
        lines = (run.folder / "events.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue  # the last line, being written
        if event["type"] == "progress":
            run.done, run.total, run.label = event["done"], event["total"], event["label"]
        elif event["type"] == "result":
            value = event["value"]
            run.state, run.metrics, run.error = value["state"], value["metrics"], value.get("error")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
