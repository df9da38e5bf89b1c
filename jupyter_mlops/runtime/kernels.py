"""The kernel of a run: this very interpreter, on local sockets, dead when the run is over."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

# A path of a Unix socket has 107 bytes; the ports make the name longer than this by a few.
MAX_SOCKET_PATH = 95


class RunKernelManager(AsyncKernelManager):  # type: ignore[misc]
    """Starts ``sys.executable``, whatever kernel the notebook names."""

    folder: Path
    environment: dict[str, str]
    on_started: Callable[[Any], None]

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the kernel specification of this interpreter."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")

    @property
    def ipykernel(self) -> bool:
        """Say that IPython's options are understood."""
        return True

    async def start_kernel(self, **kwargs: Any) -> None:
        """Start the kernel and tell whoever must stop it."""
        environment = {**os.environ, **self.environment}
        await super().start_kernel(**{**kwargs, "env": environment})
        self.on_started(self.provisioner.process)


def make_manager_class(
    folder: Path, environment: dict[str, str], on_started: Callable[[Any], None]
) -> type[RunKernelManager]:
    """Return a manager class for one run: nbclient makes the instance itself."""
    connection = folder / "k.json"
    # Sockets in a folder that only this user can open; TCP where their path would not fit.
    local = sys.platform != "win32" and len(os.fsencode(connection)) <= MAX_SOCKET_PATH

    class Manager(RunKernelManager):
        def __init__(self, **kwargs: Any) -> None:
            transport = {"transport": "ipc"} if local else {}
            super().__init__(**kwargs, connection_file=str(connection), **transport)
            self.folder = folder
            self.environment = environment
            self.on_started = on_started

    return Manager


def kill(process: Any) -> None:
    """Kill a kernel and every process that it started, at once."""
    if process is None:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    except AttributeError:  # Windows
        process.kill()
