"""The kernel's side of a step: called silently before its first cell and after its last one."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.runtime.handover.models import Session
from jupyter_mlops.runtime.handover.session import StepSession

_sessions: dict[str, StepSession] = {}


def call(function: str, path: Path) -> str:
    """Return an expression that calls a function of this module; it binds no name."""
    return f"__import__({__name__!r}, fromlist=['_']).answer({function!r}, {str(path)!r})"


def answer(function: str, path: str) -> str:
    """Call ``begin``, ``end`` or ``undeclared``; return, as JSON, its text or what it raised.

    It raises nothing: some versions of IPython send no answer at all for an expression whose
    exception has a cause.
    """
    try:
        return json.dumps({"text": _FUNCTIONS[function](path)})
    except BaseException as error:
        lines = traceback.format_exception_only(error)
        told = {"ename": type(error).__name__, "evalue": str(error), "traceback": lines}
        return json.dumps({"error": told})


def begin(path: str) -> None:
    """Put the state of a step's start in place; ``path`` is its session file.

    Raises ``HandoverError``.
    """
    from IPython import get_ipython

    shell: Any = get_ipython()

    def execute(source: str) -> None:
        shell.run_cell(source, store_history=False, silent=True).raise_error()

    session = msgspec.json.decode(Path(path).read_bytes(), type=Session)
    current = StepSession(session, shell.user_ns, execute)
    _sessions[path] = current
    # Libraries that are imported here find get_ipython(), as they do when a cell imports them.
    with shell.builtin_trap:
        current.begin()
        _show_figures()


def _show_figures() -> None:
    """Make figures that were handed over show themselves, as if pyplot had drawn them here."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.switch_backend(sys.modules["matplotlib"].get_backend())


def end(path: str) -> str:
    """Commit what the step changed; return the path of the manifest."""
    current = _sessions.pop(path)
    current.end()
    return str(current.manifest)


def undeclared(path: str) -> str:
    """Return, as JSON, the undeclared files that a failed step asked for."""
    current = _sessions.pop(path, None)
    return json.dumps(current.asked() if current is not None else [])


_FUNCTIONS: dict[str, Callable[[str], str | None]] = {
    "begin": begin,
    "end": end,
    "undeclared": undeclared,
}
