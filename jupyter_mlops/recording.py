"""What a publish leaves on this machine: a tracked run, the executed notebook and its report."""

from __future__ import annotations

import shutil
from pathlib import Path

from jupyter_mlops import settings
from jupyter_mlops.assemble import Draft, Verified
from jupyter_mlops.environment.audit.models import Audit
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import Log, OnEvent
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.tracking.record import record_run


def keep(draft: Draft, verified: Verified | None, digest: str) -> list[Path]:
    """Keep the executed notebook and its report where the user can open them."""
    if verified is None:
        return []
    folder = settings.home() / "publications" / draft.source.name / digest.split(":")[1][:12]
    folder.mkdir(parents=True, exist_ok=True)
    kept = [folder / "executed.ipynb", folder / "report.html"]
    shutil.copyfile(verified.executed, kept[0])
    shutil.copyfile(verified.page, kept[1])
    return kept


def record(
    publication: Publication,
    place: Reference,
    image: Image | Index,
    version: int,
    verified: Verified | None,
    audited: Audit,
    kept: list[Path],
    on_event: OnEvent,
) -> str:
    """Link the publication to a tracked run; a tracking failure is told, never fatal."""
    try:
        link = record_run(
            publication.name,
            parameters=verified.ran.parameters if verified else {},
            metrics=publication.metrics,
            tags={
                "mlops.image.ref": str(place),
                "mlops.image.digest": image.digest,
                "mlops.version": str(version),
                "mlops.notebook.sha256": publication.notebook_sha256,
                "mlops.lock.sha256": publication.lock_sha256,
                "mlops.verified": publication.verified,
                "mlops.audit": audited.headline(),
            },
            journal=verified.journal if verified else None,
            artifacts=kept,
        )
    except MlopsError as error:
        on_event(Log(level="warning", text=f"The run was not recorded. {error}"))
        return ""
    for problem in link.problems:
        on_event(Log(level="warning", text=problem.sentence()))
    return link.run_id
