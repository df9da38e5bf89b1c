"""What a parameter is: its name, its type, and what its values must keep to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Type = Literal["bool", "int", "float", "str", "date", "datetime", "path", "list", "dict", "any"]
# The tag of the cell behind the parameters: what is computed from them.
DERIVED = "derived"
NOUNS: dict[Type, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "date": "a date such as 2024-01-31",
    "datetime": "a date and time such as 2024-01-31T08:30",
    "path": "a path",
    "list": "a list",
    "dict": "a mapping",
    "any": "a JSON value",
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A typed input of the notebook, declared in its cell tagged ``parameters``.

    Values travel as JSON: dates and times as ISO 8601 text, paths as text, tuples and sets as
    lists. ``minimum`` and ``maximum`` are inclusive; ``choices`` empty means any value of the
    type. ``min_length`` and ``max_length`` count characters, items or entries. ``items`` is the
    type of a list's items or of a mapping's values; ``keys`` says that a mapping's keys, which
    are texts in JSON, are read as whole numbers.
    """

    name: str
    type: Type = "any"
    default: Any = None
    nullable: bool = False
    required: bool = False
    description: str = ""
    choices: list[Any] = []
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    items: Type | None = None
    keys: Literal["str", "int"] = "str"


class ParameterProblems(ValueError):
    """Parameters that cannot be used; ``problems`` holds one sentence for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))
