"""Processes that look at many notebooks; one that hangs or dies is told, and replaced."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil

from .check import Outcome

#: How long one door may compute, or stand still, before the process is killed.
COMPUTING, WAITING = 60.0, 300.0
#: The memory that a process may use.
MEMORY = 2 << 30


@dataclass(frozen=True)
class Seen:
    """What became of the notebook of a kind and a seed."""

    kind: str
    seed: int
    doors: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def word(self) -> str:
        """Return the outcome in a word."""
        return "wrong" if self.wrong else self.doors.get("analyze", "wrong")


def look_at(planned: Iterable[tuple[str, int]], workers: int = 2) -> Generator[Seen, None, None]:
    """Make and look at every notebook, in processes; in the order in which they are done."""
    waiting = list(reversed(list(planned)))
    done: SimpleQueue[Seen] = SimpleQueue()
    count = len(waiting)
    with ThreadPoolExecutor(workers) as threads:
        for _ in range(workers):
            threads.submit(_supervise, waiting, done)
        try:
            for _ in range(count):
                yield done.get()
        finally:
            waiting.clear()  # whoever stops asking does not wait for the rest


def _supervise(waiting: list[tuple[str, int]], done: SimpleQueue[Seen]) -> None:
    worker: _Worker | None = None
    while True:
        try:
            kind, seed = waiting.pop()
        except IndexError:
            break
        try:
            worker = worker or _Worker()
            outcome = worker.look(kind, seed)
        except Exception as error:  # whatever it is: a notebook that is not told is waited for
            done.put(Seen(kind, seed, wrong=[_fault(worker, error)]))
            if worker is not None:
                worker.stop()
            worker = None
        else:
            done.put(Seen(kind, seed, outcome.doors, outcome.wrong, outcome.said))
    if worker is not None:
        worker.stop()


def _fault(worker: _Worker | None, error: Exception) -> str:
    """Say what became of a process that gave no outcome."""
    if worker is None:
        return f"start: no process: {error}"
    if isinstance(error, TimeoutError):
        return f"{worker.door}: {error}"
    if isinstance(error, EOFError | OSError):
        return f"{worker.door}: the process died ({worker.ended()})"
    return f"{worker.door}: {type(error).__name__}: {error}"


class _Worker:
    """One process, and the door at which it is."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self.door = "start"

    def look(self, kind: str, seed: int) -> Outcome:
        """Return the outcome; raises ``TimeoutError``, or ``EOFError`` when the process died."""
        self._connection.send((kind, seed))
        while True:
            self._wait()
            word, value = self._connection.recv()
            if word == "done":
                assert isinstance(value, Outcome)
                return value
            self.door = value

    def _wait(self) -> None:
        """Wait for word; other work of the machine does not count as the process' own."""
        began, computed = time.monotonic(), self._computed()
        while not self._connection.poll(1):
            if self._computed() - computed > COMPUTING:
                raise TimeoutError(f"it computes for more than {COMPUTING:.0f} s")
            if time.monotonic() - began > WAITING:
                raise TimeoutError(f"it is not done after {WAITING:.0f} s")

    def _computed(self) -> float:
        """Return the seconds of computing of the process so far; 0 when it is gone."""
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def ended(self) -> str:
        """Say how the process ended."""
        self._process.join(10)
        return f"exit code {self._process.exitcode}"

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def work(connection: Connection[Any, Any]) -> None:
    """Look at what the connection names, until it is closed: the life of one process."""
    from .check import look
    from .generator import make

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["JUPYTER_MLOPS_HOME"] = str(root / "home")
        while True:
            try:
                kind, seed = connection.recv()
            except EOFError:
                return
            inside, beside = root / "in", root / "out"
            inside.mkdir()
            beside.mkdir()
            connection.send(("door", "make"))
            path = make(kind, seed, inside)
            outcome = look(path, beside, lambda door: connection.send(("door", door)))
            connection.send(("done", outcome))
            shutil.rmtree(inside)
            shutil.rmtree(beside)
