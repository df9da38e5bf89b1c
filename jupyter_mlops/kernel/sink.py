"""Where logged values go: the run's journal, or in a live kernel one that is sent to MLflow.

Ships in images. In a cell this costs one write to a file and one byte into a pipe.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.journal import Journal


class Sink:
    """Takes values into a journal; ``note`` says once where they go, when that is news."""

    def __init__(self, journal: Journal, note: str = "") -> None:
        self.journal = journal
        self.note = note

    def log(self, values: Mapping[str, Any], step: int | None) -> None:
        """Append the values. Raises ``TypeError`` for a value that is neither number nor text."""
        self.journal.log(values, step)


class LiveSink(Sink):
    """The journal of a live kernel, followed by a process that sends it to MLflow."""

    def __init__(self, name: str) -> None:
        from jupyter_mlops import settings
        from jupyter_mlops.tracking import store

        folder = settings.tracking() / "journals"
        folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        journal = Journal(folder / f"{stamp}-{os.getpid()}.jsonl")
        note = f"Logging to MLflow at {store.shown(store.uri())}, experiment {name!r}."
        super().__init__(journal, note)
        listen, self._nudge = os.pipe()
        os.set_blocking(self._nudge, False)
        starting = threading.Thread(target=_follow, args=(journal.path, name, listen), daemon=True)
        starting.start()

    def log(self, values: Mapping[str, Any], step: int | None) -> None:
        """Append the values and wake the process that sends them."""
        super().log(values, step)
        # A full pipe means that it is awake; a broken one that whoever comes next will send.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._nudge, b".")


def _follow(journal: Path, name: str, listen: int) -> None:
    try:
        with journal.with_suffix(".log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "jupyter_mlops.tracking", str(journal), "--name", name],
                stdin=listen,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=journal.parent,
            )
    except OSError:
        return  # the journal keeps everything; a later kernel's follower sends it
    finally:
        os.close(listen)


def open_sink(name: str) -> Sink:
    """Return where this process logs to. Raises ``OSError``, and ``ImportError`` when nowhere.

    Inside a run that is the journal in ``MLOPS_JOURNAL``.
    """
    journal = Journal.of_run()
    return Sink(journal) if journal else LiveSink(name)
