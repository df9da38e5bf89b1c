"""Forwards what jobs say to Jupyter's event bus, from whichever process started them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any

from jupyter_mlops.errors import MlopsError, NotFoundError
from jupyter_mlops.events import StateChanged
from jupyter_mlops.jobs import JobEvent, JobStore
from jupyter_mlops.jobs.models import ACTIVE
from jupyter_mlops.jobs.tail import Tail

SCHEMA = "https://schema.jupyter.org/jupyter_mlops/job/v1"


class Broadcaster:
    """One task of the server: new events go out, dead workers are noticed when they die."""

    def __init__(self, store: JobStore, event_logger: Any, log: logging.Logger) -> None:
        self.store = store
        self.event_logger = event_logger
        self.log = log
        self.ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._watched: set[str] = set()
        self._jobs: dict[str, tuple[str, str]] = {}  # id -> kind and state

    async def run(self) -> None:
        """Forward events until ``stop``; a folder that cannot be watched is looked at instead."""
        polling: bool | None = None
        while not self._stop.is_set():
            try:
                await self._forward(Tail(self.store.root, polling=polling))
            except Exception as error:
                self.log.warning("Job events: notifications do not work here (%s)", error)
                if polling:
                    return
                polling = True

    def stop(self) -> None:
        """End ``run``."""
        self._stop.set()

    async def _forward(self, tail: Tail) -> None:
        for job in await asyncio.to_thread(self.store.list):
            if job.active:
                self._watch(job.id)
        self.ready.set()
        async for job_id, event in tail.follow(self._stop):
            with contextlib.suppress(NotFoundError):  # deleted meanwhile
                self._emit(job_id, event)

    def _emit(self, job_id: str, event: JobEvent) -> None:
        if job_id not in self._jobs:
            job = self.store.get(job_id)
            self._jobs[job_id] = (job.kind, job.state)
        kind, state = self._jobs[job_id]
        if isinstance(event.event, StateChanged):
            state = event.event.state
            self._jobs[job_id] = (kind, state)
        if state in ACTIVE:
            self._watch(job_id)
        data = {"job": job_id, "kind": kind, "state": state, "event": event.flat()}
        self.event_logger.emit(schema_id=SCHEMA, data=data)

    def _watch(self, job_id: str) -> None:
        """Have a thread wait for the worker's death; the store then writes down how it ended."""
        if job_id in self._watched:
            return
        self._watched.add(job_id)

        def wait() -> None:
            with contextlib.suppress(MlopsError, OSError):
                self.store.wait(job_id)

        threading.Thread(target=wait, name=f"mlops-watch-{job_id}", daemon=True).start()
