"""Shorter ways from an array to an estimator's answer, without what scikit-learn checks again.

Each does the same arithmetic in the same order as the estimator's own ``predict``. None is
believed: ``proof.py`` compares its answers with the estimator's, bit by bit, before it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[[Any], Any]


class Unsure(Exception):
    """These rows are for the estimator itself: it may refuse them."""


def of(estimator: Any) -> Call | None:
    """Return a function of a two-dimensional array that predicts; None where there is none."""
    kind = f"{type(estimator).__module__.partition('.')[0]}.{type(estimator).__name__}"
    if kind == "sklearn.Pipeline":
        return _pipeline(estimator)
    make = _MAKERS.get(kind)
    return make(estimator) if make else None


def _forest_classifier(forest: Any) -> Call | None:
    import numpy as np

    if forest.n_outputs_ != 1:
        return None
    trees = [each.tree_.predict for each in forest.estimators_]
    classes, width, count = forest.classes_, forest.n_classes_, len(trees)

    def call(rows: Any) -> Any:
        narrow = _narrow(rows)
        total = np.zeros((len(narrow), width), dtype=np.float64)
        for predict in trees:
            total += predict(narrow)[:, :width]
        total /= count
        return classes.take(total.argmax(axis=1), axis=0)

    return call


def _forest_regressor(forest: Any) -> Call | None:
    import numpy as np

    if forest.n_outputs_ != 1:
        return None
    trees = [each.tree_.predict for each in forest.estimators_]
    count = len(trees)

    def call(rows: Any) -> Any:
        narrow = _narrow(rows)
        total = np.zeros(len(narrow), dtype=np.float64)
        for predict in trees:
            total += predict(narrow)[:, 0]
        total /= count
        return total

    return call


def _tree_classifier(tree: Any) -> Call | None:
    if tree.n_outputs_ != 1:
        return None
    predict, classes = tree.tree_.predict, tree.classes_
    return lambda rows: classes.take(predict(_narrow(rows)).argmax(axis=1), axis=0)


def _tree_regressor(tree: Any) -> Call | None:
    if tree.n_outputs_ != 1:
        return None
    predict = tree.tree_.predict
    return lambda rows: predict(_narrow(rows))[:, 0]


def _narrow(rows: Any) -> Any:
    """Return what trees compare: 32-bit numbers; beyond them scikit-learn refuses the rows."""
    import numpy as np

    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(rows, dtype=np.float32)
    if not np.isfinite(narrow).all():
        raise Unsure
    return narrow


def _linear_classifier(model: Any) -> Call | None:
    weights, intercept, classes = model.coef_.T, model.intercept_, model.classes_
    if weights.ndim != 2 or getattr(weights, "format", None):
        return None
    if weights.shape[1] == 1:
        return lambda rows: classes[((_finite(rows) @ weights + intercept).ravel() > 0).astype(int)]
    return lambda rows: classes[(_finite(rows) @ weights + intercept).argmax(axis=1)]


def _linear_regressor(model: Any) -> Call | None:
    weights, intercept = model.coef_.T, model.intercept_
    if getattr(weights, "format", None):
        return None
    return lambda rows: _finite(rows) @ weights + intercept


def _finite(rows: Any) -> Any:
    import numpy as np

    if not np.isfinite(rows).all():
        raise Unsure
    return rows


def _pipeline(pipeline: Any) -> Call | None:
    *before, last = [step for _, step in pipeline.steps if step not in (None, "passthrough")]
    end = of(last)
    if end is None or not all(type(each).__name__ == "StandardScaler" for each in before):
        return None
    last_call = end

    def call(rows: Any) -> Any:
        scaled = _finite(rows).astype("float64")
        for scaler in before:
            if scaler.with_mean:
                scaled -= scaler.mean_
            if scaler.with_std:
                scaled /= scaler.scale_
        return last_call(scaled)

    return call


_MAKERS: dict[str, Callable[[Any], Call | None]] = {
    "sklearn.RandomForestClassifier": _forest_classifier,
    "sklearn.ExtraTreesClassifier": _forest_classifier,
    "sklearn.RandomForestRegressor": _forest_regressor,
    "sklearn.ExtraTreesRegressor": _forest_regressor,
    "sklearn.DecisionTreeClassifier": _tree_classifier,
    "sklearn.DecisionTreeRegressor": _tree_regressor,
    "sklearn.LogisticRegression": _linear_classifier,
    "sklearn.LinearSVC": _linear_classifier,
    "sklearn.RidgeClassifier": _linear_classifier,
    "sklearn.SGDClassifier": _linear_classifier,
    "sklearn.LinearRegression": _linear_regressor,
    "sklearn.Ridge": _linear_regressor,
    "sklearn.Lasso": _linear_regressor,
    "sklearn.ElasticNet": _linear_regressor,
}
