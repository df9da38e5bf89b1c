"""Which process does the work: a lock that dies with it, an identity that no other one takes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped,unused-ignore]

TOLERANCE = 2.0  # seconds: the system's idea of when it booted moves when its clock is set


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process of one machine; ``started`` (seconds since the epoch) tells a reused id apart."""

    pid: int
    started: float
    host: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """Return the identity of a process of this machine, dead or alive."""
        return cls(pid=pid, started=_started(pid) or 0.0, host=socket.gethostname())

    @property
    def here(self) -> bool:
        """Return whether this very process runs on this machine."""
        started = _started(self.pid)
        return (
            self.host == socket.gethostname()
            and started is not None
            and abs(started - self.started) < TOLERANCE
        )

    def terminate(self) -> None:
        """Ask the process and its group to end; nothing happens when it is not ``here``."""
        if self.here:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the process, its group and all that it started, at once, when it is ``here``."""
        if not self.here:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            below = psutil.Process(self.pid).children(recursive=True)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            for child in below:  # kernels have sessions of their own, out of the group's reach
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()


def _started(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def hold(path: Path) -> int:
    """Take the lock file ``path`` for as long as the returned descriptor is open somewhere.

    The lock belongs to the descriptor: a child process that inherits it keeps the lock, and the
    system lets go of it when the last holder dies, however it dies. Waits for its turn.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Do something while no other process does it; waits for its turn."""
    descriptor = hold(path)
    try:
        yield
    finally:
        os.close(descriptor)


def held(path: Path) -> bool:
    """Return whether a living process holds the lock file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_free(path: Path, timeout: float | None = None) -> bool:
    """Wait (at most ``timeout`` seconds) until nobody holds the lock file; say whether it is so."""
    if timeout is None:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            finally:
                os.close(descriptor)
        return True
    free = threading.Event()

    def wait() -> None:
        wait_until_free(path)
        free.set()

    threading.Thread(target=wait, name="mlops-wait", daemon=True).start()
    return free.wait(timeout) or not held(path)
