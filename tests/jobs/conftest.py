from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.jobs import JobStore
from tests.jobs.work import KINDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    """A store whose kinds are those of ``work.py``; whatever still runs at the end is cancelled."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store = JobStore(tmp_path / "jobs", kinds=KINDS)
    yield store
    for job in store.list():
        if job.active:
            store.cancel(job.id, grace=5)
