"""What all shapes share: a Python that starts warm, and one copy of our code for services."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.warm import Warm


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    # A socket's path must be short.
    with tempfile.TemporaryDirectory() as folder, Warm(Path(folder)) as running:
        yield running


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library") / "lib"


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums are always in the same order, in the notebook's plain run as in ours."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
