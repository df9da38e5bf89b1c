"""Proves a candidate service in the kernel: raw rows in, the notebook's own predictions out."""

from __future__ import annotations

import linecache
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.capture import narrowing, schema
from jupyter_mlops.capture.candidates import is_frame
from jupyter_mlops.capture.comparing import rounding
from jupyter_mlops.capture.equivalence import Differs, examine, told
from jupyter_mlops.capture.indexes import Matched, matches
from jupyter_mlops.capture.models import Column, Golden, Route, Signature
from jupyter_mlops.capture.rows import LIMIT, arguments, one_thread, outputs, plain
from jupyter_mlops.capture.taps import Called, Recorder, Sample, length, sample
from jupyter_mlops.capture.taps import plain as without_index
from jupyter_mlops.capture.watching import watch

#: How many rows are asked about.
CHECKED = 40


@dataclass(frozen=True)
class Proven:
    """A candidate that answers as the notebook did: what it needs, and its golden rows."""

    route: Route
    values: dict[str, Any]
    signature: Signature
    golden: Golden


def is_example(route: Route, recorder: Recorder | None) -> bool:
    """Tell whether a candidate begins with a few rows written by hand."""
    found = recorder.rows.get(route.rooted) if recorder else None
    return found is not None and found.length < LIMIT


def prove(route: Route, namespace: dict[str, Any], recorder: Recorder | None) -> Proven:
    """Hold a candidate against the notebook's own predictions; raises ``Differs``."""
    root = _root(route, namespace, recorder)
    called = _called(route, namespace, recorder)
    values = _values(route, namespace, recorder)
    form = _form(root.value)
    with warnings.catch_warnings(), one_thread(*values.values()):
        warnings.simplefilter("ignore")
        function = _function(route, values)
        problem: Differs | None = None
        for found in _matched(route, values, root, called, form):
            try:
                return _proven(route, values, function, root, called, found, form)
            except Differs as error:
                problem = problem or error
    raise problem or Differs("none of its rows is among those that the notebook predicts")


def _root(route: Route, namespace: dict[str, Any], recorder: Recorder | None) -> Sample:
    found = recorder.rows.get(route.rooted) if recorder else None
    if found is None and route.final:
        found = sample(namespace.get(route.root))
    if found is None or not length(found.value):
        raise Differs(f"the rows of {route.root} as they were there are not known")
    return found


def _values(route: Route, namespace: dict[str, Any], recorder: Recorder | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in route.captured:
        key = route.learned.get(name)
        if key is None and name in namespace:
            values[name] = without_index(namespace[name])
        elif key is not None and recorder is not None and key in recorder.learned:
            values[name] = recorder.learned[key]
        else:
            raise Differs(f"{name}, which it needs, is not there at the end of the run")
    return values


def _called(route: Route, namespace: dict[str, Any], recorder: Recorder | None) -> Called:
    """Return what the notebook predicted; where it did not, what its model says of its data."""
    calls = recorder.calls.get(route.asked, []) if recorder else []
    model = namespace.get(route.model)
    given = calls[-1].argument if calls else None
    if given is None and route.argument:
        given = sample(namespace.get(route.argument))
    if given is None:
        raise Differs("what the notebook gives to its model there is not known")
    answer = calls[-1].answer if calls else None
    if answer is None or not hasattr(answer, "__len__") or len(answer) != length(given.value):
        with warnings.catch_warnings(), one_thread(model):
            warnings.simplefilter("ignore")
            answer = getattr(model, route.method)(given.value)
    return Called(given, answer)


def _form(value: Any) -> str:
    """Say how rows are given: as a frame, an array, or a list of one value each."""
    if is_frame(value):
        if not all(isinstance(column, str) for column in value.columns):
            raise Differs("its columns have no names")
        return "frame"
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) == 2 and not hasattr(value, "toarray"):
        return "array"
    if (shape is None or len(shape) == 1) and isinstance(plain(list(value[:1]))[0], str):
        return "any"
    raise Differs("its rows are neither a table nor texts")


