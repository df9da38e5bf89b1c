"""Follows a notebook's cells in its kernel, and writes a line about each of them."""

from __future__ import annotations

import ast
import builtins
import os
import re
import sys
import time
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.runtime.handover.scope import is_user_name
from jupyter_mlops.runtime.trace import audit, blocks, functions, heap, hidden
from jupyter_mlops.runtime.trace.absent import Absent
from jupyter_mlops.runtime.trace.files import Watch
from jupyter_mlops.runtime.trace.heap import Heap
from jupyter_mlops.runtime.trace.marks import MARK
from jupyter_mlops.runtime.trace.models import CellTrace, Problem

SHOWN = re.compile(r"_{1,3}|_\d+|Out|_oh")
SPAWNING = ("multiprocessing.popen_spawn_posix", "joblib.externals.loky.backend.popen_loky_posix")


def _counts(name: str) -> bool:
    return is_user_name(name) and name != "_exit_code"


class Recorder:
    """Writes what each cell did to a file of JSON lines.

    ``numbers`` are the numbers of the cells in the order in which they will run; ``None`` for
    one that is not the notebook's. ``functions_too``: the functions of the notebook may be
    marked. Its own failure is written down, ends it, and never reaches the notebook.
    """

    def __init__(
        self,
        shell: Any,
        path: Path,
        numbers: Sequence[int | None],
        *,
        functions_too: bool = True,
        hidden_files: Iterable[str] = (),
    ) -> None:
        self.shell = shell
        self.path = path
        self.numbers = list(numbers)
        self.functions_too = functions_too
        self.marks: defaultdict[int, int] = defaultdict(int)
        self.blocks: list[blocks.Block] = []
        self.ran: list[int] = []
        self.first = 0
        self.unmarked = False
        self.info: Any = None
        self.number: int | None = None
        self.started = 0.0
        self.process = os.getpid()
        self.code = audit.Code()
        self.watch = Watch((str(path), *hidden_files))
        self.modules = hidden.Modules()
        self.heap = Heap()
        self.state: dict[str, Any] = {}
        self.libraries: set[str] = set()
        self.absent = Absent()

    # -- life

    def start(self) -> None:
        """Begin to follow the cells that run from now on."""
        self._write_to("w", b"")
        setattr(builtins, MARK, self.marks)
        # Beside the functions that use it, so that it goes with them into another process.
        self.shell.user_ns[MARK] = self.marks
        self.shell.user_ns_hidden[MARK] = self.marks
        self.shell.events.register("pre_run_cell", self._before)
        self.shell.events.register("post_run_cell", self._after)
        self.shell.ast_transformers.append(self)
        self.absent.start()
        self.heap = heap.take(self._names(), set(), None)
        self.modules.changed(self._names())
        self.state = hidden.snapshot()

    def stop(self, problem: str) -> None:
        """Say why, and follow nothing any more; marks that are set stay without effect."""
        audit.end()
        self.absent.stop()
        self.info = None
        for name, function in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
            if function in self.shell.events.callbacks[name]:
                self.shell.events.unregister(name, function)
        if self in self.shell.ast_transformers:
            self.shell.ast_transformers.remove(self)
        with suppress(OSError):
            self._write_to("a", msgspec.json.encode(Problem(problem)) + b"\n")

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.stop(f"Tracing ended at cell {self.number}: {type(error).__name__}: {error}")

    def _write_to(self, mode: str, data: bytes) -> None:
        with self.path.open(f"{mode}b") as file:
            file.write(data)

    def _names(self) -> dict[str, Any]:
        space: Mapping[str, Any] = self.shell.user_ns
        return {name: value for name, value in list(space.items()) if _counts(name)}

    # -- events

    def visit(self, tree: ast.AST) -> ast.AST:
        """Plan and set the marks of a cell; IPython calls this before it compiles."""
        if self.info is None or not isinstance(tree, ast.Module):
            return tree
        self._safely(lambda: self._mark(tree))
        return tree

    def _mark(self, tree: ast.Module) -> None:
        made = blocks.plan(tree, functions=self.functions_too, is_safe=self._is_own)
        first = len(self.blocks)
        self.blocks += made.blocks
        self.unmarked |= made.unmarked
        self.ran.append(first)
        made.apply(first)

    def _is_own(self, name: str) -> bool:
        value = self.shell.user_ns.get(name)
        if type(value) is types.FunctionType:
            return value.__globals__ is self.shell.user_ns
        return (value if issubclass(type(value), type) else type(value)).__module__ == "__main__"

    def _before(self, info: Any) -> None:
        if self.info is not None or os.getpid() != self.process:
            return  # a cell within a cell
        self._safely(lambda: self._begin(info))

    def _begin(self, info: Any) -> None:
        self.number = self.numbers.pop(0) if self.numbers else None
        if self.number is None:
            return
        self.info = info
        self.ran.clear()
        self.first = len(self.blocks)
        self.marks.clear()
        self.libraries = {name.partition(".")[0] for name in list(sys.modules)}
        self.watch.begin()
        self.code.begin()
        audit.begin({**self.watch.handlers(), **self.code.handlers()})
        self.started = time.perf_counter()

    def _after(self, result: Any) -> None:
        if self.info is None or os.getpid() != self.process:
            return
        if result is not None and result.info is not self.info:
            return
        seconds = time.perf_counter() - self.started
        self._safely(lambda: self._end(result, seconds))
        self.info = None

    def _end(self, result: Any, seconds: float) -> None:
        understood = audit.end()
        names = self._names()
        error = None if result is None else result.error_before_exec or result.error_in_exec
        reads, own = self._reads(names)
        if not understood:
            reads |= set(names)
        before = self.heap
        self.watch.commands |= self.code.terminal
        bound = {name for name, value in names.items() if not before.same(name, value)}
        near = before.mates((reads | own | bound) & (set(names) | set(before.roots))) | bound
        self.heap = after = heap.take(names, near, before)
        differing = heap.changed(before, after)
        mutated = (before.reaching(differing) & set(names)) - bound if differing else set()
        unchecked = self._unchecked(before, after, near)
        if mutated or unchecked:
            # What was not walked through to its end may share what was changed.
            unchecked |= (before.cut | after.cut) & set(names)
        unchecked -= bound | mutated
        read_files, written = self.watch.end()
        if self.watch.crowded:
            unchecked.add("<files>")
        if result is not None and result.result is not None:
            bound.add("_")
        absent, sought = self.absent.take()
        line = CellTrace(
            number=self.number or 0,
            seconds=seconds,
            read=sorted(reads | own),
            own=sorted(own - reads),
            bound=sorted(bound),
            mutated=sorted(mutated),
            deleted=sorted(set(before.roots) - set(names)),
            shared=sorted(map(list, after.groups - before.groups)),
            state=self._state(names),
            files_read=read_files,
            files_written=written,
            modules=self._modules(),
            absent=absent,
            sought=sought,
            unchecked=sorted(unchecked),
            error="" if error is None else type(error).__name__,
        )
        self._write_to("a", msgspec.json.encode(line) + b"\n")

    # -- what a cell did

    def _reads(self, names: Mapping[str, Any]) -> tuple[set[str], set[str]]:
        """Return the names looked up, and those that the cell had itself bound before."""
        ran = [self.blocks[number] for number in {*self.ran, *self.marks}]
        if self.code.forked:  # any of its lines may have run in the other process
            ran += self.blocks[self.first :]
        known = set(names) | set(self.heap.roots)
        looked = set().union(*(block.names for block in ran))
        own = set().union(*(block.own for block in ran))
        texts = {t for block in ran for text in block.texts for t in audit.IDENTIFIER.findall(text)}
        looked |= (texts | self.code.names) & known
        if self.code.whole or any(block.whole for block in ran):
            looked |= known
        looked = {name for name in looked if name in known or SHOWN.fullmatch(name)}
        own &= known
        elsewhere = self.code.forked or any(name in sys.modules for name in SPAWNING)
        if self.unmarked or elsewhere:
            space = self.shell.user_ns
            more = functions.reads(looked | own, space, marked_too=elsewhere)
            looked |= {name for name in more - own if name in known}
        return looked, own

    def _unchecked(self, before: Heap, after: Heap, near: set[str]) -> set[str]:
        unsure = after.cut & near
        doubtful = heap.unsure(before, after)
        if doubtful:
            unsure |= after.reaching(doubtful) & near
        return unsure & set(before.roots)

    def _state(self, names: dict[str, Any]) -> list[str]:
        before, self.state = self.state, hidden.snapshot()
        ran = [self.blocks[number] for number in {*self.ran, *self.marks}]
        stored = set().union(*(block.stored for block in ran))
        modules = [*self.modules.changed(names), *hidden.stored_in_modules(stored, names)]
        return sorted({*hidden.changed(before, self.state), *modules})

    def _modules(self) -> list[str]:
        ran = [self.blocks[number] for number in {*self.ran, *self.marks}]
        imported = set().union(*(block.imports for block in ran))
        return sorted(name for name in imported - self.libraries if name in sys.modules)
