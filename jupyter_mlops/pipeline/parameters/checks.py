"""Checks of values before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_mlops.errors import ParameterError, Problem
from jupyter_mlops.runtime import parameters as rules
from jupyter_mlops.runtime.parameters import Parameter, ParameterProblems


def check(
    known: list[Parameter], values: Mapping[str, Any], texts: Mapping[str, str], where: str
) -> dict[str, Any]:
    """Return typed ``values`` and command-line ``texts`` as one mapping of checked values.

    A text wins over a value of the same name. Raises ``ParameterError`` with every mistake in
    both.
    """
    try:
        return rules.check(known, values, texts)
    except ParameterProblems as error:
        raise ParameterError.collect(
            Problem(problem=text, where=where) for text in error.problems
        ) from None
