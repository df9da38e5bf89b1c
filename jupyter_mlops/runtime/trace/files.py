"""Which files a cell read and wrote: from Python's audit events, and by looking at the folder.

Libraries in C open files unseen; what they write below the working directory is found by a look
at the whole tree before and after.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

ENTRIES = 5_000
EVENTS = 20_000
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
IMPORT = ("importlib", "pkgutil", "zipimport", "pkg_resources", "_distutils_hack")
SKIPPED = frozenset(
    {".git", ".hg", ".cache", ".config", ".ipynb_checkpoints", ".ipython", ".jupyter", ".local"}
    | {
        ".matplotlib",
        ".mypy_cache",
        ".ruff_cache",
        ".venv",
        "__pycache__",
        "node_modules",
        ".keras",
    }
    | {"site-packages", "dist-packages", ".fonts", "mpl-data", ".fontconfig"}
)
FONTS = (".ttf", ".otf", ".afm", ".pfb", ".ttc", ".pyc", ".so")
SYSTEM = ("/proc", "/dev", "/sys", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/run")
PRIVATE = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR")
# Events whose first argument is a file that is read, that is written; folders that are listed.
READ = ("shutil.copyfile", "shutil.copytree", "shutil.unpack_archive")
WRITTEN = ("os.remove", "os.truncate", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.mkfifo")
MOVED = ("os.rename", "os.link", "os.symlink", "shutil.move")
LISTED = ("os.listdir", "os.scandir", "glob.glob", "os.walk", "os.fwalk", "pathlib.Path.glob")
COMMANDS = ("os.system", "subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn", "pty.spawn")


class Watch:
    """Follows what happens to files while a cell runs; a part of a hook that cannot be removed."""

    def __init__(self, hidden: tuple[str, ...] = ()) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.commands = False
        self.cwd = str(Path.cwd())
        self.partial = False
        # There is more below the working directory than is looked at.
        self.crowded = False
        known = [os.environ.get(name) for name in PRIVATE]
        packages = [sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])]
        # Imports open hundreds of files: these need no closer look.
        self._packages = tuple(f"{each}/" for each in packages[:2])
        self._hidden = tuple(
            os.path.realpath(each) for each in (*known, *packages, *hidden) if each
        )
        self._kernels = os.path.join(tempfile.gettempdir(), "ipykernel_")  # noqa: PTH118
        self._tree: dict[str, tuple[int, int, int]] = {}
        self._tree = self._look()

    def handlers(self) -> dict[str, Callable[[tuple[Any, ...]], None]]:
        """Return what to do at which audit event."""
        table: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._opened,
            "sqlite3.connect": lambda arguments: self._both(arguments[0]),
        }
        table.update({event: lambda a: self._note(self.read, a[0]) for event in READ})
        table["shutil.copyfile"] = self._copied
        table.update({event: lambda a: self._note(self.written, a[0]) for event in WRITTEN})
        table.update(dict.fromkeys(MOVED, self._moved))
        table.update(dict.fromkeys(LISTED, self._listed))
        table.update(dict.fromkeys(COMMANDS, self._command))
        return table

    def _note(self, found: set[str], path: Any, tail: str = "") -> None:
        if isinstance(path, int) or path is None:
            return
        if len(found) >= EVENTS:
            self.partial = True
            return
        text = os.fsdecode(path)
        if text.startswith(self._packages):
            return
        found.add((text if text.startswith("/") else f"{Path.cwd()}/{text}") + tail)

    def _both(self, path: Any) -> None:
        if path not in (":memory:", ""):
            self._note(self.read, path)
            self._note(self.written, path)

    def _opened(self, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        if isinstance(flags, int) and flags & WRITES:
            self._note(self.written, path)
            if flags & (os.O_APPEND | os.O_RDWR) and not flags & os.O_TRUNC:
                self._note(self.read, path)
        else:
            self._note(self.read, path)

    def _copied(self, arguments: tuple[Any, ...]) -> None:
        self._note(self.read, arguments[0])
        self._note(self.written, arguments[1])

    def _moved(self, arguments: tuple[Any, ...]) -> None:
        self._note(self.read, arguments[0])
        self._note(self.written, arguments[0])
        self._note(self.written, arguments[1])

    def _listed(self, arguments: tuple[Any, ...]) -> None:
        # Imports list the folders of the module path all the time.
        caller = sys._getframe(2).f_code.co_filename
        if any(each in caller for each in IMPORT):
            return
        path = arguments[0] if arguments and arguments[0] is not None else "."
        text = os.fsdecode(path) if not isinstance(path, int) else "."
        wild = min((text.find(c) for c in "*?[" if c in text), default=-1)
        if wild >= 0:
            text = text[:wild].rpartition("/")[0] or "."
        self._note(self.read, text, "/")

    def _command(self, _: tuple[Any, ...]) -> None:
        self.commands = True

    def begin(self) -> None:
        """Forget what was seen: a cell begins."""
        self.read.clear()
        self.written.clear()
        self.commands = self.partial = False

    def end(self) -> tuple[list[str], list[str]]:
        """Return the files that the cell read and wrote, by their names for people."""
        tree = self._look()
        before, self._tree = self._tree, tree
        differing = {path for path, _ in before.items() ^ tree.items()}
        if self.crowded:  # which entries were looked at is chance
            differing &= before.keys() & tree.keys()
        written = {name for path in self.written if (name := self._name(path))}
        written |= {name for path in differing if (name := self._name(path))}
        read = set()
        for path in self.read:
            name = self._name(path)
            # What is not there was looked for only.
            if name and (name in written or os.path.exists(path)):  # noqa: PTH110
                read.add(name)
        if self.commands:
            read.add("*")
        if self.partial:
            read.add("*")
            written.add("*")
        return sorted(read), sorted(written)

    def _name(self, path: str) -> str | None:
        """Return how to call a path, or ``None`` for what is not the user's own."""
        folder = "/" if path.endswith("/") else ""
        if path.endswith(".pyc"):
            try:
                path = source_from_cache(path)
            except ValueError:
                return None
        path = os.path.normpath(path)
        real = os.path.realpath(path)
        if any(real == each or real.startswith(f"{each}/") for each in self._hidden):
            return None
        if real.startswith(self._kernels) or real.endswith(FONTS):
            return None
        for each, base in ((path, self.cwd), (real, os.path.realpath(self.cwd))):
            if each == base:
                return "./" if folder else None
            if each.startswith(f"{base}/"):
                name = each[len(base) + 1 :]
                return None if SKIPPED.intersection(name.split("/")) else name + folder
        if real.startswith(tuple(f"{each}/" for each in SYSTEM)) or (folder and real in SYSTEM):
            return None
        return None if SKIPPED.intersection(real.split("/")) else real + folder

    def _look(self) -> dict[str, tuple[int, int, int]]:
        found: dict[str, tuple[int, int, int]] = {}
        waiting = [self.cwd]
        while waiting:
            try:
                entries = list(os.scandir(waiting.pop()))
            except OSError:
                continue
            for entry in entries:
                if entry.name in SKIPPED or len(found) >= ENTRIES:
                    continue
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.path not in self._hidden:
                            waiting.append(entry.path)
                        continue
                    about = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                found[entry.path] = (about.st_ino, about.st_size, about.st_mtime_ns)
            if len(found) >= ENTRIES:
                self.crowded = True
                break
        return found
