"""The step server: one request a line on standard input, events and results on standard output."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from jupyter_mlops.runtime.emit import Emitter
from jupyter_mlops.runtime.steps.forked import Zygote

STOPPED = 128 + signal.SIGTERM


class StepEmitter(Emitter):
    """Writes the events of one step: each says whose it is."""

    def __init__(self, server: Server, step: str) -> None:
        super().__init__(None)
        self._server = server
        self._step = step

    def _write(self, event: dict[str, Any]) -> None:
        self._server.write({**event, "id": self._step})


class Server:
    """Runs at most ``parallel`` steps at once."""

    def __init__(self, parallel: int) -> None:
        self._lock = threading.Lock()
        # Whatever libraries print goes to the error output: the events stay readable.
        self._output = os.dup(1)
        os.dup2(2, 1)
        self._zygote = Zygote()
        self._pool = ThreadPoolExecutor(max(1, parallel))

    def write(self, event: dict[str, Any]) -> None:
        """Write one event as a whole line."""
        line = msgspec.json.encode(event) + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._output, line) :]

    def serve(self) -> int:
        """Answer until the input ends; return the exit code."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        # While the zygote imports what kernels need, import what runs them.
        from jupyter_mlops.runtime.steps import runner

        runner.register()
        self.write({"type": "ready", "pid": os.getpid()})
        for line in sys.stdin.buffer:
            if not line.strip():
                continue
            try:
                request = msgspec.json.decode(line, type=runner.StepRequest)
            except msgspec.DecodeError as error:
                error_ = {"ename": "BadRequest", "evalue": f"A line is no request: {error}."}
                value = {"state": "failed", "error": error_, "committed": None}
                self.write({"type": "result", "id": _id_of(line), "value": value})
                continue
            self._pool.submit(self._run, request)
        self._pool.shutdown(wait=True)
        self._zygote.close()
        return 0

    def _run(self, request: Any) -> None:
        from jupyter_mlops.runtime.steps import runner

        try:
            value = runner.run_step(request, self._zygote, StepEmitter(self, request.id))
        except BaseException as error:
            # A step without an answer would be waited for without end.
            told = {"ename": type(error).__name__, "evalue": str(error), "stage": "start"}
            value = {"state": "failed", "error": told, "committed": None}
        self.write({"type": "result", "id": request.id, "value": value})

    def _stop(self, *_: Any) -> None:
        """End everything at once: the kernels end with the zygote, and it with its socket."""
        self._zygote.close()
        os._exit(STOPPED)


def _id_of(line: bytes) -> str:
    try:
        found = msgspec.json.decode(line)
        return str(found.get("id", "")) if isinstance(found, dict) else ""
    except msgspec.DecodeError:
        return ""


def serve(parallel: int) -> int:
    """Serve until standard input ends."""
    return Server(parallel).serve()
