"""Runs programs in steps, each in a namespace of its own, with the hand-over between them."""

from __future__ import annotations

import ast
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import state
from jupyter_mlops.runtime.handover.models import Committed, Definition, Session, StepSpec
from jupyter_mlops.runtime.handover.session import StepSession


class Program:
    """Steps that follow each other; each sees all names, unless it is told otherwise."""

    def __init__(self, folder: Path, **beside: str) -> None:
        self.folder = folder
        self.beside = folder / "beside"
        self.beside.mkdir()
        for name, text in beside.items():
            (self.beside / name.replace("_dot_", ".")).write_text(text)
        self.before: list[str] = []
        self.definitions: list[Definition] = []
        self.namespace: dict[str, Any] = {}
        self.committed: list[Committed] = []

    def define(self, source: str, *names: str, cell: int | None = None) -> Program:
        """Add a definition that is executed in every step from here on."""
        number = len(self.before) + 1 if cell is None else cell
        self.definitions.append(Definition(cell=number, names=list(names), source=source))
        return self

    def step(
        self,
        source: str,
        reads: str = "",
        wanted: str = "",
        optional: str = "",
        **more: Any,
    ) -> Committed:
        """Run a step and return what it committed."""
        position = len(self.before)
        work = self.folder / f"work{position}"
        work.mkdir()
        out = self.folder / f"step{position}"
        spec = StepSpec(
            name=f"s{position}",
            position=position,
            cells=[position + 1],
            reads=reads.split(),
            optional=optional.split(),
            wanted=wanted.split(),
            definitions=self.definitions,
            **more,
        )
        session = Session(
            spec=spec,
            before=list(self.before),
            out=str(out),
            beside=str(self.beside),
            work=str(work),
        )
        namespace: dict[str, Any] = {}
        self.namespace = namespace

        def execute(text: str) -> None:
            exec(compile(text, "definition", "exec"), namespace)

        current = StepSession(session, namespace, execute)
        current.begin()
        exec(compile(source, f"cell{position}", "exec"), namespace)
        committed = current.end()
        for problem in committed.problems:
            print(problem)
        self.before.append(str(out))
        self.committed.append(committed)
        return committed

    def __getitem__(self, name: str) -> Any:
        return self.namespace[name]


def names_in(*sources: str) -> str:
    """Return every name that some sources mention."""
    found: dict[str, None] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                found[node.id] = None
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = None
            elif isinstance(node, ast.alias):
                found[node.asname or node.name.partition(".")[0]] = None
    return " ".join(found)


def same_as_direct(folder: Path, *cells: str, define: str = "", defines: str = "") -> Program:
    """Run cells in one namespace and as steps; what they assign to ``shown`` must be equal.

    Every step may need, and may hand on, every name.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    direct = []
    program = Program(folder)
    if define:
        program.define(define, *names_in(define).split(), cell=0)
        exec(compile(define, "definition", "exec"), namespace)
    (folder / "direct").mkdir()
    with kept_state():
        os.chdir(folder / "direct")
        for cell in cells:
            namespace["shown"] = None
            exec(compile(cell, "cell", "exec"), namespace)
            direct.append(repr(namespace["shown"]))
    names = names_in(define, *cells)
    wanted = " ".join(name for name in names.split() if name != "shown")
    stepped = []
    for cell in cells:
        with kept_state():
            program.step(cell, optional=wanted, wanted=wanted, defines=defines.split() or None)
            stepped.append(repr(program.namespace.get("shown")))
    assert stepped == direct
    return program


@contextmanager
def kept_state() -> Iterator[None]:
    """Leave the process as it was, like the end of a step's process does."""
    environ, path, here = dict(os.environ), list(sys.path), Path.cwd()
    libraries = state.snapshot()
    handlers = list(logging.root.handlers)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environ)
        sys.path[:] = path
        os.chdir(here)
        logging.root.handlers[:] = handlers
        state.restore(libraries)
        warnings.filters[:] = libraries["<warnings>"]  # type: ignore[index]
