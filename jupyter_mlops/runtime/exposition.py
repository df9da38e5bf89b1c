"""Metrics in Prometheus' text format, one truth for all worker processes, without a library.

Every worker writes numbers into a part of its own of one shared memory, and any of them reads all
parts. The parts outlive the workers: a worker that replaces a dead one goes on counting where that
one stopped. A process writes from one thread only, so nothing is locked.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from jupyter_mlops.runtime import usage

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: OpenTelemetry's limits for a request, and below them those that a quick model needs.
SECONDS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)
CODES = (
    *("200", "202", "204", "303", "400", "401", "404", "405", "408", "409", "413", "415"),
    *("422", "429", "431", "500", "503", "504", "other"),
)
ENDPOINTS = (
    *("/", "/invocations", "/v1/runs", "/v2", "/v2/models/infer", "/metrics", "/openapi.json"),
    *("/version", "/ping", "/health", "/health/live", "/health/ready", "other"),
)
STATES = ("succeeded", "failed", "cancelled")
REASONS = ("queue", "deadline", "starting", "body", "size", "slow", "token")
PLACES = ("output",)
#: What a worker says of itself in the shared memory.
GONE, STARTING, READY, FAILED = 0.0, 1.0, 2.0, 3.0
MAX_FEATURES = 200
#: Stands for the columns beyond those.
OTHERS = "(others)"

Labels = tuple[tuple[str, str], ...]
Axis = tuple[str, Sequence[str]]


class Family:
    """One metric: a number, or a histogram, for each combination of fixed labels."""

    def __init__(
        self,
        name: str,
        kind: str,
        text: str,
        axes: Sequence[Axis] = (),
        limits: Sequence[float] = (),
    ) -> None:
        self.name, self.kind, self.text = name, kind, text
        self.axes = axes
        self.limits = limits
        # A histogram holds its buckets, the last one for all beyond, and the sum.
        self.width = len(limits) + 2 if limits else 1
        self.labels: list[Labels] = [
            tuple(zip([name for name, _ in axes], values, strict=True))
            for values in product(*(values for _, values in axes))
        ]
        self.size = self.width * len(self.labels)
        self.start = 0
        self.index = {
            tuple(value for _, value in labels): i * self.width
            for i, labels in enumerate(self.labels)
        }
        self.own: memoryview[float] | None = None

    def add(self, amount: float = 1.0, *labels: str) -> None:
        """Add to a number."""
        assert self.own is not None
        self.own[self.start + self.index[labels]] += amount

    def set(self, value: float, *labels: str) -> None:
        """Set a number."""
        assert self.own is not None
        self.own[self.start + self.index[labels]] = value

    def observe(self, value: float, *labels: str) -> None:
        """Count a value of a histogram."""
        assert self.own is not None
        at = self.start + self.index[labels]
        self.own[at + bisect_left(self.limits, value)] += 1
        self.own[at + self.width - 1] += value

    def lines(self, totals: Sequence[float]) -> Iterator[str]:
        """Return the lines of the exposition; series that never were are left out."""
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} {self.kind}"
        for i, labels in enumerate(self.labels):
            at = self.start + i * self.width
            values = totals[at : at + self.width]
            if labels and not any(values):
                continue
            yield from (
                self._histogram(labels, values)
                if self.limits
                else [line(self.name, labels, values[0])]
            )

    def _histogram(self, labels: Labels, values: Sequence[float]) -> Iterator[str]:
        reached = 0.0
        for limit, count in zip((*map(str, self.limits), "+Inf"), values, strict=False):
            reached += count
            yield line(f"{self.name}_bucket", (*labels, ("le", limit)), reached)
        yield line(f"{self.name}_sum", labels, values[-1])
        yield line(f"{self.name}_count", labels, reached)


class Shared:
    """The memory of all parts; part 0 is the supervisor's, the others are the workers'."""

    def __init__(self, parts: int, size: int, file: int | None = None) -> None:
        self.parts, self.size = parts, size
        if file is None:
            file = _memory()
            os.ftruncate(file, parts * size * 8)
        self.file = file
        self._memory = memoryview(mmap.mmap(file, parts * size * 8)).cast("d")

    def part(self, number: int) -> memoryview[float]:
        """Return the numbers of one part."""
        return self._memory[number * self.size : (number + 1) * self.size]

    def totals(self) -> list[float]:
        """Return the sums over all parts."""
        parts = [self.part(number).tolist() for number in range(self.parts)]
        return [sum(values) for values in zip(*parts, strict=True)]


def _memory() -> int:
    """Return a file without a name, which processes share by inheriting it."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("mlops-metrics")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Metrics:
    """Every metric of a service, as one process sees it.

    ``features`` are the names of the signature's columns; those beyond 200 are counted as one.
    """

    def __init__(
        self,
        features: Sequence[str] = (),
        *,
        parts: int = 1,
        part: int = 0,
        file: int | None = None,
    ) -> None:
        kept = list(dict.fromkeys(features))[:MAX_FEATURES]
        self._features = set(kept)
        by_feature = (("feature", [*kept, OTHERS]),)
        self.state = Family("mlops_worker_state", "gauge", "For this service itself.")
        self.pid = Family("mlops_worker_pid", "gauge", "For this service itself.")
        self.in_progress = Family(
            "mlops_requests_in_progress", "gauge", "Requests that are being answered."
        )
        endpoint_code = (("endpoint", ENDPOINTS), ("code", CODES))
        self.duration = Family(
            "mlops_request_duration_seconds",
            "histogram",
            "Time to answer a request.",
            endpoint_code,
            SECONDS,
        )
        self.predict = Family(
            "mlops_predict_duration_seconds",
            "histogram",
            "Time of one call of the model.",
            limits=SECONDS,
        )
        self.batch = Family(
            "mlops_batch_rows", "histogram", "Rows in one call of the model.", limits=ROWS
        )
        self.wait = Family(
            "mlops_queue_wait_seconds",
            "histogram",
            "Time a request waited for the model.",
            limits=SECONDS,
        )
        self.rejected = Family(
            "mlops_rejected_total",
            "counter",
            "Requests that were not predicted, by reason.",
            (("reason", REASONS),),
        )
        self.rows = Family("mlops_rows_total", "counter", "Rows that were predicted.")
        self.missing = Family(
            "mlops_feature_missing_total",
            "counter",
            "Rows without a value, by column.",
            by_feature,
        )
        self.outside = Family(
            "mlops_feature_out_of_range_total",
            "counter",
            "Rows with a value beyond those of the training data, by column.",
            by_feature,
        )
        self.nonfinite = Family(
            "mlops_nonfinite_total",
            "counter",
            "Rows with a number that is not finite.",
            (("where", PLACES),),
        )
        self.runs = Family(
            "mlops_runs_total", "counter", "Runs that ended, by state.", (("state", STATES),)
        )
        self.deaths = Family(
            "mlops_worker_deaths_total", "counter", "Worker processes that died and were replaced."
        )
        self.dead_cpu = Family("mlops_dead_cpu", "gauge", "For this service itself.")
        self.told = (
            *(self.duration, self.in_progress, self.predict, self.batch, self.wait),
            *(self.rejected, self.rows, self.missing, self.outside, self.nonfinite),
            *(self.runs, self.deaths),
        )
        size = self._place()
        self.shared = Shared(parts, size, file)
        own = self.shared.part(part)
        for family in self._every():
            family.own = own
        self.info: Labels = ()
        # What a dead worker was about to answer is not in progress any more.
        self.in_progress.set(0)
        self.pid.set(os.getpid())

    def _every(self) -> Iterable[Family]:
        return (self.state, self.pid, self.dead_cpu, *self.told)

    def _place(self) -> int:
        size = 0
        for family in self._every():
            family.start = size
            size += family.size
        return size

    def count_missing(self, feature: str, rows: int) -> None:
        """Count rows that have no value in a column."""
        self.missing.add(rows, self._named(feature))

    def count_outside(self, feature: str, rows: int) -> None:
        """Count rows with a value that the training data's range does not hold."""
        self.outside.add(rows, self._named(feature))

    def _named(self, feature: str) -> str:
        return feature if feature in self._features else OTHERS

    def states(self) -> list[float]:
        """Return what every worker says of itself."""
        parts = range(1 if self.shared.parts > 1 else 0, self.shared.parts)
        return [self.shared.part(part)[self.state.start] for part in parts]

    @property
    def ready(self) -> bool:
        """Whether a worker is ready, and none has failed or is still to become ready first."""
        states = self.states()
        return READY in states and STARTING not in states and FAILED not in states

    def text(self) -> str:
        """Return all metrics of all processes."""
        totals = self.shared.totals()
        parts = [self.shared.part(part) for part in range(self.shared.parts)]
        pids = [int(part[self.pid.start]) for part in parts]
        lines = [text for family in self.told for text in family.lines(totals)]
        lines += gauge("mlops_ready", "Whether the service is ready.", float(self.ready))
        lines += gauge(
            "mlops_workers", "Worker processes that are ready.", float(self.states().count(READY))
        )
        lines += gauge("mlops_model_info", "What this service answers with.", 1.0, self.info)
        dead = totals[self.dead_cpu.start]
        lines += usage.lines([pid for pid in pids if pid], dead)
        return "".join(f"{text}\n" for text in lines)


def gauge(name: str, text: str, value: float, labels: Labels = ()) -> list[str]:
    """Return the lines of a number that goes up and down."""
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge", line(name, labels, value)]


def line(name: str, labels: Labels, value: float) -> str:
    """Return one line; whole numbers without a fraction."""
    shown = str(int(value)) if value == int(value) else repr(value)
    if not labels:
        return f"{name} {shown}"
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{told}}} {shown}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
