"""Events of the runner: JSON lines that the spine and the service read while the run goes on."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

MAX_LOG_LINES = 2000
MAX_LOG_LENGTH = 500


class Emitter:
    """Writes events, one whole line by one write, to a file or to the standard output."""

    def __init__(self, target: str | None) -> None:
        self._descriptor: int | None = None
        self._logged = 0
        if target == "-":
            # Whatever libraries print goes to the error output: the events stay readable.
            self._descriptor = os.dup(1)
            sys.stdout.flush()
            os.dup2(2, 1)
        elif target:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(target, flags, 0o644)

    def _write(self, event: dict[str, Any]) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, msgspec.json.encode(event) + b"\n")

    def progress(self, done: int, total: int, label: str) -> None:
        """Say how many code cells were run."""
        self._write(
            {
                "type": "progress",
                "stage": "run",
                "done": done,
                "total": total,
                "unit": "cells",
                "label": label,
            }
        )

    def log(self, text: str, level: str = "info") -> None:
        """Pass on a line; a run that prints without end is cut off here, not in its notebook."""
        if self._logged > MAX_LOG_LINES:
            return
        self._logged += 1
        if self._logged > MAX_LOG_LINES:
            text = "… more lines are in the executed notebook."
        self._write({"type": "log", "level": level, "text": text[:MAX_LOG_LENGTH]})

    def result(
        self,
        state: str,
        parameters: dict[str, Any],
        metrics: dict[str, float],
        error: dict[str, Any] | None = None,
    ) -> None:
        """Say what the run came to; metrics that are no finite numbers are told, not passed on."""
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        for name in sorted(set(metrics) - set(finite)):
            self.log(f"The metric {name} is {metrics[name]}: it is left out.", "warning")
        value: dict[str, Any] = {"state": state, "parameters": parameters, "metrics": finite}
        if error is not None:
            value["error"] = error
        self._write({"type": "result", "value": value})
