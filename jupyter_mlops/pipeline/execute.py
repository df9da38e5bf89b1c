"""Runs a pipeline step by step, each in a process of its own, and settles what must be together.

The plan comes from the notebook's text. What the steps commit is the truth: what cannot be handed
over joins the steps that need it; a step that ran on something that turns out to be older than
what an earlier step made runs again; whatever the plan did not foresee is told.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.events import Log, OnEvent, Progress, ignore
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import material
from jupyter_mlops.pipeline.boundaries import How
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.keys.step import StepKey, Surroundings, keyed, step_key, with_verdict
from jupyter_mlops.pipeline.needs import last_needs
from jupyter_mlops.pipeline.plan import Plan, PlannedStep, Together, make_plan
from jupyter_mlops.pipeline.run import Place
from jupyter_mlops.pipeline.server import StepServer
from jupyter_mlops.runtime.handover.files import ABOVE
from jupyter_mlops.runtime.handover.models import Committed, Session, StepSpec
from jupyter_mlops.runtime.handover.store import Before


@dataclass(frozen=True)
class Done:
    """A step that has ended well."""

    cells: tuple[int, ...]
    state: frozenset[str]
    folder: Path
    committed: Committed
    executed: Any
    before: frozenset[int]
    metrics: Mapping[str, float]
    key: StepKey


@dataclass(frozen=True)
class _Started:
    """A step that runs, with the steps that had ended before it."""

    position: int
    before: frozenset[int]
    folder: Path
    key: StepKey
    make_key: Callable[[], StepKey]


@dataclass
class SplitRun:
    """How a run in steps ended; ``noted`` is what was not foreseen, ``keys`` are its steps'."""

    plan: Plan
    state: str = "succeeded"
    executed: Any = None
    metrics: dict[str, float] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    keys: list[StepKey] = field(default_factory=list)


