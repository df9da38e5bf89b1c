"""What ``%mlops_publish`` does where the full package is: a job, followed in the cell."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from IPython.core.error import UsageError

from jupyter_mlops.environment.audit.models import Audit
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.jobs import AlreadyRunning, Job, JobStore, submit
from jupyter_mlops.jobs.tail import follow
from jupyter_mlops.kernel.progress import View, view_for
from jupyter_mlops.live import ASKED, MAILBOX, TAKEN


class Publication:
    """A finished publish as a cell shows it: text and Markdown; ``result`` has the values."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result
        self.reference = str(result.get("reference", ""))
        self.digest = str(result.get("digest", ""))

    def __repr__(self) -> str:
        return "\n".join([f"Published {self.reference}", *(f"  {k}: {v}" for k, v in self._rows())])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        rows = [f"| {name} | {value} |" for name, value in self._rows()]
        table = ["| | |", "|---|---|", *rows] if rows else []
        text = "\n".join([f"**Published** `{self.reference}`", "", *table])
        return {"text/plain": repr(self), "text/markdown": text}

    def _rows(self) -> list[tuple[str, str]]:
        known = [(name, self.result.get(name)) for name in ("digest", "version", "verified")]
        metrics = (self.result.get("metrics") or {}).items()
        rows = [(name, str(value)) for name, value in known if value not in (None, "")]
        if self.result.get("audit"):
            audit = msgspec.convert(self.result["audit"], Audit)
            rows.append(("packages", audit.headline()))
        return rows + [(str(name), str(value)) for name, value in metrics]


def publish(
    shell: Any, request: dict[str, Any], *, from_kernel: bool = False
) -> Publication | None:
    """Start the job (or join the one under way) and follow it; interrupting leaves it going.

    With ``from_kernel`` this kernel's objects are saved: the job says when, and it is done here.
    Raises IPython's ``UsageError`` with every problem, a sentence each.
    """
    store = JobStore()
    mailbox = Path(tempfile.mkdtemp(prefix="mlops-kernel-")) if from_kernel else None
    if mailbox is not None:
        request = {**request, "from_kernel": f"{MAILBOX}{mailbox}"}
    try:
        job = submit(store, "publish", {k: v for k, v in request.items() if v is not None})
    except AlreadyRunning as error:
        job = error.job
    except MlopsError as error:
        raise UsageError(str(error)) from None
    view = view_for(shell, job.title)
    try:
        ended = _followed(store, job, view, mailbox)
    except KeyboardInterrupt:
        view.close("running")
        raise UsageError(
            f"No longer watched: the publish goes on as job {job.id}. "
            "The panel shows it; the same magic follows it again"
        ) from None
    finally:
        if mailbox is not None:
            shutil.rmtree(mailbox, ignore_errors=True)
    if ended.state != "succeeded":
        problems = [problem.sentence() for problem in ended.problems]
        raise UsageError("\n".join(problems) or f"The publish was {ended.state}.")
    return Publication(ended.result or {})


def _execute(mailbox: Path) -> None:
    """Do what the job asks of this kernel; how it went is in the file that the job names."""
    taken = (mailbox / ASKED).replace(mailbox / TAKEN)
    try:
        exec(taken.read_text(), {})
    finally:
        taken.unlink()


def _followed(store: JobStore, job: Job, view: View, mailbox: Path | None) -> Job:
    for event in follow(store, job.id):
        view.show(event.event)
        if mailbox is not None and (mailbox / ASKED).exists():
            _execute(mailbox)
    ended = store.get(job.id)
    view.close(ended.state)
    return ended
