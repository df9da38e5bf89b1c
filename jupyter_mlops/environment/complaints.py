"""uv's explanation of why there is no lock, turned into problems a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from jupyter_mlops.environment import clash, uv
from jupyter_mlops.environment.asking import Asked
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.options import UV_PLATFORMS
from jupyter_mlops.errors import LockError, Problem

NAME = r"([A-Za-z0-9](?:[\w.-]*\w)?)"
NO_WHEEL = re.compile(rf"{NAME}(?:==([^\s,]+))? ha(?:s|ve) no (?:usable wheels|wheels)")
MISSING = re.compile(
    rf"{NAME} was not found in the (?:package registry|provided package locations)"
)
NO_VERSION = re.compile(rf"no versions? of {NAME}([^\s,]*)")
YANKED = re.compile(rf"{NAME}==(\S+) was yanked(?: \(reason: (.*?)\))?")
TOO_NEW = re.compile(rf"`{NAME}` was filtered by `exclude-newer`([^\n]*)")
ITS_VERSION = re.compile(r" v(\d[\w.!+-]*\w|\d)")
ITS_DAY = re.compile(r"published at (\d{4}-\d{2}-\d{2})")
PYTHON = re.compile(rf"{NAME}(\S*) depends? on Python\s*([^\s,]+)")
REFUSED = re.compile(
    r"index URL \((\S+)\) could not be queried due to a lack of valid authentication"
    r"|\((?:401 Unauthorized|403 Forbidden)\)"
)


class Aim(Protocol):
    """What is known of the target."""

    @property
    def platform(self) -> str: ...  # noqa: D102
    @property
    def python(self) -> str: ...  # noqa: D102
    @property
    def until(self) -> str: ...  # noqa: D102
    @property
    def accelerator(self) -> str: ...  # noqa: D102


def without_wheel(text: str) -> list[tuple[str, str]]:
    """Return the packages that have no fitting wheel, each with a version or an empty one."""
    found: dict[str, str] = {}
    for name, version in NO_WHEEL.findall(text):
        key = normal(name)
        found[key] = max(found.get(key, ""), version)
    return list(found.items())


def is_final(text: str, asked: Asked) -> bool:
    """Return whether no choice of versions can help: something is simply not there."""
    direct = [name for name, _ in without_wheel(text) if name in asked.direct]
    return bool(direct or MISSING.search(text) or REFUSED.search(text))


def explained(text: str, asked: Asked, target: Aim) -> LockError:
    """Return the error that says what is in the way, who asked for it, and what to do."""
    if uv.Failed(text).untrusted:
        return untrusted(text)
    if uv.Failed(text).transient:
        return _unreachable(text)
    if REFUSED.search(text):
        return _refused(text)
    problems = list(_absent(text, asked, target))
    if problems:
        return LockError.collect({problem.sentence(): problem for problem in problems}.values())
    found = clash.find(text, asked)
    if found is not None:
        return LockError.collect([found])
    return LockError(
        "The notebook's packages cannot be locked together",
        why=_dated(uv.shortened(text), target),
        remedy=_other_choice(asked),
    )


def _other_choice(asked: Asked) -> str:
    agree = "bring the kernel's packages into agreement (uv pip check names the clash)"
    edits = sorted({*asked.bounds, *asked.by_hand()})
    if not edits:
        return agree[0].upper() + agree[1:]
    return f"Undo or change the edits of {', '.join(edits)}, or {agree}"


def untrusted(text: str) -> LockError:
    """Return the error for an index whose certificate nobody here vouches for."""
    return LockError(
        "The certificate of the package index is not trusted",
        why=uv.shortened(text),
        remedy="Name the file of your certificate authority: SSL_CERT_FILE, or cert in pip's "
        "configuration",
    )


def foreign(name: str, asked: Asked, target: Aim) -> LockError:
    """Return the error for a source that would have to be built on another platform."""
    return LockError.collect([_no_wheel(name, asked.pinned(name), asked, target)])


def lacking(names: Mapping[str, str], asked: Asked, target: Aim) -> list[Problem]:
    """Return a problem for each package (with its version) that has no wheel for the target."""
    return [_no_wheel(name, version, asked, target) for name, version in sorted(names.items())]


def unbuildable(name: str, version: str, text: str, asked: Asked) -> LockError:
    """Return the error for a package whose build failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return LockError(
        f"'{name}' has no wheel for the image's platform, and building one failed",
        why=f"{f'{name} {version}'.strip()}: {' '.join(lines[:1] + lines[1:][-3:])[:600]}",
        remedy=f"Choose a version of {name} that has wheels, install what its build needs "
        "(compilers, headers), or build a wheel elsewhere and add it with UV_FIND_LINKS",
        where=_where(asked, name),
    )


