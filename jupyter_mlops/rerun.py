"""Run a publication, or a notebook, again with other parameters."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import analyze, assemble, settings
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment import verify as environments
from jupyter_mlops.errors import LockError, NotebookError, UsageError
from jupyter_mlops.events import OnEvent, Stages, ignore
from jupyter_mlops.pipeline import run as runs
from jupyter_mlops.pipeline.parameters import check
from jupyter_mlops.pipeline.run import Place
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


def rerun(
    subject: str,
    parameters: Values | None = None,
    *,
    texts: Mapping[str, str] | None = None,
    output: Path | None = None,
    on_event: OnEvent = ignore,
) -> Run:
    """Run a publication (by reference) or a notebook (by path) and keep the executed notebook.

    ``parameters`` are typed values, ``texts`` values as typed on a command line; both are
    checked before anything starts. The executed notebook goes to ``output``, or below the
    state folder. Raises ``MlopsError``; a run that fails raises ``RunError`` and its notebook
    is kept too.
    """
    stages = Stages(on_event)
    if is_notebook(subject):
        place, step, known, identity, cwd = _of_notebook(Path(subject), stages, on_event)
    else:
        place, step, known, identity, cwd = _of_reference(subject, stages)
    values = check(known, parameters or {}, texts or {}, subject)
    effective = values_of.effective(known, values)
    run_id = _run_id(identity, effective)
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
    with stages.stage("run"):
        ran = runs.execute(
            place,
            notebook=step,
            output=executed,
            parameters=values,
            journal=journal,
            cwd=cwd or _fresh(folder / "files"),
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


def is_notebook(subject: str) -> bool:
    """Tell a path of a notebook from a reference."""
    return subject.endswith(".ipynb") or Path(subject).is_file()


def unpacked(reference: str, stages: Stages) -> tuple[Path, publications.Publication, str]:
    """Fetch a publication's files (not its base) and return its folder, manifest and digest."""
    where = Reference.parse(reference)
    with stages.stage("fetch"):
        repository = open_repository(where)
        digest = repository.resolve(where.version).digest
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


Found = tuple[Place, Path, list[Parameter], str, Path | None]


def _of_reference(subject: str, stages: Stages) -> Found:
    root, publication, digest = unpacked(subject, stages)
    place = place_of(root, publication)
    return place, root / publication.steps[0].notebook, publication.parameters, digest, None


def _of_notebook(path: Path, stages: Stages, on_event: OnEvent) -> Found:
    with stages.stage("read"):
        source = notebooks.read(path)
        extracted = analyze.extract(source)
        if extracted.problems:
            raise NotebookError.collect(extracted.problems)
    with stages.stage("environment"):
        needed = analyze.need(source)
        if needed.problems:
            raise LockError.collect(needed.problems)
    with stages.stage("lock"):
        lock = locks.lock(needed.dependencies, needed.interpreter, on_event=on_event)
        environment = environments.create(lock, needed.kernel.executable)
    identity = f"{source.sha256} {lock.sha256}"
    root = (
        settings.home() / "runs" / f"notebook-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    )
    _fresh(root)
    draft = assemble.Draft(root, source, extracted, needed, lock, environment)
    assemble.write_sources(draft)
    return draft.place, draft.step, extracted.found.parameters, identity, source.path.parent


def _run_id(identity: str, effective: Values) -> str:
    text = json.dumps([identity, effective], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
