"""Range checks on xgboost's trees, before xgboost itself opens them."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.capture import ubjson
from jupyter_mlops.capture.protocol import CannotLoad


def check(data: bytes) -> None:
    """Check every tree of a model, or of a memory snapshot of one; raises ``CannotLoad``."""
    found = ubjson.read(data)
    if not isinstance(found, dict):
        raise CannotLoad("It does not hold a model of xgboost.")
    try:
        learner = found.get("Model", found)["learner"]
        width = int(learner["learner_model_param"]["num_feature"])
        booster = learner["gradient_booster"]
        booster = booster.get("gbtree", booster)
        if booster["name"] == "gblinear":
            return
        trees, groups = booster["model"]["trees"], booster["model"]["tree_info"]
        classes = max(1, int(learner["learner_model_param"].get("num_class", 0)))
        targets = max(1, int(learner["learner_model_param"].get("num_target", 1)))
        if len(trees) != len(groups) or any(not 0 <= g < max(classes, targets) for g in groups):
            raise CannotLoad("The trees of xgboost do not belong to its classes.")
        for tree in trees:
            _check(tree, width)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CannotLoad(f"It does not hold a model of xgboost: {error!r}.") from None


def _check(tree: Any, width: int) -> None:
    import numpy as np

    left, right = (
        np.asarray(tree[side], dtype=np.int64) for side in ("left_children", "right_children")
    )
    feature = np.asarray(tree["split_indices"], dtype=np.int64)
    count = int(tree["tree_param"]["num_nodes"])
    lengths = {len(left), len(right), len(feature), len(tree["split_conditions"])}
    if count < 1 or lengths != {count}:
        raise CannotLoad("A tree of xgboost has a wrong number of nodes.")
    number = np.arange(count)
    inner = left != -1
    for side in (left[inner], right[inner]):
        # Pruning reuses nodes, so that a child may stand before its parent.
        if not ((side > 0) & (side < count)).all():
            raise CannotLoad("A tree of xgboost points outside of itself.")
    children = np.concatenate([left[inner], right[inner]])
    if len(np.unique(children)) != len(children) or (children == np.tile(number[inner], 2)).any():
        raise CannotLoad("A tree of xgboost points back to itself.")
    if not ((feature[inner] >= 0) & (feature[inner] < width)).all():
        raise CannotLoad("A tree of xgboost reads a column that there is not.")
    _check_categories(tree, count)


def _check_categories(tree: Any, count: int) -> None:
    import numpy as np

    names = ("categories_nodes", "categories_segments", "categories_sizes")
    nodes, starts, sizes = (np.asarray(tree.get(name, []), dtype=np.int64) for name in names)
    total = len(tree.get("categories", []))
    if not len(nodes) == len(starts) == len(sizes):
        raise CannotLoad("A tree of xgboost has wrong categories.")
    inside = (nodes >= 0) & (nodes < count) & (starts >= 0) & (sizes >= 0)
    if not (inside & (starts <= total) & (sizes <= total - starts)).all():
        raise CannotLoad("A tree of xgboost points outside of its categories.")
