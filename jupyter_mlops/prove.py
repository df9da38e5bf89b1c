"""Prove a notebook: lock it, install nothing but the lock, run it there, and add what it lacks.

What a notebook's text does not name (an engine that a library loads by its name, a plugin) shows
when it runs: its distribution is added where the kernel has it, and the run begins again. Each
time something new must be added, so it ends.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import analyze, assemble, proven_service, settings
from jupyter_mlops.analyze import Extracted
from jupyter_mlops.assemble import Asked, Draft, Verified
from jupyter_mlops.capture.code import of_notebook
from jupyter_mlops.capture.models import CaptureReport
from jupyter_mlops.environment import ground as grounds
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment import options as lock_options
from jupyter_mlops.environment import runtime_needs
from jupyter_mlops.environment import verify as environments
from jupyter_mlops.environment.ground import Ground
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.system import prepare as systems
from jupyter_mlops.environment.system.layer import Added
from jupyter_mlops.environment.system.needs import Mode as SystemPackages
from jupyter_mlops.environment.verify import Environment
from jupyter_mlops.errors import CaptureError, Problem, UsageError
from jupyter_mlops.events import Log, OnEvent
from jupyter_mlops.image import contents
from jupyter_mlops.image.base import Base
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import files, trace
from jupyter_mlops.pipeline import run as runs
from jupyter_mlops.pipeline.run import Ran
from jupyter_mlops.runtime.trace.models import CellTrace

_MISSING = re.compile(r"No module named '([\w.]+)'")


@dataclass(frozen=True)
class Plot:
    """Where a draft grows: a work folder, the base image, what becomes of what the base lacks."""

    work: Path
    base: Base
    system_packages: SystemPackages


def check_target(ground: Ground) -> None:
    """Raise ``UsageError`` for a target that makes no sense, or that nothing here can prove."""
    lock_options.check(ground.options)
    options, here = ground.options, locks.platform_of(ground.interpreter)
    python = options.python or ground.interpreter.minor
    platform = options.platform or here
    if (platform, python) != (here, ground.interpreter.minor):
        raise UsageError(
            f"A publication for {platform} with Python {python} cannot be proven here",
            why=f"The verified run uses the kernel, which is {here} with "
            f"Python {ground.interpreter.minor}",
            remedy="Publish on such a machine; its lock can be written here (jupyter mlops lock)",
        )


def draft(plot: Plot, extracted: Extracted, ground: Ground, on_event: OnEvent) -> Draft:
    """Lock, install, look for system packages, and write what is known before the run."""
    source = ground.notebook
    lock = grounds.lock(ground, on_event)
    on_event(Log(text=f"{len(lock.packages)} packages pinned with their hashes"))
    environment = environments.create(lock, ground.kernel.executable, folder=source.path.parent)
    added = system_layer(plot, source, environment, lock, on_event)
    made = Draft(plot.work / "root", source, extracted, ground, lock, environment, added)
    assemble.write_sources(made)
    return made


def run(
    plot: Plot,
    made: Draft,
    values: Mapping[str, Any],
    asked: Asked,
    on_event: OnEvent,
) -> tuple[Draft, Verified]:
    """Run a draft until it lacks nothing that the kernel has; the captures come from that run.

    Returns the draft with what was added, and as the run showed it. Raises ``RunError`` with the
    cell that failed.
    """
    along = {path.as_posix() for path in asked.shipped}
    for name, number in files.beside(made.source).items():
        if Path(name).as_posix() in along:
            continue
        on_event(
            Log(
                level="warning",
                text=f"cell {number} names {name}, which is not put into the image: "
                f"a run elsewhere needs it in its folder (ship it: --ship-data {name})",
            )
        )
    modules: dict[str, list[int]] = {}
    attempt = 1
    while True:
        ran = _execute(made, values, asked, on_event)
        modules |= lacking(ran, _records(made))
        ground = _with_modules(made.ground, modules, on_event)
        if ground == made.ground:
            break
        attempt += 1
        again = dataclasses.replace(plot, work=plot.work / f"attempt-{attempt}")
        made = draft(again, made.extracted, ground, on_event)
    if ran.state != "succeeded":
        raise runs.failure(ran)
    runtime_needs.keep(made.source, modules)
    work, captures = made.root.parent, made.root / "captures.json"
    report = msgspec.json.decode(captures.read_bytes(), type=CaptureReport)
    captures.unlink()
    verified = Verified(
        ran=ran,
        report=report,
        executed=work / "executed.ipynb",
        journal=work / "journal.jsonl",
        trace=_trace(made),
    )
    return with_code(_seen(made, on_event), report), verified


def with_code(made: Draft, report: CaptureReport) -> Draft:
    """Let the service have the notebook's code that what was captured is made of."""
    if report.route >= 0:
        extracted = proven_service.of(made.extracted, report.route)
        contents.write(assemble.service_files(extracted), made.root)
        made = dataclasses.replace(made, extracted=extracted)
    names = of_notebook(name for capture in report.captures for name in capture.classes)
    if not names or report.problems:
        return made
    extracted = proven_service.keeping(made.source, made.extracted, names)
    contents.write(assemble.service_files(extracted), made.root)
    return dataclasses.replace(made, extracted=extracted)


