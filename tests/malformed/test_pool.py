"""A process that dies, hangs or never starts is told, and nobody waits for it."""

from __future__ import annotations

import os
import signal
import time
from queue import SimpleQueue

import pytest

from tests.malformed import pool
from tests.malformed.check import Outcome

PLANNED = [("good", seed) for seed in range(3)]


def doomed(number: signal.Signals) -> type[pool._Worker]:
    class Doomed(pool._Worker):
        def __init__(self) -> None:
            super().__init__()
            assert self._process.pid is not None
            os.kill(self._process.pid, number)

    return Doomed


def faults() -> list[list[str]]:
    every = list(pool.look_at(PLANNED))
    assert sorted(seen.seed for seen in every) == [0, 1, 2]
    assert {seen.word for seen in every} == {"wrong"}
    return [seen.wrong for seen in every]


def test_one_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_Worker", doomed(signal.SIGKILL))
    assert faults() == [["start: the process died (exit code -9)"]] * 3


def test_one_that_stands_still_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_Worker", doomed(signal.SIGSTOP))
    monkeypatch.setattr(pool, "WAITING", 0.0)
    assert faults() == [["start: it is not done after 0 s"]] * 3


def test_one_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(pool, "_Worker", refuse)
    assert faults() == [["start: no process: no more processes"]] * 3


def test_one_that_says_nonsense_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Babbling(pool._Worker):
        def look(self, kind: str, seed: int) -> Outcome:
            raise ValueError("what?")

    monkeypatch.setattr(pool, "_Worker", Babbling)
    assert faults() == [["start: ValueError: what?"]] * 3


def test_who_stops_asking_does_not_wait_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    gave_up = []

    def supervise(waiting: list[tuple[str, int]], done: SimpleQueue[pool.Seen]) -> None:
        done.put(pool.Seen("good", 0))
        for _ in range(1000):
            if not waiting:
                gave_up.append(True)
                return
            time.sleep(0.01)

    monkeypatch.setattr(pool, "_supervise", supervise)
    every = pool.look_at(PLANNED, workers=1)
    next(every)
    every.close()
    assert gave_up == [True]
