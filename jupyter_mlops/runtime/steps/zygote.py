"""The process from which kernels are forked: ipykernel is imported once, and nothing else.

It has one thread and one socket. When the socket's other end closes, for whatever reason, it
kills every kernel with all that the kernel started, and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import tempfile
from typing import Any

PR_SET_PDEATHSIG = 1
Job = dict[str, Any]


def main() -> None:
    """Serve the socket whose descriptor is the first argument; in a child: be a kernel."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prepare()
    job = _serve(connection)
    if job is not None:
        connection.close()
        _be_kernel(job)


def _prepare() -> None:
    """Import what every kernel imports, and nothing of what notebooks import."""
    import ipykernel.ipkernel
    import ipykernel.kernelapp  # noqa: F401

    import jupyter_mlops.runtime.handover.kernel  # noqa: F401


def _serve(connection: socket.socket) -> Job | None:
    """Fork a child for each request; return its job in the child, None at the end."""
    told, wake = os.pipe()
    for descriptor in (told, wake):
        os.set_blocking(descriptor, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    running: set[int] = set()
    pending = b""
    _say(connection, {"ready": os.getpid()})
    while True:
        watched: list[Any] = [connection, told]
        ready, _, _ = select.select(watched, [], [])
        if told in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(told, 4096)
            _reap(connection, running)
        if connection in ready:
            data = connection.recv(1 << 16)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                job: Job = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    os.close(told)
                    os.close(wake)
                    return job
                running.add(pid)
                _say(connection, {"id": job["id"], "pid": pid})
    for pid in running:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return None


def _reap(connection: socket.socket, running: set[int]) -> None:
    while running:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        running.discard(pid)
        _say(connection, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(connection: socket.socket, message: Job) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(json.dumps(message).encode() + b"\n")


def _be_kernel(job: Job) -> None:
    os.setsid()
    die_with_parent(job["parent"])
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    with open(os.devnull) as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    tempfile.tempdir = None
    sys.argv = ["ipykernel_launcher.py", *job["argv"]]
    if "" not in sys.path:
        sys.path.insert(0, "")  # as in a kernel that was started: modules of the working directory

    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(job["argv"])
    app.start()


def die_with_parent(parent: int) -> None:
    """Have the system kill this process when its parent ends, where the system can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it ended before the system knew


if __name__ == "__main__":
    main()
