"""Nothing leaves without a word on what is known of its packages: clean, found or not checked.

A publish begins the audit of its lock, runs the notebook, and settles it before it pushes. The
answer depends on the day, so it is told and tracked, and never a part of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlops import notebook as notebooks
from jupyter_mlops import settings
from jupyter_mlops.environment import ground as grounds
from jupyter_mlops.environment import lock as locks
from jupyter_mlops.environment.audit.asking import Asking, key_of, switched_off
from jupyter_mlops.environment.audit.models import Audit, Mode
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.errors import AuditError, NotebookError, Problem
from jupyter_mlops.events import Log, OnEvent, ignore
from jupyter_mlops.image import platforms
from jupyter_mlops.registry.fetch import read_files
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime import publication as publications

_OFF = "the audit is switched off (--audit none, or JUPYTER_MLOPS_AUDIT=none)"


@dataclass(frozen=True)
class Auditing:
    """An audit that a publish has begun; ``asking`` is nobody's where it is switched off."""

    mode: Mode
    asking: Asking | None


def begin(locked: Sequence[Lock], mode: Mode | None = None) -> Auditing:
    """Begin to ask what is known of locked packages, beside what follows.

    ``tell`` says it, ``refuse`` publishes only what is clean, ``none`` asks nobody; ``None`` is
    the operator's setting. Raises ``UsageError`` for a setting that makes no sense.
    """
    chosen = mode or settings.audit()
    return Auditing(chosen, None if chosen == "none" else Asking(locked))


def settle(auditing: Auditing, locked: Sequence[Lock], on_event: OnEvent = ignore) -> Audit:
    """Return what is known, and tell it; where a lock has grown since, what it is now is audited.

    Raises ``AuditError`` with all of it where only what is clean may leave, and this is not.
    """
    asking = auditing.asking
    if asking is None:
        return switched_off(locked, _OFF)
    audit = (asking if asking.key == key_of(locked) else Asking(locked)).result()
    on_event(
        Log(
            level="info" if audit.state == "clean" else "warning",
            text=f"packages {audit.headline()}",
        )
    )
    if auditing.mode == "refuse" and audit.state != "clean":
        raise AuditError.collect(_problems(audit))
    return audit


def audit(subject: str, *, on_event: OnEvent = ignore) -> Audit:
    """Say what is known of the packages of a notebook (by path) or a publication (by reference).

    A notebook is locked as a publish would; of a publication only its lock is read. Raises
    ``MlopsError`` where there is no lock to audit.
    """
    if _is_notebook(subject):
        found = [_of_notebook(Path(subject), on_event)]
    else:
        found = [published(each) for each in _images(subject)]
    asking = begin(found).asking
    return asking.result() if asking else switched_off(found, _OFF)


def _problems(audit: Audit) -> list[Problem]:
    found = [
        Problem(
            problem=f"{each.package} {each.version} is known to be vulnerable: {each.id}",
            why=each.summary,
            remedy=f"Take a newer one: --pin '{each.package}>={each.fixed[-1]}'"
            if each.fixed
            else "No version is known to be free of it; publish it nevertheless: --audit tell",
        )
        for each in audit.found
    ]
    return found + [
        Problem(
            problem=f"It is not clean: {each.sentence()}",
            remedy="Try again, or publish it nevertheless: --audit tell",
        )
        for each in audit.unchecked
    ]


def _is_notebook(subject: str) -> bool:
    return subject.endswith(".ipynb") or Path(subject).is_file()


def _of_notebook(path: Path, on_event: OnEvent) -> Lock:
    found = grounds.find(notebooks.read(path), on_event=on_event)
    return grounds.lock(grounds.settle(found, on_event), on_event)


def _images(reference: str) -> list[str]:
    """Return the reference of each image that is meant: of an index, all that it lists."""
    where = Reference.parse(reference)
    _, manifest = open_repository(where).manifest(where.version)
    if not platforms.is_index(manifest):
        return [reference]
    digests = {offer.manifest.digest for offer in platforms.offers(manifest)}
    return [str(where.with_digest(digest)) for digest in sorted(digests)]


def published(reference: str) -> Lock:
    """Return the lock of a publication. Raises ``NotebookError`` for what is none."""
    where = Reference.parse(reference)
    repository = open_repository(where)
    files = read_files(repository, where.version, [publications.FILE_NAME, "pylock.toml"])
    try:
        publication = publications.decode(files[publications.FILE_NAME])
        text = files["pylock.toml"].decode()
        return locks.parse(text, publication.python, publication.platform)
    except (KeyError, ValueError) as error:
        raise NotebookError(
            "This image is not a publication with a lock",
            why=f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error),
            remedy="List what is there: jupyter mlops list",
            where=reference,
        ) from None
