"""The protocol of a capture format: one small class for each kind of value."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec

from jupyter_mlops.capture.models import Kind, Signature

#: Of the protocol below. What others wrote for another one is not asked.
VERSION = 1


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is told about a value without opening it.

    ``modules`` are needed to load it. ``classes`` are the full names of classes that no list of
    the format holds (``__main__:Net`` is the notebook's own): they stand in the manifest, their
    code comes along, and only they are made when the file is loaded (see ``code``).
    """

    shape: list[int] | None = None
    dtype: str = ""
    modules: list[str] = []
    classes: list[str] = []


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

    Others add formats through the entry-point group ``jupyter_mlops.capture_formats.v1``: each
    entry is an object, or a class without arguments, with these members.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind]
    extension: ClassVar[str]

    def matches(self, value: Any) -> bool:
        """Say whether this format is the one for the value; imports nothing for it."""
        ...

    def save(self, value: Any, path: Path) -> None:
        """Write the value: equal values give equal bytes. Raises ``CannotSave``."""
        ...

    def load(self, path: Path) -> Any:
        """Read the value again. Raises ``CannotLoad``."""
        ...

    def describe(self, value: Any) -> Description:
        """Tell shape, dtype and the modules that loading imports. Raises ``CannotSave``."""
        ...

    def signature(self, value: Any) -> Signature | None:
        """Tell the inputs that the value itself knows it was made for, if it knows any."""
        ...


def check_loads(form: Format, path: Path) -> None:
    """Load what was just saved; raises ``CannotSave`` where that fails."""
    try:
        form.load(path)
    except CannotLoad as error:
        raise CannotSave(f"It does not load again: {error}") from None


def is_exactly(value: Any, library: str, names: Iterable[str]) -> bool:
    """Tell whether a value is of one of a library's classes, not of one derived from them.

    A library that is not imported yet has made no value.
    """
    module = sys.modules.get(library)
    return module is not None and any(type(value) is getattr(module, n, None) for n in names)


class WithoutInputs:
    """The part of a format for values that answer nothing: they know of no inputs."""

    def signature(self, value: Any) -> Signature | None:
        """Tell that there are no inputs."""
        return None
