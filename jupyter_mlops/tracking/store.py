"""Opens MLflow: which one, with what settings, and made ready by one process at a time.

Without a choice it is a SQLite file in the state folder. MLflow itself creates and migrates its
tables without a lock: two processes that do so at once crash, so here they take turns.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.tracking.model import TrackingError

VARIABLES = ("JUPYTER_MLOPS_TRACKING_URI", "MLFLOW_TRACKING_URI")
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    # MLflow's own defaults wait for minutes on a server that is not there.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}

_clients: dict[str, Any] = {}
_mutex = threading.Lock()


def uri() -> str:
    """Return the tracking URI: from the environment, else the database in the state folder."""
    for variable in VARIABLES:
        if chosen := os.environ.get(variable):
            return chosen
    return f"sqlite:///{_database()}"


def shown(text: str) -> str:
    """Return a URI without credentials, to show."""
    parts = urlsplit(text)
    if not parts.username and not parts.password:
        return text
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def client() -> Any:
    """Return MLflow's client on ``uri()``, ready to use; the first call imports MLflow (seconds).

    Raises ``TrackingError``.
    """
    where = uri()
    with _mutex:
        if where not in _clients:
            with told(where):
                _clients[where] = _opened(where)
        return _clients[where]


def warm() -> threading.Thread:
    """Import MLflow and open the store in the background, where that time is not waited for."""

    def open_early() -> None:
        try:
            client()
        except TrackingError:
            return  # whoever needs it will be told

    thread = threading.Thread(target=open_early, name="mlops-tracking", daemon=True)
    thread.start()
    return thread


def experiment(name: str) -> str:
    """Return the id of an experiment, made when there is none. Raises ``TrackingError``."""
    mlflow, where = client(), uri()
    with told(where), _turn(where):
        found = mlflow.get_experiment_by_name(name)
        if found is None:
            place = None
            if where.startswith("sqlite:"):  # else it would be ./mlruns of whoever comes first
                place = (settings.tracking() / "artifacts" / name.replace("/", "_")).as_uri()
            return _created(mlflow, name, place)
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"The experiment {name!r} was deleted",
            why="MLflow keeps a deleted experiment's name until it is purged",
            remedy=f"Restore it: mlflow experiments restore -x {found.experiment_id}",
        )
    return str(found.experiment_id)


def _created(mlflow: Any, name: str, place: str | None) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(mlflow.create_experiment(name, artifact_location=place))
    except MlflowException as error:  # somebody else made it on the same server meanwhile
        found = mlflow.get_experiment_by_name(name)
        if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
            raise
        return str(found.experiment_id)


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn whatever MLflow, its database or the network raises into one ``TrackingError``."""
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TrackingError(
            "The tracking store cannot be used",
            why=why.replace(where, shown(where)),
            remedy=f"Check that it is there and may be used, or set {VARIABLES[0]}",
            where=shown(where),
        ) from error


def _opened(where: str) -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    mlflow = MlflowClient(tracking_uri=where, registry_uri=where)
    with _turn(where):  # the first question creates or migrates the tables
        mlflow.search_experiments(max_results=1)
        if where.startswith("sqlite:"):
            mlflow.search_registered_models(max_results=1)
    return mlflow


@contextmanager
def _turn(where: str) -> Iterator[None]:
    if not where.startswith("sqlite:"):
        yield
        return
    path = Path(where.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=120):
        yield


def _database() -> Path:
    return settings.tracking() / "mlflow.db"
