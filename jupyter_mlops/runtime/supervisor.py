"""Keeps the workers of a service alive, and what must outlive them: the port, runs, counters."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlops.runtime import exposition, link
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.keeper import Keeper
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.settings import Settings

#: So many workers in a row may die before one becomes ready; with no other one, it ends then.
TRIES = 5
#: How long a worker that died again waits for its next try at most, in seconds.
PAUSE = 10.0
#: What a worker may take beyond the time it has to drain before it is killed, in seconds.
GRACE = 5.0
logger = logging.getLogger("mlops")


class Supervisor:
    """Starts workers, replaces those that die, and ends them all."""

    def __init__(
        self, root: Path, publication: Publication, settings: Settings, sock: socket.socket
    ) -> None:
        self._root = root
        self._settings = settings
        self._socket = sock
        self._metrics = Metrics(features_of(publication), parts=settings.workers + 1)
        self._keeper = Keeper(root, publication, settings, self._metrics)
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._in_vain = 0
        self._gave_up = False

    async def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        parts = range(1, self._settings.workers + 1)
        slots = [asyncio.create_task(self._keep(part)) for part in parts]
        await self._stopping.wait()
        await asyncio.gather(*slots)
        await self._keeper.runs.stop()
        return 1 if self._gave_up else 0

    def _stop(self) -> None:
        """Let those who only wait for a run go, and the workers drain."""
        self._keeper.runs.release()
        self._stopping.set()
        for process in self._processes.values():
            if process.returncode is None:
                process.terminate()

    async def _keep(self, part: int) -> None:
        """Keep one worker running."""
        while not self._stopping.is_set():
            await self._one(part)
            if self._stopping.is_set():
                return
            if self._in_vain >= TRIES and exposition.READY not in self._metrics.states():
                self._gave_up = True
                logger.error("%d workers died before one was ready; the service ends.", TRIES)
                self._stop()
                return
            pause = min(PAUSE, 0.1 * 2**self._in_vain) if self._in_vain else 0.0
            try:
                await asyncio.wait_for(self._stopping.wait(), pause)
            except TimeoutError:
                continue

    async def _one(self, part: int) -> None:
        own, theirs = socket.socketpair()
        # Where others answer, one that replaces a dead worker takes no request before it is ready.
        others = exposition.READY in self._metrics.states()
        numbers = self._metrics.shared.part(part)
        state = self._metrics.state.start
        numbers[state] = exposition.GONE if others else exposition.STARTING
        process = await asyncio.create_subprocess_exec(
            *self._command(part, theirs, at_once=not others),
            pass_fds=(self._socket.fileno(), self._metrics.shared.file, theirs.fileno()),
            env={**os.environ, "MLOPS_TOKEN": self._settings.token},
            start_new_session=True,
        )
        theirs.close()
        self._processes[part] = process
        answering = asyncio.create_task(link.answer(own, self._keeper.answer))
        try:
            code = await self._ended(process)
        finally:
            answering.cancel()
            own.close()
        was_ready = numbers[state] != exposition.STARTING and numbers[state] != exposition.GONE
        self._in_vain = 0 if was_ready else self._in_vain + 1
        numbers[state] = exposition.GONE
        numbers[self._metrics.pid.start] = 0
        numbers[self._metrics.in_progress.start] = 0
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._metrics.dead_cpu.set(used.ru_utime + used.ru_stime)
        if not self._stopping.is_set():
            self._metrics.deaths.add(1)
            logger.error("Worker %d %s; another takes its place.", part, _how(code))

    async def _ended(self, process: asyncio.subprocess.Process) -> int:
        """Wait for a worker's end; kill one that does not drain in time."""
        ending = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((ending, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ending.done():
            process.terminate()
            _, late = await asyncio.wait((ending,), timeout=self._settings.drain + GRACE)
            if late:
                process.kill()
        return await ending

    def _command(self, part: int, theirs: socket.socket, *, at_once: bool) -> Sequence[str]:
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "worker"]
        command += ["--root", str(self._root), "--part", str(part)]
        command += ["--workers", str(self._settings.workers)]
        command += ["--socket", str(self._socket.fileno()), "--link", str(theirs.fileno())]
        command += ["--memory", str(self._metrics.shared.file)]
        return [*command, "--at-once"] if at_once else command


def features_of(publication: Publication) -> list[str]:
    """Return the names of the columns, whose strange values are counted."""
    signature = publication.signature
    return [column.name for column in signature.inputs] if signature is not None else []


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
