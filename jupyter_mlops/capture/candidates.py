"""Finds the fitted models of a namespace, and the data that they were fitted on."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from jupyter_mlops.capture.formats import known
from jupyter_mlops.capture.models import CaptureRequest


def is_estimator(value: Any) -> bool:
    """Say whether a value is fitted and asked as scikit-learn's estimators are."""
    base = sys.modules.get("sklearn.base")
    kind = getattr(base, "BaseEstimator", None)
    if kind is not None and isinstance(value, kind):
        return True
    if not (hasattr(type(value), "fit") and hasattr(type(value), "predict")):
        return False
    # catboost's, and those of formats that others add.
    return any(each.kind == "estimator" and each.matches(value) for each in known().formats)


def is_fitted(value: Any) -> bool:
    """Say whether an estimator was fitted, as scikit-learn understands it, with its parts."""
    own = getattr(value, "is_fitted", None)
    if callable(own):
        return bool(own())
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_is_fitted(value)
    except NotFittedError:
        return False
    except Exception:
        # A meta-estimator of others may raise what it likes when its parts are missing.
        return False
    return True


def fitted(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return the fitted estimators by name; an object with two names comes once."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for name, value in list(namespace.items()):
        if name.startswith("_") or id(value) in seen or not is_estimator(value):
            continue
        seen.add(id(value))
        if is_fitted(value):
            found[name] = value
    return found


def without_parts(estimators: dict[str, Any]) -> dict[str, Any]:
    """Leave out the estimators that are a part of another one, such as a step of a pipeline."""
    from jupyter_mlops.capture.trees import reachable

    inside: set[int] = set()
    for value in estimators.values():
        inside.update(id(each) for each in reachable(value) if each is not value)
    return {name: value for name, value in estimators.items() if id(value) not in inside}


def can_predict(value: Any) -> bool:
    """Say whether an estimator predicts: transformers alone do not."""
    return callable(getattr(value, "predict", None))


def training_data(
    name: str, estimator: Any, namespace: dict[str, Any], request: CaptureRequest
) -> Any:
    """Return the inputs that the estimator was fitted on, or None when they are not there."""
    for candidate in request.fit_inputs.get(name, []):
        value = namespace.get(candidate)
        if value is not None and fits(estimator, value):
            return value
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return None
    wanted = [str(each) for each in names]
    for key, value in list(namespace.items()):
        if not key.startswith("_") and is_frame(value) and list(value.columns) == wanted:
            return value
    for key, value in list(namespace.items()):
        # The table before its target was taken away.
        if key.startswith("_") or not is_frame(value) or not value.columns.is_unique:
            continue
        if set(wanted) <= set(value.columns):
            return value[wanted]
    return None


def fits(estimator: Any, value: Any) -> bool:
    """Say whether data has the columns that the estimator saw when it was fitted."""
    shape = getattr(value, "shape", None)
    if shape is None:
        shape = _list_shape(value)
    if shape is None or not shape or shape[0] == 0:
        return False
    width = getattr(estimator, "n_features_in_", None)
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and is_frame(value):
        columns = list(value.columns)
        # lightgbm has no spaces in its names.
        return list(names) in (columns, [str(column).replace(" ", "_") for column in columns])
    if names is not None or width is None:
        # Fitted on a frame, this is none; or on texts, which have one dimension.
        return names is None and len(shape) == 1
    return len(shape) == 2 and shape[1] == width


def _list_shape(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list | tuple) or not value:
        return None
    first = value[0]
    return (len(value), len(first)) if isinstance(first, list | tuple) else (len(value),)


def is_frame(value: Any) -> bool:
    """Say whether a value is a data frame of pandas."""
    pandas = sys.modules.get("pandas")
    kind = getattr(pandas, "DataFrame", None)
    return kind is not None and isinstance(value, kind)
