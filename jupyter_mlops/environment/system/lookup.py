"""Packages of libraries and programs that no table has: from the Contents lists of the release."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.apt import Apt
from jupyter_mlops.image.apt_sources import sources_for
from jupyter_mlops.image.installed import Installed

#: Packages that have a file of the name but are not what is meant: tests, variants, wrappers.
_VARIANTS = re.compile(r"-dev$|-dbg$|-dbgsym$|-extra\d*$|-gles$|-shim$|-dpdk$|-examples$|-cross$")


def look_up(
    names: Collection[str], base: Installed, *, name: str, architecture: str, store: Path
) -> dict[str, str]:
    """Return the package of each library or program that the base's release has.

    ``name`` is the base's. Takes some seconds and 12 MB once a week. Gives nothing where the
    lists cannot be had, so that the names stay without a package.
    """
    try:
        sources = sources_for(base, name)
        folder = store / "debian" / f"contents-{base.system}-{base.codename}"
        with _store.locked(store / "debian" / ".lock"):
            found = Apt(folder, architecture, sources=sources).having(_paths(names))
    except (ImageError, OSError):
        return {}
    packages: dict[str, str] = {}
    for path, owners in sorted(found.items()):
        plain = [owner for owner in owners if not _VARIANTS.search(owner)] or owners
        packages.setdefault(path.rpartition("/")[2], min(plain, key=lambda each: (len(each), each)))
    return packages


def _paths(names: Collection[str]) -> str:
    either = "|".join(re.escape(name) for name in names)
    folders = (
        r"(?:usr/)?lib/[a-z0-9_]+-linux-gnu(?:/[\w.-]+)?|(?:usr/)?lib|(?:usr/)?s?bin|usr/games"
    )
    return rf"(?:{folders})/(?:{either})"
