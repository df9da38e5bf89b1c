"""What of a notebook can be captured: its names, as the panel offers them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops import analyze, live, stars
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.analyze import Extracted
from jupyter_mlops.capture.formats import known
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import ignore

#: Sent as text, never imported: it runs in another interpreter.
PROBE = Path(__file__).parent / "kernel" / "names_probe.py"
PATIENCE = 3.0  # seconds that a kernel may take
_PLAIN = frozenset(
    f"builtins.{name}"
    for name in "NoneType bool int float str bytes complex list tuple dict set frozenset".split()
)
#: Which format keeps values of a class: the first whose class is among a value's own, so what
#: wraps the classes of another library comes before that library.
_CLASSES = {
    "xgboost.core.Booster": "xgboost",
    "xgboost.sklearn.XGBModel": "xgboost",
    "lightgbm.basic.Booster": "lightgbm",
    "lightgbm.sklearn.LGBMModel": "lightgbm",
    "catboost.core.CatBoost": "catboost",
    "statsmodels.base.model.Results": "statsmodels",
    "statsmodels.base.wrapper.ResultsWrapper": "statsmodels",
    "sklearn.base.BaseEstimator": "skops",
    "transformers.modeling_utils.PreTrainedModel": "transformers",
    "transformers.tokenization_utils_base.PreTrainedTokenizerBase": "transformers",
    "tokenizers.Tokenizer": "transformers",
    "keras.src.models.model.Model": "keras",
    "torch.export.exported_program.ExportedProgram": "torch-export",
    "torch.nn.modules.module.Module": "torch",
    "torch.Tensor": "torch",
    "polars.dataframe.frame.DataFrame": "parquet",
    "polars.series.series.Series": "parquet",
    "pyarrow.lib.Table": "parquet",
    "numpy.ndarray": "npy",
    "numpy.generic": "npy",
    "pandas.DataFrame": "frame",
    "pandas.Series": "frame",
    "pandas.core.frame.DataFrame": "frame",
    "pandas.core.series.Series": "frame",
}


class Pickable(msgspec.Struct, frozen=True, kw_only=True):
    """A name that could be captured.

    ``size`` is in bytes, in memory; ``cell`` the code cell, from 1, that gives it its last value.
    ``needed`` says that the service needs it, ``declared`` that a cell asks for it. ``format`` is
    empty where ``reason`` says why it cannot be saved, and where nothing is known of the value.
    """

    name: str
    type: str = ""
    size: int | None = None
    shape: list[int] | None = None
    format: str = ""
    cell: int | None = None
    needed: bool = False
    declared: bool = False
    reason: str = ""


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a notebook; ``live`` says that a kernel was asked, else ``note`` why not."""

    names: list[Pickable]
    live: bool = False
    note: str = ""


def pickable(path: Path | str, kernel: str = "") -> Pick:
    """Return the names of a saved notebook, with what its kernel (by id) knows of their values.

    Raises ``NotebookError`` where the file is no notebook.
    """
    notebook = stars.resolve(notebooks.read(path))
    extracted = analyze.extract(notebook)
    values: dict[str, dict[str, Any]] = {}
    note = "No kernel runs: types, sizes and shapes are known once the notebook has run."
    if kernel:
        try:
            values = {each["name"]: each for each in _ask(live.find(kernel, notebook.path))}
            note = ""
        except (MlopsError, OSError, ValueError) as error:
            note = f"The kernel could not be asked. {error}"
    names = [_named(name, extracted, values) for name in _names(extracted, values)]
    names.sort(key=lambda each: (not each.needed, not each.declared, each.cell or 0, each.name))
    return Pick(names=names, live=not note, note=note)


def _ask(kernel: live.Kernel) -> Sequence[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mlops-names-") as folder:
        answer = Path(folder) / "names.json"
        ask = {"answer": str(answer)}
        code = f"exec({PROBE.read_text()!r}, {{'ASK': {ask!r}, '__name__': 'names_probe'}})"
        kernel.execute(code, ignore, PATIENCE)
        found: Sequence[dict[str, Any]] = json.loads(answer.read_bytes())
        return found


def _names(extracted: Extracted, values: Mapping[str, Any]) -> list[str]:
    """Return the names that cells give a value; functions, classes and imports are code."""
    flow = extracted.flow
    code = {n for cell in flow.flows for text in cell.definitions for n in text.names}
    bound = {name for cell in flow.flows for name in cell.binds if not name.startswith(("_", "<"))}
    needed = set(extracted.service.captured if extracted.service else ())
    wanted = needed | set(extracted.declared)
    known = {name for name in bound - code if not values or name in values}
    return sorted(known | wanted | (bound & set(values)))


def _named(name: str, extracted: Extracted, values: Mapping[str, dict[str, Any]]) -> Pickable:
    trained = {item.name: item for item in extracted.fitted}
    service = extracted.service
    needed = name in service.captured if service else [*trained][-1:] == [name]
    value = values.get(name)
    kept, reason = _format(value) if value else ("", "")
    if values and value is None:
        reason = "The kernel has no such name now."
    return Pickable(
        name=name,
        type=value["type"] if value else trained[name].type if name in trained else "",
        size=value.get("size") if value else None,
        shape=value.get("shape") if value else None,
        format=kept,
        cell=max(extracted.flow.producers(name) or (), default=None),
        needed=needed,
        declared=name in extracted.declared,
        reason=reason,
    )


def _format(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return the format that would keep a value, or why none does; saving it has the last word."""
    names = {each.name for each in known().formats}
    kinds = value["kinds"]
    if value.get("objects") and "numpy.ndarray" in kinds:
        return "", "An array of Python objects would need pickle, which runs code when loaded."
    if kinds[0] in _PLAIN:
        return "json", ""
    for kind, name in _CLASSES.items():
        if kind in kinds and name in names:
            return name, ""
    return "", f"There is no safe format for a {value['type']}."
