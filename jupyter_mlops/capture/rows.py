"""Rows between JSON and what a predictor takes: one conversion for the notebook and the service."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from jupyter_mlops.capture.models import Column, Signature

LIMIT = 5


def plain(value: Any) -> Any:
    """Return a value as JSON keeps it, floats to the bit; what is missing becomes null.

    Infinities become texts, because JSON has no word for them.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        number = float(value)
        if math.isnan(number):
            return None
        return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        names = [str(name) for name in value.columns]
        columns = [plain(value.iloc[:, i]) for i in range(len(names))]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "to_list"):
        return plain(value.to_list())
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(dtype, "kind", "") in "mM":
        import numpy as np

        return plain(np.datetime_as_string(value).tolist() if dtype.kind == "M" else str(value))
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "tolist"):
        listed = value.tolist()
        if type(listed) is not type(value):
            return plain(listed)
    raise TypeError(f"a {type(value).__name__} cannot be given back as JSON")


def outputs(answer: Any) -> list[Any]:
    """Return what a predictor answered as a JSON list: one item for each row where it can be."""
    converted = plain(answer)
    return converted if isinstance(converted, list) else [converted]


def frame(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> Any:
    """Make the data frame of rows whose values stand in the order of the columns."""
    import pandas as pd

    series = {}
    for position, column in enumerate(columns):
        values = [row[position] for row in rows]
        series[column.name] = _series(values, column)
    built = pd.DataFrame(series, columns=[column.name for column in columns])
    return built if columns else pd.DataFrame(index=range(len(rows)))


def table(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> Any:
    """Make what the notebook's function takes: a data frame, or mappings where pandas is not."""
    if find_spec("pandas") is not None:
        return frame(rows, columns)
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _series(values: list[Any], column: Column) -> Any:
    import pandas as pd

    if column.dtype == "category":
        if column.categories is None:
            return pd.Series(values).astype("category")
        kind = pd.CategoricalDtype(column.categories, ordered=column.ordered)
        return pd.Series(pd.Categorical(values, dtype=kind))
    if column.dtype == "str":
        # What pandas itself makes of texts: this differs between its versions.
        return pd.Series(values, dtype=_text_dtype())
    if column.dtype.startswith(("datetime64", "timedelta64")):
        return _times(values, column.dtype)
    missing = any(value is None for value in values)
    if missing and column.dtype.startswith(("int", "uint", "bool")):
        return pd.Series(values, dtype="float64" if column.dtype != "bool" else "object")
    return pd.Series(values, dtype=column.dtype)


def _text_dtype() -> Any:
    import pandas as pd

    return pd.Series(["text"]).dtype


def _times(values: list[Any], dtype: str) -> Any:
    import pandas as pd

    if dtype.startswith("timedelta"):
        return pd.Series(pd.to_timedelta(values)).astype(dtype)
    zoned = "," in dtype
    stamps = pd.Series(pd.to_datetime(values, utc=zoned, format="ISO8601"))
    return (
        stamps.dt.tz_convert(dtype.partition(",")[2].strip(" ]")).astype(dtype)
        if zoned
        else (stamps.astype(dtype))
    )


def array(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> Any:
    """Make the numpy array of rows; columns of several dtypes give one of objects or floats."""
    import numpy as np

    kinds = {column.dtype for column in columns}
    if kinds <= {"str"} or kinds & {"str", "object", "category"}:
        dtype: Any = object
    elif len(kinds) == 1 and not any(value is None for row in rows for value in row):
        dtype = np.dtype(kinds.pop())
    else:
        dtype = np.dtype("float64")
    shape = (len(rows), len(columns))
    return np.array([list(row) for row in rows], dtype=dtype).reshape(shape)


def arguments(rows: Sequence[Sequence[Any]], signature: Signature) -> Any:
    """Make what an estimator's ``predict`` takes: a frame, an array, or one list of values."""
    if signature.rows == "frame":
        return frame(rows, signature.inputs)
    if signature.rows == "array":
        return array(rows, signature.inputs)
    return [row[0] for row in rows]


@contextmanager
def one_thread(*values: Any) -> Iterator[None]:
    """Let estimators work in one thread meanwhile: the order of sums is then always the same."""
    from jupyter_mlops.capture.trees import reachable

    changed = []
    for value in values:
        for each in reachable(value) if hasattr(value, "get_params") else ():
            attributes = getattr(each, "__dict__", None)
            if isinstance(attributes, dict) and attributes.get("n_jobs") not in (None, 1):
                changed.append((each, attributes["n_jobs"]))
                each.n_jobs = 1
    try:
        yield
    finally:
        for each, jobs in changed:
            each.n_jobs = jobs
