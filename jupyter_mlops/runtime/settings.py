"""What an operator chooses for a service, by environment variables."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

#: More worker processes than this only where the operator asks: each holds the model once.
MAX_WORKERS = 4
CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a service.

    ``token`` empty means that everybody may call; ``body`` is in bytes, ``waiting`` the number of
    rows that may wait for the model of one worker, ``batch_rows`` how many rows are predicted in
    one call at most. ``deadline`` (for an answer), ``head`` and ``sending`` (for a request's head
    and body to arrive), ``idle`` (of a connection) and ``drain`` are in seconds.
    """

    token: str = ""
    digest: str = ""
    body: int = 100 * 1024**2
    waiting: int = 1024
    batch_rows: int = 256
    deadline: int = 60
    head: int = 10
    sending: int = 30
    idle: int = 75
    runs: int = 1
    queue: int = 16
    drain: int = 25
    workers: int = 1

    @classmethod
    def of_environment(cls) -> Settings:
        """Read the variables; raises ``ValueError`` that names the one that is wrong."""
        usual = cls()
        return cls(
            token=os.environ.get("MLOPS_TOKEN", ""),
            digest=os.environ.get("MLOPS_IMAGE_DIGEST", ""),
            body=_number("MLOPS_MAX_BODY", usual.body),
            waiting=_number("MLOPS_MAX_WAITING", usual.waiting),
            batch_rows=_number("MLOPS_BATCH_ROWS", usual.batch_rows),
            deadline=_number("MLOPS_REQUEST_SECONDS", usual.deadline),
            head=_number("MLOPS_HEAD_SECONDS", usual.head),
            sending=_number("MLOPS_BODY_SECONDS", usual.sending),
            idle=_number("MLOPS_IDLE_SECONDS", usual.idle),
            runs=_number("MLOPS_RUNS", usual.runs),
            queue=_number("MLOPS_RUNS_QUEUE", usual.queue),
            drain=_number("MLOPS_DRAIN_SECONDS", usual.drain),
            workers=_number("MLOPS_WORKERS", min(cores(), MAX_WORKERS)),
        )


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}, which is not a whole number from 1 on.")
    return int(text)


def cores() -> int:
    """Return how many cores this process may use: its affinity, and its container's share."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        count = os.cpu_count() or 1
    try:
        quota, period = CGROUP_CPU.read_text().split()
        count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no limit, or none that is told
    return count
