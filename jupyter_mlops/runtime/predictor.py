"""Loads what a publication predicts with, and predicts."""

from __future__ import annotations

import inspect
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.capture import calling, code, store
from jupyter_mlops.capture import rows as conversion
from jupyter_mlops.capture.models import Capture, Signature, Takes
from jupyter_mlops.capture.protocol import CannotLoad
from jupyter_mlops.runtime.publication import Publication

MODULE = "mlops_service"


class LoadProblem(RuntimeError):
    """A publication that cannot serve here, in one sentence."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to predict; ``columns`` is None when the caller named none.

    ``params`` are further arguments by name, for a function that takes them.
    """

    rows: list[Any]
    columns: list[str] | None = None
    params: dict[str, Any] = {}


class Predictor:
    """Answers rows with the notebook's function or with its estimator.

    ``exactly`` says whether the verified run was made on this platform. ``estimator`` is None for
    a function, ``params`` are the function's further arguments with their defaults.
    """

    def __init__(
        self,
        signature: Signature | None,
        call: Callable[[Table], Any],
        exactly: bool = True,
        estimator: Any = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        self.signature = signature
        self.exactly = exactly
        self.estimator = estimator
        self.params = params or {}
        self._call = call

    def predict(self, table: Table) -> list[Any]:
        """Return one JSON value for each row; raises whatever the predictor raises."""
        if not table.rows:
            return []
        return conversion.outputs(self._call(table))


def load(root: Path, publication: Publication) -> Predictor | None:
    """Load captures, each verified against its SHA-256, and the predictor over them.

    Returns None when the publication has nothing to predict with; raises ``LoadProblem``.
    """
    kind = publication.predictor.kind
    name = publication.predictor.name or "predict"
    exactly = publication.verified != "elsewhere"
    if kind == "none":
        return None
    later = [each for each in publication.captures if code.of_notebook(each.classes)]
    values = _loaded([each for each in publication.captures if each not in later], root)
    if kind == "function":
        module = _module(root / "service.py", values)
        # Their classes are in that code.
        module.__dict__.update(_loaded(later, root, module.__dict__))
        function = module.__dict__.get(name)
        if not callable(function):
            raise LoadProblem(f"service.py does not define {name}().")
        takes = publication.predictor.takes
        call = _of_function(function, publication.signature, takes)
        params = _params(function, publication.signature if takes == "arguments" else None)
        return Predictor(publication.signature, call, exactly, params=params)
    if name not in values:
        raise LoadProblem(f"The estimator {name} is not among the captures.")
    call = _of_estimator(values[name], publication.signature)
    return Predictor(publication.signature, call, exactly, estimator=values[name])


def _loaded(
    captures: Iterable[Capture], root: Path, namespace: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    try:
        values = {each.name: store.load(each, root, namespace) for each in captures}
    except CannotLoad as error:
        raise LoadProblem(str(error)) from None
    for value in values.values():
        _use_one_thread(value)
    return values


def _use_one_thread(value: Any) -> None:
    """Let estimators work in one thread: the order of their sums is then always the same."""
    if not hasattr(value, "get_params"):
        return
    from jupyter_mlops.capture.trees import reachable

    for each in reachable(value):
        attributes = getattr(each, "__dict__", None)
        if isinstance(attributes, dict) and attributes.get("n_jobs") not in (None, 1):
            each.n_jobs = 1


def _module(path: Path, values: dict[str, Any]) -> types.ModuleType:
    try:
        compiled = compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        raise LoadProblem(f"service.py cannot be read: {error.strerror}.") from None
    except SyntaxError as error:
        raise LoadProblem(f"service.py is not Python: {error}.") from None
    module = types.ModuleType(MODULE)
    module.__file__ = str(path)
    # Classes that the code defines look their module up by name.
    sys.modules[MODULE] = module
    module.__dict__.update(values)
    try:
        exec(compiled, module.__dict__)
    except Exception as error:
        traceback.print_exc()
        raise LoadProblem(f"service.py raised {type(error).__name__}: {error}.") from None
    return module


def _params(function: Callable[..., Any], known: Signature | None = None) -> dict[str, Any]:
    """Return the function's arguments after the rows that have a plain default value."""
    try:
        _, *others = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    columns = {column.name for column in known.inputs} if known is not None else set()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        each.name: each.default
        for each in others
        if each.kind in kinds
        and each.name not in columns
        and isinstance(each.default, bool | int | float | str)
    }


def _of_function(
    function: Callable[[Any], Any], signature: Signature | None, takes: Takes
) -> Callable[[Table], Any]:
    if signature is not None and signature.inputs:
        known = signature
        return lambda table: calling.answers(function, takes, table.rows, known, table.params)
    try:
        import pandas as pd
    except ImportError:
        return lambda table: function(_records(table), **table.params)

    def call(table: Table) -> Any:
        rows = pd.DataFrame(_sequences(table), columns=table.columns)
        return function(rows, **table.params)

    return call


def _of_estimator(estimator: Any, signature: Signature | None) -> Callable[[Table], Any]:
    if signature is not None and signature.inputs:
        return lambda table: estimator.predict(conversion.arguments(table.rows, signature))
    return lambda table: estimator.predict(table.rows)


def _sequences(table: Table) -> Sequence[Any]:
    if table.columns is None or all(isinstance(row, list) for row in table.rows):
        return table.rows
    return [[row] for row in table.rows]


def _records(table: Table) -> list[Any]:
    if table.columns is None:
        return table.rows
    columns = table.columns
    return [dict(zip(columns, row, strict=True)) for row in table.rows]
