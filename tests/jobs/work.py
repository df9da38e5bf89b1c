"""Kinds of work for tests; the detached process imports this module by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.errors import Problem, RunError
from jupyter_mlops.events import Log, OnEvent, Progress, Stages
from jupyter_mlops.jobs import Kind


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject_: str = msgspec.field(name="subject", default="it")
    path: str = ""

    def settled(self, base: Path) -> Asked:
        return self

    def subject(self) -> str:
        return self.subject_

    def title(self) -> str:
        return f"Work on {self.subject_}"


class Done(msgspec.Struct):
    answer: int
    rate: float


def succeed(request: dict[str, Any], on_event: OnEvent) -> Done:
    stages = Stages(on_event)
    with stages.stage("read"):
        on_event(Log(text="reading"))
    for done in range(1, 1001):
        on_event(Progress(stage="run", done=done, total=1000, unit="cells"))
    sys.stdout.write("a line on stdout\n")
    return Done(answer=42, rate=float("nan"))


def gated(request: dict[str, Any], on_event: OnEvent) -> Done:
    """Say hello, then go on when the file named by the request's path is there."""
    on_event(Log(text="waiting"))
    while not Path(request["path"]).exists():
        time.sleep(0.02)
    on_event(Log(text="going on"))
    return Done(answer=1, rate=0.5)


def cleaning(request: dict[str, Any], on_event: OnEvent) -> Done:
    try:
        return gated(request, on_event)
    finally:
        Path(request["path"] + ".cleaned").touch()


def stubborn(request: dict[str, Any], on_event: OnEvent) -> Done:
    """Ignore SIGTERM, with a child in a session of its own, as kernels are."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(request["path"] + ".child").write_text(str(child.pid))
    return gated(request, on_event)


def leave_service(request: dict[str, Any], on_event: OnEvent) -> Done:
    """Start a process that outlives the job, as a service does."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Done(answer=child.pid, rate=0.0)


def mistake(request: dict[str, Any], on_event: OnEvent) -> Done:
    raise RunError.collect(
        [
            Problem(problem="Cell 3 raised ValueError", why="bad", where="cell 3"),
            Problem(problem="Cell 4 is empty"),
        ]
    )


def bug(request: dict[str, Any], on_event: OnEvent) -> Done:
    raise ZeroDivisionError("the hidden-detail of the program")


def die(request: dict[str, Any], on_event: OnEvent) -> Done:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def published(request: dict[str, Any], on_event: OnEvent) -> dict[str, Any]:
    with Stages(on_event).stage("lock"):
        pass
    return {"reference": f"{request['target']}:v1", "version": 1, "metrics": {"accuracy": 0.9}}


def slow_publish(request: dict[str, Any], on_event: OnEvent) -> dict[str, Any]:
    gated({"path": request["path"] + ".gate"}, on_event)
    return {"reference": "r"}


FUNCTIONS = (succeed, gated, cleaning, stubborn, leave_service, mistake, bug, die)
KINDS = {f.__name__: Kind(f"tests.jobs.work:{f.__name__}", Asked) for f in FUNCTIONS}
