"""Lock a notebook's environment, and describe it: what it needs, why, and what each adds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import settings
from jupyter_mlops.environment import ground, sizes, uv, wheels
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment import verify as environments
from jupyter_mlops.environment.ground import Ground
from jupyter_mlops.environment.models import Dependency, Lock, Question, SystemNeed
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.environment.system import prepare
from jupyter_mlops.errors import MlopsError, Problem, UsageError
from jupyter_mlops.events import Event, Log, OnEvent, ignore
from jupyter_mlops.image.base import resolve_base
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference


class EditedEnvironment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notebook's path with a person's edits and answers; ``system`` asks for what is lacking."""

    path: str
    options: LockOptions = LockOptions()
    answers: dict[str, str] = {}
    system: bool = False


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of the lock; ``size`` is its wheel's in bytes, ``None`` where unknown.

    ``direct`` is true for what the notebook itself needs, or a person has added.
    """

    name: str
    version: str
    size: int | None
    direct: bool


class LockedNotebook(msgspec.Struct, frozen=True, kw_only=True):
    """The lock of a notebook as it was written; ``text`` is that of ``pylock.toml``."""

    notebook: str
    output: str
    sha256: str
    python: str
    platform: str
    packages: int
    notes: list[str]
    text: str


class EnvironmentReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook's environment is made of, before anything is published.

    ``questions`` and ``problems`` stop a publish; ``notes`` are told. ``locked`` and ``sha256``
    are empty while there are problems with what is asked for; ``size`` sums up the sizes that
    are known. ``system`` is ``None`` when it was not looked at.
    """

    python: str
    platform: str
    sha256: str
    direct: list[Dependency]
    locked: list[Locked]
    size: int
    system: list[SystemNeed] | None
    questions: list[Question]
    problems: list[Problem]
    notes: list[str]


def lock_notebook(
    path: Path | str,
    output: Path | None = None,
    options: LockOptions | None = None,
    *,
    answers: Mapping[str, str] | None = None,
    on_event: OnEvent = ignore,
) -> LockedNotebook:
    """Lock a saved notebook's environment into ``output`` (default: ``pylock.toml`` beside it).

    Wheels that no index has are put into the folder ``wheels`` beside the lock, which names them.
    Raises ``MlopsError`` with everything that is in the way; then nothing is written.
    """
    source = notebooks.read(path)
    place = output or source.path.parent / "pylock.toml"
    if not place.name.startswith("pylock.") or place.suffix != ".toml":
        raise UsageError(
            f"A lock cannot be called '{place.name}'",
            why="Installers know it by its name (PEP 751)",
            remedy="Call it pylock.toml, or pylock.NAME.toml",
        )
    notes: list[str] = []
    listen = _noting(notes, on_event)
    found = ground.find(source, options, answers=answers, on_event=listen)
    lock = ground.lock(ground.settle(found, listen), listen)
    try:
        place.write_text(lock.text, encoding="utf-8", newline="\n")
        wheels.place_beside(lock, place.parent)
    except OSError as error:
        raise UsageError(
            f"{place} cannot be written",
            why=error.strerror or str(error),
            remedy="Choose another place: -o FOLDER/pylock.toml",
        ) from None
    return LockedNotebook(
        notebook=str(source.path),
        output=str(place),
        sha256=lock.sha256,
        python=lock.python,
        platform=lock.platform,
        packages=len(lock.packages),
        notes=notes,
        text=lock.text,
    )


def describe_environment(
    path: Path | str,
    options: LockOptions | None = None,
    *,
    answers: Mapping[str, str] | None = None,
    system: bool = False,
    base: str | None = None,
    on_event: OnEvent = ignore,
) -> EnvironmentReport:
    """Describe the environment of a saved notebook; problems are part of the answer.

    With ``system``, the locked packages are installed into an environment of their own (which a
    publish uses again) and held against the ``base`` image. Raises ``MlopsError`` when the file
    is not a notebook that can be read, or its kernel cannot be told.
    """
    notes: list[str] = []
    listen = _noting(notes, on_event)
    found = ground.find(notebooks.read(path), options, answers=answers, on_event=listen)
    problems = list(found.inferred.problems)
    notes += [warning.sentence() for warning in found.inferred.warnings]
    lock: Lock | None = None
    lacking: list[SystemNeed] | None = None
    try:
        lock = ground.lock(found, listen)
        if system:
            lacking = _system(found, lock, base, listen)
    except MlopsError as error:
        problems += error.problems
    locked = _locked(found, lock) if lock else []
    return EnvironmentReport(
        python=lock.python if lock else found.interpreter.minor,
        platform=lock.platform if lock else found.options.platform,
        sha256=lock.sha256 if lock else "",
        direct=[_without_secrets(each) for each in found.inferred.dependencies],
        locked=locked,
        size=sum(item.size or 0 for item in locked),
        system=lacking,
        questions=found.inferred.questions,
        problems=problems,
        notes=notes,
    )


def _locked(found: Ground, lock: Lock) -> list[Locked]:
    direct = {normal(name) for name in found.direct()}
    bytes_of = sizes.of(lock)
    return [
        Locked(
            name=package.name,
            version=package.version,
            size=bytes_of[package.name],
            direct=package.name in direct,
        )
        for package in lock.packages
    ]


def _system(found: Ground, lock: Lock, base: str | None, on_event: OnEvent) -> list[SystemNeed]:
    """Return what the locked packages and the cells need and the base image lacks."""
    here = locks.platform_of(found.interpreter)
    if (lock.platform, lock.python) != (here, found.interpreter.minor):
        raise UsageError(
            f"What {lock.platform} with Python {lock.python} needs cannot be seen here",
            why="Its packages are installed to look at them",
            remedy="Ask on such a machine, or without --system",
        )
    image = resolve_base(
        base or settings.base_image(),
        python=lock.python,
        platform=lock.platform,
        store=settings.store(),
        open_repository=lambda text: open_repository(Reference.parse(text)),
        on_event=on_event,
    )
    made = environments.create(lock, found.kernel.executable, folder=found.notebook.path.parent)
    lacking, _ = prepare.find(
        [(cell.number, cell.source, cell.tree) for cell in found.notebook.cells],
        made.site_packages,
        image,
        platform=lock.platform,
        store=settings.store(),
        on_event=on_event,
    )
    return lacking


def _without_secrets(dependency: Dependency) -> Dependency:
    return msgspec.structs.replace(dependency, url=uv.scrub(dependency.url))


def _noting(notes: list[str], on_event: OnEvent) -> OnEvent:
    """Return a listener that keeps warnings, and passes everything on."""

    def listen(event: Event) -> None:
        if isinstance(event, Log) and event.level == "warning":
            notes.append(event.text)
        on_event(event)

    return listen
