"""Range checks on the trees in lightgbm's text, before lightgbm itself opens it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_mlops.capture.protocol import CannotLoad

_CATEGORICAL = 1  # the first bit of a decision's type
_LARGEST = 2**31 - 1


def check(text: str) -> None:
    """Check every tree of a model; raises ``CannotLoad``."""
    body, end, _ = text.partition("\nend of trees")
    if not body.startswith("tree\n") or not end:
        raise CannotLoad("It does not hold a model of lightgbm.")
    head, *trees = body.split("\nTree=")
    try:
        fields = _fields(head)
        width = int(fields["max_feature_idx"]) + 1
        groups = int(fields["num_tree_per_iteration"])
        sizes = fields["tree_sizes"].split()
        if not 0 < width <= _LARGEST or not groups > 0 or len(trees) % groups:
            raise CannotLoad("The header of lightgbm's text is wrong.")
        # lightgbm jumps by these sizes: they must be where the trees are.
        if [int(size) for size in sizes] != _sizes(body, len(trees)):
            raise CannotLoad("The trees of lightgbm are not where its header says.")
        for tree in trees:
            _check(_fields(tree), width)
    except (KeyError, ValueError, OverflowError) as error:
        raise CannotLoad(f"It does not hold a model of lightgbm: {error!r}.") from None


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n")[1:] if "=" in line)


def _sizes(body: str, count: int) -> list[int]:
    """Return the bytes from each tree to the next one, the last one's with two ends of line."""
    places, at = [], 0
    data = (body + "\n").encode()
    for number in range(count):
        at = data.index(f"\nTree={number}\n".encode(), at) + 1
        places.append(at)
    ends = [*places[1:], len(data)]
    return [end - place for place, end in zip(places, ends, strict=True)]


def _numbers(fields: Mapping[str, str], name: str) -> Any:
    import numpy as np

    return np.array([int(part) for part in fields.get(name, "").split()], dtype=np.int64)


def _check(fields: Mapping[str, str], width: int) -> None:
    import numpy as np

    leaves = int(fields["num_leaves"])
    values = fields["leaf_value"].split()
    if leaves < 1 or len(values) != leaves:
        raise CannotLoad("A tree of lightgbm has a wrong number of leaves.")
    if leaves == 1:
        return
    left, right = _numbers(fields, "left_child"), _numbers(fields, "right_child")
    feature, kinds = _numbers(fields, "split_feature"), _numbers(fields, "decision_type")
    inner = leaves - 1
    if not len(left) == len(right) == len(feature) == len(kinds) == inner:
        raise CannotLoad("A tree of lightgbm has a wrong number of nodes.")
    number = np.arange(inner)
    for side in (left, right):
        if not ((side < inner) & (side >= -leaves) & ((side < 0) | (side > number))).all():
            raise CannotLoad("A tree of lightgbm points outside of itself.")
    if not ((feature >= 0) & (feature < width)).all():
        raise CannotLoad("A tree of lightgbm reads a column that there is not.")
    _check_categories(fields, kinds & _CATEGORICAL != 0)
    if int(fields.get("is_linear", 0)):
        _check_linear(fields, leaves, width)


def _check_categories(fields: Mapping[str, str], categorical: Any) -> None:
    thresholds = fields["threshold"].split()
    if len(thresholds) != len(categorical):
        raise CannotLoad("A tree of lightgbm has a wrong number of nodes.")
    chosen = [float(text) for text, is_one in zip(thresholds, categorical, strict=True) if is_one]
    count, bounds = int(fields.get("num_cat", 0)), _numbers(fields, "cat_boundaries")
    words = len(fields.get("cat_threshold", "").split())
    if count < 0 or any(not 0 <= each < count for each in chosen):
        raise CannotLoad("A tree of lightgbm points outside of its categories.")
    steps = bounds[1:] - bounds[:-1]
    if count and (len(bounds) != count + 1 or bounds[0] != 0 or (steps < 0).any()):
        raise CannotLoad("A tree of lightgbm points outside of its categories.")
    if count and bounds[-1] != words:
        raise CannotLoad("A tree of lightgbm points outside of its categories.")


def _check_linear(fields: Mapping[str, str], leaves: int, width: int) -> None:
    counts, features = _numbers(fields, "num_features"), _numbers(fields, "leaf_features")
    coefficients = fields.get("leaf_coeff", "").split()
    if len(counts) != leaves or (counts < 0).any() or counts.sum() != len(features):
        raise CannotLoad("A linear tree of lightgbm has wrong leaves.")
    if len(coefficients) != len(features) or len(fields["leaf_const"].split()) != leaves:
        raise CannotLoad("A linear tree of lightgbm has wrong leaves.")
    if not ((features >= 0) & (features < width)).all():
        raise CannotLoad("A tree of lightgbm reads a column that there is not.")
