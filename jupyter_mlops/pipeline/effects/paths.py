"""Paths as values: what is known of them without a file system."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Any

from jupyter_mlops.pipeline.effects.heap import Value


class PathText:
    """A ``pathlib.Path``: its text, or ``None`` when that is not known."""

    __slots__ = ("text",)

    def __init__(self, text: str | None) -> None:
        self.text = text

    @classmethod
    def joined(cls, parts: Iterable[Any]) -> PathText:
        """Join constants to a path; one that is not known makes the whole unknown."""
        texts = [part.text if isinstance(part, PathText) else part for part in parts]
        if all(isinstance(text, str) for text in texts):
            return cls(posixpath.join(*[str(text) for text in texts]) if texts else ".")
        return cls(None)

    def parent(self) -> PathText:
        """Return the folder that the path is in."""
        return PathText(None if self.text is None else posixpath.dirname(self.text) or ".")

    def __str__(self) -> str:
        return self.text or ""


def path_text(value: Value) -> str | None:
    """Return the path that a value is, when it is known and the same for all parameters."""
    const = value.const
    if isinstance(const, PathText):
        const = const.text
    if isinstance(const, str) and value.fixed:
        if "://" in const:
            return const
        return posixpath.normpath(const)
    return None
