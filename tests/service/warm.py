"""A Python that starts warm: every process is its own, forked where the heavy packages are loaded.

Importing scikit-learn and pandas takes seconds, and each shape needs six processes. ``Warm`` makes
a folder with a ``bin/python`` that behaves as this interpreter does for ``-m MODULE``: what it
starts has its own arguments, variables, folder, open files and exit code, and dies with its caller.
Nothing of ours is loaded before the fork: ``PYTHONPATH`` says which copy of it is used.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn, Self

PRELOADED = (
    "ipykernel.kernelapp", "IPython.core.interactiveshell", "jupyter_client.asynchronous",
    "matplotlib", "msgspec", "nbclient", "numpy", "pandas", "papermill.execute", "pyarrow.parquet",
    "sklearn.cluster", "sklearn.compose", "sklearn.datasets", "sklearn.decomposition",
    "sklearn.ensemble", "sklearn.feature_extraction.text", "sklearn.impute",
    "sklearn.linear_model", "sklearn.model_selection", "sklearn.naive_bayes", "sklearn.neighbors",
    "sklearn.pipeline", "sklearn.preprocessing", "sklearn.svm", "sklearn.tree", "skops.io",
    "starlette.applications", "uvicorn", "uvloop",
)  # fmt: skip
KILLED = 137

#: What stands in ``bin/python``: it hands its whole situation over, and waits.
CLIENT = r"""#!{python} -IS
import array, json, os, signal, socket, sys
if len(sys.argv) < 3 or sys.argv[1] != "-m":
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
numbers = []
for name in os.listdir("/proc/self/fd"):
    try:
        os.fstat(int(name))
    except OSError:
        continue
    numbers.append(int(name))
connection = socket.socket(socket.AF_UNIX)
connection.connect({socket!r})
job = {{"argv": sys.argv[2:], "env": dict(os.environ), "cwd": os.getcwd(), "files": numbers}}
data = json.dumps(job).encode()
head = len(data).to_bytes(4, "big")
connection.sendmsg([head], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", numbers))])
connection.sendall(data)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: connection.sendall(bytes([number])))
code = connection.recv(1)
os._exit(code[0] if code else {killed})
"""


class Warm:
    """The prepared process, and the folder of the Python that asks it; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.python = folder / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        (folder / "lib").symlink_to(Path(sys.prefix) / "lib")
        address = folder / "s"
        self._ours, theirs = socket.socketpair()
        variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(address), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a signal for the tests is not one for it
                env={**variables, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
            )
        text = CLIENT.format(python=sys.executable, socket=str(address), killed=KILLED)
        self.python.write_text(text)
        self.python.chmod(0o755)

    def __enter__(self) -> Self:
        assert self._ours.recv(1) == b"r", "the prepared process has not started"
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.wait(30)


def main(address: str, life: int) -> None:
    """Fork a child for each connection until the owner is gone."""
    del sys.path[0]  # this very folder; not by -P, which the kernels would heed, too
    for name in PRELOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    owner = socket.socket(fileno=life)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    owner.sendall(b"r")
    while owner not in select.select([owner, listener], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            owner.close()
            _child(connection)
        connection.close()


def _child(connection: socket.socket) -> NoReturn:
    code = 1
    try:
        job, connection = _received(connection)
        threading.Thread(target=_follow, args=(connection,), daemon=True).start()
        code = _run(job)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        with contextlib.suppress(OSError):
            connection.sendall(bytes([code & 255]))
        os._exit(code & 255)


def _received(connection: socket.socket) -> tuple[dict[str, Any], socket.socket]:
    """Take a caller's situation over: its open files keep their numbers, the connection moves."""
    files = array.array("i")
    head, more, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(253 * files.itemsize))
    for _, _, data in more:
        files.frombytes(data[: len(data) - len(data) % files.itemsize])
    with connection.makefile("rb") as stream:
        job: dict[str, Any] = json.loads(stream.read(int.from_bytes(head, "big")))
    high = 500  # beyond what callers have open: nothing is overwritten on the way
    kept = os.dup2(connection.detach(), high, inheritable=False)
    moved = [os.dup2(given, high + 1 + i) for i, given in enumerate(files)]
    os.closerange(3, high)
    for given, number in zip(moved, job["files"], strict=True):
        os.dup2(given, number)
    os.closerange(high + 1, high + 1 + len(moved))
    return job, socket.socket(fileno=kept)


def _follow(connection: socket.socket) -> None:
    """Pass signals on; end when the caller has ended."""
    while True:
        try:
            number = connection.recv(1)
        except OSError:
            number = b""
        if not number:
            os._exit(KILLED)
        os.kill(os.getpid(), number[0])


def _run(job: dict[str, Any]) -> int:
    import numpy as np

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    environment = job["env"]
    if "JPY_PARENT_PID" in environment:
        environment["JPY_PARENT_PID"] = str(os.getppid())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(job["cwd"])
    np.random.seed(None)  # a fork alone would give every process the same numbers
    sys.executable = str(Path(sys.argv[1]).parent / "bin" / "python")
    paths = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.path[:0] = [job["cwd"], *paths]
    importlib.invalidate_caches()
    sys.argv = list(job["argv"])
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