class Execution:
    """One run of a notebook in steps.

    ``whole`` is the pipeline's notebook (see ``steps.extract``), ``beside`` the folder whose
    files steps may read, ``work`` a folder of this run's own, ``together`` spans that an earlier
    run has found (see ``plan.merged_groups``). For the keys of steps: ``effective`` are the values
    of all parameters, ``environment`` is what pins the packages; without it none is cacheable.
    """

    def __init__(
        self,
        notebook: Notebook,
        flow: Dataflow,
        whole: Any,
        *,
        how: How,
        place: Place,
        beside: Path,
        work: Path,
        parameters: Mapping[str, Any],
        effective: Mapping[str, Any] | None = None,
        environment: str = "",
        together: Iterable[Together] = (),
        parallel: int = 2,
        on_event: OnEvent = ignore,
    ) -> None:
        self._notebook = notebook
        self._flow = flow
        self._whole = whole
        self._parts = material.parts(notebook, whole)
        self._how = how
        self._place = place
        self._beside = beside
        self._work = work
        self._parameters = dict(parameters)
        self._around = Surroundings(beside, environment, {**(effective or {}), **parameters})
        self._parallel = parallel
        self._on_event = on_event
        self._together: list[Together] = list(together)
        self._files: dict[int, set[str]] = {}
        self._names: dict[int, set[str]] = {}
        self._failed_at: set[tuple[int, str]] = set()
        self._done: dict[int, Done] = {}
        self._count = 0
        self.noted: list[str] = []

    def run(self) -> SplitRun:
        """Run until every step has ended, or one has failed for a reason of its own."""
        with StepServer(self._place, self._parallel, self._on_event) as server:
            return self.run_on(server)

    def run_on(self, server: StepServer) -> SplitRun:
        """Run on a server that is there already."""
        while True:
            the_plan = self._plan()
            self._keep_what_still_holds(the_plan)
            failed = self._run_plan(server, the_plan)
            if failed is not None:
                error, executed = failed
                return SplitRun(
                    plan=the_plan, state="failed", error=error, executed=executed, noted=self.noted
                )
            if len(self._done) == len(the_plan.steps):
                return self._finished(the_plan)

    # --- planning -------------------------------------------------------------------------
    def _plan(self) -> Plan:
        return make_plan(self._notebook, self._flow, self._how, self._together)

    def _keep_what_still_holds(self, the_plan: Plan) -> None:
        """Forget what ran in other groups than now, and what ran after that."""
        kept: dict[int, Done] = {}
        for position, step in enumerate(the_plan.steps):
            done = self._done.get(position)
            if done is None or done.cells != tuple(step.cells):
                break
            kept[position] = done
        self._done = kept

    def _join(self, first: int, last: int, reason: str) -> None:
        self._together.append((first, last, reason))
        self._say(f"Cells {first} to {last} run together: {reason}")

    def _say(self, text: str) -> None:
        if text not in self.noted:
            self.noted.append(text)
            self._on_event(Log(text=text, level="warning"))

    # --- running --------------------------------------------------------------------------
    def _run_plan(self, server: StepServer, the_plan: Plan) -> tuple[dict[str, Any], Any] | None:
        """Run what is left of a plan; stop early where it must change. Return a failure."""
        steps = the_plan.steps
        position_of = {step.name: i for i, step in enumerate(steps)}
        running: dict[str, _Started] = {}
        changed: Callable[[], bool] = _watch(self._together, self._files, self._names)
        failure: tuple[dict[str, Any], Any] | None = None
        while True:
            if failure is None and not changed():
                for position, step in enumerate(steps):
                    busy = {each.position for each in running.values()}
                    ready = all(position_of[name] in self._done for name in step.after)
                    if position in self._done or position in busy or not ready:
                        continue
                    if len(running) < self._parallel:
                        name, started = self._start(server, steps, position)
                        running[name] = started
            if not running:
                return failure
            name, value = server.result()
            started = running.pop(name)
            position = started.position
            self._on_event(
                Progress(
                    stage="run", done=len(self._done), total=len(steps), unit="steps",
                    label=steps[position].name,
                )
            )  # fmt: skip
            if value["state"] == "succeeded":
                self._commit(steps, started, value)
            elif self._is_current(started.before):
                failure = self._handle(steps, position, started.folder, value) or failure

    def _start(
        self, server: StepServer, steps: list[PlannedStep], position: int
    ) -> tuple[str, _Started]:
        import nbformat

        step = steps[position]
        self._count += 1
        name = f"{self._count:03d}-{step.name}"
        folder = self._work / name
        work = folder.joinpath("files", *["above"] * ABOVE)
        work.mkdir(parents=True)
        before = frozenset(p for p in self._done if p < position)
        folders = [str(self._done[p].folder / "out") for p in sorted(before)]
        spec = self._spec(step, position)
        make_key = partial(step_key, step, spec, Before(folders), self._around)
        started = _Started(position, before, folder, make_key(), make_key)
        session = Session(
            spec=spec,
            before=folders,
            out=str(folder / "out"),
            beside=str(self._beside),
            work=str(work),
            above=ABOVE,
        )
        (folder / "session.json").write_bytes(msgspec.json.encode(session))
        nbformat.write(self._notebook_of(step, folder), folder / "step.ipynb")
        server.submit(
            name,
            session=folder / "session.json",
            notebook=folder / "step.ipynb",
            output=folder / "executed.ipynb",
            parameters=self._parameters,
            journal=folder / "journal.jsonl",
        )
        return name, started

    def _notebook_of(self, step: PlannedStep, folder: Path) -> Any:
        """Return the notebook to run for a step; ``folder`` is its own."""
        return material.step_notebook(self._whole, self._parts, step.cells)

    def _spec(self, step: PlannedStep, position: int) -> StepSpec:
        extra = {n for cell in step.cells for n in self._names.get(cell, ())} - set(step.reads)
        files = {f for cell in step.cells for f in self._files.get(cell, ())}
        if self._imports_beside(step):
            files.add("*")  # what a module needs of its own folder cannot be told
        return StepSpec(
            name=step.name,
            position=position,
            cells=step.cells,
            reads=step.reads,
            optional=sorted({*step.optional, *extra}),
            wanted=step.wanted,
            writes=step.writes,
            definitions=step.definitions,
            defines=step.defines,
            files_read=sorted({*step.files_read, *files}),
            state=step.state,
        )

    def _imports_beside(self, step: PlannedStep) -> bool:
        """Tell whether a step imports a module that stands beside the notebook."""
        texts = [item.source for item in step.definitions]
        texts += [cell.source for cell in self._notebook.cells if cell.number in step.cells]
        named = set(re.findall(r"\b(?:import|from)\s+([A-Za-z_]\w*)", "\n".join(texts)))
        return any(
            (self._beside / f"{name}.py").exists() or (self._beside / name).is_dir()
            for name in named
        )

    def _is_current(self, before: frozenset[int]) -> bool:
        return all(position in self._done for position in before)

    # --- what a step left -----------------------------------------------------------------
    def _commit(
        self,
        steps: list[PlannedStep],
        started: _Started,
        value: dict[str, Any],
    ) -> None:
        import nbformat

        if not self._is_current(started.before):
            return  # it ran on what does not hold any more
        position, folder = started.position, started.folder
        committed = msgspec.json.decode(Path(value["committed"]).read_bytes(), type=Committed)
        step = steps[position]
        stuck = {item.name: item.reason for item in committed.problems}
        needed = last_needs(self._flow, stuck, steps[position + 1 :])
        if needed:
            reason = "; ".join(f"{name}: {stuck[name]}" for name in sorted(needed))
            self._join(step.cells[0], max(needed.values()), reason)
            return
        executed = nbformat.read(folder / "executed.ipynb", as_version=4)
        self._done[position] = Done(
            tuple(step.cells),
            frozenset(step.state),
            folder,
            committed,
            executed,
            started.before,
            value.get("metrics") or {},
            with_verdict(started.key, started.make_key(), committed),
        )
        for name in committed.undeclared:
            self._say(f"Step {step.name}: {name} was used or changed, which its text does not show")
        self._drop_outdated()

    def _drop_outdated(self) -> None:
        """Forget steps that ran without what an earlier one changed, though they needed it."""
        outdated = {
            p
            for p, done in self._done.items()
            for q, earlier in self._done.items()
            if q < p and q not in done.before and _depends(done, earlier.committed)
        }
        while outdated:
            for p in outdated:
                del self._done[p]
            outdated = {p for p, done in self._done.items() if not self._is_current(done.before)}

    def _handle(
        self, steps: list[PlannedStep], position: int, folder: Path, value: dict[str, Any]
    ) -> tuple[dict[str, Any], Any] | None:
        """Make a failed step possible, or return its error and notebook if it is its own fault."""
        import nbformat

        step, error = steps[position], value.get("error") or {}
        first = step.cells[0]
        files = {u[6:-1] for u in value.get("undeclared") or () if u.startswith("<file:")}
        if files - self._files.get(first, set()):
            self._files.setdefault(first, set()).update(files)
            self._say(f"Step {step.name} reads {', '.join(sorted(files))}, which its text hides")
            return None
        name = _missing_name(error)
        if name and name in self._flow.world.names and name not in self._names.get(first, set()):
            self._names.setdefault(first, set()).add(name)
            self._say(f"Step {step.name} reads {name}, which its text does not show")
            return None
        mark = (self._cell_of(step, error), str(error.get("ename")))
        if position and mark not in self._failed_at:
            self._failed_at.add(mark)
            sources = self._flow.upstream(step.cells)
            start = min([*sources, steps[position - 1].cells[0]])
            self._join(start, step.cells[-1], f"{error.get('ename')}: {error.get('evalue')}")
            return None
        error = {**error, "cell": mark[0] or None}
        path = folder / "executed.ipynb"
        parts = [self._done[p].executed for p in sorted(self._done) if p < position]
        if path.exists():
            parts.append(nbformat.read(path, as_version=4))
        return error, material.together(self._whole, parts)

    def _cell_of(self, step: PlannedStep, error: Mapping[str, Any]) -> int:
        number = error.get("cell")
        return step.cells[number - 1] if number and number <= len(step.cells) else step.cells[0]

    def _finished(self, the_plan: Plan) -> SplitRun:
        order = [self._done[p] for p in sorted(self._done)]
        metrics = {name: v for done in order for name, v in done.metrics.items()}
        executed = material.together(self._whole, [done.executed for done in order])
        shutil.rmtree(self._work, ignore_errors=True)
        return SplitRun(
            plan=keyed(the_plan, [done.key for done in order]),
            executed=executed,
            metrics=metrics,
            noted=self.noted,
            keys=[done.key for done in order],
        )


def _watch(*things: Any) -> Callable[[], bool]:
    """Return a function that tells whether any of the collections has changed since."""
    before = repr(things)
    return lambda: repr(things) != before


def _missing_name(error: Mapping[str, Any]) -> str:
    if error.get("ename") != "NameError":
        return ""
    parts = str(error.get("evalue", "")).split("'")
    return parts[1] if len(parts) > 2 else ""


def _depends(done: Done, committed: Committed) -> bool:
    """Tell whether a step that ran without a commit might have needed it."""
    names = {name for unit in committed.exported for name in unit.names} | set(committed.deleted)
    if names & set(done.committed.loaded):
        return True
    drawn = {key for key in committed.state if key.startswith("<rng:")}
    # What a step sets to the value that it found is not among what it changed.
    if drawn & {*done.committed.state, *done.state}:
        return True
    if set(committed.state) - drawn:
        return True  # whether options and the like were read cannot be seen
    return bool(committed.files or committed.removed_files)
