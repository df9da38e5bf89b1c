"""Answers requests, a line of JSON each. Imported by the scripts beside it, for the peers.

Of an analysis: ``{"cells": […]}`` or ``{"change": index, "text": …}``, answered by ``{"seconds": …,
"unread": …}``: how long it took, and how many cells the peer could not read. Of an inference:
``{"folder": …, "output": …, "index": …}``, answered by ``{"seconds": …, "crash": …}``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol


class Analysis(Protocol):
    """What a peer makes of a notebook."""

    def whole(self, cells: list[str]) -> int:
        """Analyse all cells; return how many could not be read."""

    def changed(self, index: int, text: str) -> int:
        """Analyse again after one cell was changed; return how many could not be read."""


def serve(analysis: Analysis) -> None:
    """Answer about cells until standard input ends."""

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        began = time.process_time()
        if "cells" in request:
            unread = analysis.whole(request["cells"])
        else:
            unread = analysis.changed(request["change"], request["text"])
        return {"seconds": time.process_time() - began, "unread": unread}

    _answer(handle)


def serve_inference(infer: Callable[[str, str, str], Callable[[], None] | None]) -> None:
    """Answer about what folders need until standard input ends.

    ``infer`` is given a folder, where the requirements are to be written, and an index's address.
    What it returns is called when the time is taken: it writes what the peer tells otherwise.
    """

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        crash, finish = "", None
        began = time.process_time()
        try:
            finish = infer(request["folder"], request["output"], request["index"])
        except Exception as error:
            crash = f"{type(error).__name__}: {error}"
        seconds = time.process_time() - began
        if finish is not None:
            finish()
        return {"seconds": seconds, "crash": crash}

    _answer(handle)


def _answer(handle: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the peer prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        gc.collect()
        print(json.dumps(handle(request)), file=answers, flush=True)
