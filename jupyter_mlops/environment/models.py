"""The environment's nouns: a dependency, a lock."""

from __future__ import annotations

from typing import Literal

import msgspec


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution that the notebook uses itself.

    ``version`` is what the kernel has (empty when it has none), ``modules`` what is imported
    from it, ``cells`` where; ``source`` says who named the distribution.
    """

    name: str
    version: str
    modules: list[str]
    cells: list[int]
    source: Literal["kernel", "mapping", "runtime"] = "kernel"


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One locked distribution; ``wheels`` maps the file names that fit the target to sha256."""

    name: str
    version: str
    wheels: dict[str, str] = {}


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A ``pylock.toml`` (PEP 751) and what it pins. ``sha256`` is of its text."""

    text: str
    sha256: str
    python: str
    platform: str
    packages: list[Package]
