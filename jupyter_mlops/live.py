"""Capture the objects of a kernel that runs now, for models that took days.

The kernel needs nothing of ours: the formats, and what they import, come from the environment that
was just made from the kernel's own lock. What they saved is then loaded in that environment, and
must answer as the live objects did.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

import httpx
import msgspec

from jupyter_mlops import assemble
from jupyter_mlops.assemble import Asked, Draft, Verified
from jupyter_mlops.capture.models import CaptureReport
from jupyter_mlops.errors import CaptureError, NotFoundError, UsageError
from jupyter_mlops.events import Log, OnEvent
from jupyter_mlops.pipeline.run import Ran

#: Sent as text, never imported: it runs in another interpreter.
PROBE = Path(__file__).parent / "kernel" / "live_probe.py"
#: The kernel whose notebook is published, wherever it runs.
AUTO = "auto"
#: A folder where the kernel itself, which waits in a magic, looks for what to execute.
MAILBOX = "mailbox:"
ASKED, TAKEN = "ask.py", "taken.py"
BUSY_SECONDS = 5.0
PICKED_UP_SECONDS = 60.0


class Kernel(Protocol):
    """A kernel that executes code."""

    def execute(self, code: str, on_event: OnEvent, patience: float | None = None) -> None:
        """Execute code silently and return when it has ended.

        ``patience`` is how many seconds it may take, with what the kernel does now. Raises
        ``CaptureError``.
        """


def capture(draft: Draft, asked: Asked, kernel: Kernel, on_event: OnEvent) -> Verified:
    """Save what is asked for from a live kernel, with what its objects answer.

    Says which cells the kernel has not run as they stand. Raises ``CaptureError``.
    """
    work = draft.root.parent
    request, answer = work / "request.json", work / "answer.json"
    request.write_bytes(msgspec.json.encode(assemble.capture_request(draft, asked)))
    code = _code(draft, request, answer)
    kernel.execute(code, on_event)
    told = _told(answer)
    if told.get("problem"):
        raise CaptureError(
            "The live kernel did not capture",
            why="\n".join([told["problem"], *told.get("tail", [])]),
            remedy="Run the notebook in the kernel that it names, or publish without --from-kernel",
        )
    _say(draft, told, on_event)
    captures = draft.root / "captures.json"
    report = msgspec.json.decode(captures.read_bytes(), type=CaptureReport)
    captures.unlink()
    executed = work / "executed.ipynb"
    shutil.copyfile(draft.source.path, executed)
    if report.golden is None and report.predictor.kind != "none":
        text = (
            "no rows of the training data are in the kernel: the captures are loaded in the fresh "
            "environment, but nothing is asked of them"
        )
        on_event(Log(level="warning", text=text))
    return Verified(
        ran=Ran("succeeded", {}, {}),
        report=report,
        executed=executed,
        journal=work / "journal.jsonl",
        trace=work / "trace.jsonl",
        proof="loaded",
    )


def _code(draft: Draft, request: Path, answer: Path) -> str:
    """Return the text that the kernel executes; it leaves no name there."""
    ask = {
        "python": draft.ground.interpreter.minor,
        "executable": str(draft.ground.kernel.executable),
        "lib": str(draft.root / "lib"),
        "site": str(draft.environment.site_packages),
        "request": str(request),
        "directory": str(draft.root),
        "answer": str(answer),
        "cells": [(cell.number, cell.source) for cell in draft.source.cells],
        "parameters": _plain({p.name: p.default for p in draft.extracted.found.parameters}),
    }
    return f"exec({PROBE.read_text()!r}, {{'ASK': {ask!r}, '__name__': 'live_probe'}})"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that are the same after a trip through JSON."""
    kept = {}
    for name, value in values.items():
        try:
            kept[name] = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            continue
    return kept


def _told(answer: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(answer.read_bytes()))
    except OSError:
        raise CaptureError(
            "The live kernel answered nothing",
            why="It may run on another machine, whose files are not seen here",
            remedy="Publish on the machine of the kernel, or without --from-kernel",
        ) from None


def _say(draft: Draft, told: dict[str, Any], on_event: OnEvent) -> None:
    declared = {cell.number for cell in draft.source.tagged("parameters")}
    cells = [str(number) for number in told["not_run"] if number not in declared]
    if cells:
        text = (
            f"the kernel has not run these cells as they stand: {', '.join(cells)}. What is "
            "captured comes from what it did run"
        )
        on_event(Log(level="warning", text=text))
    if told["differs"]:
        names = ", ".join(told["differs"])
        text = f"parameters with another value in the kernel than in the notebook: {names}"
        on_event(Log(level="warning", text=text))


