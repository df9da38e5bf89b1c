"""Fitted models of statsmodels, as their parameters in JSON: what predicts, not the whole fit."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import inputs
from jupyter_mlops.capture.models import Kind, Signature
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description

_LINEAR = "statsmodels.regression.linear_model"
_DISCRETE = "statsmodels.discrete.discrete_model"
_GLM = "statsmodels.genmod.generalized_linear_model"
_FAMILIES = "statsmodels.genmod.families.family"
_LINKS = "statsmodels.genmod.families.links"
#: The models that we make again, by their class, and where it is.
MODELS = {
    **dict.fromkeys(("GLS", "OLS", "WLS"), _LINEAR),
    **dict.fromkeys(("Logit", "MNLogit", "Poisson", "Probit"), _DISCRETE),
    "GLM": _GLM,
}
FAMILIES = {
    **dict.fromkeys(("Binomial", "Gamma", "Gaussian", "InverseGaussian", "Poisson"), ()),
    "NegativeBinomial": ("alpha",),
    "Tweedie": ("var_power",),
}
LINKS = ("CDFLink", "CLogLog", "Identity", "InversePower", "InverseSquared", "Log", "LogC",
         "LogLog", "Logit", "Probit", "Sqrt")  # fmt: skip


class StatsmodelsFormat:
    """JSON with the model's class, its parameters and their names."""

    name: ClassVar[str] = "statsmodels"
    kind: ClassVar[Kind] = "model"
    extension: ClassVar[str] = "json"

    def matches(self, value: Any) -> bool:
        """Match what ``fit()`` of a model gives; those that we do not know are refused."""
        base = sys.modules.get("statsmodels.base.model")
        wrapper = sys.modules.get("statsmodels.base.wrapper")
        if base is None or wrapper is None:
            return False
        inner = value._results if isinstance(value, wrapper.ResultsWrapper) else value
        return isinstance(inner, base.Results)

    def save(self, value: Any, path: Path) -> None:
        """Write the parameters, and compare a prediction of what is read again."""
        import numpy as np

        path.write_bytes(json.dumps(_parameters(value), allow_nan=False, indent=1).encode())
        rows = value.model.exog[:20]
        again = self.load(path).predict(rows)
        if not np.array_equal(np.asarray(again), np.asarray(_predict(value, rows))):
            raise CannotSave(
                "Its parameters alone do not predict what it predicts.",
                why="It has an offset, an exposure or a transformation of its own.",
                remedy="Keep the arrays that `predict` needs, and compute with them there.",
            )

    def load(self, path: Path) -> Any:
        """Make results that predict; what only the fit knew, such as errors, is not there."""
        try:
            kept = json.loads(path.read_bytes())
            return _results(kept)
        except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
            if isinstance(error, CannotLoad):
                raise
            raise CannotLoad(f"It does not hold parameters of statsmodels: {error!r}.") from None

    def describe(self, value: Any) -> Description:
        """Tell how many columns it reads."""
        return Description(
            shape=[int(value.model.exog.shape[1])] if _has_columns(value) else None,
            modules=["numpy", "statsmodels"],
        )

    def signature(self, value: Any) -> Signature | None:
        """Tell the columns of its design."""
        return (
            inputs.named([str(name) for name in value.model.exog_names])
            if _has_columns(value)
            else None
        )


def _has_columns(value: Any) -> bool:
    return getattr(getattr(value, "model", None), "exog", None) is not None


def _predict(value: Any, rows: Any) -> Any:
    try:
        return value.predict(rows)
    except Exception as error:
        raise CannotSave(f"It does not predict: {error}".splitlines()[0]) from None


def _parameters(value: Any) -> dict[str, Any]:
    import numpy as np

    model, name = value.model, type(value.model).__name__
    if type(model).__module__ != MODELS.get(name):
        raise CannotSave(
            f"A fitted {name} of statsmodels is not kept.",
            why=f"Known are {', '.join(sorted(MODELS))}.",
            remedy="Keep its `params` as an array, and compute with them in `predict`.",
        )
    if getattr(model, "formula", None) is not None:
        raise CannotSave(
            f"The {name} was made from a formula.",
            why="A formula is code, which would run when it is loaded.",
            remedy="Make the columns in the notebook, and fit the model on them: "
            f"{name}(y, X).fit(); or keep its `params` and compute with them in `predict`.",
        )
    values = np.asarray(value.params, dtype="float64")
    if not np.isfinite(values).all():
        raise CannotSave("Its parameters are not all finite numbers.")
    kept = {"model": name, "columns": list(map(str, model.exog_names)), "params": values.tolist()}
    if name == "GLM":
        kept["family"] = _family(model.family)
    return kept


def _family(family: Any) -> dict[str, Any]:
    kind, link = type(family).__name__, type(family.link).__name__
    known = type(family).__module__ == _FAMILIES and type(family.link).__module__ == _LINKS
    if not known or kind not in FAMILIES or link not in LINKS:
        raise CannotSave(
            f"A GLM with the family {kind} and the link {link} is not kept.",
            remedy="Keep its `params` as an array, and compute with them in `predict`.",
        )
    settings = {name: float(getattr(family, name)) for name in FAMILIES[kind]}
    return {"name": kind, "link": link, "settings": settings}


def _results(kept: Any) -> Any:
    import numpy as np
    from statsmodels.base.model import Results

    name, columns = kept["model"], kept["columns"]
    params = np.array(kept["params"], dtype="float64")
    if name not in MODELS or params.shape[:1] != (len(columns),) or not columns:
        raise CannotLoad("It does not hold parameters of a model that we know.")
    kind: Callable[..., Any] = getattr(importlib.import_module(MODELS[name]), name)
    choices = params.shape[1] + 1 if params.ndim == 2 else 2
    # A design that makes no trouble: it is never fitted.
    rows = max(len(columns), choices) + 1
    design, answer = np.eye(rows, len(columns)), np.arange(rows) % choices
    if name == "GLM":
        model = kind(answer, design, family=_made_family(kept["family"]))
    else:
        model = kind(answer, design)
    model.exog_names[:] = [str(column) for column in columns]
    return Results(model, params)


def _made_family(kept: Any) -> Any:
    families, links = importlib.import_module(_FAMILIES), importlib.import_module(_LINKS)
    name, link = kept["name"], kept["link"]
    if name not in FAMILIES or link not in LINKS or set(kept["settings"]) != set(FAMILIES[name]):
        raise CannotLoad("It does not hold a family that we know.")
    if not all(
        isinstance(each, float) and math.isfinite(each) for each in kept["settings"].values()
    ):
        raise CannotLoad("The settings of its family are not numbers.")
    return getattr(families, name)(link=getattr(links, link)(), **kept["settings"])
