"""Frames as parquet and fitted models as skops, where what comes back is exactly the same."""

from __future__ import annotations

import importlib.util
import io
import sys
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover.scope import Scope


@cache
def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def parquet_is_exact(frame: Any) -> bool:
    """Say whether a frame survives parquet without any change; it is written and read to see."""
    pandas = sys.modules.get("pandas")
    if type(frame) is not getattr(pandas, "DataFrame", None) or not _has("pyarrow"):
        return False
    if frame.shape[1] == 0 or not all(type(each) is str for each in frame.columns):
        return False
    if (
        not all(_is_simple(dtype) for dtype in frame.dtypes)
        or not frame.flags["allows_duplicate_labels"]
    ):
        return False
    try:
        again = _from_parquet(io.BytesIO(to_parquet(frame)))
    except Exception:
        # pyarrow refuses in many ways; the pickle takes over.
        return False
    return _same(frame, again)


def _is_simple(dtype: Any) -> bool:
    return str(dtype) in _SIMPLE


_SIMPLE = frozenset(
    ["bool", "float32", "float64", "datetime64[ns]", "datetime64[us]", "str", "string"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


def _same(frame: Any, again: Any) -> bool:
    pandas: Any = sys.modules["pandas"]
    for one, other in ((frame.index, again.index), (frame.columns, again.columns)):
        alike = type(one) is type(other) and one.dtype == other.dtype and one.equals(other)
        if not alike or list(one.names) != list(other.names):
            return False
        if getattr(one, "freq", None) != getattr(other, "freq", None):
            return False
    if frame.attrs != again.attrs or list(frame.dtypes) != list(again.dtypes):
        return False
    try:
        pandas.testing.assert_frame_equal(frame, again, check_exact=True)
    except AssertionError:
        return False
    return (
        all(type(frame[name].array) is type(again[name].array) for name in frame.columns)
        and frame.columns.is_unique
    )


def to_parquet(frame: Any) -> bytes:
    """Return a frame as parquet."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow")
    return buffer.getvalue()


def from_parquet(path: Path) -> Any:
    """Read a frame."""
    return _from_parquet(path)


def _from_parquet(source: Any) -> Any:
    import pandas

    return pandas.read_parquet(source, engine="pyarrow")


def is_estimator(value: Any) -> bool:
    """Say whether a value is a model that skops could keep."""
    base = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
    return base is not None and isinstance(value, base) and _has("skops")


def save_estimator(value: Any, path: Path, scope: Scope) -> bool:
    """Write a model as skops if what is loaded again is exactly the same; return whether it is."""
    from jupyter_mlops.capture.protocol import CannotLoad, CannotSave
    from jupyter_mlops.capture.sklearn import SklearnFormat
    from jupyter_mlops.runtime.handover.fingerprint import Fingerprints

    form = SklearnFormat()
    second = path.with_suffix(".again")
    exact = False
    try:
        form.save(value, path)
        again = form.load(path)
        form.save(again, second)
        exact = path.read_bytes() == second.read_bytes()
        prints = Fingerprints(scope)
        exact = exact and prints.of(again) == prints.of(value) is not None
    except (CannotSave, CannotLoad):
        exact = False
    finally:
        second.unlink(missing_ok=True)
        if not exact:
            path.unlink(missing_ok=True)
    return exact


def load_estimator(path: Path) -> Any:
    """Read a model."""
    from jupyter_mlops.capture.sklearn import SklearnFormat

    return SklearnFormat().load(path)
