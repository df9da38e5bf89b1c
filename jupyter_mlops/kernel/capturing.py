"""What ``%mlops_capture`` says in a live kernel: how each name would be saved. Ships in images."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.capture.formats import format_for
from jupyter_mlops.capture.store import type_name


def names_of(line: str) -> list[str]:
    """Return the names of a line, each once. Raises ``ValueError`` for what is none."""
    names = list(dict.fromkeys(line.split()))
    wrong = [name for name in names if not name.isidentifier()]
    if wrong or not names:
        what = f"'{wrong[0]}' is not a name" if wrong else "There is nothing to capture"
        raise ValueError(f"{what}; write %mlops_capture name other_name")
    return names


def described(names: list[str], namespace: dict[str, Any]) -> list[str]:
    """Return a line for each name: its type, and the format it is saved in or why there is none.

    Raises ``ValueError`` with the names that do not exist.
    """
    missing = [name for name in names if name not in namespace]
    if missing:
        raise ValueError(f"Nothing is called {', '.join(missing)} yet; run the cells before this")
    return [_described(name, namespace[name]) for name in names]


def _described(name: str, value: Any) -> str:
    chosen = format_for(value)
    if chosen is None:
        return f"{name}: {type_name(value)} has no safe format, so a publish will refuse it"
    shape = chosen.describe(value).shape
    size = f", {' x '.join(map(str, shape))}" if shape else ""
    return f"{name}: {type_name(value)}{size}, saved as {chosen.name} by the next publish"
