"""The gate: a service must answer as the notebook did, each row by itself, and every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jupyter_mlops.capture.comparing import DOUBLE, same, size, told_apart
from jupyter_mlops.capture.models import Golden

Rows = list[list[Any]]
Ask = Callable[[Rows], list[Any]]
ROUNDED = "numbers are summed in another order when another number of rows is asked about at once"


class Differs(Exception):
    """A service that does not answer as the notebook does; one sentence without a full stop."""


def examine(
    ask: Ask,
    rows: Rows,
    expected: list[Any] | None = None,
    *,
    tolerance: float = DOUBLE,
    changed: Callable[[], Sequence[str]] = tuple,
) -> Golden:
    """Ask about rows at once, one by one, in another order, and again; return what holds.

    ``expected`` are the notebook's own answers, by default the first ones. Numbers may differ by
    ``tolerance`` of their size where sums are rounded (see ``comparing.rounding``); ``changed``
    names what asking has changed. Raises ``Differs``.
    """
    first = _answers(ask, rows)
    again = _answers(ask, rows)
    if not all(map(same, again, first)):
        raise Differs(_unsteady(changed(), rows, first, again))
    used = _compare(first, expected if expected is not None else first, tolerance, _other)
    backwards = _answers(ask, rows[::-1])[::-1]
    alone = [_answers(ask, [row])[0] for row in rows]
    last = _answers(ask, rows)
    if not all(map(same, last, first)):
        raise Differs(_unsteady(changed(), rows, first, last))
    rounded = False
    for answers in (backwards, alone):
        try:
            rounded |= _compare(answers, first, tolerance, _neighbours)
        except Differs:
            if names := changed():
                raise Differs(_unsteady(names, rows, first, answers)) from None
            raise
    return Golden(
        inputs=rows,
        outputs=first if expected is None else expected,
        tolerance=tolerance if used else 0.0,
        alone=tolerance if rounded else 0.0,
        reason=ROUNDED if used or rounded else "",
    )


def _answers(ask: Ask, rows: Rows) -> list[Any]:
    try:
        answers = ask(rows)
    except Exception as error:
        # The notebook's code may raise anything.
        raise Differs(f"it raises {told(error)}") from None
    if len(answers) != len(rows):
        raise Differs(uneven(len(rows), len(answers)))
    return answers


def uneven(rows: int, answers: int) -> str:
    """Return the sentence for another number of answers than rows."""
    return f"asked about {_counted(rows, 'row')} it gives {_counted(answers, 'answer')}"


def told(error: BaseException) -> str:
    """Return an error in one line."""
    text = f"{type(error).__name__}: {error}".rstrip(": \n")
    return text.splitlines()[0][:300]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _compare(
    answers: list[Any],
    expected: list[Any],
    tolerance: float,
    sentence: Callable[[int, Any, Any], str],
) -> bool:
    """Tell whether answers are the same only within the tolerance."""
    scale = size(expected)
    used = False
    for number, pair in enumerate(zip(answers, expected, strict=True), 1):
        if same(*pair):
            continue
        if not same(*pair, tolerance, scale):
            raise Differs(sentence(number, *pair))
        used = True
    return used


def _other(number: int, got: Any, expected: Any) -> str:
    ours, theirs = told_apart(got, expected)
    return f"for row {number} it answers {ours}, and the notebook {theirs}"


def _neighbours(number: int, got: Any, among: Any) -> str:
    one, other = told_apart(got, among)
    return (
        f"the answer to a row depends on the other rows of the request: row {number} is answered "
        f"with {one} or with {other}"
    )


def _unsteady(changed: Sequence[str], rows: Rows, first: list[Any], again: list[Any]) -> str:
    number = next(n for n, pair in enumerate(zip(again, first, strict=True)) if not same(*pair))
    before, then = told_apart(first[number], again[number])
    both = f"{before}, then {then} for row {number + 1}"
    if changed:
        names = ", ".join(changed)
        return f"the answer depends on what was asked before: asking changes {names} ({both})"
    return (
        f"asked twice about the same rows it answers differently ({both}): it draws random "
        "numbers without a seed, or looks at the time"
    )
