"""What long work says while it goes on: typed events, the same in the log, the CLI and Lab."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import msgspec


class Stage(msgspec.Struct, frozen=True, kw_only=True, tag="stage"):
    """A named part of the work started or ended; ``seconds`` is its duration once it ended."""

    name: str
    state: Literal["started", "finished", "skipped", "failed"]
    seconds: float | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """``done`` of ``total`` units (cells, bytes, layers) of a stage."""

    stage: str
    done: int
    total: int
    unit: str
    label: str = ""


class Log(msgspec.Struct, frozen=True, kw_only=True, tag="log"):
    """A line for the person who watches."""

    text: str
    level: Literal["debug", "info", "warning", "error"] = "info"


class ProblemFound(msgspec.Struct, frozen=True, kw_only=True, tag="problem"):
    """Something is wrong; the fields are those of ``errors.Problem``."""

    problem: str
    why: str = ""
    remedy: str = ""
    where: str = ""
    fingerprint: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True, tag="result"):
    """What the work came to, as JSON-able values."""

    value: dict[str, Any]


class StateChanged(msgspec.Struct, frozen=True, kw_only=True, tag="state"):
    """A job moved to another state."""

    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]


Event = Stage | Progress | Log | ProblemFound | Result | StateChanged
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Drop the event: the default listener."""


class Stages:
    """Times the stages of one piece of work and tells the listener."""

    def __init__(self, on_event: OnEvent) -> None:
        self.on_event = on_event
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Run a stage: say that it starts, that it ended or failed, and how long it took."""
        self.on_event(Stage(name=name, state="started"))
        start = time.perf_counter()
        try:
            yield
        except BaseException:
            elapsed = time.perf_counter() - start
            self.on_event(Stage(name=name, state="failed", seconds=round(elapsed, 3)))
            raise
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.on_event(Stage(name=name, state="finished", seconds=self.seconds[name]))

    def skip(self, name: str, why: str) -> None:
        """Say that a stage is not needed, and why."""
        self.on_event(Stage(name=name, state="skipped"))
        self.on_event(Log(text=f"{name} skipped: {why}"))
