"""xgboost's models, in its own binary JSON (``.ubj``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import inputs, xgboost_trees
from jupyter_mlops.capture.models import Kind, Signature
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, is_exactly

#: The attribute of a booster that says which wrapper it came in, and how that was set up.
ABOUT = "jupyter_mlops"
WRAPPERS = ("XGBClassifier", "XGBModel", "XGBRanker", "XGBRegressor", "XGBRFClassifier",
            "XGBRFRegressor")  # fmt: skip
#: What a wrapper is set up with and what training alone reads.
_TRAINING = ("callbacks", "eval_metric", "early_stopping_rounds", "kwargs")


class XgboostFormat:
    """A ``.ubj`` that any xgboost opens; its trees are checked before it is opened."""

    name: ClassVar[str] = "xgboost"
    kind: ClassVar[Kind] = "estimator"
    extension: ClassVar[str] = "ubj"

    def matches(self, value: Any) -> bool:
        """Match boosters and the wrappers that look like scikit-learn's estimators."""
        return is_exactly(value, "xgboost", ("Booster", *WRAPPERS))

    def save(self, value: Any, path: Path) -> None:
        """Write the booster, with the settings of its wrapper as one of its attributes."""
        from xgboost import Booster

        wrapped = not isinstance(value, Booster)
        try:
            booster = (value.get_booster() if wrapped else value).copy()
        except Exception as error:
            # scikit-learn's NotFittedError, or xgboost's own.
            raise CannotSave(f"It is not fitted: {error}") from None
        booster.set_attr(**{ABOUT: _about(value) if wrapped else None})
        path.write_bytes(booster.save_raw(raw_format="ubj"))
        self.load(path)

    def load(self, path: Path) -> Any:
        """Read the model after checking every tree in it."""
        data = path.read_bytes()
        xgboost_trees.check(data)
        import xgboost

        try:
            booster = xgboost.Booster(model_file=bytearray(data))
            text = booster.attr(ABOUT)
            if text is None:
                return booster
            about = json.loads(text)
            if about["class"] not in WRAPPERS:
                raise CannotLoad(f"xgboost has no wrapper {about['class']}.")
            wrapper = getattr(xgboost, about["class"])(**about["parameters"])
            booster.set_attr(**{ABOUT: None})
            wrapper.load_model(booster.save_raw(raw_format="ubj"))
        except (KeyError, TypeError, ValueError, xgboost.core.XGBoostError) as error:
            raise CannotLoad(f"xgboost cannot read it: {error}".splitlines()[0]) from None
        return wrapper

    def describe(self, value: Any) -> Description:
        """Tell how many columns it reads."""
        wrapped = hasattr(value, "get_booster")
        known = self.signature(value)
        modules = ["numpy", "xgboost", *(["sklearn"] if wrapped else [])]
        return Description(shape=[len(known.inputs)] if known else None, modules=modules)

    def signature(self, value: Any) -> Signature | None:
        """Tell the columns that it was trained on."""
        try:
            booster = value.get_booster() if hasattr(value, "get_booster") else value
            names = booster.feature_names
            return inputs.named(names) if names else inputs.numbered(int(booster.num_features()))
        except Exception:
            # Not fitted: scikit-learn's error, where it is there.
            return None


def _about(model: Any) -> str:
    parameters = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if value is not None and name not in _TRAINING
    }
    for name, value in list(parameters.items()):
        if isinstance(value, float) and value != value:
            del parameters[name]  # NaN is what xgboost takes for missing by itself
        elif hasattr(value, "item"):
            parameters[name] = value.item()
        elif name == "random_state" and not isinstance(value, int):
            del parameters[name]  # a generator, which only training draws from
    try:
        return json.dumps(
            {"class": type(model).__name__, "parameters": parameters},
            allow_nan=False,
            sort_keys=True,
        )
    except (TypeError, ValueError) as error:
        raise CannotSave(
            f"The settings of {type(model).__name__} hold more than plain values: {error}.",
            remedy="Give it an objective by its name, or capture model.get_booster().",
        ) from None
