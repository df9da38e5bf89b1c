"""Say what a notebook would become, before anything runs: the first half of the spine."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import settings, stars
from jupyter_mlops.capture.models import Predictor, Route
from jupyter_mlops.environment import ground as grounds
from jupyter_mlops.environment.ground import Ground
from jupyter_mlops.environment.models import Dependency
from jupyter_mlops.errors import MlopsError, Problem
from jupyter_mlops.events import Event, Log
from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.parsed import TOO_DEEP, collector_paused
from jupyter_mlops.pipeline import (
    dataflow,
    declared,
    estimators,
    evidence,
    hidden,
    material,
    parameters,
    service_code,
    services,
    slicing,
    steps,
)
from jupyter_mlops.pipeline.dataflow import Dataflow, Edge
from jupyter_mlops.pipeline.estimators import Fitted
from jupyter_mlops.pipeline.evidence import Evidence
from jupyter_mlops.pipeline.hidden import HiddenState
from jupyter_mlops.pipeline.parameters import Candidate, Found
from jupyter_mlops.pipeline.plan import Plan, make_plan
from jupyter_mlops.pipeline.service_code import ServiceCode
from jupyter_mlops.pipeline.services import Services
from jupyter_mlops.pipeline.slicing import Slice
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.runtime.publication import Step


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """What the notebook's text says: parameters, steps, the slice that predicts, what it fits.

    ``declared`` are the names that the notebook itself wants captured, each with where it says so.
    ``services`` are the candidates where no function of the notebook predicts, and ``route`` is
    the one that the run proved.
    """

    found: Found
    flow: Dataflow
    evidence: Evidence
    plan: Plan
    steps: list[Step]
    step_notebook: Any
    service: Slice | None
    fitted: list[Fitted]
    problems: list[Problem]
    declared: dict[str, str] = {}
    services: Services = Services()
    route: Route | None = None

    def reached(self) -> dict[str, list[int]]:
        """Return, for each parameter, the code cells that a change of it reaches."""
        cell = self.found.cell.number if self.found.cell is not None else 0
        names = [parameter.name for parameter in self.found.parameters]
        return {name: self.flow.downstream([name], cell) for name in names}


class KernelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel as shown to a person."""

    name: str
    display_name: str
    python: str


class StepSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A step: its code cells, counted from 1, what goes in and out, and what it comes after.

    ``merged`` says why cells are together that would be apart; ``cacheable`` whether running it
    again gives the same, else ``reason`` says why not. ``key`` is the SHA-256 of its code; after a
    run, of all that it started from.
    """

    name: str
    cells: list[int]
    title: str = ""
    inputs: list[str] = []
    outputs: list[str] = []
    parameters: list[str] = []
    after: list[str] = []
    files_read: list[str] = []
    files_written: list[str] = []
    merged: list[str] = []
    cacheable: bool = True
    reason: str = ""
    key: str = ""


class ExpectedCapture(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a run is expected to leave for capture; ``cell`` counts code cells from 1."""

    name: str
    kind: str
    type: str
    cell: int | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of a notebook without running it."""

    name: str
    path: str
    title: str
    kernel: KernelSummary | None
    parameters: list[Parameter]
    parameters_source: str
    candidates: list[Candidate]
    notes: list[str]
    steps: list[StepSummary]
    edges: list[Edge]
    contradictions: list[str]
    reached: dict[str, list[int]]
    hidden_state: list[HiddenState]
    dependencies: list[Dependency]
    captures: list[ExpectedCapture]
    predictor: Predictor
    service_code: ServiceCode
    problems: list[Problem]
    target: str


@collector_paused()
def extract(notebook: Notebook, predict: str | None = None) -> Extracted:
    """Read parameters, steps and the slice of what predicts from the notebook's text.

    ``predict`` names the function that answers, where the notebook does not say it.
    """
    found = parameters.find(notebook)
    step_notebook = steps.extract(notebook, found)
    flow = dataflow.analyze(notebook.cells, [p.name for p in found.parameters], notebook.stars)
    seen = evidence.settle(flow, evidence.recall(traces(), notebook.cells))
    planned = make_plan(notebook, flow, together=seen.together)
    service = slicing.slice_predict(notebook, {p.name for p in found.parameters}, chosen=predict)
    problems = [_unreadable(cell, notebook) for cell in notebook.cells if cell.syntax_error]
    problems += found.problems
    problems += slicing.predict_problems(notebook, predict)
    problems += service.problems if service else []
    wanted, wrong = declared.declared(notebook, flow)
    problems += wrong
    fitted = estimators.fitted(notebook)
    return Extracted(
        found=found,
        flow=flow,
        evidence=seen,
        plan=planned,
        steps=_published_steps(notebook, planned),
        step_notebook=step_notebook,
        service=service,
        fitted=fitted,
        problems=problems,
        declared=wanted,
        services=_services(notebook, found, service, fitted),
    )


def _services(
    notebook: Notebook, found: Found, service: Slice | None, fitted: Sequence[Fitted]
) -> Services:
    models = [each.name for each in fitted]
    if service is not None:
        return services.calls(notebook, service.function, models)
    return services.find(notebook, {parameter.name for parameter in found.parameters}, models)


def traces() -> Path:
    """Return the folder of what verified runs showed, by notebook."""
    return settings.home() / "traces"


def after_run(notebook: Notebook, extracted: Extracted, traced: Path) -> Extracted:
    """Return the pipeline as a traced run of it shows it, and keep the trace for later.

    Steps that the run showed to belong together are one step from now on.
    """
    evidence.keep(traces(), notebook.cells, traced)
    seen = evidence.settle(extracted.flow, evidence.recall(traces(), notebook.cells))
    planned = make_plan(notebook, extracted.flow, together=seen.together)
    return msgspec.structs.replace(
        extracted, evidence=seen, plan=planned, steps=_published_steps(notebook, planned)
    )


def _unreadable(cell: Cell, notebook: Notebook) -> Problem:
    if cell.syntax_error == TOO_DEEP:
        return Problem(
            problem=f"The cell cannot be understood: {TOO_DEEP}",
            remedy="Divide its longest expression, or chain of elif, into several statements",
            where=cell.where,
        )
    ours = "{}.{}".format(*sys.version_info)
    newer = _newer_python(notebook)
    return Problem(
        problem=f"The cell is not valid Python{f' {ours}' if newer else ''}: {cell.syntax_error}",
        why=f"The notebook was written with Python {newer}" if newer else "",
        remedy=f"Use jupyter mlops with Python {newer}, or write it for {ours}"
        if newer
        else "Correct it, or make it a Markdown or raw cell",
        where=cell.where,
    )


def _newer_python(notebook: Notebook) -> str:
    """Return the Python that a notebook was written with, if it is newer than this one."""
    said = str((notebook.node.metadata.get("language_info") or {}).get("version", ""))
    found = re.match(r"(\d{1,3})\.(\d{1,3})\b", said)
    if not found or (int(found[1]), int(found[2])) <= sys.version_info[:2]:
        return ""
    return found[0]


def _published_steps(notebook: Notebook, planned: Plan) -> list[Step]:
    indices = {cell.number: cell.index for cell in notebook.cells}
    return [
        Step(
            name=step.name,
            notebook=f"pipeline/{number:02d}-{step.name}.ipynb",
            cells=[indices[cell] for cell in step.cells],
            title=step.title,
            inputs=step.inputs,
            outputs=material.outputs(step),
            parameters=step.parameters,
            after=step.after,
        )
        for number, step in enumerate(planned.steps, 1)
    ]


def with_defaults(extracted: Extracted, values: Mapping[str, Any]) -> Extracted:
    """Return the same pipeline with other defaults: what it is published with."""
    if not values:
        return extracted
    steps.set_defaults(extracted.step_notebook, values, extracted.found)
    settled = [
        msgspec.structs.replace(parameter, default=values[parameter.name], required=False)
        if parameter.name in values
        else parameter
        for parameter in extracted.found.parameters
    ]
    found = dataclasses.replace(extracted.found, parameters=settled)
    return msgspec.structs.replace(extracted, found=found)


def analyze(path: Path | str) -> Analysis:
    """Describe a saved notebook. Problems found on the way are part of the answer.

    Raises ``NotebookError`` only when the file is not a notebook that can be read.
    """
    notes: list[str] = []
    notebook = stars.resolve(notebooks.read(path), notes.append)
    extracted = extract(notebook)
    problems = list(extracted.problems)
    ground: Ground | None = None
    try:
        ground = grounds.find(notebook, on_event=partial(_note, notes))
        problems += ground.in_the_way()
        notes += [warning.sentence() for warning in ground.inferred.warnings]
    except MlopsError as error:
        problems += error.problems
    return Analysis(
        name=notebook.name,
        path=str(notebook.path),
        title=notebook.title,
        kernel=_kernel(ground),
        parameters=extracted.found.parameters,
        parameters_source=extracted.found.source,
        candidates=extracted.found.candidates,
        notes=[*extracted.found.notes, *notes],
        steps=summaries(extracted.plan),
        edges=extracted.evidence.edges,
        contradictions=extracted.evidence.contradictions,
        reached=extracted.reached(),
        hidden_state=hidden.find(notebook, extracted.flow),
        dependencies=ground.inferred.dependencies if ground else [],
        captures=_captures(extracted),
        predictor=_predictor(extracted),
        service_code=service_code.describe(
            notebook, extracted.service, extracted.services, extracted.fitted
        ),
        problems=problems,
        target=default_target(notebook.name),
    )


def default_target(name: str) -> str:
    """Return where a publish without a target goes: the default registry, under this name."""
    registry = settings.default_registry()
    return f"{registry}:{name}:latest" if registry.startswith("oci:") else f"{registry}/{name}"


def _note(notes: list[str], event: Event) -> None:
    if isinstance(event, Log) and event.level == "warning":
        notes.append(event.text)


def _kernel(ground: Ground | None) -> KernelSummary | None:
    if ground is None:
        return None
    return KernelSummary(
        name=ground.kernel.name,
        display_name=ground.kernel.display_name,
        python=ground.interpreter.python,
    )


def summaries(planned: Plan) -> list[StepSummary]:
    """Return a plan's steps as they are shown."""
    return [
        StepSummary(
            name=step.name,
            cells=step.cells,
            title=step.title,
            inputs=step.inputs,
            outputs=material.outputs(step),
            parameters=step.parameters,
            after=step.after,
            files_read=step.files_read,
            files_written=step.files_written,
            merged=step.merged,
            cacheable=step.cacheable,
            reason=step.reason,
            key=step.key,
        )
        for step in planned.steps
    ]


def _captures(extracted: Extracted) -> list[ExpectedCapture]:
    trained = {item.name: item for item in extracted.fitted}
    names = extracted.service.captured if extracted.service else list(trained)
    names = list(dict.fromkeys([*names, *extracted.declared]))
    captures = []
    for name in names:
        item = trained.get(name)
        captures.append(
            ExpectedCapture(
                name=name,
                kind="estimator" if item else "value",
                type=item.type if item else "",
                cell=item.cell if item else max(extracted.flow.producers(name) or (), default=None),
            )
        )
    return captures


def _predictor(extracted: Extracted) -> Predictor:
    if extracted.service:
        return Predictor(kind="function", name=extracted.service.function)
    if extracted.fitted:
        return Predictor(kind="estimator", name=extracted.fitted[-1].name)
    return Predictor(kind="none")
