"""The state of one service: what it answers with, whether it is ready, and its one model thread."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from jupyter_mlops.runtime import predictor
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.predictor import LoadProblem, Predictor, Table
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.runs import Runs

Answer = TypeVar("Answer")
logger = logging.getLogger("mlops")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator chooses by environment variables.

    ``token`` empty means that everybody may call; ``body`` is in bytes, ``waiting`` the number of
    predictions that may wait for the model, ``drain`` in seconds.
    """

    token: str = ""
    digest: str = ""
    body: int = 100 * 1024**2
    waiting: int = 1024
    runs: int = 1
    queue: int = 16
    drain: int = 25

    @classmethod
    def of_environment(cls) -> Settings:
        """Read the variables; raises ``ValueError`` that names the one that is wrong."""
        usual = cls()
        return cls(
            token=os.environ.get("MLOPS_TOKEN", ""),
            digest=os.environ.get("MLOPS_IMAGE_DIGEST", ""),
            body=_number("MLOPS_MAX_BODY", usual.body),
            waiting=_number("MLOPS_MAX_WAITING", usual.waiting),
            runs=_number("MLOPS_RUNS", usual.runs),
            queue=_number("MLOPS_RUNS_QUEUE", usual.queue),
            drain=_number("MLOPS_DRAIN_SECONDS", usual.drain),
        )


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}, which is not a whole number from 1 on.")
    return int(text)


class Busy(RuntimeError):
    """More predictions wait than the service wants to keep."""


class Served:
    """One publication being served."""

    def __init__(self, root: Path, publication: Publication, settings: Settings) -> None:
        self.root = root
        self.publication = publication
        self.settings = settings
        self.metrics = Metrics()
        self.runs = Runs(root, publication, settings.runs, settings.queue, self._run_ended)
        self.state: Literal["starting", "ready", "failed"] = "starting"
        self.message = "The model is being loaded."
        self.golden = None if publication.signature is None else _golden(root)
        self._predictor: Predictor | None = None
        # One thread: models are not thread-safe, and two of them would only share the cores.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._waiting = 0
        self.metrics.model.set(
            1,
            publication=publication.name,
            predictor=publication.predictor.name or "",
            kind=publication.predictor.kind,
            digest=settings.digest,
        )
        self.metrics.ready.set(0)

    @property
    def predicts(self) -> bool:
        """Whether there is anything to predict with."""
        return self.publication.predictor.kind != "none"

    async def start(self) -> None:
        """Load the predictor and check the golden rows; the service is ready afterwards, or failed.

        The event loop stays free: the service answers that it is alive meanwhile.
        """
        problem = await asyncio.wrap_future(self._thread.submit(self._load))
        if problem:
            self.state, self.message = "failed", problem
            logger.error("%s", problem)
        else:
            self.state, self.message = "ready", "The service is ready."
            self.metrics.ready.set(1)

    def _load(self) -> str:
        try:
            loaded = predictor.load(self.root, self.publication)
            golden = predictor.load_golden(self.root)
            if loaded is not None and golden is not None:
                mismatches = predictor.compare(loaded, golden)
                if mismatches:
                    return " ".join(mismatches)
            self._predictor = loaded
        except LoadProblem as error:
            return str(error)
        except Exception as error:
            logger.exception("The model cannot be loaded.")
            return f"The model cannot be loaded: {type(error).__name__}."
        return ""

    async def predict(self, table: Table) -> list[Any]:
        """Answer rows in the model's thread, in the order of arrival; raises ``Busy``."""
        assert self._predictor is not None
        answers = await self._in_thread(self._predictor.predict, table)
        self.metrics.rows.add(len(table.rows))
        return answers

    async def _in_thread(self, call: Callable[[Table], Answer], table: Table) -> Answer:
        if self._waiting >= self.settings.waiting:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(call, table))
        finally:
            self._waiting -= 1

    def _run_ended(self, state: str) -> None:
        self.metrics.runs.add(state=state)

    async def stop(self) -> None:
        """Cancel the runs, and let the model finish what it has begun."""
        await self.runs.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _golden(root: Path) -> Any:
    try:
        return predictor.load_golden(root)
    except LoadProblem:
        return None  # said when the model is loaded
