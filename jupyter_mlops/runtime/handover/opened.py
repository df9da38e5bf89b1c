"""Which files are opened for reading, and the network: an audit hook sees libraries, too."""

from __future__ import annotations

import os
import sys
from typing import Any

_EVENTS = frozenset({"open", "os.listdir", "os.scandir", "socket.connect"})
_READS_TOO = os.O_RDWR | os.O_APPEND


class Opened:
    """Paths that were opened to read what is in them; whether they were there at the first time.

    ``network`` tells whether anything was connected to an address.
    """

    def __init__(self) -> None:
        self.paths: dict[str, bool] = {}
        self.listed: dict[str, None] = {}
        self.network = False

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one event of the interpreter."""
        try:
            if event == "socket.connect":
                self.network = self.network or isinstance(arguments[1], tuple)
            elif event == "open":
                path, mode, flags = arguments
                if isinstance(path, int) or not _reads(mode, flags):
                    return
                found = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
                # Before the file is opened: "a" makes what is missing.
                if found not in self.paths:
                    self.paths[found] = os.path.lexists(found)
            else:
                given = arguments[0] if arguments and arguments[0] is not None else "."
                if not isinstance(given, int):
                    self.listed[os.path.abspath(os.fsdecode(given))] = None  # noqa: PTH100
        except (OSError, TypeError, ValueError):
            # A hook must not fail what it watches; such a path cannot be opened anyway.
            return


def _reads(mode: str | None, flags: int | None) -> bool:
    if mode is not None:
        return "w" not in mode
    flags = flags or 0
    if flags & os.O_TRUNC:
        return False
    return not flags & os.O_WRONLY or bool(flags & _READS_TOO)


class _Hook:
    current: Opened | None = None
    added = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    current = _Hook.current
    if current is None or event not in _EVENTS:
        return
    # Imports look into folders too, and open modules: that is not the notebook's reading.
    if "importlib" not in sys._getframe(1).f_code.co_filename:
        current.note(event, arguments)


def start() -> Opened:
    """Begin to note; a hook cannot be taken away again, so there is one for the whole process."""
    if not _Hook.added:
        sys.addaudithook(_audit)
        _Hook.added = True
    _Hook.current = Opened()
    return _Hook.current


def stop() -> None:
    """Stop noting."""
    _Hook.current = None
