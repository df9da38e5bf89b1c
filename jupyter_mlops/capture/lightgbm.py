"""lightgbm's models, in its own text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import inputs, lightgbm_trees
from jupyter_mlops.capture.models import Kind, Signature
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, is_exactly
from jupyter_mlops.capture.values import decode, encode

WRAPPERS = ("LGBMClassifier", "LGBMModel", "LGBMRanker", "LGBMRegressor")
#: The last line of our files: which wrapper the booster came in. lightgbm does not read it.
ABOUT = "\njupyter_mlops:"


class LightgbmFormat:
    """The text that ``Booster.save_model`` writes; its trees are checked before it is opened."""

    name: ClassVar[str] = "lightgbm"
    kind: ClassVar[Kind] = "estimator"
    extension: ClassVar[str] = "txt"

    def matches(self, value: Any) -> bool:
        """Match boosters and the wrappers that look like scikit-learn's estimators."""
        return is_exactly(value, "lightgbm", ("Booster", *WRAPPERS))

    def save(self, value: Any, path: Path) -> None:
        """Write the booster's text, with the settings of its wrapper in the last line."""
        booster, about = value, None
        if hasattr(value, "booster_"):
            booster, about = value.booster_, _about(value)
        text = booster.model_to_string(num_iteration=-1)
        if about is not None:
            text = f"{text.rstrip()}{ABOUT}{about}\n"
        path.write_bytes(text.encode())
        self.load(path)

    def load(self, path: Path) -> Any:
        """Read the model after checking every tree in it."""
        try:
            text, mark, about = path.read_bytes().decode().rpartition(ABOUT)
        except UnicodeDecodeError:
            raise CannotLoad("It is not a text of lightgbm.") from None
        text = text if mark else about
        lightgbm_trees.check(text)
        import lightgbm

        try:
            booster = lightgbm.Booster(model_str=text)
            return _wrapped(booster, json.loads(about)) if mark else booster
        except (KeyError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
            raise CannotLoad(f"lightgbm cannot read it: {error}".splitlines()[0]) from None

    def describe(self, value: Any) -> Description:
        """Tell how many columns it reads."""
        known = self.signature(value)
        modules = ["lightgbm", "numpy", *(["sklearn"] if hasattr(value, "get_params") else [])]
        return Description(shape=[len(known.inputs)] if known else None, modules=modules)

    def signature(self, value: Any) -> Signature | None:
        """Tell the columns that it was trained on."""
        booster = getattr(value, "_Booster", None) if hasattr(value, "get_params") else value
        if booster is None:
            return None
        names = booster.feature_name()
        if names == [f"Column_{i}" for i in range(len(names))]:
            return inputs.numbered(len(names))
        return inputs.named(names)


def _about(model: Any) -> str:
    if getattr(model, "_Booster", None) is None:
        raise CannotSave("It is not fitted.")
    parameters = {name: v for name, v in model.get_params(deep=False).items() if v is not None}
    if not isinstance(parameters.get("random_state", 0), int):
        del parameters["random_state"]  # a generator, which only training draws from
    state = {name: getattr(model, f"_{name}", None) for name in _STATE}
    labels = getattr(model, "_classes", None)
    try:
        about = {
            "class": type(model).__name__,
            "parameters": encode(parameters),
            "state": encode(state),
            "best_iteration": model._Booster.best_iteration,
            "labels": None if labels is None else [labels.dtype.str, labels.tolist()],
        }
        return json.dumps(about, sort_keys=True, ensure_ascii=True)
    except (CannotSave, TypeError) as error:
        raise CannotSave(
            f"The settings of {type(model).__name__} hold more than plain values.",
            why=str(error),
            remedy="Give it an objective by its name, or capture model.booster_.",
        ) from None


#: What a fitted wrapper knows beside its booster, without the underscore.
_STATE = ("best_iteration", "n_classes", "n_features", "n_features_in", "objective")


def _wrapped(booster: Any, about: Any) -> Any:
    import lightgbm

    if about["class"] not in WRAPPERS:
        raise CannotLoad(f"lightgbm has no wrapper {about['class']}.")
    model = getattr(lightgbm, about["class"])(**decode(about["parameters"]))
    for name in _STATE:
        setattr(model, f"_{name}", decode(about["state"][name]))
    booster.best_iteration = int(about["best_iteration"])
    model._Booster, model.fitted_ = booster, True
    if about["labels"] is not None:
        import numpy as np
        from sklearn.preprocessing import LabelEncoder

        dtype, labels = about["labels"]
        model._le = LabelEncoder()
        model._le.classes_ = model._classes = np.array(labels, dtype=dtype)
    return model
