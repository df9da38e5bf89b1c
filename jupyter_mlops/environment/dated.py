"""When a notebook was last worked with: the date whose packages it fits when its kernel is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.notebook import Notebook

GIT_SECONDS = 10
#: No notebook is older: a date before is a clock that was never set.
FIRST = datetime(2011, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Dated:
    """A day (UTC), and how it is known, as a phrase ("its cells were last run then").

    ``sure`` is false where only the file's time tells: a copy has another one.
    """

    day: date
    why: str
    sure: bool = True


def era(notebook: Notebook) -> date:
    """Return the day (UTC) on which a notebook was last worked with, as far as can be told."""
    return evidence(notebook).day


def evidence(notebook: Notebook) -> Dated:
    """Return that day with how it is known: from its cells, its history, or its file's time."""
    latest = datetime.now(UTC)
    ran = [moment for moment in _moments(notebook.node) if FIRST <= moment <= latest]
    if ran:
        return Dated(max(ran).astimezone(UTC).date(), "its cells were last run then")
    committed = _committed(notebook.path)
    if committed is not None:
        return Dated(committed.astimezone(UTC).date(), "it was last committed then")
    try:
        written = datetime.fromtimestamp(notebook.path.stat().st_mtime, UTC)
    except OSError:
        raise MlopsError(
            "The day of the notebook cannot be told",
            why="Its cells do not say when they were run, and its file is gone",
            remedy="Name a day yourself",
            where=notebook.path.name,
        ) from None
    return Dated(written.date(), "its file was last written then", sure=False)


def _moments(node: Any) -> Iterator[datetime]:
    """Yield when cells were run, as JupyterLab, papermill, Colab and ExecuteTime note it."""
    noted = node.metadata.get("papermill")
    if isinstance(noted, dict):
        yield from _read(noted.get("end_time"))
    for cell in node.cells:
        execution = cell.metadata.get("execution")
        if isinstance(execution, dict):
            for text in execution.values():
                yield from _read(text)
        for key in ("papermill", "ExecuteTime"):
            noted = cell.metadata.get(key)
            if isinstance(noted, dict):
                yield from _read(noted.get("end_time"))
        colab = cell.metadata.get("executionInfo")
        if isinstance(colab, dict) and isinstance(colab.get("timestamp"), int | float):
            yield from _from_epoch(colab["timestamp"] / 1000)


def _read(text: Any) -> Iterator[datetime]:
    if not isinstance(text, str):
        return
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return
    yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _from_epoch(seconds: float) -> Iterator[datetime]:
    try:
        yield datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return


def _committed(path: Path) -> datetime | None:
    """Return when the file was last committed; ``None`` where it has changed since, or never."""
    try:
        for check in (["diff", "--quiet", "HEAD", "--"], ["log", "-1", "--format=%cI", "--"]):
            done = subprocess.run(
                ["git", *check, path.name],
                cwd=path.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=GIT_SECONDS,
                check=True,
            )
    except (OSError, subprocess.SubprocessError):
        return None
    return next(_read(done.stdout.strip()), None)
