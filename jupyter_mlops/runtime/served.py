"""The state of one worker: what it answers with, whether it is ready, and its one model."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from jupyter_mlops.runtime import exposition, golden_rows, predictor, proof
from jupyter_mlops.runtime.batcher import Batcher, Work
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.predictor import LoadProblem
from jupyter_mlops.runtime.proof import Proven
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.quick import Model, Reader
from jupyter_mlops.runtime.settings import Settings
from jupyter_mlops.runtime.watched import Watch

logger = logging.getLogger("mlops")


class Served:
    """One publication being served by one process."""

    def __init__(
        self, root: Path, publication: Publication, settings: Settings, metrics: Metrics
    ) -> None:
        self.root = root
        self.publication = publication
        self.settings = settings
        self.metrics = metrics
        self.state: Literal["starting", "ready", "failed"] = "starting"
        self.message = "The model is being loaded."
        self.proven = Proven()
        self.params: dict[str, Any] = {}
        self.reader: Reader | None = None
        self.golden = None if publication.signature is None else _golden(root)
        self.on_settled: Callable[[], None] = lambda: None
        self._batcher: Batcher | None = None
        self._watch = Watch(publication.signature, metrics)
        self._measured = _measured(publication)
        metrics.info = (
            ("model", publication.name),
            ("version", publication.notebook_sha256[:12]),
            ("image_digest", settings.digest),
            ("predictor", publication.predictor.name or ""),
            ("kind", publication.predictor.kind),
        )

    @property
    def predicts(self) -> bool:
        """Whether there is anything to predict with."""
        return self.publication.predictor.kind != "none"

    async def start(self) -> None:
        """Load the predictor and check the golden rows; the worker is ready afterwards, or failed.

        The event loop stays free: the worker answers that it is alive meanwhile.
        """
        problem = await asyncio.to_thread(self._load)
        # What is loaded stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        if problem:
            self.state, self.message = "failed", problem
            self.metrics.state.set(exposition.FAILED)
            logger.error("%s", problem)
        else:
            self.state, self.message = "ready", "The service is ready."
            self.metrics.state.set(exposition.READY)
        self.on_settled()

    def _load(self) -> str:
        try:
            loaded = predictor.load(self.root, self.publication)
            golden = golden_rows.load(self.root)
            if loaded is None:
                return ""
            rounded = golden_rows.accept(loaded, golden)
            if rounded:
                logger.warning("%s", rounded)
            model, proven = proof.prove(loaded, golden, onnx=self.publication.onnx)
            self._take(model, msgspec.structs.replace(proven, rounded=rounded))
        except LoadProblem as error:
            return str(error)
        except Exception as error:
            logger.exception("The model cannot be loaded.")
            return f"The model cannot be loaded: {type(error).__name__}."
        return ""

    def _take(self, model: Model, proven: Proven) -> None:
        self.proven = proven
        self.params = model.predictor.params
        self.reader = model.reader
        batcher = Batcher(
            model,
            self,
            waiting=self.settings.waiting,
            batch_rows=self.settings.batch_rows,
            together=proven.batched,
        )
        sample = proof.sample_work(model, self.golden)
        # What a function costs depends on what it is given: it never holds up the event loop.
        if sample is not None and model.predictor.estimator is not None:
            batcher.calibrate(sample)
        self._batcher = batcher

    async def predict(self, work: Work, seconds: float) -> list[Any]:
        """Answer rows; raises ``Busy``, ``Late``, and what the predictor raises."""
        assert self._batcher is not None
        self._watch.count(work)
        answers = await self._batcher.predict(work, seconds)
        self.metrics.rows.add(work.count)
        if self._measured:
            strange = sum(answer in (None, "Infinity", "-Infinity") for answer in answers)
            if strange:
                self.metrics.nonfinite.add(strange, "output")
        return answers

    def waited(self, seconds: float) -> None:
        """Count how long a request waited for the model."""
        self.metrics.wait.observe(seconds)

    def predicted(self, rows: int, seconds: float) -> None:
        """Count one call of the model."""
        self.metrics.predict.observe(seconds)
        self.metrics.batch.observe(rows)

    async def stop(self) -> None:
        """Let the model finish what it has begun."""
        if self._batcher is not None:
            self._batcher.close()


def _golden(root: Path) -> Any:
    try:
        return golden_rows.load(root)
    except LoadProblem:
        return None  # said when the model is loaded


def _measured(publication: Publication) -> bool:
    """Tell whether the answers are numbers with a fraction."""
    signature = publication.signature
    outputs = signature.outputs if signature is not None else []
    return len(outputs) == 1 and outputs[0].dtype.startswith("float")
