"""Say what a notebook would become, before anything runs: the first half of the spine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import settings
from jupyter_mlops.capture.models import Predictor
from jupyter_mlops.environment import distributions, imports, kernel
from jupyter_mlops.environment.imports import Imports
from jupyter_mlops.environment.kernel import Interpreter, Kernel
from jupyter_mlops.environment.models import Dependency
from jupyter_mlops.errors import MlopsError, Problem
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import estimators, parameters, slicing, steps
from jupyter_mlops.pipeline.estimators import Fitted
from jupyter_mlops.pipeline.parameters import Found
from jupyter_mlops.pipeline.slicing import Slice
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.runtime.publication import Step


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """What the notebook's text says: parameters, steps, the slice that predicts, what it fits."""

    found: Found
    steps: list[Step]
    step_notebook: Any
    service: Slice | None
    fitted: list[Fitted]
    problems: list[Problem]


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """What the notebook's kernel says: its interpreter, the imports, their distributions."""

    kernel: Kernel
    interpreter: Interpreter
    imports: Imports
    dependencies: list[Dependency]
    problems: list[Problem]


class KernelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel as shown to a person."""

    name: str
    display_name: str
    python: str


class StepSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A step and its code cells, counted from 1."""

    name: str
    cells: list[int]


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
    steps: list[StepSummary]
    dependencies: list[Dependency]
    captures: list[ExpectedCapture]
    predictor: Predictor
    problems: list[Problem]
    target: str


def extract(notebook: Notebook) -> Extracted:
    """Read parameters, steps and the predict slice from the notebook's text."""
    found = parameters.find(notebook)
    every, step_notebook = steps.extract(notebook, found)
    service = slicing.slice_predict(notebook, {p.name for p in found.parameters})
    problems = [
        Problem(
            problem=f"The cell is not valid Python: {cell.syntax_error}",
            remedy="Correct it, or make it a Markdown or raw cell",
            where=cell.where,
        )
        for cell in notebook.cells
        if cell.syntax_error
    ]
    problems += found.problems
    problems += slicing.predict_problems(notebook)
    problems += service.problems if service else []
    return Extracted(
        found=found,
        steps=every,
        step_notebook=step_notebook,
        service=service,
        fitted=estimators.fitted(notebook),
        problems=problems,
    )


def with_defaults(extracted: Extracted, values: Mapping[str, Any]) -> Extracted:
    """Return the same pipeline with other defaults: what it is published with."""
    if not values:
        return extracted
    steps.set_defaults(extracted.step_notebook, values)
    parameters = [
        msgspec.structs.replace(parameter, default=values.get(parameter.name, parameter.default))
        for parameter in extracted.found.parameters
    ]
    found = dataclasses.replace(extracted.found, parameters=parameters)
    return msgspec.structs.replace(extracted, found=found)


def need(notebook: Notebook) -> Needed:
    """Ask the notebook's kernel which distributions provide what the notebook imports."""
    chosen = kernel.find(notebook.kernel_name, notebook.path.name)
    cells = [(cell.number, cell.source, cell.tree) for cell in notebook.cells]
    found = imports.find(cells, notebook.path.parent)
    interpreter = kernel.probe(chosen, [item.module for item in found.modules])
    resolved = distributions.resolve(found.modules, interpreter)
    return Needed(
        kernel=chosen,
        interpreter=interpreter,
        imports=found,
        dependencies=resolved.dependencies,
        problems=resolved.problems,
    )


def analyze(path: Path | str) -> Analysis:
    """Describe a saved notebook. Problems found on the way are part of the answer.

    Raises ``NotebookError`` only when the file is not a notebook that can be read.
    """
    notebook = notebooks.read(path)
    extracted = extract(notebook)
    problems = list(extracted.problems)
    needed: Needed | None = None
    try:
        needed = need(notebook)
        problems += needed.problems
    except MlopsError as error:
        problems += error.problems
    return Analysis(
        name=notebook.name,
        path=str(notebook.path),
        title=notebook.title,
        kernel=_kernel(needed),
        parameters=extracted.found.parameters,
        parameters_source=extracted.found.source,
        steps=_steps(notebook, extracted),
        dependencies=needed.dependencies if needed else [],
        captures=_captures(extracted),
        predictor=_predictor(extracted),
        problems=problems,
        target=default_target(notebook.name),
    )


def default_target(name: str) -> str:
    """Return where a publish without a target goes: the default registry, under this name."""
    registry = settings.default_registry()
    return f"{registry}:{name}:latest" if registry.startswith("oci:") else f"{registry}/{name}"


def _kernel(needed: Needed | None) -> KernelSummary | None:
    if needed is None:
        return None
    return KernelSummary(
        name=needed.kernel.name,
        display_name=needed.kernel.display_name,
        python=needed.interpreter.python,
    )


def _steps(notebook: Notebook, extracted: Extracted) -> list[StepSummary]:
    numbers = {cell.index: cell.number for cell in notebook.cells}
    return [
        StepSummary(name=step.name, cells=[numbers[index] for index in step.cells])
        for step in extracted.steps
    ]


def _captures(extracted: Extracted) -> list[ExpectedCapture]:
    trained = {item.name: item for item in extracted.fitted}
    names = extracted.service.captured if extracted.service else list(trained)
    captures = []
    for name in names:
        item = trained.get(name)
        captures.append(
            ExpectedCapture(
                name=name,
                kind="estimator" if item else "value",
                type=item.type if item else "",
                cell=item.cell if item else None,
            )
        )
    return captures


def _predictor(extracted: Extracted) -> Predictor:
    if extracted.service:
        return Predictor(kind="function", name=extracted.service.function)
    if extracted.fitted:
        return Predictor(kind="estimator", name=extracted.fitted[-1].name)
    return Predictor(kind="none")