def _unreachable(text: str) -> LockError:
    torch = "download.pytorch.org" in text
    return LockError(
        "The package index cannot be reached",
        why=uv.shortened(text),
        remedy="PyTorch's own index is asked for its variants; --accelerator index asks the "
        "configured ones only"
        if torch
        else "Check the network, the proxy and the index (UV_INDEX_URL, UV_DEFAULT_INDEX or "
        "uv.toml) and call again: it goes on from what was fetched",
    )


def _refused(text: str) -> LockError:
    found = REFUSED.search(text)
    index = found[1] if found and found[1] else "the package index"
    return LockError(
        f"{index[:1].upper()}{index[1:]} refuses the credentials",
        why="It answers 401 or 403",
        remedy="Give a user and a password in UV_DEFAULT_INDEX or UV_INDEX, in a .netrc file "
        "or by keyring (UV_KEYRING_PROVIDER=subprocess); they are written nowhere",
    )


def _absent(text: str, asked: Asked, target: Aim) -> Iterator[Problem]:
    """Yield what is not there: too new, withdrawn, unknown, without a version or a wheel."""
    newer = {normal(name): hint for name, hint in TOO_NEW.findall(text)}
    for name, hint in sorted(newer.items()):
        version = _first(ITS_VERSION, hint) or asked.pinned(name)
        day = _first(ITS_DAY, hint)
        published = f"It was published on {day}" if day else "Its index gives no date for it"
        yield Problem(
            problem=f"'{f'{name} {version}'.strip()}' is newer than the date of the lock",
            why=f"{published}, and only what is older than {target.until} is taken",
            remedy="Choose a later date (--exclude-newer), or another version",
            where=_where(asked, name),
        )
    for name, version, reason in sorted(YANKED.findall(text)):
        because = f": {reason}" if reason else ""
        yield Problem(
            problem=f"'{name} {version}' was withdrawn from its index{because}",
            why="A version that was yanked is taken only where the kernel has exactly it",
            remedy=f"Choose another version of {name}",
            where=_where(asked, name),
        )
    for name in sorted(set(MISSING.findall(text))):
        yield Problem(
            problem=f"The package index has no distribution '{name}'",
            why=_dated("", target),
            remedy="Correct its name, or add the index that has it (UV_INDEX)",
            where=_where(asked, name),
        )
    for name, version in sorted(without_wheel(text)):
        yield _no_wheel(name, version, asked, target)
    for name, version, bound in sorted(set(PYTHON.findall(text))):
        yield Problem(
            problem=f"'{name}{version}' does not run on Python {target.python}",
            why=f"It needs Python {bound}",
            remedy="Choose another version of it, or another Python",
            where=_where(asked, name),
        )
    yield from _no_version(text, asked, target, known=set(newer))


def _no_version(text: str, asked: Asked, target: Aim, known: set[str]) -> Iterator[Problem]:
    for name, bound in sorted(set(NO_VERSION.findall(text))):
        key = normal(name)
        version = bound.removeprefix("==")
        if key in known or key not in asked.direct or version != asked.pinned(key):
            continue  # one of the versions that were looked at on the way
        variant = target.accelerator if target.accelerator != "index" else ""
        other = f", or another accelerator than {variant}" if _is_torch(key) else ""
        yield Problem(
            problem=f"The package index has no '{name}' {version}".rstrip(),
            why=_dated("It may have been removed, or come from another index", target),
            remedy=f"Choose another version of {name}{other}, or add the index that has it "
            "(UV_INDEX)",
            where=_where(asked, key),
        )


def _no_wheel(name: str, version: str, asked: Asked, target: Aim) -> Problem:
    label = f"{name} {version}".strip()
    return Problem(
        problem=f"'{name}' has no wheel for the image's platform",
        why=f"{label} has none for Python {target.python} on {target.platform} "
        f"({UV_PLATFORMS[target.platform]}), and one built here would not run there",
        remedy=f"Choose a version of {name} that has wheels, or build one there and add it with "
        "UV_FIND_LINKS",
        where=_where(asked, name),
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _is_torch(name: str) -> bool:
    return name.startswith(("torch", "pytorch", "triton"))


def _dated(why: str, target: Aim) -> str:
    if not target.until:
        return why
    said = f"only what was published before {target.until} was looked at"
    return f"{why}; {said}" if why else said[:1].upper() + said[1:]


def _where(asked: Asked, name: str) -> str:
    asker = asked.who.get(normal(name))
    return asker.where if asker else ""
