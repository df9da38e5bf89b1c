"""Begins to trace a notebook in its kernel: what the engine has executed before the first cell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlops.runtime import journal
from jupyter_mlops.runtime.trace import hazards
from jupyter_mlops.runtime.trace.models import Problem


def source(path: Path, numbers: Sequence[int | None], sources: Sequence[str]) -> str:
    """Return the code that begins the trace; it relies on no name of the notebook and leaves none.

    ``numbers`` are the cells' numbers in order of execution; ``sources`` is all of the
    notebook's text, and that of the modules beside it.
    """
    arguments = f"{str(path)!r}, {list(numbers)!r}, {not hazards.found(sources)!r}"
    return f"__import__({__name__!r}, fromlist=['start']).start({arguments})"


def start(path: str, numbers: Sequence[int | None], functions_too: bool) -> None:
    """Begin the trace; a failure is written to the file and is no failure of the notebook."""
    try:
        from IPython import get_ipython

        from jupyter_mlops.runtime.trace.recorder import Recorder

        hidden = [os.environ[journal.VARIABLE]] if journal.VARIABLE in os.environ else []
        made = Recorder(
            get_ipython(), Path(path), numbers, functions_too=functions_too, hidden_files=hidden
        )
        made.start()
    except Exception as error:
        import msgspec

        problem = Problem(f"Tracing did not begin: {type(error).__name__}: {error}")
        Path(path).write_bytes(msgspec.json.encode(problem) + b"\n")
