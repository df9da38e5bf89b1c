"""What is found of a notebook's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from jupyter_mlops.errors import Problem
from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.parameters.forms import Form
from jupyter_mlops.runtime.parameters import Parameter, Type


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A constant that could be a parameter; ``cell`` counts code cells from 1."""

    name: str
    type: Type
    default: Any
    cell: int
    why: str


@dataclass(frozen=True)
class Found:
    """The parameters, the cell that holds them, and how that cell was found.

    ``notes`` are sentences worth reading that stop nothing. ``candidates`` are constants
    elsewhere that could be parameters where no cell is tagged; no value is given to them.
    ``forms`` says of some parameters how a JSON value becomes what the notebook works with.
    """

    parameters: list[Parameter]
    source: Literal["tagged", "proposed", "none"]
    cell: Cell | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    forms: Mapping[str, Form] = field(default_factory=dict)
