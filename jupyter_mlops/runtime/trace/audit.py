"""One audit hook for the life of the process, which does nothing between cells."""

from __future__ import annotations

import ast
import os
import re
import sys
import types
from collections.abc import Callable
from typing import Any

Handler = Callable[[tuple[Any, ...]], None]
IDENTIFIER = re.compile(r"[^\W\d]\w*")
# Code that is seen otherwise, or is no text of the notebook.
OTHERS = ("<frozen", "<ipython-input", "<attrs", "<timed ", "<magic-timeit")
# Texts longer than this are not searched for names one by one: every name may be in them.
LONG = 100_000
# They write methods as text, of the names of a class's fields and no others.
WRITING_CODE = frozenset({"dataclasses", "collections"})

_active: dict[str, Handler] = {}
_installed = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    handler = _active.get(event)
    if handler is not None:
        try:
            handler(arguments)
        except Exception:
            # The hook must never stop what the user does; the tracer counts it as unknown.
            _failed[0] = True


_failed = [False]


def begin(handlers: dict[str, Handler]) -> None:
    """Follow these events from now on."""
    global _installed
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True
    _failed[0] = False
    _active.update(handlers)


def end() -> bool:
    """Follow nothing any more; return whether everything was understood."""
    _active.clear()
    return not _failed[0]


class Code:
    """Notices code that was made from text, and processes that were forked."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.forked = False
        self.terminal = False
        self.whole = False
        self._process = os.getpid()

    def begin(self) -> None:
        """Forget what was seen: a cell begins."""
        self.names.clear()
        self.forked = self.terminal = self.whole = False

    def handlers(self) -> dict[str, Handler]:
        """Return what to do at which audit event."""
        return {
            "compile": self._compiled,
            "exec": self._executed,
            "os.fork": self._fork,
            "os.forkpty": self._fork_terminal,
        }

    def _fork(self, _: tuple[Any, ...]) -> None:
        self.forked = True

    def _fork_terminal(self, _: tuple[Any, ...]) -> None:
        # A command of the shell: no code of the notebook runs there.
        self.terminal = True

    def _compiled(self, arguments: tuple[Any, ...]) -> None:
        source, filename = arguments
        # The code of a tree is seen when it runs.
        if source is None or isinstance(source, ast.AST) or not _is_text(filename):
            return
        if _own_text():
            return
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
        if len(text) > LONG:
            self.whole = True
            return
        for name in IDENTIFIER.findall(text):
            self.names.add(name.removeprefix("__pd_eval_local_"))

    def _executed(self, arguments: tuple[Any, ...]) -> None:
        code = arguments[0]
        if isinstance(code, types.CodeType) and _is_text(code.co_filename) and not _own_text():
            self.names.update(code.co_names)


def _own_text() -> bool:
    """Tell whether a module is being loaded, or a class made of its fields: the text is theirs."""
    frame: types.FrameType | None = sys._getframe(3)
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        if frame.f_globals.get("__name__") in WRITING_CODE:
            return True
        frame = frame.f_back
    return False


def _is_text(filename: Any) -> bool:
    """Tell whether code with this file name comes from a text that somebody put together."""
    name = os.fsdecode(filename) if isinstance(filename, bytes | os.PathLike) else str(filename)
    return not name or (name.startswith("<") and not name.startswith(OTHERS))
