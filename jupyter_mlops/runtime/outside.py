"""Sees what a service's own code takes from the machine beyond what its image has."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

#: The text that the notebook's code was loaded from.
SERVICE = "service.py"
OURS = "outside.py"
_SYSTEM = ("/usr/", "/lib/", "/lib64/", "/etc/", "/proc/", "/sys/", "/dev/", "/bin/")
#: Variables that every container has.
_USUAL = frozenset({"PATH", "HOME", "LANG", "HOSTNAME", "PYTHONPATH", "TZ", "MLOPS_ROOT"})


class Seen:
    """What was taken while the service was loaded and asked: files, and variables."""

    def __init__(self, root: Path) -> None:
        self.files: dict[str, None] = {}
        self.variables: dict[str, None] = {}
        self.watching = False
        self._own: set[str] = set()
        prefixes = [root, *(Path(each) for each in sys.path if each)]
        prefixes += [Path(place) for place in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
        prefixes += [Path(place) for place in sysconfig.get_paths().values()]
        self._inside = tuple({f"{each}/" for p in prefixes for each in (p, p.resolve())})

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note a file of elsewhere that is opened to be read: a hook of ``sys.addaudithook``."""
        if not self.watching or event != "open" or not _by_service():
            return
        path, _, flags = arguments
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):
            return
        whole = Path.cwd() / path
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR):
            self._own.add(str(whole))  # it may read what it wrote
            return
        inside = str(whole) in self._own or str(whole).startswith((*self._inside, *_SYSTEM))
        if not inside and whole.exists():
            self.files[str(whole)] = None

    def problems(self) -> list[str]:
        """Return a sentence for each thing that the image will not have."""
        found = [
            f"It reads {path}, which the image does not have: load it in a cell outside of the "
            f"function, so that its value is captured, or ship it (--ship-data "
            f"{Path(path).name})."
            for path in self.files
        ]
        return found + [
            f"It reads the variable {name} of this session, which the image does not have: read it "
            "in a cell outside of the function, so that its value is captured."
            for name in self.variables
        ]


def _callers() -> Iterator[str]:
    """Yield the names of the files whose code is at work, the innermost first."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame.f_code.co_filename.rpartition("/")[2]
        frame = frame.f_back


def _by_service() -> bool:
    """Tell whether the notebook's own code is among the callers."""
    return SERVICE in _callers()


@contextmanager
def watched(root: Path) -> Iterator[Seen]:
    """Watch what is taken meanwhile; an audit hook stays for the life of the process, idle."""
    seen = Seen(root)
    sys.addaudithook(seen.audit)
    kind = type(os.environ)
    get = kind.__getitem__

    def noted(self: Any, key: str) -> Any:
        value = get(self, key)
        if seen.watching and key not in _USUAL and _asks_itself():
            seen.variables[key] = None
        return value

    seen.watching = True
    kind.__getitem__ = noted  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        kind.__getitem__ = get  # type: ignore[method-assign]
        seen.watching = False


def _asks_itself() -> bool:
    """Tell whether the notebook's own code, not a library, asks for a variable."""
    between = ("os.py", "_collections_abc.py", "<frozen os>", "<frozen _collections_abc>")
    return next((each for each in _callers() if each not in (*between, OURS)), "") == SERVICE
