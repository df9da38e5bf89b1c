"""The protocol of a capture format: one small class for each kind of value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from jupyter_mlops.capture.models import Kind


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is told about a value without opening it; ``modules`` are needed to load it."""

    shape: list[int] | None = None
    dtype: str = ""
    modules: list[str] = []


class CannotSave(ValueError):
    """A value that no safe format keeps; says why, and what to do."""

    def __init__(self, problem: str, *, why: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.why = why
        self.remedy = remedy
        super().__init__(" ".join(part for part in (problem, why, remedy) if part))


class CannotLoad(ValueError):
    """A file that is not what it says it is, or that is not safe to open."""


class Format(Protocol):
    """Saves values of one kind and loads them again without running code from the file.

    Others add formats through the entry-point group ``jupyter_mlops.capture_formats_v1``: each
    entry is an object, or a class without arguments, with these members.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind]
    extension: ClassVar[str]

    def matches(self, value: Any) -> bool:
        """Say whether this format is the one for the value."""
        ...

    def save(self, value: Any, path: Path) -> None:
        """Write the value: equal values give equal bytes. Raises ``CannotSave``."""
        ...

    def load(self, path: Path) -> Any:
        """Read the value again. Raises ``CannotLoad``."""
        ...

    def describe(self, value: Any) -> Description:
        """Tell shape, dtype and the modules that loading imports."""
        ...
