"""The list of formats: those that others add come first, then ours."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from jupyter_mlops.capture.arrays import ArrayFormat
from jupyter_mlops.capture.catboost import CatboostFormat
from jupyter_mlops.capture.exported import ExportedFormat
from jupyter_mlops.capture.frames import FrameFormat
from jupyter_mlops.capture.keras import KerasFormat
from jupyter_mlops.capture.lightgbm import LightgbmFormat
from jupyter_mlops.capture.parquet import ParquetFormat
from jupyter_mlops.capture.protocol import VERSION, CannotLoad, Format
from jupyter_mlops.capture.sklearn import SklearnFormat
from jupyter_mlops.capture.statsmodels import StatsmodelsFormat
from jupyter_mlops.capture.torch import TorchFormat
from jupyter_mlops.capture.transformers import TransformersFormat
from jupyter_mlops.capture.values import ValueFormat
from jupyter_mlops.capture.xgboost import XgboostFormat

PREFIX = "jupyter_mlops.capture_formats."
GROUP = f"{PREFIX}v{VERSION}"
OURS = "jupyter_mlops.capture."
# A plain list, the same as in pyproject.toml: in the image, and in kernels that are another
# environment, our package has no metadata, hence no entry points. The first that matches is it.
# What wraps the classes of another library comes before that library.
BUILT_IN: tuple[Format, ...] = (
    XgboostFormat(),
    LightgbmFormat(),
    CatboostFormat(),
    StatsmodelsFormat(),
    SklearnFormat(),
    TransformersFormat(),
    KerasFormat(),
    ExportedFormat(),
    TorchFormat(),
    ArrayFormat(),
    ParquetFormat(),
    FrameFormat(),
    ValueFormat(),
)
_MEMBERS = ("name", "kind", "extension", "matches", "save", "load", "describe", "signature")


class Known(NamedTuple):
    """The formats in the order in which they are asked, and what is wrong with others."""

    formats: tuple[Format, ...]
    problems: tuple[str, ...]


@cache
def known() -> Known:
    """Find every format of this environment; one that does not work is told, never fatal."""
    added: list[Format] = []
    problems: list[str] = []
    taken = {each.name for each in BUILT_IN}
    for group in sorted(name for name in entry_points().groups if name.startswith(PREFIX)):
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
            if entry.value.startswith(OURS):
                continue
            if group != GROUP:
                problems.append(_odd(entry, f"it is for {group}, and this is {GROUP}"))
                continue
            found, wrong = _made(entry)
            if not wrong and found.name in taken:
                wrong = f"there is a format named {found.name!r} already"
            if wrong:
                problems.append(_odd(entry, wrong))
            else:
                taken.add(found.name)
                added.append(found)
    return Known((*added, *BUILT_IN), tuple(problems))


def _made(entry: EntryPoint) -> tuple[Any, str]:
    """Return the format of an entry point, and what is wrong with it, if anything is."""
    try:
        found = entry.load()
        made = found() if isinstance(found, type) else found
    except Exception as error:
        # It is the code of others, and may fail in any way.
        return None, f"{type(error).__name__}: {error}"
    missing = [member for member in _MEMBERS if not hasattr(made, member)]
    return made, f"it has no {', '.join(missing)}" if missing else ""


def _odd(entry: EntryPoint, wrong: str) -> str:
    by = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
    return f"The capture format {entry.name}{by} is not used: {wrong}."


def format_for(value: Any) -> Format | None:
    """Return the format that keeps this value safely, or None."""
    return next((each for each in known().formats if each.matches(value)), None)


def by_name(name: str) -> Format:
    """Return the format with this name; raises ``CannotLoad`` when there is none."""
    for each in known().formats:
        if each.name == name:
            return each
    why = "".join(f" {problem}" for problem in known().problems)
    raise CannotLoad(
        f"There is no capture format named {name!r} here: the package that adds it is missing.{why}"
    )
