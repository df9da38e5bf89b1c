"""Modules that the notebook's own code asks for and does not get, also where it copes."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec


class Absent:
    """The last finder on ``sys.meta_path``: whoever comes to it will get no module.

    What the notebook asks for itself is kept apart: libraries look for many things that they can
    do without.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.sought: set[str] = set()

    def start(self) -> None:
        """Note names from now on."""
        sys.meta_path.append(self)

    def stop(self) -> None:
        """Note nothing any more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def take(self) -> tuple[list[str], list[str]]:
        """Return the names since the last time, sorted: the notebook's, and the libraries'."""
        names, sought = sorted(self.names), sorted(self.sought - self.names)
        self.names, self.sought = set(), set()
        return names, sought

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find nothing; note the name for who asked for it."""
        (self.names if _asker() == "__main__" else self.sought).add(fullname)
        return None


def _asker() -> str:
    """Return the name of the module whose code asks for an import."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not str(name).startswith("importlib") and "importlib" not in frame.f_code.co_filename:
            return str(name)
        frame = frame.f_back
    return ""
