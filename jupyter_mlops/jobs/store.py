"""Jobs on disk: one directory each, written by one owner at a time.

While a process does the work it holds the lock ``alive`` and owns the directory; when nobody
holds it, whoever has the store's lock may say how the job ended. So the death of a worker is
seen at once and by everybody, and no process id is trusted that may have been reused.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.errors import ConflictError, NotFoundError, Problem, UsageError
from jupyter_mlops.events import Event, ProblemFound, StateChanged
from jupyter_mlops.jobs import log as event_log
from jupyter_mlops.jobs.kinds import KINDS, Kind, checked
from jupyter_mlops.jobs.models import AlreadyRunning, Job, JobEvent, Order, State, now
from jupyter_mlops.jobs.process import Process, exclusively, held, hold, wait_until_free

LOG_LIMIT = 1 << 20  # bytes: the end of a log is what a reader needs
JOB_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")
_T = TypeVar("_T")
_LOST = Problem(
    problem="The work ended without a result",
    why="Its process was killed: by the system for want of memory, by a restart, or by somebody",
    remedy="Read the job's log, then start the work again",
)


class JobStore:
    """The jobs under one folder. ``kinds`` are the kinds of work that may be created."""

    def __init__(self, root: Path | None = None, kinds: Mapping[str, Kind] = KINDS) -> None:
        self.root = (root or settings.jobs()).absolute()
        self.kinds = kinds
        self._held: dict[str, int] = {}

    def create(
        self, kind: str, request: Mapping[str, Any], title: str = "", *, base: Path | None = None
    ) -> Job:
        """Write down a new job, queued; this process holds it until ``supervisor.start``.

        Local paths in the request are taken relative to ``base`` (the current folder). Raises
        ``UsageError`` for a request that is not valid and ``AlreadyRunning`` (with the job) when
        the same work is under way.
        """
        found, asked = checked(kind, request, base or Path.cwd(), self.kinds)
        plain: dict[str, Any] = msgspec.to_builtins(asked)
        order = Order(call=found.call, subject=f"{kind} {asked.subject()}", request=plain)
        with self._writable(), exclusively(self._lock):
            for other in self.list():
                if other.active and self.order(other.id).subject == order.subject:
                    raise AlreadyRunning(other)
            job = Job(
                id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}",
                kind=kind,
                title=title or asked.title(),
                state="queued",
                request=plain,
                created=now(),
            )
            self._write_new(job, order)
        return job

    @contextlib.contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise UsageError(
                "The job cannot be written down",
                why=error.strerror or str(error),
                remedy=f"Make the folder writable, or set {settings.HOME_VARIABLE} to one that is",
                where=str(self.root),
            ) from error

    def _write_new(self, job: Job, order: Order) -> None:
        draft = self.root / f".new-{job.id}"
        draft.mkdir(mode=0o700)
        _write(draft / "request.json", order)
        _write(draft / "job.json", job)
        (draft / "log.txt").touch(mode=0o600)
        event_log.append(draft / "events.jsonl", StateChanged(state="queued"))
        self._held[job.id] = hold(draft / "alive")
        draft.rename(self.root / job.id)

    def hand_over(self, job_id: str) -> int:
        """Return the descriptor that keeps a created job alive: pass it to the worker."""
        return self._held.pop(job_id)

    def get(self, job_id: str) -> Job:
        """Return a job as it is now: one whose process is dead has failed.

        Raises ``NotFoundError``.
        """
        job = self._read(job_id)
        return self._reconciled(job) if job.active and not self.alive(job_id) else job

    def list(self) -> list[Job]:
        """Return all jobs, the newest first."""
        if not self.root.is_dir():
            return []
        jobs = []
        for entry in self.root.iterdir():
            if JOB_ID.fullmatch(entry.name):
                with contextlib.suppress(NotFoundError):  # deleted meanwhile
                    jobs.append(self.get(entry.name))
        return sorted(jobs, key=lambda job: (job.created, job.id), reverse=True)

    def order(self, job_id: str) -> Order:
        """Return what the worker of a job was told to do. Raises ``NotFoundError``."""
        return _load(self.directory(job_id) / "request.json", Order, job_id)

    def events(self, job_id: str) -> Sequence[JobEvent]:
        """Return all that a job has said so far. Raises ``NotFoundError``."""
        return event_log.Cursor(self.directory(job_id) / "events.jsonl").read()

    def log(self, job_id: str, limit: int = LOG_LIMIT) -> str:
        """Return the end of the job's log, at most ``limit`` bytes. Raises ``NotFoundError``."""
        with (self.directory(job_id) / "log.txt").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            return file.read().decode(errors="replace")

    def append_event(self, job_id: str, event: Event) -> JobEvent:
        """Add an event to what the job says. Raises ``OSError`` when it cannot be written."""
        return event_log.append(self.directory(job_id) / "events.jsonl", event)

    def begin(self, job_id: str) -> Job:
        """Say that the work has begun (the worker does)."""
        job = msgspec.structs.replace(self._read(job_id), state="running", started=now())
        _write(self.directory(job_id) / "job.json", job)
        self.append_event(job_id, StateChanged(state="running"))
        return job

    def finish(
        self,
        job_id: str,
        state: State,
        *,
        result: dict[str, Any] | None = None,
        problems: Sequence[Problem] = (),
    ) -> Job:
        """Say how the work ended (its worker does, or the store when that one is dead)."""
        job = msgspec.structs.replace(
            self._read(job_id), state=state, ended=now(), result=result, problems=[*problems]
        )
        _write(self.directory(job_id) / "job.json", job)
        for problem in job.problems:
            self.append_event(job_id, ProblemFound(**msgspec.structs.asdict(problem)))
        self.append_event(job_id, StateChanged(state=state))
        return job

    def note_process(self, job_id: str, process: Process) -> None:
        """Keep which process does the work, so that it can be cancelled from anywhere."""
        _write(self.directory(job_id) / "process.json", process)

    def alive(self, job_id: str) -> bool:
        """Return whether a process is there that does the work or is about to."""
        return held(self.directory(job_id) / "alive")

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """Wait until the job's process is gone (at most ``timeout`` seconds); return the job."""
        wait_until_free(self.directory(job_id) / "alive", timeout)
        return self.get(job_id)

    def cancel(self, job_id: str, grace: float = 10.0) -> Job:
        """End a job: ask its processes, kill them after ``grace`` seconds. An ended one stays.

        Raises ``NotFoundError``, and ``ConflictError`` when another machine does the work.
        """
        job = self.get(job_id)
        if not job.active:
            return job
        directory = self.directory(job_id)
        # Whoever notices the death before we do must call it what it is.
        (directory / "cancelled").touch(mode=0o600)
        descriptor = self._held.pop(job_id, None)
        if descriptor is not None:
            os.close(descriptor)
        with contextlib.suppress(NotFoundError):
            process = _load(directory / "process.json", Process, job_id)
            process.terminate()
            if not wait_until_free(directory / "alive", grace):
                process.kill()
        if not wait_until_free(directory / "alive", grace):
            raise ConflictError(
                f"{job.title}: the job cannot be ended from here",
                why="Its process runs on another machine or does not react",
                remedy="Cancel it on the machine that started it",
            )
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forget an ended job. Raises ``NotFoundError``, ``ConflictError`` while it goes on."""
        job = self.get(job_id)
        if job.active:
            raise ConflictError(f"{job.title}: the job still goes on", remedy="Cancel it first")
        gone = self.root / f".old-{job_id}"
        with contextlib.suppress(FileNotFoundError):
            self.directory(job_id).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def directory(self, job_id: str) -> Path:
        """Return the folder of a job. Raises ``NotFoundError`` when there is none."""
        folder = self.root / job_id
        if not JOB_ID.fullmatch(job_id) or not folder.is_dir():
            raise _unknown(job_id)
        return folder

    @property
    def _lock(self) -> Path:
        return self.root / ".lock"

    def _read(self, job_id: str) -> Job:
        return _load(self.directory(job_id) / "job.json", Job, job_id)

    def _reconciled(self, job: Job) -> Job:
        """Say how a job ended whose worker could not."""
        directory = self.directory(job.id)
        cancelled = (directory / "cancelled").exists()
        state: State = "cancelled" if cancelled else "failed"
        problems = [] if cancelled else [_LOST]
        try:
            with exclusively(directory / "ending"):
                job = self._read(job.id)
                return self.finish(job.id, state, problems=problems) if job.active else job
        except OSError:  # a full disk must not hide the list of jobs
            return msgspec.structs.replace(job, state=state, ended=now(), problems=problems)


def _write(path: Path, value: msgspec.Struct) -> None:
    """Write a file that is always whole: readers see the old or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(value))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _load(path: Path, kind: type[_T], job_id: str) -> _T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        raise _unknown(job_id) from None


def _unknown(job_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no job {job_id!r}", remedy="List the jobs to see which there are"
    )
