"""Metrics in Prometheus' text format, without a client library."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
Labels = tuple[tuple[str, str], ...]


class Value:
    """A counter or a gauge with labels."""

    def __init__(self, name: str, kind: str, text: str) -> None:
        self.name, self.kind, self.text = name, kind, text
        self._values: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def add(self, amount: float = 1, **labels: str) -> None:
        """Add to the value with these labels."""
        key = tuple(labels.items())
        with self._lock:
            self._values[key] = self._values.get(key, 0) + amount

    def set(self, value: float, **labels: str) -> None:
        """Set the value with these labels."""
        with self._lock:
            self._values[tuple(labels.items())] = value

    def lines(self) -> Iterable[str]:
        """Return the lines of the exposition."""
        with self._lock:
            values = sorted(self._values.items())
        yield from _head(self.name, self.kind, self.text)
        for labels, value in values:
            yield f"{self.name}{_labels(labels)} {value:g}"


class Histogram:
    """Durations in seconds, in fixed buckets."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self._values: dict[Labels, tuple[list[int], list[float]]] = {}
        self._lock = threading.Lock()

    def observe(self, seconds: float, **labels: str) -> None:
        """Count one duration."""
        key = tuple(labels.items())
        with self._lock:
            counts, total = self._values.setdefault(key, ([0] * (len(SECONDS) + 1), [0.0]))
            counts[bisect_left(SECONDS, seconds)] += 1
            total[0] += seconds

    def lines(self) -> Iterable[str]:
        """Return the lines of the exposition."""
        with self._lock:
            values = sorted((key, list(c), t[0]) for key, (c, t) in self._values.items())
        yield from _head(self.name, "histogram", self.text)
        for labels, counts, total in values:
            reached = 0
            for limit, count in zip((*map(str, SECONDS), "+Inf"), counts, strict=True):
                reached += count
                yield f"{self.name}_bucket{_labels((*labels, ('le', limit)))} {reached}"
            yield f"{self.name}_sum{_labels(labels)} {total!r}"
            yield f"{self.name}_count{_labels(labels)} {reached}"


class Metrics:
    """Every metric of a service."""

    def __init__(self) -> None:
        self.duration = Histogram("mlops_request_duration_seconds", "Time to answer a request.")
        self.in_progress = Value(
            "mlops_requests_in_progress", "gauge", "Requests that are being answered."
        )
        self.rows = Value("mlops_rows_total", "counter", "Rows that were predicted.")
        self.runs = Value("mlops_runs_total", "counter", "Runs that ended, by state.")
        self.model = Value("mlops_model_info", "gauge", "What this service answers with.")
        self.ready = Value("mlops_ready", "gauge", "Whether the service is ready.")
        self.in_progress.set(0)
        self.rows.add(0)

    def text(self) -> str:
        """Return all metrics."""
        every = (self.duration, self.in_progress, self.rows, self.runs, self.model, self.ready)
        return "".join(f"{line}\n" for metric in every for line in metric.lines())


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
