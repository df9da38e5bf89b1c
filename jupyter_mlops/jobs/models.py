"""The nouns of this room: a job, what was asked of it, and what it says while it goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from jupyter_mlops.errors import ConflictError, Problem
from jupyter_mlops.events import Event

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ACTIVE: frozenset[str] = frozenset({"queued", "running"})


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of long work. Times are ISO 8601 in UTC; ``result`` is there once it succeeded."""

    id: str
    kind: str
    title: str
    state: State
    request: dict[str, Any]
    created: str
    started: str | None = None
    ended: str | None = None
    result: dict[str, Any] | None = None
    problems: list[Problem] = []

    @property
    def active(self) -> bool:
        """Return whether the job is still to end."""
        return self.state in ACTIVE


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker is to do: ``call`` is ``package.module:function``; kept as ``request.json``.

    ``subject`` says what the work is about: two active jobs never share one.
    """

    call: str
    subject: str
    request: dict[str, Any]


class JobEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a job with its number (from 1, without gaps) and its time."""

    seq: int
    time: str
    event: Event

    def flat(self) -> dict[str, Any]:
        """Return the event as it is written, sent and shown: one flat object with a ``type``."""
        fields: dict[str, Any] = msgspec.to_builtins(self.event)
        return {"seq": self.seq, "time": self.time, **fields}


class AlreadyRunning(ConflictError):
    """The same work is under way: ``job`` is the one to watch instead."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"{job.title}: this work is already under way",
            why=f"Job {job.id} is {job.state}",
            remedy="Follow that job, or cancel it and start again",
        )
        self.job = job


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
