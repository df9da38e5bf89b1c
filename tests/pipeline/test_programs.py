"""Random notebooks: steps in processes of their own compute what one process computes.

``MLOPS_PROGRAMS`` says how many (10 000 in continuous integration).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from jupyter_mlops.pipeline import dataflow
from tests.pipeline.language import NAMES, program
from tests.pipeline.programs import direct, notebook_of, run, shape, split

MANY = int(os.environ.get("MLOPS_PROGRAMS") or (10_000 if os.environ.get("CI") else 300))
#: Seconds; a quarter of one for each program is plenty.
PATIENCE = max(1200, MANY // 4)
GENEROUS = settings(
    max_examples=MANY,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    memory = Path("/dev/shm")  # thousands of small files
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name) / "run"


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
@GENEROUS
@given(cells=program())
def test_steps_compute_what_the_notebook_computes(folder: Path, cells: list[str]) -> None:
    wanted = direct(cells)
    assume(wanted is not None)
    assert wanted is not None
    got = split(cells, folder)
    assert got.outputs == wanted.outputs
    assert got.values == wanted.values


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
@GENEROUS
@given(cells=program())
def test_a_slice_gives_the_same_value(cells: list[str]) -> None:
    namespace = run(cells)
    assume(namespace is not None)
    assert namespace is not None
    flow = dataflow.analyze(notebook_of(cells).cells)
    for name in NAMES:
        if name in namespace:
            chosen = flow.slice([name])
            alone = run([cells[number - 1] for number in chosen])
            assert alone is not None and name in alone, chosen
            assert shape(alone[name], {}) == shape(namespace[name], {}), chosen
