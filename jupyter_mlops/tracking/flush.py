"""Sends a journal to an MLflow run, in batches, from where it was left the last time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jupyter_mlops.runtime.journal import Entry
from jupyter_mlops.tracking import store

METRICS = 1000  # MLflow's limits per request
PARAMETERS = 100
TAGS = 100
PARAMETER_LENGTH = 6000
TAG_LENGTH = 5000

_T = TypeVar("_T")


def new_entries(path: Path, offset: int) -> tuple[list[Entry], int]:
    """Return the whole entries of a journal from ``offset`` (bytes), and where they end."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    whole = data[: data.rfind(b"\n") + 1]
    return list(_entries(whole.splitlines())), offset + len(whole)


def _entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    for line in lines:
        try:
            yield msgspec.convert(json.loads(line), Entry)
        except ValueError:
            continue  # cut off by a crash


def send(run_id: str, entries: Sequence[Entry]) -> None:
    """Log numbers as metrics (with their time and step) and texts as tags of the run.

    Sending the same entries again changes nothing. Raises ``TrackingError``.
    """
    mlflow = store.client()
    with store.told(store.uri()):
        for batch in _batches(_metrics(entries), METRICS):
            mlflow.log_batch(run_id, metrics=batch)
    texts = {k: v for entry in entries for k, v in entry.values.items() if isinstance(v, str)}
    describe(run_id, tags=texts)


def describe(
    run_id: str, *, parameters: Mapping[str, Any] | None = None, tags: Mapping[str, str]
) -> None:
    """Set parameters and tags of a run. Raises ``TrackingError``."""
    from mlflow.entities import Param, RunTag

    mlflow = store.client()
    with store.told(store.uri()):
        params = [
            Param(_key(k), _text(v)[:PARAMETER_LENGTH]) for k, v in (parameters or {}).items()
        ]
        for batch in _batches(params, PARAMETERS):
            mlflow.log_batch(run_id, params=batch)
        for labels in _batches([RunTag(_key(k), v[:TAG_LENGTH]) for k, v in tags.items()], TAGS):
            mlflow.log_batch(run_id, tags=labels)


def _metrics(entries: Iterable[Entry]) -> Iterator[Any]:
    from mlflow.entities import Metric

    for entry in entries:
        for name, value in entry.values.items():
            if isinstance(value, int | float):
                moment = int(entry.time * 1000)
                yield Metric(_key(name), float(value), moment, entry.step or 0)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    several = iter(items)
    while batch := list(islice(several, size)):
        yield batch


def _key(name: str) -> str:
    """Return the name as MLflow accepts it: words, dots, dashes, slashes; 250 characters."""
    return re.sub(r"[^\w.\-/ :]", "_", name).strip("/. ")[:250] or "_"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
