from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupyter_mlops.tracking import store
from jupyter_mlops.tracking.store import VARIABLES


def _choose(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(home))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that MLflow made: it takes seconds, so it is made once and copied."""
    home = tmp_path_factory.mktemp("tracking")
    with pytest.MonkeyPatch.context() as patch:
        _choose(patch, home)
        store.client()
    return home / "tracking" / "mlflow.db"


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder where nothing was tracked yet, and no tracking server chosen."""
    _choose(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def home(empty_home: Path, database: Path) -> Path:
    """A state folder of its own, with a database that is ready."""
    (empty_home / "tracking").mkdir()
    shutil.copyfile(database, empty_home / "tracking" / "mlflow.db")
    return empty_home
