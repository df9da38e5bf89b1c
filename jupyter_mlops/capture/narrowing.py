"""Which columns of a table a service needs: those without which it answers otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from jupyter_mlops.capture import schema
from jupyter_mlops.capture.equivalence import Differs, told
from jupyter_mlops.capture.models import Column
from jupyter_mlops.capture.rows import outputs

#: Of how many columns each is left out once.
MOST = 120

Function = Callable[[Any], Any]


def columns(function: Function, taken: Any, whole: Any, target: Iterable[str]) -> list[Column]:
    """Return the columns of a service's table, in their order.

    ``taken`` are rows to try it with, ``whole`` the table that they are of. What it does not need
    may be left out; what is predicted (``target``) is no column at all. Raises ``Differs`` where
    it is needed.
    """
    names = [str(name) for name in taken.columns]
    first = _tried(function, taken)
    if isinstance(first, str):
        raise Differs(f"it raises {first}")
    needed = _needed(function, taken, first, target)
    still = [name for name in needed if name in target]
    if still:
        raise Differs(f"it needs the column {still[0]}, which is what the model predicts")
    kept = [name for name in names if name in needed or name not in target]
    if _tried(function, taken[needed].reindex(columns=kept)) != first:
        kept = needed
    described = schema.frame_columns(whole[kept])
    return [
        _with_gaps(function, each, whole[kept])
        if each.name in needed
        else msgspec.structs.replace(each, required=False)
        for each in described
    ]


def _needed(function: Function, taken: Any, first: list[Any], target: Iterable[str]) -> list[str]:
    names = [str(name) for name in taken.columns]
    tried = [name for name in names if name in target]
    if len(names) <= MOST:
        tried += [name for name in names if name not in target]
    for name in tried:
        others = [each for each in names if each != name]
        if others and _tried(function, taken[others]) == first:
            names = others
    return names


def _tried(function: Function, rows: Any) -> list[Any] | str:
    """Return the answers, or the error in one line."""
    try:
        return outputs(function(rows.reset_index(drop=True)))
    except Exception as error:
        return told(error)


def _with_gaps(function: Function, column: Column, whole: Any) -> Column:
    """Let a column with gaps in the notebook's data have some only if that is answered."""
    if column.required:
        return column
    gaps = whole[whole[column.name].isna()].head(1)
    answered = isinstance(_tried(function, gaps), list)
    return column if answered else msgspec.structs.replace(column, required=True)
