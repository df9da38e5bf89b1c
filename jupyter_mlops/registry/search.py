"""Which publications somebody looks for: by text, parameter, metric or owner."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable

import msgspec

from jupyter_mlops.errors import Problem, UsageError, shown
from jupyter_mlops.runtime.parameters import Parameter, ParameterProblems, parse
from jupyter_mlops.runtime.publication import Publication

#: Says of a publication, and of the repository that it is in, whether it is looked for.
Fits = Callable[[Publication, str], bool]
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_METRIC = re.compile(r"\s*([^<>=!\s]+)\s*(?:(>=|<=|==|!=|=|>|<)\s*(\S+)\s*)?")
_PARAMETER = re.compile(r"\s*([^\W\d]\w*)\s*(?:=(.*))?", re.DOTALL)


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for: all of it must be so, and an empty one takes everything.

    Each word of ``search`` stands somewhere in the name, repository, title or description, in
    capitals or not. ``parameters`` are names, or ``NAME=VALUE`` where that must be the default.
    ``metrics`` are names, or comparisons such as ``accuracy>=0.9``. ``owner`` is a part of the
    name of one of the authors in the notebook's metadata.
    """

    search: str = ""
    parameters: list[str] = []
    metrics: list[str] = []
    owner: str = ""

    def __bool__(self) -> bool:
        """Tell whether anything is asked for."""
        return bool(self.search or self.parameters or self.metrics or self.owner)


def read(query: Query) -> Fits:
    """Return the test that a query stands for; raises UsageError with all that is wrong in it."""
    tests: list[Fits] = []
    problems: list[Problem] = []
    for texts, reader in ((query.parameters, _parameter), (query.metrics, _metric)):
        for text in texts:
            try:
                tests.append(reader(text))
            except UsageError as error:
                problems += error.problems
    if problems:
        raise UsageError.collect(problems)
    tests += [_word(word) for word in _plain(query.search).split()]
    if owner := _plain(query.owner):
        tests.append(lambda found, _: any(owner in _plain(name) for name in found.authors))
    return lambda found, repository: all(test(found, repository) for test in tests)


def _word(word: str) -> Fits:
    def fits(found: Publication, repository: str) -> bool:
        texts = (found.name, repository, found.title, found.description)
        return any(word in _plain(text) for text in texts)

    return fits


def _metric(text: str) -> Fits:
    match = _METRIC.fullmatch(text)
    if not match:
        raise _wrong(text, "metric", "Write NAME, or NAME>=NUMBER with one of >= <= > < = !=")
    name, sign, value = match.groups()
    if sign is None:
        return lambda found, _: name in found.metrics
    compare, bound = _COMPARED[sign], _number(value)
    if bound is None:
        why = f"{shown(value)!r} is not a number"
        raise _wrong(text, "metric", f"Write {name}{sign}0.9, for example", why)
    return lambda found, _: name in found.metrics and compare(found.metrics[name], bound)


def _parameter(text: str) -> Fits:
    match = _PARAMETER.fullmatch(text)
    if not match:
        raise _wrong(text, "parameter", "Write NAME, or NAME=VALUE for one with that default")
    name, value = match.groups()
    return lambda found, _: any(
        item.name == name and (value is None or _is_default(item, value))
        for item in found.parameters
    )


def _is_default(parameter: Parameter, text: str) -> bool:
    """Tell whether a text is the default of a parameter, read as ``-p NAME=VALUE`` reads it."""
    if parameter.required:
        return False
    try:
        value = parse([parameter], {parameter.name: text})[parameter.name]
    except ParameterProblems:
        return False
    # True == 1 in Python, but a flag is no number.
    return bool(value == parameter.default) and (
        isinstance(value, bool) == isinstance(parameter.default, bool)
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _wrong(text: str, kind: str, remedy: str, why: str = "") -> UsageError:
    return UsageError(f"{shown(text)!r} is not a {kind} to look for", why=why, remedy=remedy)
