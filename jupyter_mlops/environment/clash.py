"""Which two requirements clash, read from uv's derivation, and who asked for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from jupyter_mlops.environment.asking import Asked
from jupyter_mlops.environment.names import normal
from jupyter_mlops.errors import Problem

NAME = r"[A-Za-z0-9](?:[\w.-]*\w)?(?:\[[^\]]*\])?"
BOUND = r"(?:[=<>!~]=?=?[^\s,]+(?:,[=<>!~]=?=?[^\s,]+)*)"
DEPENDS = re.compile(rf"({NAME})({BOUND})? depends? on ({NAME})({BOUND})?")
REQUIRED = re.compile(rf"({NAME})({BOUND})?")


@dataclass(frozen=True)
class Ask:
    """``who`` (empty: the notebook itself) wants ``package`` within ``bound``."""

    who: str
    version: str
    package: str
    bound: str

    def sentence(self) -> str:
        """Return it as ``left 1.0 needs beta <1.2``."""
        wants = f"{self.package} {self.bound}".strip()
        return f"{f'{self.who} {self.version}'.strip()} needs {wants}" if self.who else wants


def find(text: str, asked: Asked) -> Problem | None:
    """Return the problem that names the two requirements that cannot both hold, if there is one."""
    asks = sorted(_asks(text, asked), key=lambda ask: (not ask.who, ask.who, ask.package))
    for one, other in combinations(asks, 2):
        if one.package == other.package and _exclude(one.bound, other.bound):
            return _problem(one, other, asks, asked)
    return None


def _problem(one: Ask, other: Ask, asks: list[Ask], asked: Asked) -> Problem:
    sides = [_side(ask, asks, asked) for ask in (one, other)]
    places = [place for _, place in sides if place]
    return Problem(
        problem=f"Two requirements of '{one.package}' exclude each other: "
        f"{one.bound} and {other.bound}",
        why="; ".join(text for text, _ in sides),
        remedy=f"Choose versions of {_named(one)} and {_named(other)} that agree, or remove one",
        where=", ".join(dict.fromkeys(places)),
    )


def _named(ask: Ask) -> str:
    return ask.who or ask.package


def _side(ask: Ask, asks: list[Ask], asked: Asked) -> tuple[str, str]:
    """Return one side of the clash in words, up to what the notebook asks for, and its place."""
    chain, at = [ask], ask
    while at.who and at.who not in asked.direct:
        above = next((a for a in asks if a.package == at.who and a not in chain), None)
        if above is None:
            break
        chain.append(above)
        at = above
    root = asked.who.get(at.who or at.package)
    words = ", which ".join(_words(chain))
    if root is None:
        return words, ""
    because = root.why if root.where in root.why else f"{root.where}: {root.why}"
    return f"{words} ({because})", root.where


def _words(chain: list[Ask]) -> Iterator[str]:
    """Yield a chain of demands from the notebook's side: ``a needs b``, ``needs c <1``."""
    for number, ask in enumerate(reversed(chain)):
        sentence = ask.sentence()
        yield sentence if number == 0 else sentence[sentence.index("needs ") :]


def _asks(text: str, asked: Asked) -> Iterator[Ask]:
    plain = " ".join(text.split())
    for who, at, package, bound in DEPENDS.findall(plain):
        name = _plain(who)
        version = at.removeprefix("==") if at.startswith("==") else asked.pinned(name)
        if name not in {"you", "project"} and _plain(package) != "python":
            yield Ask(name, version, _plain(package), bound)
    # What the notebook itself asks for: a version that it pins, or bounds of a requirement.
    for name, line in sorted(asked.direct.items()):
        bound = re.sub(r"^[^=<>!~@]*", "", line).partition("@")[0].replace(" ", "")
        if bound and re.search(rf"\b{re.escape(name)}\b", plain):
            yield Ask("", "", name, bound)
    for name, bound in sorted(asked.bounds.items()):
        yield Ask("", "", name, bound)


def _plain(name: str) -> str:
    return normal(name.partition("[")[0])


def _exclude(one: str, other: str) -> bool:
    """Return whether no version lies within both bounds.

    A meeting of intervals holds its lower end or what lies just above it, so only those are
    tried.
    """
    try:
        both = SpecifierSet(one) & SpecifierSet(other)
    except InvalidSpecifier:
        return False
    tried = ["0", "99999"]
    for bound in both:
        base = bound.version.removesuffix(".*")
        tried += [base, f"{base}.0.0.1", f"{base}.post1"]
    return not any(_within(both, text) for text in tried)


def _within(both: SpecifierSet, text: str) -> bool:
    try:
        return both.contains(Version(text), prereleases=True)
    except InvalidVersion:
        return False
