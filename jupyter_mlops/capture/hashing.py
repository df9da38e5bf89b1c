"""The content hash of a table or an array: which data a model was trained on, in one number.

The formula, so that others can compute it: SHA-256 over ``jupyter-mlops data 1``, a line feed, and
what stands for the value. Every part begins with a line of JSON that says what follows:

- ``["array", dtype, shape]``: the values of numbers, truth values, times or fixed-width texts in
  row-major order, little-endian (dtype is numpy's name, such as ``<f8``). Every NaN counts as the
  same NaN; ``0.0`` and ``-0.0`` differ.
- ``["objects", n]``: n Python values as JSON arrays of up to 65,536, each on a line; see ``_item``.
  What is missing (``None``, NaN, NaT, NA) is ``null``.
- ``["frame", columns]``, ``["series"]``, ``["column", name]``, ``["index", name]``,
  ``["range", start, stop, step]``, ``["levels", n]``: a frame is its index and its columns, in
  their order.
- ``["category", ordered]`` (categories, then codes), ``["zoned", unit, zone]``,
  ``["masked", dtype]`` (mask, then values, zero where masked), ``["str"]``, ``["tensor", dtype]``,
  ``["sparse", shape]`` (sorted rows: values, columns, starts), ``["table", columns]`` with
  ``["typed", name, dtype]`` for the tables of other libraries.

So order and dtype count: the same rows in another order, or as another dtype, are other data.
"""

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
import math
import sys
from collections.abc import Iterable, Iterator
from typing import Any

VERSION = b"jupyter-mlops data 1\n"
BLOCK = 65_536  # items that are hashed at once
DEPTH = 20


class CannotHash(ValueError):
    """A value that holds what has no content that could be compared; says what."""


def content_hash(value: Any) -> str:
    """Return the hexadecimal content hash of a frame, an array or the like.

    Memory for a block of it at a time; raises ``CannotHash``.
    """
    digest = _Digest()
    digest.value(value)
    return digest.found.hexdigest()


def is_data(value: Any) -> bool:
    """Tell whether a value is a table or an array with at least one dimension."""
    kind = _kind(value)
    if kind in ("frame", "series", "index", "sparse", "table", "column"):
        return True
    return kind in ("array", "tensor") and len(value.shape) > 0


def _kind(value: Any) -> str:
    """Return what a value is, by the classes that it descends from: nothing is imported for it."""
    for each in type(value).__mro__:
        name = f"{each.__module__.partition('.')[0]}.{each.__name__}"
        if name in _KINDS:
            return _KINDS[name]
    if type(value).__module__.startswith("scipy.sparse") and hasattr(value, "tocsr"):
        return "sparse"
    return ""


_KINDS = {
    "numpy.ndarray": "array",
    "pandas.DataFrame": "frame",
    "pandas.Series": "series",
    "pandas.Index": "index",
    "torch.Tensor": "tensor",
    "polars.DataFrame": "table",
    "pyarrow.Table": "table",
    "pyarrow.RecordBatch": "table",
    "polars.Series": "column",
    "pyarrow.ChunkedArray": "column",
    "pyarrow.Array": "column",
}


