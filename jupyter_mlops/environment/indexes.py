"""Which package indexes uv asks: its own settings, else pip's, translated; never written down.

uv does not read pip's configuration, but whoever installed the kernel's packages with pip has
the private index there. It is passed to uv by environment variables, for one call.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from jupyter_mlops.environment import pip_settings

INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
INDEX_KEYS = {"index", "index-url", "extra-index-url", "no-index"}
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
#: Settings of uv that hold the name of a file or folder, and how several are divided.
PATHS = {"UV_FIND_LINKS": ",", "UV_CONFIG_FILE": "", "SSL_CERT_FILE": "", "SSL_CLIENT_CERT": ""}
SHORTEST_SECRET = 4
PYPI = "https://pypi.org/simple"


def environment(folder: Path | None = None) -> dict[str, str]:
    """Return this process's variables, and pip's settings where uv itself has none.

    ``folder`` is where uv is going to run: a ``uv.toml`` there, or above, is its own setting.
    """
    given = dict(os.environ)
    for name, divider in PATHS.items():
        if given.get(name):
            given[name] = _absolute(given[name], divider)
    return {**_of_pip(given, _uv_files(given, folder)), **given}


def arguments(folder: Path | None = None) -> list[str]:
    """Return what has no variable: pip's ``no-index``."""
    given = dict(os.environ)
    keys = _uv_files(given, folder)
    if _has_index(given, keys):
        return []
    no_index = pip_settings.read(given).get("no-index", "")
    return ["--no-index"] if no_index.lower() in {"1", "true", "yes", "on"} else []


def default(folder: Path | None = None) -> str:
    """Return the address of the index that uv asks by default.

    Nothing where it may hold a login, is a folder, or where uv's own files say it.
    """
    if _uv_files(os.environ, folder) & INDEX_KEYS:
        return ""
    given = environment(folder)
    address = given.get("UV_DEFAULT_INDEX") or given.get("UV_INDEX_URL") or PYPI
    address = re.sub(r"^[\w-]+=", "", address.strip())
    return address if re.match(r"https?://[^@?]*$", address) else ""


def secrets() -> list[str]:
    """Return the passwords and tokens in the configured addresses, as they may be written."""
    found: set[str] = set()
    for name, value in os.environ.items():
        if re.fullmatch(r"UV_INDEX_\w+_PASSWORD", name):
            found.add(value)
    for address in _addresses():
        try:
            parts = urlsplit(address)
            secret = parts.password or (parts.username if parts.password is None else "")
        except ValueError:
            continue
        if secret:
            found |= {secret, unquote(secret), quote(unquote(secret), safe="")}
    return sorted((text for text in found if len(text) >= SHORTEST_SECRET), key=len, reverse=True)


def credentials(url: str) -> tuple[str, str] | None:
    """Return user and password that are configured for the index on an address's host."""
    for address in _addresses():
        try:
            parts, wanted = urlsplit(address), urlsplit(url)
            same = (parts.scheme, parts.hostname, parts.port) == (
                wanted.scheme, wanted.hostname, wanted.port,
            )  # fmt: skip
        except ValueError:
            continue
        if same and parts.username:
            return unquote(parts.username), unquote(parts.password or "")
    return None


def _addresses() -> Iterator[str]:
    """Yield what is configured as an address: in variables, pip's files and uv's."""
    pip = pip_settings.read(os.environ)
    values = [os.environ.get(name, "") for name in (*INDEX, "UV_FIND_LINKS", *PROXIES)]
    values += [pip.get(key, "") for key in ("index-url", "extra-index-url", "find-links", "proxy")]
    for value in values:
        # `name=https://…` is how uv names an index.
        yield from (re.sub(r"^[\w-]+=", "", word) for word in re.split(r"[\s,]+", value) if word)
    for content in _uv_contents(os.environ, None):
        yield from _strings(content)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str) and "://" in value:
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _of_pip(given: Mapping[str, str], keys: set[str]) -> dict[str, str]:
    pip = pip_settings.read(given)
    found: dict[str, str] = {}
    if not _has_index(given, keys):
        found |= _index_of_pip(pip)
    if pip.get("find-links") and "UV_FIND_LINKS" not in given and "find-links" not in keys:
        found["UV_FIND_LINKS"] = _absolute(",".join(pip["find-links"].split()), ",")
    if pip.get("trusted-host") and "UV_INSECURE_HOST" not in given:
        found["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if pip.get("proxy") and not any(given.get(name) for name in PROXIES):
        found["ALL_PROXY"] = pip["proxy"]
    if pip.get("cert") and not any(given.get(name) for name in CERTIFICATES):
        found["SSL_CERT_FILE"] = str(Path(pip["cert"]).expanduser().absolute())
    if pip.get("client-cert") and "SSL_CLIENT_CERT" not in given:
        found["SSL_CLIENT_CERT"] = str(Path(pip["client-cert"]).expanduser().absolute())
    if pip.get("keyring-provider") == "subprocess" and "UV_KEYRING_PROVIDER" not in given:
        found["UV_KEYRING_PROVIDER"] = "subprocess"
    return found


def _index_of_pip(pip: Mapping[str, str]) -> dict[str, str]:
    found = {}
    if pip.get("index-url"):
        found["UV_DEFAULT_INDEX"] = pip["index-url"].strip()
    if pip.get("extra-index-url"):
        found["UV_INDEX"] = " ".join(pip["extra-index-url"].split())
        # For pip all indexes are one: the kernel's versions may lie on any of them.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def _has_index(given: Mapping[str, str], keys: set[str]) -> bool:
    return any(given.get(name) for name in INDEX) or bool(keys & INDEX_KEYS)


def _uv_files(given: Mapping[str, str], folder: Path | None) -> set[str]:
    """Return the keys that uv's own configuration files set."""
    keys: set[str] = set()
    for content in _uv_contents(given, folder):
        keys |= set(content) | set(content.get("pip", {}))
    return keys


def _uv_contents(given: Mapping[str, str], folder: Path | None) -> Iterator[dict[str, Any]]:
    if given.get("UV_NO_CONFIG"):
        return
    if given.get("UV_CONFIG_FILE"):
        yield _toml(Path(given["UV_CONFIG_FILE"]))
        return
    system = [Path(d) for d in given.get("XDG_CONFIG_DIRS", "").split(":") if d]
    user = Path(given.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    for place in [*system, Path("/etc"), user]:
        yield _toml(place / "uv" / "uv.toml")
    yield _of_project(folder)


def _of_project(folder: Path | None) -> dict[str, Any]:
    """Return the settings of the nearest project, as uv finds it from a folder upwards."""
    if folder is None:
        return {}
    for place in [folder, *folder.absolute().parents]:
        if (place / "uv.toml").is_file():
            return _toml(place / "uv.toml")
        content = _toml(place / "pyproject.toml").get("tool", {}).get("uv")
        if isinstance(content, dict):
            return content
    return {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # uv itself says what is wrong with it


def _absolute(value: str, divider: str) -> str:
    """Return paths as absolute ones: uv runs in another folder than this process."""
    words = value.split(divider) if divider else [value]
    return divider.join(
        word if "://" in word or not word else str(Path(word).expanduser().absolute())
        for word in words
    )
