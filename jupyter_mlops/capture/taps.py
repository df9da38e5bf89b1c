"""Keeps small values at the moments of a run that matter, without changing what it computes.

Works in the kernel, on the syntax tree of each cell right before it is compiled: the notebook's
text stays as it is. Nothing is evaluated twice: an expression is wrapped, not repeated.
"""

from __future__ import annotations

import ast
import builtins
import copy
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.capture.models import CaptureRequest, Tap

NAME = "__mlops_tap__"
#: How many rows, and bytes of them, are kept at a moment, and how many calls of one place.
ROWS, BYTES, CALLS = 20_000, 16 * 1024**2, 8


@dataclass(frozen=True)
class Sample:
    """The first rows of a value as they were; ``labels`` are those of a pandas index."""

    value: Any
    length: int
    labels: list[Any] | None = None


@dataclass(frozen=True)
class Called:
    """A call that the notebook made: its arguments, the first one's rows, and the answer.

    ``applied`` says that it was called for each row of the argument, by pandas.
    """

    argument: Sample | None
    answer: Any
    others: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    applied: bool = False


def sample(value: Any) -> Sample | None:
    """Copy the first rows of a table, an array or a list; None for anything else."""
    labels = None
    if isinstance(value, list | tuple):
        return Sample(copy.deepcopy(value[:ROWS]), len(value))
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not shape:
        return None
    count = _rows(value, int(shape[0]))
    if hasattr(value, "iloc"):
        kept = value.iloc[:count].copy(deep=True)
        labels = list(kept.index)
    elif hasattr(value, "copy"):
        kept = value[:count].copy()
    else:
        kept = copy.deepcopy(value[:count])
    return Sample(kept, int(shape[0]), labels)


def length(value: Any) -> int:
    """Return the number of rows; sparse matrices have no ``len``."""
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape else len(value)


def _rows(value: Any, length: int) -> int:
    size = getattr(value, "nbytes", None)
    if size is None and hasattr(value, "memory_usage"):
        usage = value.memory_usage(index=False)
        size = int(usage.sum() if hasattr(usage, "sum") else usage)
    if not size or not isinstance(size, int) or size <= BYTES:
        return min(length, ROWS)
    return max(1, min(length, ROWS, int(length * BYTES / size)))