class _Digest:
    def __init__(self) -> None:
        self.found = hashlib.sha256(VERSION)

    def head(self, *parts: Any) -> None:
        self.found.update(json.dumps(parts).encode() + b"\n")

    def value(self, value: Any) -> None:
        match _kind(value):
            case "array":
                self.array(value)
            case "frame":
                self.frame(value)
            case "series":
                self.head("series")
                self.index(value.index)
                self.column(value.name, value)
            case "index":
                self.index(value)
            case "tensor":
                self.tensor(value)
            case "sparse":
                self.sparse(value)
            case "table":
                self.head("table", len(_columns(value)))
                for name, column in _columns(value):
                    self.typed(name, column)
            case "column":
                self.typed("", value)
            case _:
                if not isinstance(value, list | tuple):
                    raise CannotHash(f"a {_name(value)} does not show what it holds")
                self.objects(value, len(value))

    def array(self, value: Any) -> None:
        import numpy as np

        if isinstance(value, np.ma.MaskedArray):
            self.head("masked", value.dtype.str)
            self.array(np.ma.getmaskarray(value))
            plain: Any = np.zeros((), value.dtype)[()]
            return self.array(value.filled(plain))
        array = np.asarray(value)
        if array.dtype.hasobject:
            if array.dtype.names:
                raise CannotHash("an array has fields of Python objects")
            self.head("shape", list(array.shape))
            return self.objects(array.ravel().tolist(), array.size)
        if array.dtype.names:
            self.head("fields", list(array.dtype.names))
            for name in array.dtype.names:
                self.array(array[name])
            return None
        dtype = array.dtype.newbyteorder("<")
        self.head("array", dtype.str, list(array.shape))
        for block in _blocks(array):
            self.found.update(_bytes(block, dtype))
        return None

    def frame(self, value: Any) -> None:
        self.head("frame", value.shape[1])
        self.index(value.index)
        for position in range(value.shape[1]):
            self.column(value.columns[position], value.iloc[:, position])

    def index(self, index: Any) -> None:
        import pandas as pd

        if isinstance(index, pd.RangeIndex):
            self.head("range", int(index.start), int(index.stop), int(index.step))
            self.head("index", _item(index.name))
            return
        if isinstance(index, pd.MultiIndex):
            self.head("levels", index.nlevels)
            for level in range(index.nlevels):
                self.head("index", _item(index.names[level]))
                self.series(index.get_level_values(level))
            return
        self.head("index", _item(index.name))
        self.series(index)

    def column(self, name: Any, column: Any) -> None:
        self.head("column", _item(name))
        self.series(column)

    def series(self, column: Any) -> None:
        """Hash the values of a series or an index."""
        import numpy as np
        import pandas as pd

        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            self.head("category", bool(dtype.ordered))
            self.series(dtype.categories)
            codes = column.codes if hasattr(column, "codes") else column.cat.codes
            self.array(np.asarray(codes, dtype="int64"))
        elif isinstance(dtype, pd.StringDtype):
            self.head("str")
            self.objects(column, len(column))
        elif isinstance(dtype, pd.DatetimeTZDtype):
            self.head("zoned", dtype.unit, str(dtype.tz))
            self.array(column.array.asi8)
        elif isinstance(dtype, np.dtype):
            self.array(column.to_numpy())
        elif hasattr(dtype, "numpy_dtype") and hasattr(column.array, "_mask"):
            kind = dtype.numpy_dtype
            self.head("masked", str(dtype))
            self.array(column.array.isna())
            self.array(column.array.to_numpy(dtype=kind, na_value=kind.type(0)))
        else:
            self.head("typed", "", str(dtype))
            self.objects(column, len(column))

    def tensor(self, value: Any) -> None:
        torch: Any = sys.modules["torch"]
        if value.layout != torch.strided:
            value = value.to_dense()
        self.head("tensor", str(value.dtype).removeprefix("torch."))
        plain = value.detach().cpu().contiguous()
        try:
            array = plain.numpy()
        except TypeError:  # numpy has no name for it, such as bfloat16: its bytes are compared
            array = plain.view(torch.uint8).numpy()
        self.array(array)

    def sparse(self, value: Any) -> None:
        import numpy as np

        rows = value.tocsr(copy=True)
        rows.sum_duplicates()
        rows.sort_indices()
        self.head("sparse", [int(length) for length in rows.shape])
        self.array(rows.data)
        self.array(np.asarray(rows.indices, dtype="int64"))
        self.array(np.asarray(rows.indptr, dtype="int64"))

    def typed(self, name: str, column: Any) -> None:
        """Hash a column of polars or pyarrow."""
        self.head("typed", name, str(getattr(column, "dtype", None) or column.type))
        self.objects(_listed(column), len(column))

    def objects(self, items: Iterable[Any], count: int) -> None:
        self.head("objects", int(count))
        block: list[Any] = []
        for item in items:
            block.append(item if type(item) is str else _item(item))
            if len(block) == BLOCK:
                self.found.update(json.dumps(block).encode() + b"\n")
                block = []
        if block:
            self.found.update(json.dumps(block).encode() + b"\n")


def _columns(table: Any) -> list[tuple[str, Any]]:
    names = table.columns if hasattr(table, "get_column") else table.column_names
    get = table.get_column if hasattr(table, "get_column") else table.column
    return [(str(name), get(name)) for name in names]


def _listed(column: Any) -> Iterator[Any]:
    for start in range(0, len(column), BLOCK):
        part = column.slice(start, BLOCK)
        yield from part.to_pylist() if hasattr(part, "to_pylist") else part.to_list()


def _blocks(array: Any) -> Iterator[Any]:
    """Yield an array in parts of about a block of values, in row-major order."""
    import numpy as np

    if array.size <= BLOCK or array.ndim == 0:
        yield array
        return
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
        yield from (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))
        return
    rows = max(1, BLOCK // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, array.shape[0], rows):
        yield from _blocks(np.ascontiguousarray(array[start : start + rows]))


def _bytes(block: Any, dtype: Any) -> bytes:
    import numpy as np

    if dtype.kind == "f":
        missing = np.isnan(block)
        if missing.any():
            block = np.where(missing, block.dtype.type(np.nan), block)
    return bytes(np.ascontiguousarray(block, dtype=dtype).tobytes())


def _item(value: Any, depth: int = 0) -> Any:
    """Return a Python value as JSON that tells it from every other one."""
    if value is None or type(value) in (bool, int, str):
        return value
    if depth > DEPTH:
        raise CannotHash("it is nested too deeply")
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, float):
        return None if math.isnan(value) else {"float": repr(float(value))}
    if isinstance(value, bytes | bytearray):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, list | tuple):
        return {"list": [_item(each, depth + 1) for each in value]}
    if isinstance(value, dict):
        pairs = [[_item(k, depth + 1), _item(v, depth + 1)] for k, v in value.items()]
        return {"dict": pairs}
    if isinstance(value, datetime.date | datetime.time):
        return {type(value).__name__: value.isoformat()}
    if isinstance(value, datetime.timedelta | decimal.Decimal | complex):
        return {type(value).__name__: str(value)}
    if type(value).__module__ == "uuid" or type(value).__name__ in ("Period", "Interval"):
        return {type(value).__name__: str(value)}
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return {"numpy": [str(value.dtype), _item(value.tolist(), depth + 1)]}
    if isinstance(value, str | int):  # of a class of its own
        return {type(value).__name__: str(value)}
    raise CannotHash(f"it holds a {_name(value)}")


def _name(value: Any) -> str:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
