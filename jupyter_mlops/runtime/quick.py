"""Rows that are plain numbers: read at once into an array, and predicted without a data frame.

Only for signatures whose columns are all of one type of number. What it does not take (another
form of the body, a value of another type) is read the long way, which also knows the errors.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from jupyter_mlops.capture import rows as conversion
from jupyter_mlops.capture.models import Column, Signature
from jupyter_mlops.runtime.direct import Unsure
from jupyter_mlops.runtime.predictor import Predictor, Table

NUMBERS = ("float64", "float32", "int64", "int32")
_NONE = (-math.inf, math.inf)


class Reader:
    """Reads MLflow's bodies of one signature; None says that they are not for it."""

    def __init__(self, signature: Signature) -> None:
        self.names = [column.name for column in signature.inputs]
        self._dtype = signature.inputs[0].dtype
        number: Any = float if self._dtype.startswith("float") else int
        values = [
            number if column.required or number is int else number | None
            for column in signature.inputs
        ]
        self._columns = signature.inputs
        row: Any = tuple.__class_getitem__(tuple(values))
        split = msgspec.defstruct(
            "Split",
            [("data", list[row]), ("columns", list[str] | None, None), ("index", Any, None)],
            forbid_unknown_fields=True,
        )
        fields = [(f"f{i}", value) for i, value in enumerate(values)]
        renamed = {f"f{i}": name for i, name in enumerate(self.names)}
        record = msgspec.defstruct("Record", fields, rename=renamed, forbid_unknown_fields=True)
        body = msgspec.defstruct(
            "Body",
            [
                ("instances", list[row] | None, None),
                ("dataframe_split", split | None, None),
                ("dataframe_records", list[record] | None, None),  # type: ignore[valid-type]
            ],
            forbid_unknown_fields=True,
        )
        self._decode = msgspec.json.Decoder(body).decode

    def read(self, body: bytes) -> Any | None:
        """Return the array of a body's rows, in the order of the signature."""
        try:
            value: Any = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        forms = (value.instances, value.dataframe_split, value.dataframe_records)
        given = [form for form in forms if form is not None]
        if len(given) != 1:
            return None
        if value.instances is not None:
            array = self._array(value.instances)
        elif value.dataframe_records is not None:
            array = self._array([msgspec.structs.astuple(row) for row in value.dataframe_records])
        else:
            array = self._split(value.dataframe_split)
        return None if array is not None and self._beyond(array) else array

    def of_table(self, table: Table) -> Any | None:
        """Return the array of rows that were read and checked the long way."""
        if not table.rows or table.params:
            return None
        return self._array(table.rows)

    @functools.cached_property
    def _limits(self) -> Any | None:
        """Two rows, the least and the greatest value of each column; None without any limits."""
        import numpy as np  # not before rows come: a function's image may have none

        limits = [_limits(column) for column in self._columns]
        return np.array(limits).T if any(each != _NONE for each in limits) else None

    def _beyond(self, array: Any) -> bool:
        """Tell whether a value may be beyond the limits of its column."""
        if self._limits is None:
            return False
        import numpy as np

        lows, highs = self._limits
        # A short float is not quite what was given: one that is at a limit is looked at again.
        near = np.abs(array) * (1e-6 if self._dtype == "float32" else 0)
        return bool(((array - near < lows) | (array + near > highs)).any())

    def _split(self, split: Any) -> Any | None:
        array = self._array(split.data)
        if array is None or split.columns in (None, self.names):
            return array
        if sorted(split.columns) != sorted(self.names):
            return None
        return array[:, [split.columns.index(name) for name in self.names]]

    def _array(self, rows: Sequence[Any]) -> Any | None:
        import numpy as np

        if not rows:
            return None
        try:
            return np.array(rows, dtype=self._dtype)
        except OverflowError:
            return None


def reader(signature: Signature | None) -> Reader | None:
    """Return what reads the bodies of a signature quickly; None where nothing can."""
    if signature is None or not signature.inputs or signature.rows == "any":
        return None
    kinds = {column.dtype for column in signature.inputs}
    names = {column.name for column in signature.inputs}
    if any(column.allowed is not None for column in signature.inputs):
        return None
    if len(kinds) != 1 or not kinds <= set(NUMBERS) or len(names) != len(signature.inputs):
        return None
    whole = kinds <= {"int64", "int32"}
    if whole and not all(column.required for column in signature.inputs):
        return None
    return Reader(signature)


def _limits(column: Column) -> tuple[float, float]:
    """Return the least and the greatest value that a person wants of a column."""
    if not column.limit:
        return _NONE
    low, high = column.minimum, column.maximum
    return (-math.inf if low is None else low, math.inf if high is None else high)


class Model:
    """What one process predicts with: the predictor, and a quicker call proven equal to it."""

    def __init__(
        self,
        predictor: Predictor,
        quick: Callable[[Any], Any] | None = None,
        reader: Reader | None = None,
    ) -> None:
        self.predictor = predictor
        self.quick = quick
        self.reader = reader if quick else None


class Rows:
    """Rows as they were read; predicted as the notebook's predictor takes them."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.table.rows)

    def run(self, model: Model) -> list[Any]:
        """Predict them."""
        return model.predictor.predict(self.table)

    def joined(self, others: Sequence[Any]) -> Rows | None:
        """Return the rows of all; None where one has other columns, params, or is an array."""
        rows = list(self.table.rows)
        for other in others:
            if not isinstance(other, Rows) or other.table.columns != self.table.columns:
                return None
            if other.table.params or self.table.params:
                return None
            rows += other.table.rows
        return Rows(Table(rows=rows, columns=self.table.columns))


class Numbers:
    """Rows in an array of numbers."""

    def __init__(self, array: Any, names: list[str]) -> None:
        self.array = array
        self.names = names

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.array)

    def run(self, model: Model) -> list[Any]:
        """Predict them quickly; where that is not sure, as any others."""
        try:
            assert model.quick is not None
            return plain(model.quick(self.array))
        except Unsure:
            return model.predictor.predict(table_of(self.array, self.names))

    def joined(self, others: Sequence[Any]) -> Numbers | None:
        """Return one array; None where one of the others is none."""
        if not all(isinstance(other, Numbers) for other in others):
            return None
        import numpy as np

        arrays = [self.array, *(other.array for other in others)]
        return Numbers(np.concatenate(arrays), self.names)


def table_of(array: Any, names: list[str]) -> Table:
    """Return an array's rows as they would have been read the long way."""
    missing = array != array
    rows = array.tolist()
    if missing.any():
        rows = [[None if value != value else value for value in row] for row in rows]
    return Table(rows=rows, columns=names)


def plain(answer: Any) -> list[Any]:
    """Return an array of answers as JSON values, as the long way does."""
    if getattr(getattr(answer, "dtype", None), "kind", "O") in "iubU":
        listed: list[Any] = answer.tolist()
        return listed
    return conversion.outputs(answer)
