"""Kernels by fork, for jupyter_client: a manager, its provisioner and a client that starts fast."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.provisioning import LocalProvisioner

from jupyter_mlops.runtime import kernels
from jupyter_mlops.runtime import run as whole

ZYGOTE = "jupyter_mlops.runtime.steps.zygote"
START_SECONDS = 60.0


class ForkedProcess:
    """A forked kernel, with what is used of ``Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended = threading.Event()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; return the exit code."""
        self.ended.wait(timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class Zygote:
    """The prepared process, as this process sees it. Start it before it is needed."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", ZYGOTE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,
                env={**os.environ, "PYTHONPATH": whole._python_path()},
            )
        self._connection = ours
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._number = 0
        self._pids: dict[int, ForkedProcess] = {}
        self._answers: dict[int, ForkedProcess] = {}
        self._closed = False
        threading.Thread(target=self._listen, name="zygote", daemon=True).start()

    def _listen(self) -> None:
        with self._connection.makefile("rb") as lines:
            for line in lines:
                self._take(json.loads(line))
        with self._changed:
            self._closed = True
            for process in self._pids.values():
                process.returncode = -signal.SIGKILL
                process.ended.set()
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            if "code" in message:
                process = self._pids.pop(message["pid"], None)
                if process is not None:
                    process.returncode = message["code"]
                    process.ended.set()
            elif "id" in message:
                process = self._pids[message["pid"]] = ForkedProcess(message["pid"])
                self._answers[message["id"]] = process
                self._changed.notify_all()

    def fork(self, argv: list[str], environment: dict[str, str], cwd: str) -> ForkedProcess:
        """Start a kernel; raises ``RuntimeError`` when the prepared process is gone."""
        with self._lock:
            self._number += 1
            number = self._number
            job = {"id": number, "argv": argv, "env": environment, "cwd": cwd}
            job["parent"] = self._process.pid
            with contextlib.suppress(BrokenPipeError):
                self._connection.sendall(json.dumps(job).encode() + b"\n")
        with self._changed:
            self._changed.wait_for(lambda: number in self._answers or self._closed, START_SECONDS)
            if number not in self._answers:
                raise RuntimeError("The process that starts kernels has ended.")
            return self._answers.pop(number)

    def close(self) -> None:
        """End it, and with it every kernel."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._process.wait()


class ForkProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts a kernel by the zygote instead of by an interpreter of its own."""

    zygote: Zygote
    process: ForkedProcess | None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel with the arguments that follow ``-m ipykernel_launcher``."""
        argv = cmd[3:]
        cwd = kwargs.get("cwd") or str(Path.cwd())
        loop = asyncio.get_running_loop()
        self.process = await loop.run_in_executor(None, self.zygote.fork, argv, kwargs["env"], cwd)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        process = self.process
        self.process = None
        if process is None:
            return 0
        code: int | None = await asyncio.get_running_loop().run_in_executor(None, process.wait, 10)
        return code

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel with everything that it started, and wait for its end."""
        if self.process is not None:
            kernels.kill(self.process)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self.process.wait, 10)


class FastClient(AsyncKernelClient):  # type: ignore[misc]
    """A client that is ready as soon as the kernel is: it does not wait for silence."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, and until its outputs come through."""
        deadline = time.monotonic() + (START_SECONDS if timeout is None else timeout)
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            if await self._answered(asked):
                return
            if not await self.is_alive():
                raise RuntimeError("The kernel died before it was ready.")
        raise RuntimeError("The kernel was not ready in time.")

    async def _answered(self, asked: str) -> bool:
        try:
            reply = await self.get_shell_msg(timeout=1)
            while reply["parent_header"].get("msg_id") != asked:
                reply = await self.get_shell_msg(timeout=1)
            while True:
                # The last message of this very request: from here on none is lost.
                message = await self.get_iopub_msg(timeout=0.2)
                mine = message["parent_header"].get("msg_id") == asked
                if mine and message["content"].get("execution_state") == "idle":
                    break
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True


def make_manager_class(
    zygote: Zygote,
    folder: Path,
    environment: dict[str, str],
    cwd: str,
    on_started: Callable[[Any], None],
) -> type[kernels.RunKernelManager]:
    """Return a manager class for one step: nbclient makes the instance itself."""
    base = kernels.make_manager_class(folder, environment, on_started)

    class Manager(base):  # type: ignore[valid-type,misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.client_factory = FastClient

        async def start_kernel(self, **kwargs: Any) -> None:
            self.kernel_id = str(uuid.uuid4())
            made = ForkProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
            made.zygote = zygote
            self.provisioner = made
            await super().start_kernel(**{**kwargs, "cwd": cwd})
            assert made.process is not None
            await self._wait_for_sockets(made.process)

        async def _wait_for_sockets(self, process: ForkedProcess) -> None:
            """Wait for the kernel's last socket: who connects earlier tries again only later."""
            if self.transport != "ipc":
                return
            last = f"{self.ip}-{self.hb_port}"
            deadline = time.monotonic() + START_SECONDS
            while not os.path.exists(last) and process.poll() is None:  # noqa: PTH110
                if time.monotonic() > deadline:
                    return
                await asyncio.sleep(0.002)

    return Manager
