"""A notebook of one shape, with what it must answer as a service, or why it must be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.notebooks import Cell

#: Stands in cells for a folder that exists while the test runs, outside of the notebook's.
ELSEWHERE = "@ELSEWHERE@"


@dataclass(frozen=True)
class Shape:
    """A notebook and what is known of it without any code of ours.

    ``rows`` is an expression that, after the last cell, gives the raw rows that a colleague would
    send; ``truth`` one that gives what the notebook itself says of them. ``beside`` are the files
    in the notebook's folder, ``elsewhere`` those of a folder that only its author has, ``session``
    the variables of the author's session. ``model`` and ``ship`` are what the author asks for.
    ``refused`` is a pattern of the reason, for a notebook that must not become a service. Of one
    that ``may_refuse`` a refusal is accepted, too; an answer other than the truth never is. Where
    the preparation cannot be carried along, because a row's values depend on the other rows, the
    service takes the model's own columns, and ``falls_back`` is a pattern of the reason told.
    """

    name: str
    cells: tuple[Cell, ...]
    rows: str = ""
    truth: str = ""
    model: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    session: Mapping[str, str] = field(default_factory=dict)
    ship: tuple[str, ...] = ()
    refused: str = ""
    may_refuse: bool = False
    falls_back: str = ""
