"""The signature of a predictor, learned from its training data and from what it answers."""

from __future__ import annotations

import math
from typing import Any

from jupyter_mlops.capture import inputs as known_inputs
from jupyter_mlops.capture.candidates import is_frame
from jupyter_mlops.capture.formats import format_for
from jupyter_mlops.capture.models import Column, Signature
from jupyter_mlops.capture.rows import LIMIT, plain


def frame_columns(data: Any) -> list[Column]:
    """Describe the columns of a frame in their order."""
    return [_column(str(name), data.iloc[:, i]) for i, name in enumerate(data.columns)]


def _column(name: str, series: Any) -> Column:
    import pandas as pd

    missing = bool(series.isna().any())
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = plain(list(dtype.categories))
        return Column(
            name=name,
            dtype="category",
            required=not missing,
            categories=categories,
            ordered=bool(dtype.ordered),
        )
    low, high = _range(series)
    dtype_name = _dtype_name(series)
    return Column(name=name, dtype=dtype_name, required=not missing, minimum=low, maximum=high)


def _range(values: Any) -> tuple[float | None, float | None]:
    """Return the least and the greatest number of a column or an array; None for anything else."""
    if getattr(values.dtype, "kind", "O") not in "iuf" or not len(values):
        return None, None
    to_numpy = getattr(values, "to_numpy", None)
    # Columns with a mask have integers beside what is missing.
    numbers = to_numpy(dtype="float64", na_value=math.nan) if to_numpy else values
    import numpy as np

    finite = numbers[np.isfinite(numbers)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (None, None)


def _dtype_name(series: Any) -> str:
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.StringDtype):
        return "str"
    if dtype.kind == "O" and pd.api.types.infer_dtype(series, skipna=True) == "string":
        # Older pandas keeps texts as objects and makes objects of texts.
        return "str" if pd.Series(["text"]).dtype.kind == "O" else "object"
    return str(dtype)


def array_columns(data: Any) -> list[Column]:
    """Describe the columns of an array, named by their position."""
    import numpy as np

    array = np.asarray(data)
    dtype = "str" if array.dtype.kind in "OUS" else str(array.dtype)
    optional = array.dtype.kind == "f" and bool(np.isnan(array).any())
    return [
        Column(name=f"x{i}", dtype=dtype, required=not optional, minimum=low, maximum=high)
        for i, (low, high) in enumerate(map(_range, array.T))
    ]


def learn(estimator: Any, data: Any) -> tuple[Signature | None, list[list[Any]] | None]:
    """Return the signature of an estimator's inputs, and up to five rows of its training data."""
    named = known_inputs.names_of(estimator)
    if data is None:
        kept = format_for(estimator)
        return kept.signature(estimator) if kept else None, None
    if is_frame(data) and named is not None:
        head = data.head(LIMIT)
        columns = [plain(head.iloc[:, i]) for i in range(head.shape[1])]
        rows = [list(row) for row in zip(*columns, strict=True)]
        return Signature(inputs=frame_columns(data), rows="frame"), rows
    if len(_shape(data)) == 1:
        name = str(getattr(data, "name", None) or "text")
        values = plain(list(data[:LIMIT]))
        dtype = "str" if all(isinstance(value, str) for value in values) else "object"
        inputs = [Column(name=name, dtype=dtype)]
        return Signature(inputs=inputs, rows="any"), [[value] for value in values]
    if hasattr(data, "toarray"):
        # A sparse matrix: its rows are served dense.
        width = int(data.shape[1])
        inputs = [Column(name=f"x{i}", dtype=str(data.dtype)) for i in range(width)]
        return Signature(inputs=inputs, rows="array"), plain(data[:LIMIT].toarray())
    if is_frame(data):
        data = data.to_numpy()
    return Signature(inputs=array_columns(data), rows="array"), plain(list(data[:LIMIT]))


def _shape(data: Any) -> tuple[int, ...]:
    if hasattr(data, "shape"):
        return tuple(data.shape)
    import numpy as np

    return np.asarray(data).shape


def output_columns(answer: Any) -> list[Column]:
    """Describe what a predictor answered."""
    if is_frame(answer):
        return [_renamed(column) for column in frame_columns(answer)]
    dtype = getattr(answer, "dtype", None)
    shape = getattr(answer, "shape", None)
    if dtype is None or shape is None:
        return [Column(name="prediction", dtype=_python_dtype(answer))]
    kind = "str" if getattr(dtype, "kind", "") in "US" else str(dtype)
    if kind == "object":
        kind = _python_dtype(answer)
    if len(shape) == 2 and shape[1] > 1:
        return [Column(name=f"y{i}", dtype=kind) for i in range(shape[1])]
    return [Column(name="prediction", dtype=kind)]


def _renamed(column: Column) -> Column:
    # What comes out is always there; its categories are the answer's affair.
    return Column(name=column.name, dtype=column.dtype)


def _python_dtype(answer: Any) -> str:
    try:
        kinds = {type(item) for item in answer}
    except TypeError:
        kinds = {type(answer)}
    names = {bool: "bool", int: "int64", float: "float64", str: "str"}
    if len(kinds) == 1:
        return names.get(kinds.pop(), "object")
    return "float64" if kinds and kinds <= {int, float} else "object"
