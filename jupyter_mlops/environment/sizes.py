"""How large the wheels of a lock are: what was told once is remembered, the rest is asked for."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.environment import indexes
from jupyter_mlops.environment.models import Lock, Package
from jupyter_mlops.environment.tags import rank

SECONDS = 10.0
AT_ONCE = 16


def remember(lock: Lock) -> None:
    """Keep what uv told; the text of a lock does not, as uv leaves some out at random."""
    known = _remembered()
    told = {p.wheels[name]: size for p in lock.packages for name, size in p.sizes.items()}
    _write({sha256: size for sha256, size in told.items() if known.get(sha256) != size})


def of(lock: Lock) -> dict[str, int | None]:
    """Return for each package the bytes of the wheel that is installed; ``None`` if unknown.

    What the lock does not tell is asked of the file's own address, once for each hash.
    """
    chosen = {p.name: best(p, lock) for p in lock.packages if p.wheels}
    known: dict[str, int] = {}
    for package in lock.packages:
        known |= {package.wheels[name]: size for name, size in package.sizes.items()}
    known = {**_remembered(), **known}
    hashes = {p.name: p.wheels[chosen[p.name]] for p in lock.packages if p.wheels}
    missing = {sha256 for sha256 in hashes.values() if sha256 not in known}
    if missing:
        addresses = _addresses(lock)
        asked = _asked({sha256: addresses[sha256] for sha256 in missing if sha256 in addresses})
        known |= asked
        _write(asked)
    return {package.name: known.get(hashes.get(package.name, "")) for package in lock.packages}


def best(package: Package, lock: Lock) -> str:
    """Return the file name of the wheel that an installer prefers among those that fit."""
    return min(package.wheels, key=lambda name: (rank(name, lock.python, lock.platform), name))


def _addresses(lock: Lock) -> dict[str, str]:
    """Return the address of each file by its hash."""
    found = {}
    for package in tomllib.loads(lock.text).get("packages", []):
        for wheel in package.get("wheels", []):
            if str(wheel.get("url", "")).startswith("http"):
                found[str(wheel["hashes"]["sha256"])] = str(wheel["url"])
    return found


def _asked(addresses: Mapping[str, str]) -> dict[str, int]:
    """Ask for the sizes; an address that does not answer has none."""
    with (
        httpx.Client(timeout=SECONDS, follow_redirects=True) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        sizes = pool.map(lambda url: _head(client, url), addresses.values())
        pairs = zip(addresses, sizes, strict=True)
        return {sha256: size for sha256, size in pairs if size is not None}


def _head(client: httpx.Client, url: str) -> int | None:
    try:
        # Without credentials of its own, httpx looks into .netrc.
        own = indexes.credentials(url)
        answer = client.head(url, auth=own) if own else client.head(url)
        return int(answer.headers["content-length"]) if answer.is_success else None
    except (httpx.HTTPError, KeyError, ValueError, OSError):
        return None


def _remembered() -> dict[str, int]:
    try:
        found = json.loads((settings.wheels() / "sizes.json").read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): int(value) for key, value in found.items()}


def _write(sizes: Mapping[str, int]) -> None:
    if not sizes:
        return
    place = settings.wheels() / "sizes.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        part = place.with_name(".sizes.json.part")
        part.write_text(json.dumps({**_remembered(), **sizes}, sort_keys=True))
        part.replace(place)
