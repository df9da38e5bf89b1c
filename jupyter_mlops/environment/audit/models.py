"""The nouns of an audit: an advisory, what was not checked and why, and the whole answer."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["clean", "found", "not checked"]
#: What a publish makes of it: say it, refuse whatever is not clean, or ask nobody.
Mode = Literal["tell", "refuse", "none"]
#: So many names stand in a sentence; the answer itself holds all of them.
NAMED = 10


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """A known vulnerability of a locked package; ``fixed`` are the versions that end it."""

    package: str
    version: str
    id: str
    aliases: list[str] = []
    fixed: list[str] = []
    summary: str = ""

    def sentence(self) -> str:
        """Return it on one line, as a person reads it."""
        aliases = f" ({', '.join(self.aliases)})" if self.aliases else ""
        fixed = f"fixed in {', '.join(self.fixed)}" if self.fixed else "not fixed yet"
        return f"{self.package} {self.version}: {self.id}{aliases}, {fixed}. {self.summary}"


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    """Packages ("numpy 1.26.4") of which nothing can be said, and why."""

    why: str
    packages: list[str]

    def sentence(self) -> str:
        """Return it on one line; of very many packages some are named."""
        names = ", ".join(self.packages[:NAMED])
        more = len(self.packages) - NAMED
        return f"not checked: {names}{f' and {more} more' if more > 0 else ''}: {self.why}"


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a lock's packages.

    ``clean``: all of them were checked, and nothing is known. ``found``: something is.
    ``not checked``: nothing is known, and not all could be checked; ``unchecked`` says which.
    ``packages`` is how many are locked; ``service`` was asked on ``date`` (ISO 8601, UTC); both
    are empty when nobody was.
    """

    state: State
    packages: int
    found: list[Advisory] = []
    unchecked: list[Unchecked] = []
    service: str = ""
    date: str = ""

    def headline(self) -> str:
        """Return the answer in one line: it begins with the state."""
        missing = sum(len(each.packages) for each in self.unchecked)
        asked = f" ({self.service}, {self.date[:10]})" if self.service else ""
        parts = []
        if self.found:
            bad = len({each.package for each in self.found})
            parts.append(
                f"{_count(len(self.found), 'known vulnerability', 'known vulnerabilities')} "
                f"in {bad} of {_count(self.packages, 'package', 'packages')}"
            )
        elif not missing:
            parts.append(f"nothing is known of {_count(self.packages, 'package', 'packages')}")
        if missing and self.state == "found":
            parts.append(f"{missing} not checked")
        elif missing:
            parts.append(f"{missing} of {_count(self.packages, 'package', 'packages')}")
        return f"{self.state}: {', '.join(parts)}{asked}"

    def details(self) -> list[str]:
        """Return a line for each advisory, and for each reason why something was not checked."""
        found = [each.sentence() for each in self.found]
        return found + [each.sentence() for each in self.unchecked]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
