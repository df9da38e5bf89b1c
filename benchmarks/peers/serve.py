"""Answers requests, a line of JSON each: ``{"cells": […]}`` or ``{"change": index, "text": …}``.

The answer is ``{"seconds": …, "unread": …}``: how long the analysis took, and how many cells the
peer could not read. Imported by the scripts beside it, which run in the peer's own environment.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from typing import Protocol


class Analysis(Protocol):
    """What a peer makes of a notebook."""

    def whole(self, cells: list[str]) -> int:
        """Analyse all cells; return how many could not be read."""

    def changed(self, index: int, text: str) -> int:
        """Analyse again after one cell was changed; return how many could not be read."""


def serve(analysis: Analysis) -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the peer prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        gc.collect()
        began = time.process_time()
        if "cells" in request:
            unread = analysis.whole(request["cells"])
        else:
            unread = analysis.changed(request["change"], request["text"])
        seconds = time.process_time() - began
        print(json.dumps({"seconds": seconds, "unread": unread}), file=answers, flush=True)
