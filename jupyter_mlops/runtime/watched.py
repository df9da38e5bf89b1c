"""What is counted of the rows that are predicted: values that are missing or were never trained on.

A column's range is that of the training data, as the signature says it. A value outside of it is
answered (unless a person limits the column) and counted: the first sign of other data.
"""

from __future__ import annotations

import math
from typing import Any

from jupyter_mlops.capture.models import Column, Signature
from jupyter_mlops.runtime.batcher import Work
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.quick import Numbers, Rows


class Watch:
    """Counts by column, in the order of the signature."""

    def __init__(self, signature: Signature | None, metrics: Metrics) -> None:
        inputs = signature.inputs if signature is not None else []
        self._metrics = metrics
        self._names = [column.name for column in inputs]
        self._optional = [i for i, column in enumerate(inputs) if not column.required]
        self._ranges = [_range(column) for column in inputs]
        self._ranged = [i for i, column in enumerate(inputs) if _has_range(column)]
        self._limits: Any = None

    def count(self, work: Work) -> None:
        """Count what is strange about the rows of a request."""
        if isinstance(work, Numbers):
            self._array(work.array)
        elif isinstance(work, Rows):
            self._rows(work.table.rows)

    def _array(self, array: Any) -> None:
        if self._ranged:
            if self._limits is None:
                import numpy as np  # not before rows come: a function's image may have none

                self._limits = np.array(self._ranges, dtype="float64").T
            lows, highs = self._limits
            outside = (array < lows) | (array > highs)
            if outside.any():
                self._outside(outside.sum(axis=0).tolist())
        for i in self._optional:
            column = array[:, i]
            self._missing(i, int((column != column).sum()))

    def _rows(self, rows: list[list[Any]]) -> None:
        for i in self._ranged:
            low, high = self._ranges[i]
            count = sum(row[i] is not None and not low <= row[i] <= high for row in rows)
            if count:
                self._metrics.count_outside(self._names[i], count)
        for i in self._optional:
            self._missing(i, sum(row[i] is None for row in rows))

    def _outside(self, counts: list[int]) -> None:
        for name, count in zip(self._names, counts, strict=True):
            if count:
                self._metrics.count_outside(name, count)

    def _missing(self, position: int, count: int) -> None:
        if count:
            self._metrics.count_missing(self._names[position], count)


def _has_range(column: Column) -> bool:
    numeric = column.dtype.lower().startswith(("int", "uint", "float"))
    return numeric and (column.minimum is not None or column.maximum is not None)


def _range(column: Column) -> tuple[float, float]:
    low, high = (column.minimum, column.maximum) if _has_range(column) else (None, None)
    return (-math.inf if low is None else low, math.inf if high is None else high)
