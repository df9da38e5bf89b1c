"""A process that forks one child per run: IPython and the heavy packages are imported once.

With the argument ``light`` only IPython is: its children start faster, for cells in plain Python.
Reads one JSON request per line and answers each with one line when its child has ended. The child
writes what it recorded to the request's ``result``.
"""

from __future__ import annotations

import builtins
import gc
import hashlib
import importlib
import io
import json
import os
import signal
import sys
import tempfile
import traceback
import types
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import canonical, hidden_state
from .recorded import Outputs, Snapshot

SECONDS = 60
PRELOADED = (
    "IPython.core.interactiveshell", "matplotlib.pyplot", "numpy", "pandas", "sklearn.compose",
    "sklearn.datasets", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics",
    "sklearn.model_selection", "sklearn.pipeline", "sklearn.preprocessing",
)  # fmt: skip


def main() -> None:
    """Serve requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython-")
    _preload()
    shell = _shell()
    gc.freeze()  # children then do not copy the pages that a collection would touch
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _child(json.loads(line), *shell)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")


def _preload() -> None:
    """Import what notebooks import; none of it is set up here, so nothing changes for them."""
    # As in a kernel: pandas shows less where it takes itself to be in a terminal.
    builtins.get_ipython = lambda: types.SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    for name in PRELOADED[: 1 if "light" in sys.argv else None]:
        importlib.import_module(name)
    del builtins.get_ipython  # type: ignore[attr-defined]


def _child(request: dict[str, Any], shell: Any, recorder: _Recorder) -> None:
    code, errors = 1, os.fdopen(os.dup(2), "w")
    try:
        signal.alarm(SECONDS)
        folder = Path(request["folder"]).resolve()
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        sys.path[0] = ""
        if request["trace"]:
            _follow(shell, Path(request["trace"]), request["cells"])
        record = _run(shell, recorder, request["cells"], folder, request["snapshots"])
        Path(request["result"]).write_text(json.dumps(record), encoding="utf-8")
        code = 0
    except BaseException:
        traceback.print_exc(file=errors)
        errors.flush()
    finally:
        # Threads that a notebook left running must not keep the child alive.
        os._exit(code)


def _follow(shell: Any, path: Path, cells: list[list[Any]]) -> None:
    from jupyter_mlops.runtime.trace.recorder import Recorder

    Recorder(shell, path, [number for number, _, _ in cells]).start()


def _run(
    shell: Any, recorder: _Recorder, cells: list[list[Any]], folder: Path, snapshots: bool
) -> dict[str, Any]:
    """Run (number, source, may fail) one after another; stop at an error that may not be."""
    first = set(shell.user_ns)
    done: dict[str, Any] = {"cells": [], "snapshots": [], "values": {}}
    for number, source, may_fail in cells:
        recorder.start()
        sys.stdout = recorder
        result = shell.run_cell(source, store_history=True)
        sys.stdout = sys.__stdout__
        error = result.error_before_exec or result.error_in_exec
        record = recorder.seen.record(number, type(error).__name__ if error else "")
        done["cells"].append(asdict(record))
        if snapshots:
            values = canonical.names(shell.user_ns, first)
            images = [hashlib.sha256(one.encode()).hexdigest()[:24] for one in recorder.seen.images]
            taken = Snapshot(values, hidden_state.state(folder), images)
            done["snapshots"].append(asdict(taken))
        if error and not may_fail:
            break
    else:
        done["values"] = canonical.names(shell.user_ns, first)
    return done


class _Recorder(io.TextIOBase):
    """Standard output of the cells, and what their displays are added to."""

    encoding = "utf-8"  # type: ignore[assignment]

    def start(self) -> None:
        self.seen = Outputs()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.seen.stdout(text)
        return len(text)


def _shell() -> tuple[Any, _Recorder]:
    """A shell that shows what a kernel shows, into a recorder."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    recorder = _Recorder()
    recorder.start()

    class Hook(DisplayHook):  # type: ignore[misc]
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            recorder.seen.show("result", format_dict)

    class Publisher(DisplayPublisher):  # type: ignore[misc]
        def publish(self, data: Any, metadata: Any = None, **_: object) -> None:
            recorder.seen.show("display", data)

    class Shell(InteractiveShell):  # type: ignore[misc]
        displayhook_class = Hook
        display_pub_class = Publisher
        # A kernel pipes what a command prints into its own output.
        system = InteractiveShell.system_piped

        def _showtraceback(self, *_: object) -> None:
            pass

        def enable_gui(self, gui: str | None = None) -> None:
            pass

    config = Config()
    config.HistoryManager.enabled = False
    shell = Shell.instance(config=config)
    InteractiveShell._instance = shell
    shell.set_hook("show_in_pager", lambda *_, **__: None, 0)
    return shell, recorder


if __name__ == "__main__":
    main()
