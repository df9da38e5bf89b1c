"""The signature of a predictor, learned from its training data and from what it answers."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.capture.candidates import is_frame
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
    return Column(name=name, dtype=_dtype_name(series), required=not missing)


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
    return [Column(name=f"x{i}", dtype=dtype, required=not optional) for i in range(array.shape[1])]


def learn(estimator: Any, data: Any) -> tuple[Signature | None, list[list[Any]] | None]:
    """Return the signature of an estimator's inputs, and up to five rows of its training data."""
    named = getattr(estimator, "feature_names_in_", None)
    if data is None:
        return _guess(estimator, named), None
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


def _guess(estimator: Any, named: Any) -> Signature | None:
    if named is not None:
        inputs = [Column(name=str(name), dtype="float64") for name in named]
        return Signature(inputs=inputs, rows="frame")
    width = getattr(estimator, "n_features_in_", None)
    if not isinstance(width, int):
        return None
    inputs = [Column(name=f"x{i}", dtype="float64") for i in range(width)]
    return Signature(inputs=inputs, rows="array")


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
