"""The environment's nouns: a dependency, a question, what a system must have, a lock."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from jupyter_mlops.errors import Problem


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution that the notebook uses itself.

    ``version`` is what the kernel has (empty when it has none), ``modules`` what is imported
    from it, ``cells`` where; ``source`` says who named the distribution, ``why`` it in one
    phrase for a person. ``specifier`` and ``extras`` are what a ``%pip`` line or a file beside
    the notebook asks for; ``url`` is where it comes from when that is no index.
    """

    name: str
    version: str
    modules: list[str]
    cells: list[int]
    source: Literal["kernel", "mapping", "requirements", "user", "runtime"] = "kernel"
    why: str = ""
    extras: list[str] = []
    specifier: str = ""
    url: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A module that nobody can name the distribution of for sure; a person chooses.

    ``candidates`` are distributions, the likeliest first, possibly none; ``cells`` count from 1.
    """

    module: str
    candidates: list[str]
    cells: list[int]
    why: str


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """What a line or a file asks to be installed: the words of the user, not what is imported.

    ``adds`` is true where asking is enough to be a dependency (``%pip install``, metadata of
    the notebook itself); what a file beside the notebook lists only bounds what is imported.
    """

    name: str
    where: str
    specifier: str = ""
    extras: list[str] = []
    url: str = ""
    marker: str = ""
    cell: int = 0
    adds: bool = False


class SystemNeed(msgspec.Struct, frozen=True, kw_only=True):
    """What must be in the image beside Python packages: a shared library, or a program.

    ``needed_by`` is a distribution ("opencv-python 4.10.0") or a place ("cell 5"); ``package``
    is the Debian package that has it (several with a plus between them), empty where none is
    known. ``sure`` is false where the code, or a part of the library, does without. ``scripts``
    says that unpacking the package is not enough: its own scripts would have to run.
    """

    kind: Literal["library", "executable"]
    name: str
    needed_by: str
    package: str = ""
    sure: bool = True
    scripts: bool = False


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """What a notebook needs, with a reason for each, before anything is locked or run.

    ``local`` are modules beside the notebook, relative to its folder; ``executables`` are
    programs that code calls, each with the number of its cell. ``problems`` stop a publish,
    ``warnings`` are told; ``questions`` stop it until they are answered.
    """

    dependencies: list[Dependency]
    questions: list[Question] = []
    requirements: list[Requirement] = []
    local: list[Path] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    executables: list[tuple[str, int]] = []


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One locked distribution; ``wheels`` maps the file names that fit the target to sha256.

    ``sizes`` maps the same names to bytes, where the index tells.
    """

    name: str
    version: str
    wheels: dict[str, str] = {}
    sizes: dict[str, int] = {}


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A ``pylock.toml`` (PEP 751) and what it pins. ``sha256`` is of its text."""

    text: str
    sha256: str
    python: str
    platform: str
    packages: list[Package]
