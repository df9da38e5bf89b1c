"""Run a step in another interpreter: the runner that also ships in the image, as a process."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import RunError
from jupyter_mlops.events import Log, OnEvent, Progress, ignore

# The last two would keep our own environments from being compiled once and for all.
DROPPED = (
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "IPYTHONDIR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
)


@dataclass(frozen=True)
class Place:
    """Where a publication's files are: its root, its interpreter, and its import paths."""

    root: Path
    python: Path
    paths: Sequence[Path]

    def environment(self) -> dict[str, str]:
        """Return the variables of a process that sees these packages and no others."""
        kept = {key: value for key, value in os.environ.items() if key not in DROPPED}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(str(path) for path in self.paths),
            "PYTHONNOUSERSITE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",
            "MLOPS_ROOT": str(self.root),
        }


@dataclass(frozen=True)
class Ran:
    """How a run ended, with the parameters it ran with and its last metrics."""

    state: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    error: dict[str, Any] = field(default_factory=dict)


def execute(
    place: Place,
    *,
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    journal: Path,
    cwd: Path,
    capture: tuple[Path, Path] | None = None,
    trace: Path | None = None,
    on_event: OnEvent = ignore,
) -> Ran:
    """Run a notebook by papermill and return how it ended; its failure is not an exception.

    ``capture`` is (request file, folder for captures). ``trace`` is a file for what each cell
    did, to be read by ``pipeline.trace``. Raises ``RunError`` only when the
    runner itself cannot work.
    """
    command = [str(place.python), "-m", "jupyter_mlops.runtime", "run"]
    command += ["--root", str(place.root)]
    command += ["--notebook", str(notebook), "--output", str(output), "--cwd", str(cwd)]
    command += ["--parameters", json.dumps(dict(parameters)), "--journal", str(journal)]
    command += ["--events", "-"]
    if capture:
        command += ["--capture-request", str(capture[0]), "--capture-dir", str(capture[1])]
    if trace:
        command += ["--trace", str(trace)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            env=place.environment(),
        )
        try:
            value = _follow(process, on_event)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        process.wait()
        errors.seek(0)
        tail = " ".join(errors.read().strip().splitlines()[-3:])
    if value is None:
        raise RunError(
            "The run broke off before it began",
            why=tail or f"The runner ended with code {process.returncode}",
            remedy="Look at the log; if memory ran out, use less data or a bigger machine",
        )
    return Ran(
        state=value["state"],
        parameters=value.get("parameters", {}),
        metrics=value.get("metrics", {}),
        error=value.get("error") or {},
    )


def _follow(process: subprocess.Popen[str], on_event: OnEvent) -> dict[str, Any] | None:
    value: dict[str, Any] | None = None
    assert process.stdout is not None
    for line in process.stdout:
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if item.get("type") == "progress":
            fields = ("stage", "done", "total", "unit", "label")
            on_event(Progress(**{key: item[key] for key in fields if key in item}))
        elif item.get("type") == "log":
            on_event(Log(text=item.get("text", ""), level=item.get("level", "info")))
        elif item.get("type") == "result":
            value = item["value"]
    return value


def failure(ran: Ran) -> RunError:
    """Turn a failed run into the error that says which cell, what, and its last lines."""
    error = ran.error
    tail = [line for line in error.get("traceback_tail", []) if _tells(line)]
    name, text = error.get("ename", ""), error.get("evalue", "")
    number = error.get("cell")
    return RunError(
        f"{name}: {text}" if name else f"The run ended as {ran.state}",
        why="The last lines were:\n" + "\n".join(f"    {line}" for line in tail) if tail else "",
        remedy="Correct the cell, run the notebook from top to bottom, save, and try again",
        where=f"cell {number}" if number else "",
    )


def _tells(line: str) -> bool:
    """Tell whether a line of a traceback says something that the sentence does not."""
    return bool(line.strip(" -")) and "Traceback (most recent call last)" not in line
