"""The list of formats: those that others add come first, then ours."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from jupyter_mlops.capture.arrays import ArrayFormat
from jupyter_mlops.capture.frames import FrameFormat
from jupyter_mlops.capture.protocol import CannotLoad, Format
from jupyter_mlops.capture.sklearn import SklearnFormat
from jupyter_mlops.capture.values import ValueFormat

GROUP = "jupyter_mlops.capture_formats_v1"
# A plain list: in the image our package has no metadata, hence no entry points.
BUILT_IN: tuple[Format, ...] = (SklearnFormat(), ArrayFormat(), FrameFormat(), ValueFormat())


@cache
def formats() -> tuple[Format, ...]:
    """Return every format in the order in which they are asked."""
    added: list[Format] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        found = entry.load()
        added.append(found() if isinstance(found, type) else found)
    return (*added, *BUILT_IN)


def format_for(value: Any) -> Format | None:
    """Return the format that keeps this value, or None."""
    return next((each for each in formats() if each.matches(value)), None)


def by_name(name: str) -> Format:
    """Return the format with this name; raises ``CannotLoad`` when there is none."""
    for each in formats():
        if each.name == name:
            return each
    raise CannotLoad(f"There is no capture format named {name!r} here.")
