"""The profile of a table or an array: what its values were like, small enough to travel along."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from jupyter_mlops.capture.candidates import is_frame
from jupyter_mlops.capture.rows import plain

SCHEMA = "io.jupyter-mlops.profile/v1"
FILE_NAME = "profile.json"
ROWS = 200_000  # of more, every n-th is looked at
FEATURES = 200
BINS = 20
GRID = 101
TOP = 100
TEXT = 100  # characters of a category that are kept


class Feature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one column was like.

    ``n`` values were looked at, ``missing`` is the share of them that was not there. Of numbers
    (and times, in seconds since 1970): ``minimum``, ``maximum``, ``mean``, ``std`` (of the
    population), ``quantiles`` from 0 % to 100 % by one, and bins that hold about the same number
    each: ``edges`` with one more entry than ``counts``. Of anything else the most frequent values
    in ``top``, each with its count, ``other`` for the rest, and how many are ``distinct``; a
    value that is in neither was not seen.
    """

    name: str
    dtype: str
    n: int
    missing: float
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: list[float] = []
    edges: list[float] = []
    counts: list[int] = []
    top: list[tuple[Any, int]] = []
    other: int = 0
    distinct: int | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a table or an array was like; ``every`` says that each n-th row was looked at.

    ``sha256`` is its content hash, ``more`` the number of columns that are left out.
    """

    name: str
    sha256: str
    rows: int
    features: list[Feature] = []
    every: int = 1
    more: int = 0


class Profiles(msgspec.Struct, frozen=True, kw_only=True):
    """The file ``profile.json``: one profile for each data version."""

    data: list[Profile] = []
    schema: str = SCHEMA


def profile(name: str, sha256: str, value: Any) -> Profile | None:
    """Describe a table or an array of at most two dimensions; None for anything else.

    The same content gives the same numbers, on any machine.
    """
    if hasattr(value, "to_pandas") and not is_frame(value):
        value = value.to_pandas()
    rows = len(value) if hasattr(value, "__len__") and not hasattr(value, "tocsr") else 0
    if not rows:
        return None
    every = max(1, math.ceil(rows / ROWS))
    columns = list(_columns(value, every))
    if not columns:
        return None
    features = [_feature(*column) for column in columns[:FEATURES]]
    more = len(columns) - len(features)
    return Profile(name=name, sha256=sha256, rows=rows, features=features, every=every, more=more)


def _columns(value: Any, every: int) -> Iterator[tuple[str, Any]]:
    """Yield name and values of each column; an array has names by position."""
    import numpy as np

    if is_frame(value):
        yield from ((str(n), value.iloc[::every, i]) for i, n in enumerate(value.columns))
    elif hasattr(value, "iloc"):
        yield str(value.name if value.name is not None else "value"), value.iloc[::every]
    elif isinstance(value, list | tuple):
        yield "value", list(value[::every])
    elif hasattr(value, "detach"):
        yield from _columns(value.detach().cpu().numpy(), 1) if value.is_floating_point() else ()
    elif isinstance(value, np.ndarray) and value.ndim == 1 and not value.dtype.names:
        yield "value", value[::every]
    elif isinstance(value, np.ndarray) and value.ndim == 2 and not value.dtype.names:
        yield from ((f"x{i}", value[::every, i]) for i in range(value.shape[1]))


def _feature(name: str, column: Any) -> Feature:
    import numpy as np

    dtype = str(getattr(column, "dtype", "object"))
    kind = getattr(getattr(column, "dtype", None), "kind", "O")
    if kind == "b" or not hasattr(column, "dtype"):
        return _counted(name, dtype, column)
    if kind in "iuf":
        to_numpy = getattr(column, "to_numpy", None)
        # Columns with a mask have integers beside what is missing.
        values = to_numpy(dtype="float64", na_value=np.nan) if to_numpy else column
        return _measured(name, dtype, np.asarray(values, dtype="float64"))
    if kind == "M":
        times = np.asarray(column, dtype="datetime64[us]")
        seconds = times.astype("int64") / 1e6
        return _measured(name, dtype, np.where(np.isnat(times), np.nan, seconds))
    return _counted(name, dtype, column)


def _measured(name: str, dtype: str, values: Any) -> Feature:
    import numpy as np

    there = values[~np.isnan(values)]
    finite = there[np.isfinite(there)]
    missing = 1 - len(there) / len(values) if len(values) else 0.0
    if not len(finite):
        return Feature(name=name, dtype=dtype, n=len(values), missing=missing)
    # Exactly rounded sums: the same on every machine.
    mean = math.fsum(finite.tolist()) / len(finite)
    spread = math.fsum(((finite - mean) ** 2).tolist()) / len(finite)
    quantiles = np.quantile(finite, np.linspace(0, 1, GRID))
    edges = np.unique(quantiles[:: (GRID - 1) // BINS])
    counts = np.histogram(finite, edges)[0] if len(edges) > 1 else np.array([len(finite)])
    return Feature(
        name=name,
        dtype=dtype,
        n=len(values),
        missing=missing,
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        mean=mean,
        std=math.sqrt(spread),
        quantiles=quantiles.tolist(),
        edges=edges.tolist() if len(edges) > 1 else [*edges.tolist(), *edges.tolist()],
        counts=counts.tolist(),
    )


def _counted(name: str, dtype: str, column: Any) -> Feature:
    values = plain(list(column))
    present = [value for value in values if value is not None]
    counter = Counter(_short(value) for value in present)
    # By count, then by text: ties are the same in every run.
    ranked = sorted(counter.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return Feature(
        name=name,
        dtype=dtype,
        n=len(values),
        missing=1 - len(present) / len(values) if values else 0.0,
        top=ranked[:TOP],
        other=sum(count for _, count in ranked[TOP:]),
        distinct=len(ranked),
    )


def _short(value: Any) -> Any:
    """Return what a value is counted as: itself, or the beginning of its text."""
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= TEXT else f"{text[:TEXT]}…"
