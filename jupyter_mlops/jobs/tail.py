"""Hears what jobs say, from the file system's own notifications: nothing asks again and again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from watchfiles import Change, awatch, watch

from jupyter_mlops.events import StateChanged
from jupyter_mlops.jobs.log import Cursor
from jupyter_mlops.jobs.models import ACTIVE, JobEvent
from jupyter_mlops.jobs.store import JOB_ID, JobStore

_DEBOUNCE = 200  # milliseconds that notifications are gathered for at most
_STEP = 20


class Tail:
    """Follows all jobs of a store from the moment it is made."""

    def __init__(self, root: Path, *, polling: bool | None = None) -> None:
        """Remember where each job is now; ``polling`` is for file systems that tell nothing."""
        self.root = root
        self.polling = polling
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._cursors = {
            folder.name: Cursor.at_end(folder / "events.jsonl")
            for folder in root.iterdir()
            if JOB_ID.fullmatch(folder.name)
        }

    async def follow(
        self, stop: asyncio.Event | None = None
    ) -> AsyncIterator[tuple[str, JobEvent]]:
        """Yield (job id, event) for every event from now on.

        Ends when ``stop`` is set, and when somebody removes the folder itself.
        """
        changes = awatch(
            self.root,
            watch_filter=self._concerns_us,
            force_polling=self.polling,
            debounce=_DEBOUNCE,
            step=_STEP,
            stop_event=stop,
            recursive=True,
        )
        waiting = asyncio.ensure_future(anext(changes, None))
        await asyncio.sleep(0)  # the watch is set up by now: what came before it is read here
        fresh = {folder.name for folder in self.root.iterdir()}
        try:
            while True:
                for job_id in sorted(fresh):
                    for event in self._read(job_id):
                        yield job_id, event
                changed = await waiting
                if changed is None or not self.root.is_dir():
                    return
                fresh = {self._job_id(path) for _, path in changed}
                waiting = asyncio.ensure_future(anext(changes, None))
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def _concerns_us(self, change: Change, path: str) -> bool:
        name = Path(path).name
        return name == "events.jsonl" or name == self.root.name or bool(JOB_ID.fullmatch(name))

    def _job_id(self, path: str) -> str:
        parts = Path(path).relative_to(self.root).parts
        return parts[0] if parts else ""

    def _read(self, job_id: str) -> list[JobEvent]:
        if not JOB_ID.fullmatch(job_id):
            return []
        folder = self.root / job_id
        if not folder.is_dir():
            self._cursors.pop(job_id, None)
            return []
        return self._cursors.setdefault(job_id, Cursor(folder / "events.jsonl")).read()


def follow(store: JobStore, job_id: str) -> Iterator[JobEvent]:
    """Yield the events of one job from its first to its end, as they come.

    It always ends: a job whose process dies is called failed. Raises ``NotFoundError``.
    """
    folder = store.directory(job_id)
    cursor = Cursor(folder / "events.jsonl")
    ended = threading.Event()

    def wait() -> None:
        try:
            store.wait(job_id)  # says how it ended, when its process could not
        finally:
            ended.set()

    threading.Thread(target=wait, name=f"mlops-follow-{job_id}", daemon=True).start()
    for event in cursor.read():
        yield event
        if _final(event):
            return
    changes = watch(folder, debounce=_DEBOUNCE, step=_STEP, stop_event=ended, recursive=False)
    for _ in changes:
        for event in cursor.read():
            yield event
            if _final(event):
                return
    yield from cursor.read()


def _final(event: JobEvent) -> bool:
    return isinstance(event.event, StateChanged) and event.event.state not in ACTIVE
