"""Fixtures of the audit: a PyPI on the loopback that the settings name, and a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment.audit.advisories import Pypi, served


@pytest.fixture
def pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pypi]:
    with served() as found:
        monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("JUPYTER_MLOPS_AUDIT_URL", found.url)
        monkeypatch.delenv("JUPYTER_MLOPS_AUDIT", raising=False)
        yield found
