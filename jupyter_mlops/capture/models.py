"""What a capture is: the structs that the run writes and that the image ships."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["estimator", "array", "frame", "value"]
Rows = Literal["frame", "array", "any"]


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A named value saved from a run.

    ``file`` is relative to the publication's root, ``size`` is in bytes, ``type`` is the full
    name of the value's class and ``cell`` the notebook index of the cell that made it.
    """

    name: str
    kind: Kind
    format: str
    file: str
    sha256: str
    size: int
    type: str
    shape: list[int] | None = None
    dtype: str = ""
    cell: int | None = None


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a service's input or output; ``dtype`` is numpy's or pandas' name of it.

    A column that is not ``required`` may be absent or null. ``categories`` are the known values
    of a ``category`` column, in order (``ordered`` says whether the order means something).
    """

    name: str
    dtype: str
    required: bool = True
    categories: list[Any] | None = None
    ordered: bool = False


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """The schema of a service.

    ``rows`` says what the predictor was made with: a ``frame`` with named columns, an ``array``
    without names (``inputs`` then gives it names by position), or ``any`` when nothing is known.
    """

    inputs: list[Column] = []
    outputs: list[Column] = []
    rows: Rows = "any"


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Up to five training rows and what the notebook's own predictor answered to them.

    Every row of ``inputs`` lists its values in the order of ``Signature.inputs``; ``outputs`` is
    what the service must answer as ``predictions``.
    """

    inputs: list[list[Any]]
    outputs: list[Any]


class Predictor(msgspec.Struct, frozen=True, kw_only=True):
    """What answers: the notebook's function, a captured estimator, or nothing."""

    kind: Literal["function", "estimator", "none"] = "none"
    name: str | None = None


class CaptureProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be captured; the fields are those of ``errors.Problem``."""

    problem: str
    why: str = ""
    remedy: str = ""
    where: str = ""


class CaptureRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the extraction asks the run to capture.

    ``names`` are the free names that ``predict`` (a function of the notebook) needs, or names to
    capture in any case. ``model`` chooses among several fitted estimators. ``fit_inputs`` maps an
    estimator's name to the names passed to its ``fit``; ``cells`` maps a name to its cell index.
    ``asked`` are what the notebook itself passes to ``predict``: names and fixed parts of them.
    """

    names: list[str] = []
    model: str | None = None
    predict: str | None = None
    fit_inputs: dict[str, list[str]] = {}
    asked: list[str] = []
    cells: dict[str, int] = {}


class CaptureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was captured; ``modules`` are the top-level modules that loading it imports."""

    captures: list[Capture] = []
    signature: Signature | None = None
    golden: Golden | None = None
    predictor: Predictor = Predictor()
    modules: list[str] = []
    problems: list[CaptureProblem] = []
