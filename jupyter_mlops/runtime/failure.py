"""What went wrong in a run, in words that fit into one event."""

from __future__ import annotations

import re
import signal
from typing import Any

import msgspec

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
TAIL = 12


class Failure(msgspec.Struct, kw_only=True):
    """A failed run.

    ``cell`` counts code cells from one, ``index`` all cells of the notebook from zero; both are
    None when no cell of the notebook is at fault.
    """

    ename: str
    evalue: str
    cell: int | None = None
    index: int | None = None
    traceback_tail: list[str] = []
    stage: str = "run"

    def to_event(self) -> dict[str, Any]:
        """Return the failure as JSON values."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value


def of_output(output: Any) -> Failure:
    """Describe an error output of a cell."""
    lines = [line for part in output.get("traceback", []) for line in plain(part).splitlines()]
    return Failure(
        ename=str(output.get("ename", "")),
        evalue=plain(str(output.get("evalue", ""))),
        traceback_tail=[line for line in lines if line.strip()][-TAIL:],
    )


def plain(text: str) -> str:
    """Return a text without the colours of a terminal."""
    return ANSI.sub("", text)


def of_dead_kernel(code: int | None) -> Failure:
    """Describe a kernel that ended by itself; ``code`` is negative for a signal."""
    if code is None:
        told = "The kernel stopped answering."
    elif code < 0:
        told = f"The kernel was killed by {_signal_name(-code)}."
        if -code == signal.SIGKILL:
            told += " The system does this when there is no memory left."
    else:
        told = f"The kernel ended with exit code {code}."
    return Failure(ename="DeadKernelError", evalue=told)


def of_timeout(seconds: float) -> Failure:
    """Describe a run that took longer than it may."""
    return Failure(
        ename="CellTimeoutError", evalue=f"The run took longer than its limit of {seconds:g} s."
    )


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} ({number})"
    except ValueError:
        return f"signal {number}"
