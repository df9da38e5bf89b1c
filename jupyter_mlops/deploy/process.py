"""A service as a plain process of this machine: no container engine needed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlops.deploy import ready
from jupyter_mlops.deploy.models import Service, born
from jupyter_mlops.errors import ServiceError

STOP_SECONDS = 15.0


def command(python: Path, root: Path, port: int) -> list[str]:
    """Return the command that serves an unpacked publication on the loopback interface."""
    head = [str(python), "-m", "jupyter_mlops.runtime", "serve", "--root", str(root)]
    return [*head, "--host", "127.0.0.1", "--port", str(port)]


def start(
    service: Service, python: Path, root: Path, environment: Mapping[str, str], port: int
) -> tuple[int, int | None]:
    """Start the process, detached, and wait until it is ready; return its pid and birth.

    Raises ``ServiceError``, and leaves no process behind, when it does not become ready.
    """
    log = Path(service.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(python, root, port),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(environment),
            cwd=root,
            start_new_session=True,
        )
    try:
        ready.wait(
            service.url,
            alive=lambda: process.poll() is None,
            log=lambda: log.read_text(encoding="utf-8", errors="replace"),
        )
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process.pid, born(process.pid)


def log(service: Service, lines: int) -> str:
    """Return the last lines of the process's log. Raises ``ServiceError`` where there is none."""
    try:
        with Path(service.log).open(encoding="utf-8", errors="replace") as file:
            return "".join(deque(file, maxlen=lines))
    except OSError as error:
        raise ServiceError(
            "The log of this service cannot be read",
            why=error.strerror or str(error),
            where=service.log,
        ) from None


def alive(service: Service) -> bool:
    """Tell whether the very process that was started still runs."""
    return service.pid is not None and born(service.pid) == service.born is not None


def stop(service: Service) -> None:
    """Ask the process to drain and end; kill it when it does not within 15 s."""
    if not alive(service) or service.pid is None:
        return
    _signal(service.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while alive(service) and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(service.pid, os.WNOHANG)
        time.sleep(0.05)
    if alive(service):
        _signal(service.pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
