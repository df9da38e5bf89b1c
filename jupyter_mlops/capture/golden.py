"""Asks the notebook's own predictor about rows of its data, for the service to match."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from jupyter_mlops.capture import calling, candidates, narrowing, schema
from jupyter_mlops.capture.comparing import rounding
from jupyter_mlops.capture.equivalence import Differs, examine, told, uneven
from jupyter_mlops.capture.models import CaptureRequest, Golden, Signature, Takes
from jupyter_mlops.capture.rows import LIMIT, arguments, one_thread, outputs, plain
from jupyter_mlops.capture.taps import Called, length, sample

#: With how many rows it is tried which columns a function needs.
TRIED = 40
NOT_JSON = "The answer does not survive a round trip through JSON."


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A signature, the golden rows if there are any, and the error that the predictor raised.

    ``refused`` says why a predictor that does answer must not be served; it is ``uneven`` when it
    gives another number of answers than it was given rows.
    """

    signature: Signature | None = None
    golden: Golden | None = None
    error: str = ""
    refused: str = ""
    uneven: bool = False
    takes: Takes = "table"

    @property
    def final(self) -> bool:
        """Tell whether no other rows need to be tried."""
        return not self.error or bool(self.refused)


def of_estimator(
    estimator: Any,
    data: Any,
    changed: Callable[[], Sequence[str]],
    calls: Sequence[Called] = (),
) -> Candidate:
    """Learn the signature of an estimator and what it answers to its training rows.

    Where the notebook asked it itself (``calls``), that is what it must answer again.
    """
    signature, rows = schema.learn(estimator, data)
    if signature is None:
        return Candidate()
    if rows is None:
        return Candidate(signature=signature)
    known = signature
    asking = _Asked(lambda given: estimator.predict(arguments(given, known)), [estimator], changed)
    for call in calls:
        found = _asked_before(estimator, known, call)
        if found is not None:
            return asking.about(known, *found)
    return asking.about(known, rows)


def _asked_before(
    estimator: Any, signature: Signature, call: Called
) -> tuple[list[list[Any]], list[Any]] | None:
    """Return rows that the notebook asked an estimator about, with its answers."""
    given = call.argument.value if call.argument is not None else None
    if given is None or not candidates.fits(estimator, given):
        return None
    found, rows = schema.learn(estimator, given)
    if found is None or rows is None or found.rows != signature.rows:
        return None
    if [(c.name, c.dtype) for c in found.inputs] != [(c.name, c.dtype) for c in signature.inputs]:
        return None
    answers = outputs(call.answer)
    if len(rows) < LIMIT or len(answers) != length(given):
        return None
    return rows, answers[: len(rows)]


def of_function(
    predict: Callable[..., Any],
    models: dict[str, Any],
    namespace: dict[str, Any],
    request: CaptureRequest,
    calls: Sequence[Called],
    changed: Callable[[], Sequence[str]],
    trained: Sequence[Any] = (),
) -> Candidate:
    """Learn the signature of the notebook's function.

    Its rows are those that the notebook itself asks it about, else those that its model was fitted
    on (``trained``), when the columns have names, else those of the first frame that it takes: a
    part of one that the text mentions, or one of the namespace.
    """
    asking = _Function(predict, list(models.values()), changed, frozenset(request.target))
    attempt = asking.shown(calls)
    if attempt is not None and attempt.final:
        return attempt
    for text in request.asked:
        attempt = asking.about_frame(_looked_at(text, namespace))
        if attempt is not None and attempt.final:
            return attempt
    error = ""
    for name, model in models.items():
        data = candidates.training_data(name, model, namespace, request)
        signature, rows = schema.learn(model, data)
        if signature is None or rows is None:
            continue
        found = asking.about(signature, rows)
        if found.final:
            return found
        if signature.rows == "frame":
            error = error or found.error
    for value in [*trained, *(_looked_at(text, namespace) for text in request.tables)]:
        attempt = asking.about_frame(value)
        if attempt is not None and attempt.final:
            return attempt
    for name, value in list(namespace.items()):
        attempt = None if name.startswith("_") else asking.about_frame(value)
        if attempt is not None and attempt.final:
            return attempt
    refused = asking.uneven if not error else ""
    return Candidate(signature=Signature(rows="any"), error=error or refused, refused=refused)


def _looked_at(text: str, namespace: dict[str, Any]) -> Any:
    """Return a part of what the notebook has, or None where it has gone by now."""
    try:
        return eval(text, dict(namespace))
    except Exception:
        return None


class _Asked:
    """Something that predicts, with the models in it and what tells what asking changes."""

    def __init__(
        self,
        call: Callable[[list[list[Any]]], Any],
        models: list[Any],
        changed: Callable[[], Sequence[str]],
    ) -> None:
        self.call = call
        self.models = models
        self.changed = changed
        self.last: Any = None

    def about(
        self,
        signature: Signature,
        rows: list[list[Any]],
        expected: list[Any] | None = None,
        takes: Takes = "table",
    ) -> Candidate:
        """Ask about rows in every way; the answers must be ``expected`` where they are known."""

        def ask(given: list[list[Any]]) -> list[Any]:
            answer = self.call(given)
            if len(given) == len(rows):
                self.last = answer
            return outputs(answer)

        try:
            with warnings.catch_warnings(), one_thread(*self.models):
                warnings.simplefilter("ignore")
                first = ask(rows)
                described = schema.output_columns(self.last)
        except Exception as error:
            # The notebook's function may raise anything; it is told to the user in one line.
            return Candidate(error=told(error))
        if len(first) != len(rows):
            # Perhaps these are not the rows that it is for.
            return Candidate(error=uneven(len(rows), len(first)), uneven=True)
        kept = Golden(inputs=rows, outputs=first)
        if json.loads(json.dumps(msgspec.to_builtins(kept))) != msgspec.to_builtins(kept):
            return Candidate(error=NOT_JSON)
        try:
            with warnings.catch_warnings(), one_thread(*self.models):
                warnings.simplefilter("ignore")
                golden = examine(
                    ask, rows, expected, tolerance=rounding(described), changed=self.changed
                )
        except Differs as error:
            return Candidate(error=str(error), refused=str(error))
        complete = Signature(inputs=signature.inputs, outputs=described, rows=signature.rows)
        return Candidate(signature=complete, golden=golden, takes=takes)