def _function(route: Route, values: dict[str, Any]) -> Callable[[Any], Any]:
    module = types.ModuleType("mlops_service")
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    module.__dict__.update(values)
    try:
        exec(compile(route.source, "service.py", "exec"), module.__dict__)
    except Exception as error:
        raise Differs(f"its code raises {told(error)}") from None
    finally:
        if before is not None:
            sys.modules[module.__name__] = before
    linecache.checkcache("service.py")
    function: Callable[[Any], Any] = module.__dict__[route.function]
    return function


class _Spy:
    """Stands for the model, to see what it is given."""

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        return lambda rows: rows


def _matched(
    route: Route, values: dict[str, Any], root: Sample, called: Called, form: str
) -> Sequence[Matched]:
    def features() -> Any:
        given = root.value.copy() if form != "any" else list(root.value)
        return _function(route, {**values, route.model: _Spy()})(given)

    assert called.argument is not None
    return matches(
        root, called.argument, features, same_rows=route.same_rows, relabeled=route.relabeled
    )


def _proven(
    route: Route,
    values: dict[str, Any],
    function: Callable[[Any], Any],
    root: Sample,
    called: Called,
    found: Matched,
    form: str,
) -> Proven:
    pairs = _various(found.pairs(), called.answer)
    places, answers = [place for place, _ in pairs], [answer for _, answer in pairs]
    taken = _taken(root.value, places)
    known = outputs(called.answer)
    expected = [known[answer] for answer in answers]
    signature = _signature(route, function, root.value, taken, form)
    names = [column.name for column in signature.inputs]
    rows = _rows(taken[names] if form == "frame" else taken)

    def ask(given: list[list[Any]]) -> list[Any]:
        return outputs(function(arguments(given, signature)))

    changed = watch(values, values)
    described = schema.output_columns(called.answer)
    tolerance = rounding(described)
    golden = examine(ask, rows, expected, tolerance=tolerance, changed=changed)
    if len(rows) > LIMIT:
        # Few rows at once may be rounded otherwise than many.
        rows, expected = rows[:LIMIT], expected[:LIMIT]
        golden = examine(ask, rows, expected, tolerance=tolerance, changed=changed)
    complete = Signature(inputs=signature.inputs, outputs=described, rows=signature.rows)
    return Proven(route, values, complete, golden)


def _various(pairs: list[tuple[int, int]], answer: Any) -> list[tuple[int, int]]:
    """Return pairs to check: first one of each of a few different answers, then the others."""
    known = outputs(answer)
    first: dict[str, tuple[int, int]] = {}
    for place, number in pairs:
        text = str(known[number])
        if text not in first and len(first) < LIMIT:
            first[text] = (place, number)
    chosen = list(first.values())
    return [*chosen, *(pair for pair in pairs if pair not in chosen)][:CHECKED]


def _taken(value: Any, places: list[int]) -> Any:
    if is_frame(value) or hasattr(value, "iloc"):
        return value.iloc[places]
    return value[places] if hasattr(value, "shape") else [value[place] for place in places]


def _rows(taken: Any) -> list[list[Any]]:
    if is_frame(taken):
        columns = [plain(taken.iloc[:, i]) for i in range(taken.shape[1])]
        return [list(row) for row in zip(*columns, strict=True)]
    if len(getattr(taken, "shape", ())) == 2:
        return [list(row) for row in plain(taken)]
    return [[value] for value in plain(list(taken))]


def _signature(
    route: Route, function: Callable[[Any], Any], value: Any, taken: Any, form: str
) -> Signature:
    if form == "array":
        return Signature(inputs=schema.array_columns(value), rows="array")
    if form == "any":
        return Signature(inputs=[Column(name="text", dtype="str")], rows="any")
    columns = narrowing.columns(function, taken, value, route.target)
    return Signature(inputs=columns, rows="frame")
