"""Starts the process of a job: apart from the one that asks, so that it survives it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import Problem
from jupyter_mlops.jobs.models import Job
from jupyter_mlops.jobs.process import Process
from jupyter_mlops.jobs.store import JobStore

# What a kernel or a run tells its own children and nobody else's.
_PRIVATE = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "MLOPS_JOURNAL", "MPLBACKEND")


def submit(
    store: JobStore,
    kind: str,
    request: Mapping[str, Any],
    *,
    title: str = "",
    base: Path | None = None,
) -> Job:
    """Create a job and start it; raises what ``JobStore.create`` raises."""
    return start(store, store.create(kind, request, title, base=base))


def start(store: JobStore, job: Job) -> Job:
    """Start the process of a job that this process created; return the job as it is then.

    The process has a session of its own, reads nothing, and writes into the job's ``log.txt``.
    A process that cannot be started makes the job fail; nothing is raised.
    """
    directory = store.directory(job.id)
    lock = store.hand_over(job.id)
    try:
        with (directory / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_mlops.jobs", str(directory), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock],
                cwd=directory,
                env={k: v for k, v in os.environ.items() if k not in _PRIVATE},
            )
        store.note_process(job.id, Process.of(process.pid))
    except OSError as error:
        return store.finish(job.id, "failed", problems=[_unstartable(error)])
    finally:
        os.close(lock)
    # Without somebody who waits for it, an ended child stays in the process table.
    threading.Thread(target=process.wait, name=f"mlops-{job.id}", daemon=True).start()
    return store.get(job.id)


def _unstartable(error: OSError) -> Problem:
    return Problem(
        problem="The process of the job cannot be started",
        why=error.strerror or str(error),
        remedy="Free memory or disk space, then start the work again",
    )