class _Function:
    def __init__(
        self,
        predict: Callable[..., Any],
        models: list[Any],
        changed: Callable[[], Sequence[str]],
        target: frozenset[str],
    ) -> None:
        self.target = target
        self.uneven = ""
        self.predict = predict
        self.models = models
        self.changed = changed

    def shown(self, calls: Sequence[Called]) -> Candidate | None:
        """Ask as the notebook's calls do; what they were given or gave may have no form in JSON."""
        try:
            return self.as_called(calls)
        except TypeError as error:
            return Candidate(error=told(error))

    def as_called(self, calls: Sequence[Called]) -> Candidate | None:
        """Ask what the notebook asks, in its form; None where its calls show none."""
        for call in calls:
            if call.applied:
                attempt = self._applied(call)
                if attempt is not None:
                    return attempt
                continue
            given = call.argument.value if call.argument is not None else None
            known = candidates.is_frame(given) or len(getattr(given, "shape", ())) == 2
            if given is not None and known and length(given) and not call.named:
                attempt = self._about_data(given, outputs(call.answer))
                if attempt is not None and attempt.final:
                    return attempt
        form = calling.shown(self.predict, [call for call in calls if not call.applied])
        if form is None:
            return None
        takes, signature, found = form
        rows: list[list[Any]] = []
        expected: list[Any] = []
        for each, listed in found:
            rows += listed
            several = takes in ("records", "lists", "values")
            expected += outputs(each.answer) if several else [plain(each.answer)]
        if len(expected) != len(rows):
            return None
        return self.about(signature, rows[:LIMIT], expected[:LIMIT], takes)

    def _applied(self, call: Called) -> Candidate | None:
        """Ask about single rows, or values, as ``apply`` did."""
        given = call.argument.value if call.argument is not None else None
        expected = outputs(call.answer)
        if candidates.is_frame(given):
            return self.about_frame(given, expected, "series")
        if given is None or len(given) != len(expected) or len(getattr(given, "shape", ())) != 1:
            return None
        column = schema.frame_columns(given.to_frame(str(given.name or "value")))
        rows = [[value] for value in plain(list(given[:LIMIT]))]
        return self.about(Signature(inputs=column), rows, expected[:LIMIT], "value")

    def _about_data(self, given: Any, expected: list[Any]) -> Candidate | None:
        if len(expected) != length(given) and length(given) > 1:
            text = uneven(length(given), len(expected))
            return Candidate(error=text, refused=text)
        if not candidates.is_frame(given):
            kept = sample(given)
            assert kept is not None
            signature = Signature(inputs=schema.array_columns(given), rows="array")
            rows = [list(row) for row in plain(given[:LIMIT])]
            return self.about(signature, rows, self._of_rows(expected, len(given)))
        return self.about_frame(given, expected)

    def _of_rows(self, expected: list[Any], count: int) -> list[Any] | None:
        return expected[:LIMIT] if len(expected) == count else None

    def about_frame(
        self, value: Any, expected: list[Any] | None = None, takes: Takes = "table"
    ) -> Candidate | None:
        """Ask about the first rows of a frame whose columns have names; None for anything else."""
        if not candidates.is_frame(value) or len(value) == 0:
            return None
        if not all(isinstance(column, str) for column in value.columns):
            return None
        try:
            with warnings.catch_warnings(), one_thread(*self.models):
                warnings.simplefilter("ignore")
                taken = value.head(TRIED)
                inputs = narrowing.columns(self._whole(takes), taken, value, self.target)
        except Differs:
            inputs = schema.frame_columns(value)  # the gate says what is wrong
        head = value[[column.name for column in inputs]].head(LIMIT)
        columns = [plain(head.iloc[:, i]) for i in range(head.shape[1])]
        rows = [list(row) for row in zip(*columns, strict=True)]
        signature = Signature(inputs=inputs, rows="frame")
        known = None if expected is None else self._of_rows(expected, len(value))
        if takes == "table" and len(value) == 1:
            # Whether it answers for several rows is shown by several.
            several = self.about(signature, rows * 2, known * 2 if known else None)
            if several.final and not several.refused:
                return several
            takes = "row"
        return self.about(signature, rows, known, takes)

    def _whole(self, takes: Takes) -> Callable[[Any], Any]:
        if takes == "table":
            return self.predict
        return lambda rows: [self.predict(rows.iloc[number]) for number in range(len(rows))]

    def about(
        self,
        signature: Signature,
        rows: list[list[Any]],
        expected: list[Any] | None = None,
        takes: Takes = "table",
    ) -> Candidate:
        """Ask about rows in a form."""
        asking = _Asked(self._form(takes, signature), self.models, self.changed)
        found = asking.about(signature, rows, expected, takes)
        if found.uneven:
            self.uneven = self.uneven or found.error
        return found

    def _form(self, takes: Takes, signature: Signature) -> Callable[[list[list[Any]]], Any]:
        if takes == "table":
            # The answer as it is: its own columns say what there is.
            return lambda given: self.predict(calling.table_of(given, signature))
        return lambda given: calling.answers(self.predict, takes, given, signature)
