"""Range checks on loaded trees: scikit-learn follows node indices without looking.

A type can be trusted while its content is not: a node that points outside of its tree would
read foreign memory at the first prediction, and one that points back would never end.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from typing import Any

from jupyter_mlops.capture.protocol import CannotLoad

_CLOSED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, str, bytes)

_NEIGHBOURS = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")


def reachable(value: Any) -> Iterator[Any]:
    """Yield every object that the value holds, itself first; classes and modules are not entered.

    Arrays of objects are entered too, although the garbage collector does not know them.
    """
    import numpy as np

    seen: set[int] = set()
    pending = [value]
    kept = []  # so that no id is used twice while we look
    while pending:
        current = pending.pop()
        if id(current) in seen or isinstance(current, _CLOSED):
            continue
        seen.add(id(current))
        kept.append(current)
        yield current
        if isinstance(current, np.ndarray):
            if current.dtype.hasobject and current.dtype.names is None:
                pending.extend(current.ravel().tolist())
            if isinstance(current.base, np.ndarray):
                pending.append(current.base)
        else:
            pending.extend(gc.get_referents(current))


def check_trees(value: Any) -> None:
    """Check every decision tree in a loaded estimator; raises ``CannotLoad``."""
    for each in reachable(value):
        name = type(each).__name__
        if type(each).__module__ == "sklearn.tree._tree" and name == "Tree":
            _check_tree(each)
        elif name == "TreePredictor":
            _check_predictor(each)
        elif type(each).__module__ in _NEIGHBOURS:
            _check_neighbours(each)
        _check_widths(each)


def _check_tree(tree: Any) -> None:
    import numpy as np

    if not 0 <= tree.node_count <= tree.capacity or tree.node_count == 0:
        raise CannotLoad("A decision tree has a wrong number of nodes.")
    number = np.arange(tree.node_count)
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    leaf = left == -1
    inner = ~leaf
    followed = [side[inner] for side in (left, right)]
    forward = all(((side > number[inner]) & (side < tree.node_count)).all() for side in followed)
    known = ((feature[inner] >= 0) & (feature[inner] < tree.n_features)).all()
    if not forward or not known:
        raise CannotLoad("A decision tree points outside of itself or of its features.")


def _check_predictor(predictor: Any) -> None:
    import numpy as np

    nodes = predictor.nodes
    if len(nodes) == 0:
        raise CannotLoad("A decision tree has no nodes.")
    inner = nodes["is_leaf"] == 0
    number = np.arange(len(nodes))[inner]
    for side in ("left", "right"):
        children = nodes[side][inner].astype(np.int64)
        if not ((children > number) & (children < len(nodes))).all():
            raise CannotLoad("A decision tree points outside of itself.")
    if any(part.shape[1:] != (8,) for part in (predictor.raw_left_cat_bitsets,
                                               predictor.binned_left_cat_bitsets)):  # fmt: skip
        raise CannotLoad("A decision tree has wrong categories.")
    categorical = inner & (nodes["is_categorical"] != 0)
    bitsets = nodes["bitset_idx"][categorical].astype(np.int64)
    fewest = min(len(predictor.raw_left_cat_bitsets), len(predictor.binned_left_cat_bitsets))
    if len(bitsets) and bitsets.max() >= fewest:
        raise CannotLoad("A decision tree points outside of its categories.")


def _check_neighbours(tree: Any) -> None:
    import numpy as np

    state = tree.__getstate__()
    data, order, nodes, bounds = (np.asarray(part) for part in state[:4])
    levels, count = int(state[5]), int(state[6])
    starts, ends, leaves = nodes["idx_start"], nodes["idx_end"], nodes["is_leaf"]
    shaped = bounds.ndim == 3 and bounds.shape[1:] == (count, data.shape[1])
    if not 0 < levels < 64 or count != 2**levels - 1 or len(nodes) != count or not shaped:
        raise CannotLoad("A neighbours' tree has a wrong number of nodes.")
    # The children of node i are 2i + 1 and 2i + 2.
    if not leaves[2 * np.arange(count) + 2 >= count].all():
        raise CannotLoad("A neighbours' tree points outside of itself.")
    if len(order) != len(data) or not ((order >= 0) & (order < len(data))).all():
        raise CannotLoad("A neighbours' tree points outside of its data.")
    if not ((starts >= 0) & (starts <= ends) & (ends <= len(data))).all():
        raise CannotLoad("A neighbours' tree points outside of its data.")


def _check_widths(value: Any) -> None:
    """Check that a forest or booster never gives its trees fewer columns than they read."""
    attributes = getattr(value, "__dict__", None)
    if not isinstance(attributes, dict):
        return
    width = attributes.get("n_features_in_")
    tree = attributes.get("tree_")
    if tree is not None and hasattr(tree, "n_features") and tree.n_features != width:
        raise CannotLoad("A decision tree reads other columns than its estimator has.")
    if "_predictors" in attributes and isinstance(width, int):
        _check_boosted(attributes, width)
    if isinstance(width, int) and "estimators_features_" not in attributes:
        for member in _flat(attributes.get("estimators_")):
            inner = getattr(getattr(member, "tree_", None), "n_features", None)
            if isinstance(inner, int) and inner > width:
                raise CannotLoad("A tree of the ensemble reads more columns than there are.")


def _check_boosted(attributes: dict[str, Any], width: int) -> None:
    # With categories the columns go through a preprocessor, which keeps their number.
    known = getattr(attributes.get("_bin_mapper"), "is_categorical_", None)
    if known is not None and known.shape != (width,):
        raise CannotLoad("The bins of a boosted model are of other columns than it has.")
    for predictor in _flat(attributes["_predictors"]):
        nodes = predictor.nodes
        inner = nodes["is_leaf"] == 0
        features = nodes["feature_idx"][inner].astype("int64")
        if len(features) and not 0 <= features.min() <= features.max() < width:
            raise CannotLoad("A boosted tree reads a column that there is not.")
        groups = nodes["feature_idx"][inner & (nodes["is_categorical"] != 0)].astype("int64")
        if len(groups) and (known is None or not known[groups].all()):
            raise CannotLoad("A boosted tree takes a column of numbers for categories.")


def _flat(value: Any) -> Iterator[Any]:
    import numpy as np

    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        value = value.ravel().tolist()
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    elif value is not None:
        yield value
