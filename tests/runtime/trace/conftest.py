"""Cells that run under the tracer, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
Answer = dict[str, Any]


@pytest.fixture(scope="session")
def zygote() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("zygote.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    yield process
    process.communicate()


@pytest.fixture
def ran(zygote: subprocess.Popen[str]) -> Callable[..., Answer]:
    """Runs cells; returns the trace's lines and what the cells showed."""

    def run(*cells: str, traced: bool = True, breaks: int = 0, **options: Any) -> Answer:
        request = {"cells": cells, "traced": traced, "breaks": breaks, "options": options}
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        zygote.stdin.write(json.dumps(request) + "\n")
        zygote.stdin.flush()
        answer: Answer = json.loads(zygote.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    return run


@pytest.fixture
def trace(ran: Callable[..., Answer]) -> Callable[..., list[Any]]:
    """Runs cells; returns what each of them did, with every field there."""
    from jupyter_mlops.runtime.trace.models import CellTrace

    def run(*cells: str, **options: Any) -> list[Any]:
        import msgspec

        lines = ran(*cells, **options)["lines"]
        assert all("problem" not in line for line in lines), lines
        return [msgspec.convert(line, CellTrace) for line in lines]

    return run
