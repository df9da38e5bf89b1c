"""The text of a lock: read, and written so that the same content is the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from jupyter_mlops.environment import tags, uv, wheels
from jupyter_mlops.environment.models import Lock, Package
from jupyter_mlops.errors import LockError

HEAD = 'lock-version = "1.0"\ncreated-by = "jupyter-mlops"\n'
#: What is kept of a package, beside its wheels.
KEYS = ("name", "version", "marker", "requires-python")


def parse(text: str, python: str, platform: str) -> Lock:
    """Read a ``pylock.toml`` text into a ``Lock``."""
    packages = [
        Package(
            name=item["name"],
            version=item.get("version", ""),
            wheels={_name(w): str(w.get("hashes", {}).get("sha256", "")) for w in _wheels(item)},
            sizes={_name(w): int(w["size"]) for w in _wheels(item) if "size" in w},
        )
        for item in tomllib.loads(text).get("packages", [])
    ]
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Lock(text=text, sha256=digest, python=python, platform=platform, packages=packages)


def canonical(text: str, folder: Path, python: str, platform: str) -> str:
    """Return a lock as it is kept: sorted, without credentials and without this machine's paths.

    Only wheels for the target (``python``, ``platform``) stay. ``folder`` is where uv wrote it:
    what paths in it start from. A wheel that lies in a folder of
    this machine is kept (see ``wheels``) and named by its file name. Raises ``LockError`` when a
    package has a file without a hash, or no wheel at all.
    """
    content = tomllib.loads(text)
    packages = []
    for item in sorted(
        content.get("packages", []), key=lambda it: (it["name"], it.get("version", ""))
    ):
        fitting = [w for w in _wheels(item) if tags.rank(_name(w), python, platform) < tags.NEVER]
        files = sorted((_file(item["name"], wheel, folder) for wheel in fitting), key=_name)
        if not files:
            raise _unhashed(item["name"], "its lock names no wheel")
        packages.append({key: item[key] for key in KEYS if key in item} | {"wheels": files})
    return _written(content, packages)


def to_install(lock: Lock, index: str) -> str:
    """Return a lock as uv is given it on this machine, with the address of an index or nothing.

    Kept wheels are named by where they are kept: uv unpacks a wheel once for each folder that it
    comes from, so copies beside each environment would fill its cache. And a lock names no index,
    but by it uv finds what it has unpacked before, without asking anybody.
    """
    content = tomllib.loads(lock.text)
    places = wheels.kept(lock)
    packages = []
    for item in content.get("packages", []):
        files = [_placed(wheel, places) for wheel in _wheels(item)]
        here = any("path" in file for file in files)
        named = {"index": index} if index and not here else {}
        packages.append({**item, **named, "wheels": files})
    return _written(content, packages)


def _placed(wheel: Mapping[str, Any], places: Mapping[str, Path]) -> dict[str, Any]:
    place = places.get(_name(wheel)) if "path" in wheel else None
    return {**wheel, "path": str(place)} if place else {**wheel}


def _written(content: Mapping[str, Any], packages: Iterable[Mapping[str, Any]]) -> str:
    parts = [HEAD]
    if "requires-python" in content:
        parts.append(f"requires-python = {_value(content['requires-python'])}\n")
    for item in packages:
        parts.append("\n[[packages]]\n")
        parts += [f"{key} = {_value(item[key])}\n" for key in (*KEYS, "index") if key in item]
        files = "".join(f"    {_value(file)},\n" for file in item["wheels"])
        parts.append(f"wheels = [\n{files}]\n")
    return "".join(parts)


def _wheels(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the wheels of a package; one that was asked for by its address is an archive."""
    found: list[dict[str, Any]] = list(item.get("wheels", []))
    archive = item.get("archive")
    return [*found, archive] if archive else found


def _name(wheel: Mapping[str, Any]) -> str:
    where = str(wheel.get("url") or wheel.get("path", ""))
    return unquote(urlsplit(where).path.rsplit("/", 1)[-1])


def _file(name: str, wheel: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    sha256 = str(wheel.get("hashes", {}).get("sha256", ""))
    if not sha256:
        raise _unhashed(name, f"{_name(wheel)} has none")
    url, path = str(wheel.get("url", "")), wheel.get("path")
    if url.startswith("file:"):
        path = url2pathname(urlsplit(url).path)
    file: dict[str, Any]
    if path is not None:
        kept = wheels.keep(folder / str(path), sha256)
        file = {"path": f"{wheels.FOLDER}/{kept.name}", "size": kept.stat().st_size}
    else:
        # Not the size: uv 0.13 names it in one run and not in the next (see ``sizes``).
        file = {"url": uv.scrub(url)}
        if "upload-time" in wheel:
            file["upload-time"] = wheel["upload-time"]
    return {**file, "hashes": {"sha256": sha256}}


def _unhashed(name: str, why: str) -> LockError:
    return LockError(
        f"'{name}' cannot be locked: every file needs a SHA-256 hash",
        why=f"uv found one that has none: {why}",
        remedy=f"Take {name} from a package index, or add a wheel of it with UV_FIND_LINKS",
    )


def _value(value: Any) -> str:
    """Return a value as TOML writes it; tables stand on one line."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return str(value)