def check_captures(report: CaptureReport, on_event: OnEvent) -> None:
    """Say what was captured. Raises ``CaptureError`` with all that could not be."""
    if report.problems:
        raise CaptureError.collect(
            Problem(problem=p.problem, why=p.why, remedy=p.remedy, where=p.where)
            for p in report.problems
        )
    for note in report.notes:
        on_event(Log(level="warning", text=note))
    for capture in report.captures:
        on_event(Log(text=f"captured {capture.name} ({capture.type}, {capture.size} bytes)"))


def lacking(ran: Ran, records: Sequence[CellTrace]) -> dict[str, list[int]]:
    """Return the modules that a run did not find, with the cells (from 1) that asked for them.

    What the notebook's own lines ask for counts also where they do without it; what libraries
    ask for only where the error that ended the run names it.
    """
    found: dict[str, list[int]] = {}
    for record in records:
        for name in record.absent:
            found.setdefault(name, []).append(record.number)
    if ran.state == "succeeded":
        return found
    text = "\n".join([ran.error.get("evalue", ""), *ran.error.get("traceback_tail", [])])
    failed = [record for record in records if record.error]
    cells = [record.number for record in failed[-1:]]
    named = {name for record in failed[-1:] for name in record.sought if _names(text, name)}
    for name in sorted(named | set(_MISSING.findall(text))):
        found.setdefault(name, cells)
    return found


def _names(text: str, module: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(module)}(?!\w)", text, re.IGNORECASE) is not None


def _with_modules(ground: Ground, modules: Mapping[str, list[int]], on_event: OnEvent) -> Ground:
    """Return the ground with the distributions of modules that a run did not find."""
    inferred = runtime_needs.add(ground.inferred, modules, ground.interpreter)
    before = {each.name for each in ground.inferred.dependencies}
    removed = {name.lower() for name in ground.options.removals}
    new = [
        d for d in inferred.dependencies if d.name not in before and d.name.lower() not in removed
    ]
    if not new:
        return ground
    for each in new:
        on_event(
            Log(
                level="warning",
                text=f"{each.name} {each.version} is added ({each.why}), and the run begins again",
            )
        )
    return dataclasses.replace(ground, inferred=inferred)


def system_layer(
    plot: Plot, source: Notebook, environment: Environment, lock: Lock, on_event: OnEvent
) -> Added | None:
    """Return the layer of Debian packages that the notebook needs beside its base."""
    return systems.prepare(
        [(cell.number, cell.source, cell.tree) for cell in source.cells],
        environment.site_packages,
        plot.base,
        plot.system_packages,
        platform=lock.platform,
        store=settings.store(),
        on_event=on_event,
    )


def _execute(made: Draft, values: Mapping[str, Any], asked: Asked, on_event: OnEvent) -> Ran:
    """Run the pipeline once where only the lock is installed."""
    work = made.root.parent
    request = work / "request.json"
    request.write_bytes(msgspec.json.encode(assemble.capture_request(made, asked)))
    return runs.execute(
        made.place,
        notebook=made.step,
        output=work / "executed.ipynb",
        parameters=values,
        journal=work / "journal.jsonl",
        cwd=made.source.path.parent,
        capture=(request, made.root),
        trace=_trace(made),
        on_event=on_event,
    )


def _trace(made: Draft) -> Path:
    return made.root.parent / "trace.jsonl"


def _records(made: Draft) -> list[CellTrace]:
    return trace.read(_trace(made)) if _trace(made).is_file() else []


def _seen(made: Draft, on_event: OnEvent) -> Draft:
    """Hold what the run showed against the steps; where it shows more, it is believed."""
    extracted = analyze.after_run(made.source, made.extracted, _trace(made))
    for text in extracted.evidence.contradictions:
        on_event(Log(level="warning", text=text))
    if extracted.plan == made.extracted.plan:
        return dataclasses.replace(made, extracted=extracted)
    seen = dataclasses.replace(made, extracted=extracted)
    assemble.write_steps(seen)
    return seen
