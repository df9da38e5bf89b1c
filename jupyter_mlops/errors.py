"""One family of errors: every mistake a user can make gets a sentence that says what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: what, why, what to do next, and where (a cell, a file, a URL).

    ``fingerprint`` is that of what looks like a secret: who knows that it is none allows it.
    """

    problem: str
    why: str = ""
    remedy: str = ""
    where: str = ""
    fingerprint: str = ""

    def sentence(self) -> str:
        """Return the problem as text that a person reads from left to right."""
        where = self.where.replace("\n", "\ufffd")  # a file's name may hold anything
        head = f"{where}: {self.problem}" if where else self.problem
        allowed = (
            f"If it is no secret: --allow-secret {self.fingerprint}" if self.fingerprint else ""
        )
        parts = [_ended(part) for part in (head, self.why, self.remedy, allowed) if part]
        text = ("\n" if any("\n" in part for part in parts) else " ").join(parts)
        return printable(text)


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) or "\n" in text else f"{text}."


def printable(text: str) -> str:
    """Return a text without characters that a terminal obeys, or that are no text."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def shown(value: object, most: int = 80) -> str:
    """Return somebody's text as it may stand in a sentence: on one line, bounded, printable."""
    text = "".join(c if c.isprintable() else " " for c in str(value)[: 4 * most])
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


class MlopsError(Exception):
    """Base of all errors meant for the user; carries every problem found, not only the first.

    ``exit_code`` is what the command line ends with, ``status`` what the HTTP API answers.
    """

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 400

    def __init__(self, problem: str, *, why: str = "", remedy: str = "", where: str = "") -> None:
        self.problems = [Problem(problem=problem, why=why, remedy=remedy, where=where)]
        super().__init__(problem)

    @classmethod
    def collect(cls, problems: Iterable[Problem]) -> Self:
        """Make one error of several problems (at least one)."""
        every = list(problems)
        error = cls(every[0].problem)
        error.problems = every
        return error

    def __str__(self) -> str:
        return "\n".join(problem.sentence() for problem in self.problems)


class UsageError(MlopsError):
    """A command, request or reference that cannot be understood."""

    exit_code = 2


class TooLargeError(UsageError):
    """More was sent than is looked at."""

    status = 413


class NotebookError(MlopsError):
    """The notebook cannot be read, or cannot become a pipeline."""

    exit_code = 3


class ParameterError(MlopsError):
    """A parameter that is unknown, of the wrong type or out of range."""

    exit_code = 4
    status = 422


class LockError(MlopsError):
    """The kernel, an import or a pin cannot be resolved."""

    exit_code = 5


class RunError(MlopsError):
    """The notebook ran and failed."""

    exit_code = 6


class CaptureError(MlopsError):
    """What the notebook made cannot be captured or does not predict the same again."""

    exit_code = 7


class ImageError(MlopsError):
    """The image cannot be built: no base, a bad layer, no space."""

    exit_code = 8


class RowsError(MlopsError):
    """Rows that are not of the signature, or that the predictor does not take."""

    exit_code = 16
    status = 422


class RegistryError(MlopsError):
    """The registry cannot be reached, refuses, or does not keep what it was given."""

    exit_code = 9
    status = 502


class NotFoundError(RegistryError):
    """Nothing is there under this reference, job or service."""

    status = 404


class SecretError(MlopsError):
    """What is about to leave holds what looks like a secret."""

    exit_code = 13
    status = 422


class AttestationError(MlopsError):
    """What vouches for an image is not there, or is not right."""

    exit_code = 14
    status = 422


class AuditError(MlopsError):
    """Packages are known to be vulnerable, or could not be checked, and that was to be refused."""

    exit_code = 15
    status = 422


class ServiceError(MlopsError):
    """A service cannot be started, or does not become ready."""

    exit_code = 10
    status = 502


class ConflictError(MlopsError):
    """The same work is under way already."""

    exit_code = 11
    status = 409
