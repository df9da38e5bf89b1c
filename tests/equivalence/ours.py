"""The project itself, as the harness sees it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nbformat

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import stars
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import ignore
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import dataflow, hidden, parameters, steps
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.execute import Execution, SplitRun
from jupyter_mlops.pipeline.plan import PlannedStep
from jupyter_mlops.pipeline.run import Place
from jupyter_mlops.pipeline.server import StepServer
from jupyter_mlops.runtime.handover.models import Committed

from .harness import Got
from .oracle import ONE_THREAD, ROOT, VALUES, _outputs, _tags, dump_source
from .recorded import CellRecord


class Probed(Execution):
    """A run whose steps also write down the values of all names that they see at their end."""

    def _notebook_of(self, step: PlannedStep, folder: Path) -> Any:
        node = super()._notebook_of(step, folder)
        probe = nbformat.v4.new_code_cell(dump_source(folder / VALUES))
        probe.metadata["tags"] = ["probe"]
        if node.nbformat_minor < 5:
            probe.pop("id", None)
        node.cells.append(probe)
        return node

    def _finished(self, the_plan: Any) -> SplitRun:
        self.values: dict[str, str] = {}
        mentioned = set[str]().union(
            *(_names_of(the_plan.steps[p], done.committed) for p, done in self._done.items())
        )
        for position in sorted(self._done):
            done = self._done[position]
            every = json.loads((done.folder / VALUES).read_text())
            own = _names_of(the_plan.steps[position], done.committed)
            others = mentioned - own  # names that no step mentions were bound by unread code
            seen = {name: value for name, value in every.items() if name not in others}
            gone = {n for cell in done.cells for n in self._flow.flow(cell).may_delete}
            for name in gone - set(seen):
                self.values.pop(name, None)
            self.values.update(seen)
        return super()._finished(the_plan)


def _names_of(step: PlannedStep, committed: Committed) -> set[str]:
    """Return the names that a step has to do with.

    Others come along where they share objects, and may be older than what a step that runs at
    the same time makes of them.
    """
    exported = {name for unit in committed.exported for name in unit.names}
    texts = {name for item in step.definitions for name in item.names}
    told = {*step.reads, *step.optional, *step.writes, *step.defines}
    return exported | texts | told


class Ours:
    """Extracts by this project; a context manager, for the kernels are forked from one process."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._servers: list[StepServer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.__exit__(kind, error, trace)

    def _server(self) -> StepServer:
        """Return the server of this thread: a server's answers go to whoever asks."""
        if not hasattr(self._local, "server"):
            self._local.server = StepServer(_place(), 2, ignore)
            self._servers.append(self._local.server)
        found: StepServer = self._local.server
        return found

    def split_run(
        self, notebook: Path, *, split: str, parameters: Mapping[str, object], folder: Path
    ) -> Got:
        """Run as steps."""
        try:
            source, found, flow = _read(notebook)
        except MlopsError as error:
            return Got([], refusal=str(error))
        known = {parameter.name for parameter in found.parameters}
        if set(parameters) - known:
            return Got([], crash=f"These are not parameters: {set(parameters) - known}")
        execution = Probed(
            source,
            flow,
            steps.extract(source, found),
            how=split,  # type: ignore[arg-type]
            place=_place(),
            beside=notebook.parent,
            work=folder / "steps",
            parameters=parameters,
        )
        ran = execution.run_on(self._server())
        values = getattr(execution, "values", {})
        merges = [reason for step in ran.plan.steps for reason in step.merged]
        return Got(
            _records(ran.executed), values, steps=[step.cells for step in ran.plan.steps],
            merges=merges,
        )  # fmt: skip

    def slice(self, notebook: Path, names: list[str]) -> list[int]:
        """The cells that the names need."""
        _, _, flow = _read(notebook)
        return flow.slice(names)

    def reached(self, notebook: Path, parameters: list[str]) -> set[int]:
        """The cells that the parameters reach."""
        _, found, flow = _read(notebook)
        first = found.cell.number if found.cell is not None else 1
        return {first, *flow.downstream(parameters, first)}

    def hidden(self, notebook: Path) -> list[str]:
        """Sentences about hidden state."""
        source, _, flow = _read(notebook)
        return [item.problem for item in hidden.find(source, flow)]


def _read(path: Path) -> tuple[Notebook, parameters.Found, Dataflow]:
    source = stars.resolve(notebooks.read(path))
    found = parameters.find(source)
    return (
        source,
        found,
        dataflow.analyze(source.cells, [p.name for p in found.parameters], source.stars),
    )


def _place() -> Place:
    return _Place(root=ROOT, python=Path(sys.executable), paths=[ROOT])


class _Place(Place):
    def environment(self) -> dict[str, str]:
        return {**super().environment(), **ONE_THREAD}


def _records(node: Any) -> list[CellRecord]:
    """Read the executed notebook, without what the project and the probe have put into it."""
    records: list[CellRecord] = []
    number = 0
    ours = {"probe", "derived", "papermill-error-cell-tag"}
    for cell in node.cells if node is not None else []:
        if cell.cell_type != "code" or ours & set(_tags(cell)):
            continue
        injected = "injected-parameters" in _tags(cell)
        number += 0 if injected else 1
        record = _outputs(cell, 0 if injected else number)
        records.append(record)
        if record.error and "raises-exception" not in _tags(cell):
            break
    return records
