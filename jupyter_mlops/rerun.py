"""Run a publication, or a notebook, again with other parameters."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import analyze, assemble, settings, shipping, stars
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.analyze import Extracted, StepSummary
from jupyter_mlops.environment import ground as grounds
from jupyter_mlops.environment import verify as environments
from jupyter_mlops.errors import NotebookError, UsageError
from jupyter_mlops.events import OnEvent, Stages, ignore
from jupyter_mlops.image.platforms import chosen
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import run as runs
from jupyter_mlops.pipeline.boundaries import How
from jupyter_mlops.pipeline.execute import Execution
from jupyter_mlops.pipeline.parameters import check
from jupyter_mlops.pipeline.run import Place, Ran
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime import parameters as values_of
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.runtime.parameters import Parameter

Values = Mapping[str, Any]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; ``id`` is a hash of what ran and with which parameters."""

    id: str
    state: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    output: str
    steps: list[StepSummary] = []
    noted: list[str] = []


@dataclass(frozen=True)
class Subject:
    """What is run: where, which notebook, its parameters, and its own text if that is at hand.

    ``environment`` is what the packages and the interpreter are pinned by.
    """

    place: Place
    notebook: Path
    parameters: list[Parameter]
    identity: str
    beside: Path | None = None
    source: Notebook | None = None
    extracted: Extracted | None = None
    environment: str = ""


def rerun(
    subject: str,
    parameters: Values | None = None,
    *,
    texts: Mapping[str, str] | None = None,
    output: Path | None = None,
    split: How = "none",
    on_event: OnEvent = ignore,
) -> Run:
    """Run a publication (by reference) or a notebook (by path) and keep the executed notebook.

    ``parameters`` are typed values, ``texts`` values as typed on a command line; both are
    checked before anything starts. The executed notebook goes to ``output``, or below the
    state folder. ``split`` runs a notebook in steps, each in a process of its own. Raises
    ``MlopsError``; a run that fails raises ``RunError`` and its notebook is kept too.
    """
    stages = Stages(on_event)
    if is_notebook(subject):
        found = _of_notebook(Path(subject), stages, on_event)
    elif split != "none":
        raise UsageError(
            "Only a notebook can be run in steps",
            remedy="Leave --split out, or name the notebook",
            where=subject,
        )
    else:
        found = _of_reference(subject, stages)
    values = check(found.parameters, parameters or {}, texts or {}, subject)
    effective = values_of.effective(found.parameters, values)
    run_id = _run_id(found.identity, effective)
    folder = settings.home() / "runs" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    executed = output.absolute() if output else folder / "executed.ipynb"
    if not executed.parent.is_dir():
        raise UsageError(
            "The output's folder does not exist",
            remedy="Create it first",
            where=str(executed.parent),
        )
    journal = folder / "journal.jsonl"
    journal.unlink(missing_ok=True)
    if split != "none":
        return _in_steps(found, run_id, values, effective, split, executed, stages, on_event)
    with stages.stage("run"):
        ran = runs.execute(
            found.place,
            notebook=found.notebook,
            output=executed,
            parameters=values,
            journal=journal,
            cwd=found.beside or _with_data(found.place.root, folder / "files"),
            on_event=on_event,
        )
        if ran.state != "succeeded":
            raise runs.failure(ran)
    return Run(
        id=run_id,
        state=ran.state,
        parameters=effective,
        metrics=ran.metrics,
        output=str(executed),
    )


def _in_steps(
    found: Subject,
    run_id: str,
    values: Values,
    effective: dict[str, Any],
    split: How,
    output: Path,
    stages: Stages,
    on_event: OnEvent,
) -> Run:
    assert found.source is not None and found.extracted is not None and found.beside is not None
    import nbformat

    with stages.stage("run"):
        execution = Execution(
            found.source,
            found.extracted.flow,
            found.extracted.step_notebook,
            how=split,
            place=found.place,
            beside=found.beside,
            work=_fresh(settings.home() / "runs" / run_id / "steps"),
            parameters=values,
            effective=effective,
            environment=found.environment,
            together=found.extracted.evidence.together,
            on_event=on_event,
        )
        ran = execution.run()
        if ran.executed is not None:
            nbformat.write(ran.executed, output)
        if ran.state != "succeeded":
            raise runs.failure(Ran(ran.state, effective, ran.metrics, ran.error))
    return Run(
        id=run_id,
        state=ran.state,
        parameters=effective,
        metrics=ran.metrics,
        output=str(output),
        steps=analyze.summaries(ran.plan),
        noted=ran.noted,
    )


def is_notebook(subject: str) -> bool:
    """Tell a path of a notebook from a reference."""
    return subject.endswith(".ipynb") or Path(subject).is_file()


def unpacked(reference: str, stages: Stages) -> tuple[Path, publications.Publication, str]:
    """Fetch a publication's files (not its base) and return its folder, manifest and digest."""
    where = Reference.parse(reference)
    with stages.stage("fetch"):
        repository = open_repository(where)
        digest = chosen(repository, where.version).digest
        root = unpack(repository, digest, settings.unpacked())
    try:
        return root, publications.load(root), digest
    except (OSError, ValueError) as error:
        raise NotebookError(
            "This image is not a publication",
            why=str(error).splitlines()[0],
            remedy="List what is there: jupyter mlops list",
            where=reference,
        ) from None


def place_of(root: Path, publication: publications.Publication) -> Place:
    """Return where an unpacked publication runs: a bare interpreter of the right Python."""
    python = environments.bare(publication.python)
    return Place(root=root, python=python, paths=[root / "lib", root / "src", root / "site"])


def _of_reference(subject: str, stages: Stages) -> Subject:
    root, publication, digest = unpacked(subject, stages)
    place = place_of(root, publication)
    return Subject(place, root / publication.notebook, publication.parameters, digest)


def _of_notebook(path: Path, stages: Stages, on_event: OnEvent) -> Subject:
    with stages.stage("read"):
        source = stars.resolve(notebooks.read(path))
        extracted = analyze.extract(source)
        if extracted.problems:
            raise NotebookError.collect(extracted.problems)
    with stages.stage("environment"):
        ground = grounds.settle(grounds.find(source, on_event=on_event), on_event)
    with stages.stage("lock"):
        lock = grounds.lock(ground, on_event)
        environment = environments.create(lock, ground.kernel.executable, folder=path.parent)
    identity = f"{source.sha256} {lock.sha256}"
    root = (
        settings.home() / "runs" / f"notebook-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    )
    _fresh(root)
    draft = assemble.Draft(root, source, extracted, ground, lock, environment)
    assemble.write_sources(draft)
    return Subject(
        draft.place, draft.step, extracted.found.parameters, identity,
        beside=source.path.parent, source=source, extracted=extracted,
        environment=f"{lock.sha256} python {environment.version()}",
    )  # fmt: skip


def _with_data(root: Path, folder: Path) -> Path:
    """Return a new folder with the files that went along with a publication."""
    shipping.unpack(root, _fresh(folder))
    return folder


def _run_id(identity: str, effective: Values) -> str:
    text = json.dumps([identity, effective], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
