"""The nouns of this room: where a run is recorded, and what it means that it cannot be."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from jupyter_mlops.errors import MlopsError, Problem


class TrackingError(MlopsError):
    """The tracking server or database cannot be used. It never fails the work that it records."""

    exit_code: ClassVar[int] = 12
    status: ClassVar[int] = 502


class RunLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run is recorded: ``uri`` (without credentials), experiment name and MLflow run id.

    ``version`` is the version of the registered model of the same name, where there is one;
    ``problems`` is what could not be recorded beside the run itself.
    """

    uri: str
    experiment: str
    run_id: str
    version: str = ""
    problems: list[Problem] = []
