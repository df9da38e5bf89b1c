"""Records a finished run in MLflow, and ties the registered version to the image."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import Problem
from jupyter_mlops.runtime.journal import Entry
from jupyter_mlops.tracking import flush, store
from jupyter_mlops.tracking.model import RunLink, TrackingError

REFERENCE = "mlops.image.ref"
DIGEST = "mlops.image.digest"


def record_run(
    name: str,
    *,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    journal: Path | None = None,
    artifacts: Sequence[Path] = (),
) -> RunLink:
    """Record a finished run under the experiment ``name`` and return where it is.

    The journal's entries keep their time and step; ``metrics`` adds what is not in it. With the
    tag ``mlops.image.digest``, a version of the registered model ``name`` is made that points to
    the image. Raises ``TrackingError`` when the run itself cannot be recorded; what fails
    afterwards is in the link's ``problems``.
    """
    experiment = store.experiment(name)
    mlflow, where = store.client(), store.uri()
    entries, _ = flush.new_entries(journal, 0) if journal else ([], 0)
    with store.told(where):
        started = int(entries[0].time * 1000) if entries else None
        run = mlflow.create_run(experiment, start_time=started, run_name=_run_name(name, tags))
        run_id = str(run.info.run_id)
    flush.describe(run_id, parameters=parameters, tags={**tags, "mlflow.source.type": "NOTEBOOK"})
    flush.send(run_id, entries)
    logged = {key for entry in entries for key in entry.values}
    rest = {key: value for key, value in metrics.items() if key not in logged}
    if rest:
        flush.send(run_id, [Entry(time=time.time(), values=dict(rest))])
    problems = _keep(run_id, artifacts)
    with store.told(where):
        mlflow.set_terminated(run_id, "FINISHED")
    version = ""
    if DIGEST in tags:
        try:
            version = register(name, run_id, tags)
        except TrackingError as error:
            problems += error.problems
    return RunLink(
        uri=store.shown(where), experiment=name, run_id=run_id, version=version, problems=problems
    )


def register(name: str, run_id: str, tags: Mapping[str, str]) -> str:
    """Make a version of the registered model ``name`` that is the image; return its number.

    The version's source is ``oci://repository@digest``; its tags are the run's ``mlops.`` ones.
    Raises ``TrackingError``.
    """
    from mlflow.exceptions import MlflowException

    mlflow = store.client()
    with store.told(store.uri()):
        try:
            mlflow.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        version = mlflow.create_model_version(
            name,
            source=_source(tags.get(REFERENCE, name), tags[DIGEST]),
            run_id=run_id,
            tags={key: value for key, value in tags.items() if key.startswith("mlops.")},
        )
        return str(version.version)


def _keep(run_id: str, artifacts: Sequence[Path]) -> list[Problem]:
    problems = []
    for path in artifacts:
        try:
            with store.told(store.uri()):
                store.client().log_artifact(run_id, str(path))
        except TrackingError as error:
            problems += error.problems
    return problems


def _source(reference: str, digest: str) -> str:
    # With a scheme of its own: a server takes anything else for a path on its own disk.
    place = reference if reference.startswith("oci:") else f"oci://{reference}"
    place = place.partition("@")[0]
    head, slash, last = place.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}"


def _run_name(name: str, tags: Mapping[str, str]) -> str:
    version = tags.get("mlops.version")
    return f"{name} v{version}" if version else name
