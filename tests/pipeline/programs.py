"""Runs notebooks given as texts: directly, and as separate steps, without a kernel."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline import dataflow
from jupyter_mlops.pipeline.plan import Plan, merged_groups, plan
from jupyter_mlops.runtime.handover.models import Committed, HandoverError, Session, StepSpec
from jupyter_mlops.runtime.handover.session import StepSession
from tests.pipeline.language import NAMES


@dataclass(frozen=True)
class Group:
    cells: list[int]
    title: str = ""
    why: str = ""


# --- running ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    outputs: list[str]
    values: dict[str, str]
    steps: int


def shape(value: Any, seen: dict[int, int], depth: int = 0) -> str:
    """Describe a value with its sharing: equal texts mean equal values and equal aliases."""
    if isinstance(value, list | dict) and id(value) in seen:
        return f"#{seen[id(value)]}"
    if depth > 30:
        return "..."
    if isinstance(value, list | tuple):
        if isinstance(value, list):
            seen[id(value)] = len(seen)
        return f"{type(value).__name__}({', '.join(shape(v, seen, depth + 1) for v in value)})"
    if isinstance(value, dict):
        seen[id(value)] = len(seen)
        return (
            "{" + ", ".join(f"{k!r}: {shape(v, seen, depth + 1)}" for k, v in value.items()) + "}"
        )
    if isinstance(value, int | str | float | type(None)):
        return repr(value)
    if isinstance(value, type):
        return f"class {value.__name__}"
    if isinstance(value, types.FunctionType):
        return "function"
    inner = getattr(value, "__dict__", None)
    if inner is not None:
        if id(value) in seen:
            return f"#{seen[id(value)]}"
        seen[id(value)] = len(seen)
        return f"{type(value).__name__}{shape(dict(inner), seen, depth + 1)}"
    return type(value).__name__


def values_of(namespace: dict[str, Any]) -> dict[str, str]:
    seen: dict[int, int] = {}
    return {n: shape(namespace[n], seen) for n in [*NAMES] if n in namespace}


def _execute(source: str, namespace: dict[str, Any]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(source, "<cell>", "exec"), namespace)
        except Exception as error:
            said.write(f"! {type(error).__name__}")
            raise
    return re.sub(r"0x[0-9a-f]+", "0x", said.getvalue())


def run(cells: list[str]) -> dict[str, Any] | None:
    """Run cells in one namespace and return it; ``None`` if a cell fails."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for source in cells:
            _execute(source, namespace)
    except Exception:
        return None
    return namespace


def direct(cells: list[str]) -> Ran | None:
    """Run a program in one namespace; ``None`` if a cell fails."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        outputs = [_execute(source, namespace) for source in cells]
    except Exception:
        return None
    return Ran(outputs, values_of(namespace), 1)


def notebook_of(cells: list[str]) -> Notebook:
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    made = [Cell(i, i + 1, c, frozenset()) for i, c in enumerate(cells)]
    return Notebook(Path("p.ipynb"), node, made, "python3", "")


def planned(cells: list[str], together: list[tuple[int, int, str]]) -> Plan:
    notebook = notebook_of(cells)
    flow = dataflow.analyze(notebook.cells)
    groups = merged_groups([Group([c.number]) for c in notebook.cells], flow, together)  # type: ignore[list-item]
    names = [f"s{i}" for i in range(len(groups))]
    return plan(notebook, flow, groups, names, "cells")  # type: ignore[arg-type]


def split(cells: list[str], folder: Path) -> Ran:
    """Run a program as steps, each in a namespace of its own; merge what cannot be apart."""
    here = Path.cwd()
    try:
        return _split(cells, folder)
    finally:
        os.chdir(here)


def _split(cells: list[str], folder: Path) -> Ran:
    together: list[tuple[int, int, str]] = []
    for _ in range(len(cells)):
        shutil.rmtree(folder, ignore_errors=True)
        the_plan = planned(cells, together)
        ran, conflict = _run_plan(cells, the_plan, folder)
        if conflict is None:
            assert ran is not None
            return ran
        together.append(conflict)
    raise AssertionError("merging does not end")


def _run_plan(
    cells: list[str], the_plan: Plan, folder: Path
) -> tuple[Ran | None, tuple[int, int, str] | None]:
    before: list[str] = []
    outputs: list[str] = []
    probe = list(NAMES)
    for position, step in enumerate(the_plan.steps):
        last = position == len(the_plan.steps) - 1
        spec = StepSpec(
            name=step.name, position=position, cells=step.cells, reads=step.reads,
            optional=sorted({*step.optional, *(probe if last else [])} - set(step.reads)),
            wanted=sorted({*step.wanted, *probe}), writes=step.writes,
            definitions=step.definitions, files_read=step.files_read, state=step.state,
            defines=step.defines,
        )  # fmt: skip
        work, out = folder / f"w{position}", folder / f"o{position}"
        work.mkdir(parents=True)
        namespace: dict[str, Any] = {"__name__": "__main__"}
        session = Session(
            spec=spec, before=before, out=str(out), beside=str(folder), work=str(work)
        )

        def execute(source: str, namespace: dict[str, Any] = namespace) -> None:
            exec(compile(source, "<definition>", "exec"), namespace)

        running = StepSession(session, namespace, execute)
        try:
            running.begin()
        except HandoverError as error:
            return None, (max(1, step.cells[0] - 1), step.cells[-1], str(error))
        for number in step.cells:
            outputs.append(_execute(cells[number - 1], namespace))
        committed: Committed = running.end()
        before.append(str(out))
        stuck = {item.name for item in committed.problems}
        for later in reversed(the_plan.steps[position + 1 :]):
            probed = probe if later is the_plan.steps[-1] else []
            if stuck & {*later.reads, *later.optional, *probed}:
                reason = "; ".join(item.reason for item in committed.problems)
                return None, (step.cells[0], later.cells[-1], reason)
    return Ran(outputs, values_of(namespace), len(the_plan.steps)), None
