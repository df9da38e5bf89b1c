"""What a model itself says of its inputs: the names of its columns, or only how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_mlops.capture.models import Column, Signature


def known(model: Any) -> Signature | None:
    """Return the inputs of a model of scikit-learn's kind, as it was fitted."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return named([str(name) for name in names])
    width = getattr(model, "n_features_in_", None)
    return numbered(int(width)) if isinstance(width, int) else None


def names_of(model: Any) -> Sequence[str] | None:
    """Return the names of the columns that a model was fitted on, or None where it saw none."""
    names = getattr(model, "feature_names_in_", None)
    if names is None and type(model).__module__.startswith("catboost."):
        # catboost counts the columns that have no names.
        found = [str(name) for name in model.feature_names_ or []]
        names = found if found != [str(i) for i in range(len(found))] else None
    return names


def named(names: Sequence[str]) -> Signature:
    """Return the signature of a frame with these columns of numbers."""
    return Signature(inputs=[Column(name=name, dtype="float64") for name in names], rows="frame")


def numbered(width: int) -> Signature:
    """Return the signature of an array with so many columns of numbers."""
    inputs = [Column(name=f"x{i}", dtype="float64") for i in range(width)]
    return Signature(inputs=inputs, rows="array")