class Recorder:
    """Wraps what is tapped in the trees of cells, and keeps what passes."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        self.rows: dict[str, Sample] = {}
        self.calls: dict[str, list[Called]] = {}
        self.learned: dict[str, Any] = {}
        self._taps: dict[str, list[Tap]] = {}
        for tap in taps:
            self._taps.setdefault(tap.statement, []).append(tap)

    def visit(self, tree: ast.Module) -> ast.Module:
        """Return the tree of a cell with the wraps: what IPython asks of a transformer."""
        try:
            body = [each for statement in tree.body for each in self._statement(statement)]
        except Exception:
            return tree
        tree.body = body
        return tree

    def _statement(self, statement: ast.stmt) -> list[ast.stmt]:
        found = hashlib.sha256(ast.unparse(statement).encode()).hexdigest()
        taps = self._taps.get(found, [])
        if not taps:
            return [statement]
        inside: dict[int, list[Tap]] = {}
        for tap in taps:
            if tap.kind != "after":
                inside.setdefault(tap.node, []).append(tap)
        nodes = {
            id(node): inside[number]
            for number, node in enumerate(ast.walk(statement))
            if number in inside
        }
        made = _Wrapper(nodes).visit(statement)
        after = [tap for tap in taps if tap.kind == "after"]
        if not after:
            return [ast.fix_missing_locations(made)]
        if isinstance(made, ast.Expr):  # its value is shown when it is the last one
            for tap in after:
                later = ast.Lambda(_no_arguments(), ast.Name(tap.name, ast.Load()))
                made.value = _wrap("after", tap, made.value, later)
            return [ast.fix_missing_locations(made)]
        looks = [ast.Expr(_wrap("seen", tap, ast.Name(tap.name, ast.Load()))) for tap in after]
        for look in looks:
            ast.copy_location(look, made)
        return [ast.fix_missing_locations(each) for each in (made, *looks)]

    def seen(self, key: str, by: Any, value: Any) -> None:
        """Keep the rows of a name."""
        self._keep(lambda: self._rows(key, value))

    def after(self, key: str, by: Any, value: Any, look: Callable[[], Any]) -> Any:
        """Pass a value on, and keep the rows of what it changed."""
        self._keep(lambda: self._rows(key, look()))
        return value

    def _rows(self, key: str, value: Any) -> None:
        kept = sample(value)
        if kept is not None:
            self.rows[key] = kept

    def value(self, key: str, by: Any, value: Any) -> Any:
        """Pass a value on, and keep a copy of it."""
        self._keep(lambda: self._learn(key, by, plain(copy.deepcopy(value))))
        return value

    def columns(self, key: str, by: Any, value: Any) -> Any:
        """Pass a table on, and keep its columns."""
        self._keep(lambda: self._learn(key, by, list(value.columns)))
        return value

    def fitted(self, key: str, by: Any, function: Any, *values: Any, **named: Any) -> Any:
        """Call a method, and keep a copy of its object as it is then."""
        answer = function(*values, **named)
        self._keep(lambda: self._learn(key, by, copy.deepcopy(function.__self__)))
        return answer

    def call(self, key: str, by: Any, function: Any, *values: Any, **named: Any) -> Any:
        """Call a function, and keep what it was given and what it answered."""
        given: list[Sample | None] = [None]
        plain_values: list[Any] = []

        def before() -> None:
            first = values[0] if values else next(iter(named.values()), None)
            given[0] = sample(first)
            plain_values.extend(copy.deepcopy(each) for each in values if _is_small(each))

        self._keep(before)
        answer = function(*values, **named)

        def behind() -> None:
            known = self.calls.setdefault(key, [])
            kept = sample(answer)
            shown = kept.value if kept is not None else copy.deepcopy(answer)
            all_small = len(plain_values) == len(values)
            known.append(
                Called(
                    given[0],
                    None if answer is getattr(function, "__self__", None) else shown,
                    tuple(plain_values) if all_small else (),
                    {k: v for k, v in named.items() if _is_small(v)},
                )
            )
            del known[:-CALLS]

        self._keep(behind)
        return answer

    def applied(self, key: str, by: Any, function: Any, *values: Any, **named: Any) -> Any:
        """Call ``apply`` of a table, and keep its rows and what they gave."""
        given: list[Sample | None] = [None]

        def before() -> None:
            given[0] = sample(function.__self__)

        self._keep(before)
        answer = function(*values, **named)

        def behind() -> None:
            kept = sample(answer)
            if kept is not None:
                self.calls.setdefault(key, []).append(Called(given[0], kept.value, applied=True))

        self._keep(behind)
        return answer

    def _learn(self, key: str, by: Any, value: Any) -> None:
        if by is None:
            self.learned[key] = value
        else:
            self.learned.setdefault(key, {})[by] = value

    @staticmethod
    def _keep(keep: Callable[[], None]) -> None:
        try:
            keep()
        except Exception:
            # The run comes first: what was not kept is told where it is missed.
            return


def _is_small(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= 1000 and all(map(_is_small, value))
    if isinstance(value, dict):
        return len(value) <= 1000 and all(map(_is_small, value.values()))
    return value is None or isinstance(value, bool | int | float | str)


def plain(value: Any) -> Any:
    """Return an index of pandas as the list that can be saved; anything else as it is."""
    kind = getattr(sys.modules.get("pandas"), "Index", None)
    return list(value) if kind is not None and isinstance(value, kind) else value


class _Wrapper(ast.NodeTransformer):
    def __init__(self, nodes: dict[int, list[Tap]]) -> None:
        self.nodes = nodes

    def visit(self, node: ast.AST) -> Any:
        taps = self.nodes.get(id(node), [])
        made = super().visit(node)
        for tap in taps:
            if tap.kind in ("call", "fitted", "applied") and isinstance(made, ast.Call):
                wrapped = _wrap(tap.kind, tap, made.func, *made.args)
                wrapped.keywords = made.keywords
            else:
                wrapped = _wrap(tap.kind, tap, made)
            made = ast.copy_location(wrapped, node)
        return made


def _wrap(method: str, tap: Tap, *values: ast.expr) -> ast.Call:
    by: ast.expr = ast.Name(tap.by, ast.Load()) if tap.by else ast.Constant(None)
    recorder = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
    return ast.Call(recorder, [ast.Constant(tap.key), by, *values], [])


def _no_arguments() -> ast.arguments:
    return ast.arguments(
        posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[]
    )


def begin(request: str) -> None:
    """Keep what a request asks for from now on: executed in the kernel before the first cell."""
    from IPython.core.getipython import get_ipython

    taps = msgspec.json.decode(Path(request).read_bytes(), type=CaptureRequest).taps
    if not taps:
        return
    recorder = Recorder(taps)
    setattr(builtins, NAME, recorder)
    get_ipython().ast_transformers.append(recorder)


def end() -> Recorder | None:
    """Return what was kept and keep no more; None where nothing was asked for."""
    from IPython.core.getipython import get_ipython

    recorder = getattr(builtins, NAME, None)
    shell = get_ipython()
    if not isinstance(recorder, Recorder) or shell is None:
        return None
    if recorder in shell.ast_transformers:
        shell.ast_transformers.remove(recorder)
    # The name stays: functions of the notebook may hold it.
    return recorder
