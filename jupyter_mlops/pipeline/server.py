"""Talks to the step server of another interpreter: requests in, events and results out."""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_mlops.errors import RunError
from jupyter_mlops.events import Log, OnEvent
from jupyter_mlops.pipeline.run import Place


class StepServer:
    """Runs steps, each in a kernel of its own; a context manager that ends it with everything."""

    def __init__(self, place: Place, parallel: int, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                str(place.python),
                "-m",
                "jupyter_mlops.runtime",
                "steps",
                "--parallel",
                str(parallel),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=place.environment(),
        )
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                item = json.loads(line)
            except ValueError:
                continue
            if item.get("type") == "log":
                self._on_event(Log(text=item.get("text", ""), level=item.get("level", "info")))
            elif item.get("type") == "result":
                self._answers.put(item)
        self._answers.put(None)

    def submit(
        self,
        step: str,
        *,
        session: Path,
        notebook: Path,
        output: Path,
        parameters: dict[str, Any],
        journal: Path,
    ) -> None:
        """Ask for a step to be run; its result comes from ``result``."""
        request = {
            "id": step,
            "session": str(session),
            "notebook": str(notebook),
            "output": str(output),
            "parameters": parameters,
            "journal": str(journal),
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._broken() from error

    def result(self) -> tuple[str, dict[str, Any]]:
        """Wait for the next step to end; return its id and its result. Raises ``RunError``."""
        item = self._answers.get()
        if item is None:
            raise self._broken()
        return str(item["id"]), item["value"]

    def _broken(self) -> RunError:
        self._process.wait()
        self._errors.seek(0)
        tail = " ".join(self._errors.read().strip().splitlines()[-3:])
        return RunError(
            "The run broke off",
            why=tail or f"The runner ended with code {self._process.returncode}",
            remedy="Look at the log; if memory ran out, use less data or a bigger machine",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.terminate()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        self._errors.close()
