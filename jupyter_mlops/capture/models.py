"""What a capture is: the structs that the run writes and that the image ships."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["estimator", "model", "array", "frame", "value"]
Rows = Literal["frame", "array", "any"]


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A named value saved from a run.

    ``file`` is relative to the publication's root, ``size`` is in bytes, ``type`` is the full
    name of the value's class and ``cell`` the notebook index of the cell that made it.
    ``classes`` are the full names (``module:name``) of the classes that loading may make although
    no list of the format holds them. The format ``pickle`` runs code of the file when it is loaded.
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
    classes: list[str] = []


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a service's input or output; ``dtype`` is numpy's or pandas' name of it.

    A column that is not ``required`` may be absent or null. ``categories`` are the known values
    of a ``category`` column, in order (``ordered`` says whether the order means something).
    ``minimum`` and ``maximum`` are those of the training data; a value outside is refused only
    where ``limit`` says so. ``allowed`` are the only values that are accepted, where a person
    says so, and ``description`` is a person's, too.
    """

    name: str
    dtype: str
    required: bool = True
    categories: list[Any] | None = None
    ordered: bool = False
    minimum: float | None = None
    maximum: float | None = None
    limit: bool = False
    allowed: list[Any] | None = None
    description: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """The schema of a service.

    ``rows`` says what the predictor was made with: a ``frame`` with named columns, an ``array``
    without names (``inputs`` then gives it names by position), or ``any`` when nothing is known.
    """

    inputs: list[Column] = []
    outputs: list[Column] = []
    rows: Rows = "any"


class DataVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A table or an array that a model was trained on: which content it had, and its schema.

    ``name`` is what the notebook calls it, a name or a part such as ``table[columns]``; ``sha256``
    is its content hash (the formula is in ``hashing``), empty where ``note`` says why there is
    none. ``cell`` is the notebook index of the cell that trains on it, ``used_by`` the names that
    it trained. ``columns`` are those of a table.
    """

    name: str
    type: str
    sha256: str = ""
    shape: list[int] | None = None
    dtype: str = ""
    columns: list[Column] = []
    used_by: list[str] = []
    cell: int | None = None
    note: str = ""


class FileVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the notebook reads; ``size`` is in bytes.

    ``path`` is relative to the notebook's folder; of a file elsewhere it is the name alone, and
    ``inside`` is false. ``seen`` says who knows of it: the run, or only the notebook's text. A
    folder (``path`` ends with ``/``) stands for ``count`` files; its ``sha256`` is that of their
    lines ``<sha256>  <path>``, sorted by path. ``note`` says why there is no ``sha256``, or what
    else is to be known; ``shipped`` that the image holds it.
    """

    path: str
    size: int = 0
    sha256: str = ""
    inside: bool = True
    seen: Literal["run", "text"] = "run"
    count: int = 1
    shipped: bool = False
    note: str = ""


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """Up to five rows of the notebook's data and what the notebook itself predicted for them.

    Every row of ``inputs`` lists its values in the order of ``Signature.inputs``; ``outputs`` is
    what the service must answer as ``predictions``: the same to the last bit, or, where
    ``tolerance`` is not 0, numbers that differ by at most that part of their size, for ``reason``.
    ``alone`` is the same for a row that is asked about by itself, beside the same row among others.
    """

    inputs: list[list[Any]]
    outputs: list[Any]
    tolerance: float = 0.0
    alone: float = 0.0
    reason: str = ""


#: How a function takes its rows: a table of several, or one row at each call.
Takes = Literal[
    "table",
    "records",
    "lists",
    "values",
    "row",
    "record",
    "series",
    "list",
    "value",
    "arguments",
]


class Predictor(msgspec.Struct, frozen=True, kw_only=True):
    """What answers: the notebook's function, a captured estimator, or nothing.

    A function ``takes`` a ``table`` (a data frame, or what the signature says), ``records`` (a
    list of mappings), ``lists`` (a list of lists), or ``values`` (a list of the only column); or,
    called once for each row, a table of one ``row``, a ``record``, a ``series``, a ``list``, the
    only ``value``, or ``arguments``.
    """

    kind: Literal["function", "estimator", "none"] = "none"
    name: str | None = None
    takes: Takes = "table"


class CaptureProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be captured; the fields are those of ``errors.Problem``."""

    problem: str
    why: str = ""
    remedy: str = ""
    where: str = ""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What the text says that is trained on: a name or a part of one, where, and by which name."""

    text: str
    cell: int
    by: str = ""


class Tap(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the run of which small values are kept.

    ``statement`` is the SHA-256 of a top-level statement's text, ``node`` the place of an
    expression in it (as ``ast.walk`` counts). ``call`` keeps the first argument and the result of
    a call, ``fitted`` a copy of the object whose method is called, ``value`` the value of an
    expression, ``columns`` its columns, ``applied`` a table and what its rows gave,
    and ``after`` the rows of ``name`` once the statement has run. In a loop, ``by`` is the name
    whose value tells the turns apart.
    """

    key: str
    kind: Literal["call", "fitted", "value", "columns", "after", "applied"]
    statement: str
    node: int = 0
    name: str = ""
    by: str = ""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A way from rows to a model's answer, made of the notebook's cells: a candidate service.

    ``source`` is the text of service.py with ``function`` in it, ``captured`` the names that it
    needs, of which ``learned`` are kept by taps. Its rows are those of ``root``, a name as it was
    at the tap ``rooted`` in ``cell`` (code cells from 1); ``final`` says that it is so to the end
    of the run. ``asked`` is the tap of the notebook's own prediction, or of the ``fit`` where it
    makes none; ``argument`` is what was given there, when its name still says it at the end.
    ``target`` are columns that nobody has to send. ``same_rows`` says that no row was left out in
    between, ``relabeled`` that labels changed. ``cells`` are the code cells that the text is from.
    """

    model: str
    function: str
    method: str
    source: str
    captured: list[str]
    learned: dict[str, str] = {}
    root: str = ""
    rooted: str = ""
    cell: int = 0
    final: bool = False
    asked: str = ""
    argument: str = ""
    target: list[str] = []
    same_rows: bool = False
    relabeled: bool = False
    cells: list[int] = []


class CaptureRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the extraction asks the run to capture.

    ``names`` are the free names that ``predict`` (a function of the notebook) needs, or names to
    capture in any case. ``model`` chooses among several fitted estimators. ``fit_inputs`` maps an
    estimator's name to the names passed to its ``fit``; ``cells`` maps a name to its cell index.
    ``asked`` are what the notebook itself passes to ``predict``: names and fixed parts of them.
    ``class_names`` maps a class of the notebook to the names that its code needs captured, should
    it come along. With ``allow_pickle`` what has no safe format is pickled.
    ``wanted`` says of names that a person asks for who does; ``trained`` is what the notebook
    trains on, and ``made_from`` maps a name to those that the cells read which made it.
    ``routes`` are candidates for a service, the rawest rows first, when no function of the notebook
    predicts. ``taps`` are kept during the run; ``calls`` are those of the notebook's own calls of
    its function, ``ask_calls`` and ``fit_calls`` those by which it asks and fits a model, and
    ``target`` the columns that its models predict. ``tables`` are parts of tables in the text,
    and ``afterwards`` says what the notebook makes of a model's answers.
    """

    names: list[str] = []
    model: str | None = None
    predict: str | None = None
    fit_inputs: dict[str, list[str]] = {}
    asked: list[str] = []
    cells: dict[str, int] = {}
    class_names: dict[str, list[str]] = {}
    allow_pickle: bool = False
    wanted: dict[str, str] = {}
    trained: list[Trained] = []
    made_from: dict[str, list[str]] = {}
    routes: list[Route] = []
    taps: list[Tap] = []
    calls: list[str] = []
    ask_calls: dict[str, list[str]] = {}
    fit_calls: dict[str, list[str]] = {}
    target: list[str] = []
    tables: list[str] = []
    afterwards: dict[str, str] = {}


class CaptureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was captured; ``modules`` are the top-level modules that loading it imports.

    ``notes`` are what a person should know although it stops nothing; ``route`` is the candidate
    that was proven, -1 when the service needs none.
    """

    captures: list[Capture] = []
    signature: Signature | None = None
    golden: Golden | None = None
    predictor: Predictor = Predictor()
    modules: list[str] = []
    problems: list[CaptureProblem] = []
    notes: list[str] = []
    data: list[DataVersion] = []
    route: int = -1
