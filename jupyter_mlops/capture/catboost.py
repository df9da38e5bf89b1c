"""catboost's models, in its own binary format (``.cbm``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import inputs
from jupyter_mlops.capture.models import Kind, Signature
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, is_exactly

MAGIC = b"CBM1"
WRAPPERS = ("CatBoost", "CatBoostClassifier", "CatBoostRanker", "CatBoostRegressor")
#: The metadata key that says which class it was.
CLASS = "jupyter_mlops"
#: Metadata that differs each time that the same model is trained.
_CHANGING = ("model_guid", "train_finish_time")


class CatboostFormat:
    """A ``.cbm``: catboost verifies its tables before it reads them, we the numbers of leaves."""

    name: ClassVar[str] = "catboost"
    kind: ClassVar[Kind] = "estimator"
    extension: ClassVar[str] = "cbm"

    def matches(self, value: Any) -> bool:
        """Match catboost's own classes, not what is derived from them."""
        return is_exactly(value, "catboost", WRAPPERS)

    def save(self, value: Any, path: Path) -> None:
        """Write the model with the name of its class, and without time and chance."""
        if not value.is_fitted():
            raise CannotSave("It is not fitted.")
        copied = value.copy()
        metadata = copied.get_metadata()
        for name in _CHANGING:
            if name in metadata.keys():  # noqa: SIM118 - it is no mapping
                metadata[name] = ""
        metadata[CLASS] = type(value).__name__
        copied.save_model(os.fspath(path), format="cbm")
        self.load(path)

    def load(self, path: Path) -> Any:
        """Read the model: marks and sizes are checked first."""
        data = path.read_bytes()
        if data[:4] != MAGIC or not 0 < int.from_bytes(data[4:8], "little") <= len(data) - 8:
            raise CannotLoad("It does not hold a model of catboost.")
        import catboost

        try:
            model = catboost.CatBoost().load_model(blob=data)
            name = dict(model.get_metadata().items()).get(CLASS, "CatBoost")
            if name not in WRAPPERS:
                raise CannotLoad(f"catboost has no class {name}.")
            if name != "CatBoost":
                model = getattr(catboost, name)().load_model(blob=data)
            leaves, values = sum(model.get_tree_leaf_counts()), len(model.get_leaf_values())
            bias = model.get_scale_and_bias()[1]
        except (catboost.CatBoostError, UnicodeDecodeError) as error:
            raise CannotLoad(f"catboost cannot read it: {error}".splitlines()[0]) from None
        if values != int(leaves) * (len(bias) if isinstance(bias, list) else 1):
            raise CannotLoad("The trees of catboost have a wrong number of leaves.")
        return model

    def describe(self, value: Any) -> Description:
        """Tell how many columns it reads."""
        known = self.signature(value)
        shape = [len(known.inputs)] if known else None
        return Description(shape=shape, modules=["catboost", "numpy"])

    def signature(self, value: Any) -> Signature | None:
        """Tell the columns that it was trained on."""
        names = value.feature_names_ if value.is_fitted() else None
        if not names:
            return None
        if names == [str(i) for i in range(len(names))]:
            return inputs.numbered(len(names))
        return inputs.named(names)
