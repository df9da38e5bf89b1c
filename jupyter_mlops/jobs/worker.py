"""What runs inside the job's process: calls the kind's function and writes down how it goes."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.errors import MlopsError, Problem
from jupyter_mlops.events import Event, Log, OnEvent, ProblemFound, Progress, Stage
from jupyter_mlops.jobs.process import hold
from jupyter_mlops.jobs.store import JobStore

PERIOD = 0.1  # seconds between two progress events of one stage: what an eye can follow

logger = logging.getLogger("jupyter_mlops.jobs")


class Cancelled(BaseException):
    """Unwinds the work when the process is asked to end; not an error that work may swallow."""


class Cancellation:
    """Turns the first SIGTERM into ``Cancelled`` in the main thread, while work is being done."""

    def __init__(self) -> None:
        self.asked = False
        self.armed = True
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        if self.armed and not self.asked:
            self.asked = True
            raise Cancelled


class Reporter:
    """Writes events into the job and its log; thins out progress that nobody could read."""

    def __init__(self, store: JobStore, job_id: str) -> None:
        self.store = store
        self.job_id = job_id
        self._last: dict[tuple[str, str], float] = {}
        self._mutex = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event; a full disk is noted in the log and does not end the work."""
        _into_log(event)
        if isinstance(event, Progress) and not self._due(event):
            return
        try:
            self.store.append_event(self.job_id, event)
        except OSError as error:
            logger.warning("an event could not be written: %s", error)

    def _due(self, event: Progress) -> bool:
        key, moment = (event.stage, event.label), time.monotonic()
        with self._mutex:
            due = event.done >= event.total or moment - self._last.get(key, -PERIOD) >= PERIOD
            if due:
                self._last[key] = moment
        return due


def work(directory: Path, lock: int | None = None) -> int:
    """Do the job in ``directory`` and return the process's exit code.

    ``lock`` is the inherited descriptor that says the job is alive; without it, it is taken here.
    """
    if lock is None:
        lock = hold(directory / "alive")
    os.set_inheritable(lock, False)  # a service that outlives the job must not keep it alive
    cancellation = Cancellation()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("jupyter_mlops").setLevel(logging.INFO)
    store, job_id = JobStore(directory.parent), directory.name
    try:
        order = store.order(job_id)
        store.begin(job_id)
        value = _function(order.call)(order.request, Reporter(store, job_id))
        result = msgspec.to_builtins(value, str_keys=True)
        cancellation.armed = False
    except BaseException as error:
        cancellation.armed = False
        return _ended_badly(store, job_id, error, cancelled=cancellation.asked)
    store.finish(job_id, "succeeded", result=result)
    return 0


def _ended_badly(store: JobStore, job_id: str, error: BaseException, *, cancelled: bool) -> int:
    if cancelled:
        logger.info("cancelled")
        store.finish(job_id, "cancelled")
        return 128 + signal.SIGTERM
    if isinstance(error, MlopsError):
        for problem in error.problems:
            logger.error("%s", problem.sentence())
        store.finish(job_id, "failed", problems=error.problems)
        return error.exit_code
    logger.error("internal error", exc_info=error)
    store.finish(job_id, "failed", problems=[_internal(error)])
    return 1


def _internal(error: BaseException) -> Problem:
    return Problem(
        problem="An internal error stopped the work",
        why=f"It is a mistake in the program, not yours ({type(error).__name__})",
        remedy="The job's log has the details: please report it with them",
    )


def _function(call: str) -> Callable[[dict[str, Any], OnEvent], Any]:
    module, _, name = call.partition(":")
    function: Callable[[dict[str, Any], OnEvent], Any] = getattr(
        importlib.import_module(module), name
    )
    return function


def _into_log(event: Event) -> None:
    match event:
        case Stage(name=name, state=state, seconds=None):
            logger.info("%s: %s", name, state)
        case Stage(name=name, state=state, seconds=seconds):
            logger.info("%s: %s after %.3f s", name, state, seconds)
        case Log(text=text, level=level):
            logger.log(logging.getLevelNamesMapping()[level.upper()], "%s", text)
        case ProblemFound():
            logger.warning("%s", Problem(**msgspec.structs.asdict(event)).sentence())
        case _:
            pass