@dataclass(frozen=True)
class Connected:
    """A kernel that is reached by its connection file, as every front end reaches it."""

    connection_file: Path

    def execute(self, code: str, on_event: OnEvent, patience: float | None = None) -> None:
        """Execute code silently, once the kernel has ended what it does now."""
        from jupyter_client.blocking.client import BlockingKernelClient

        client = BlockingKernelClient(connection_file=str(self.connection_file))
        client.load_connection_file()
        client.start_channels()
        try:
            asked = client.execute(code, silent=True, store_history=False, allow_stdin=False)
            reply = self._reply(client, asked, on_event, patience)
        finally:
            client.stop_channels()
        if reply["content"]["status"] != "ok":
            content = reply["content"]
            raise CaptureError(
                "The live kernel did not capture",
                why=f"{content.get('ename', 'It was interrupted')}: {content.get('evalue', '')}",
            )

    def _reply(self, client: Any, asked: str, on_event: OnEvent, patience: float | None) -> Any:
        said, silent = False, 0
        while True:
            try:
                reply = client.get_shell_msg(timeout=patience or BUSY_SECONDS)
            except Empty:
                if patience is not None:
                    raise CaptureError(
                        "The kernel is busy", remedy="Try again when it is free"
                    ) from None
                silent = 0 if client.hb_channel.is_beating() else silent + 1
                if silent > 2:
                    raise CaptureError(
                        "The live kernel does not answer",
                        why=f"Nobody listens at {self.connection_file.name}",
                        remedy="Open the notebook, and run it",
                    ) from None
                if not said:
                    on_event(Log(text="the kernel is busy: its objects are saved when it is free"))
                said = True
                continue
            if reply["parent_header"].get("msg_id") == asked:
                return reply


@dataclass(frozen=True)
class Waiting:
    """The kernel that waits in ``%mlops_publish --from-kernel``: it executes what it finds."""

    folder: Path

    def execute(self, code: str, on_event: OnEvent, patience: float | None = None) -> None:
        """Put the code where the kernel looks, and wait until it has executed it."""
        unfinished = self.folder / "ask.part"
        unfinished.write_text(code)
        unfinished.replace(self.folder / ASKED)
        # The event wakes the magic.
        on_event(Log(text="the kernel saves its objects"))
        deadline = time.monotonic() + PICKED_UP_SECONDS
        while (self.folder / ASKED).exists():
            if time.monotonic() > deadline:
                raise CaptureError(
                    "The kernel does not save its objects",
                    why="The cell with %mlops_publish no longer waits",
                    remedy="Run that cell again",
                )
            time.sleep(0.05)
        while (self.folder / TAKEN).exists():
            time.sleep(0.05)


def find(text: str, notebook: Path) -> Kernel:
    """Return the kernel that is named by a connection file or an id, or that runs the notebook.

    Raises ``NotFoundError`` with the kernels that there are.
    """
    if text.startswith(MAILBOX):
        return Waiting(Path(text.removeprefix(MAILBOX)))
    if text != AUTO:
        return Connected(_connection_file(text))
    found = sorted(_kernels_of(notebook))
    if len(found) == 1:
        return Connected(_connection_file(found[0]))
    if found:
        raise UsageError(
            f"Several kernels run {notebook.name}",
            remedy=f"Say which: --from-kernel {found[0]}, or one of {', '.join(found[1:])}",
        )
    raise NotFoundError(
        f"No kernel is known that runs {notebook.name}",
        why="Only the Jupyter servers of this user on this machine were asked",
        remedy="Open it in JupyterLab and run it, or name the kernel's connection file "
        "(%connect_info shows it): --from-kernel FILE",
    )


def _connection_file(text: str) -> Path:
    from jupyter_core.paths import jupyter_runtime_dir

    for path in (Path(text), Path(jupyter_runtime_dir()) / f"kernel-{text}.json"):
        if path.is_file():
            return path
    known = sorted(Path(jupyter_runtime_dir()).glob("kernel-*.json"))
    ids = ", ".join(path.stem.removeprefix("kernel-") for path in known[:10])
    raise NotFoundError(
        f"There is no kernel '{text}' here",
        why=f"There are connection files of: {ids}" if ids else "No kernel runs here",
        remedy="Name one of them, or a connection file",
    )


def _kernels_of(notebook: Path) -> set[str]:
    """Return the ids of the kernels that run a notebook, as this user's servers tell."""
    from jupyter_server.serverapp import list_running_servers

    found = set()
    for server in list_running_servers():
        headers = {"Authorization": f"token {server['token']}"} if server.get("token") else {}
        root = Path(server.get("root_dir") or ".")
        try:
            url = f"{server['url']}api/sessions"
            answer = httpx.get(url, headers=headers, trust_env=False, verify=False, timeout=5)
            sessions = answer.json() if answer.status_code == 200 else []
            for session in sessions:
                if (root / session["path"]).resolve() == notebook.resolve():
                    found.add(str(session["kernel"]["id"]))
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            continue
    return found
