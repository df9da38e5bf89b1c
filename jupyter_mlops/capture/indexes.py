"""Which raw row became which row that the model was given: by place, by label, or by value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.capture.rows import plain
from jupyter_mlops.capture.taps import Sample, length


@dataclass(frozen=True)
class Matched:
    """Places of raw rows, and for each the place of what was made of it."""

    raw: list[int]
    made: list[int]

    def pairs(self) -> list[tuple[int, int]]:
        """Return the places in pairs, in the order of what was made."""
        return sorted(zip(self.raw, self.made, strict=True), key=lambda pair: (pair[1], pair[0]))


def matches(
    root: Sample,
    given: Sample,
    features: Callable[[], Any],
    *,
    same_rows: bool,
    relabeled: bool,
) -> Sequence[Matched]:
    """Return the ways to match the rows that there are, the surest first.

    ``features`` gives what the candidate service makes of all raw rows.
    """
    return list(_ways(root, given, features, same_rows, relabeled))


def _ways(
    root: Sample, given: Sample, features: Callable[[], Any], same_rows: bool, relabeled: bool
) -> Iterator[Matched]:
    if same_rows and root.length == given.length:
        count = min(length(root.value), length(given.value))
        yield Matched(list(range(count)), list(range(count)))
        return
    by_label = None if relabeled else _by_label(root, given)
    if by_label is not None:
        yield by_label
    by_value = _by_value(root, given, features)
    if by_value is not None:
        yield by_value


def _by_label(root: Sample, given: Sample) -> Matched | None:
    if root.labels is None or given.labels is None:
        return None
    try:
        places = {label: place for place, label in enumerate(root.labels)}
        if len(places) != len(root.labels) or len(set(given.labels)) != len(given.labels):
            return None
        found = [(places[label], n) for n, label in enumerate(given.labels) if label in places]
    except TypeError:
        return None
    return Matched([raw for raw, _ in found], [made for _, made in found]) if found else None


def _by_value(root: Sample, given: Sample, features: Callable[[], Any]) -> Matched | None:
    try:
        made = _keys(features())
        known = {key: n for n, key in reversed(list(enumerate(_keys(given.value))))}
    except Exception:
        return None
    if len(made) != length(root.value):
        return None
    found = [(place, known[key]) for place, key in enumerate(made) if key in known]
    return Matched([raw for raw, _ in found], [n for _, n in found]) if found else None


def _keys(value: Any) -> list[Any]:
    """Return what tells rows apart: their bytes, or their values."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype.kind in "biuf":
        return [row.astype("float64").tobytes() for row in value]
    return [repr(each) for each in plain(list(value))]
