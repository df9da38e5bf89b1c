"""Credentials as Docker and Podman keep them; never shown, logged or put into an error."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import RegistryError

#: Seconds that a credential helper has to answer.
HELPER_TIMEOUT = 20.0
_HUB = "docker.io"
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")
_HELPER = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Credentials:
    """A user name and password, or an identity token that is traded for access tokens."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an ``Authorization: Basic`` header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def files(environ: Mapping[str, str] | None = None) -> list[Path]:
    """Return the files that may hold credentials, in the order they are asked."""
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME") or Path.home())
    found = []
    if env.get("REGISTRY_AUTH_FILE"):
        found.append(Path(env["REGISTRY_AUTH_FILE"]))
    if env.get("DOCKER_CONFIG"):
        found.append(Path(env["DOCKER_CONFIG"]) / "config.json")
    if env.get("XDG_RUNTIME_DIR"):
        found.append(Path(env["XDG_RUNTIME_DIR"]) / "containers" / "auth.json")
    configuration = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    found += [configuration / "containers" / "auth.json", home / ".docker" / "config.json"]
    return found


def find(registry: str, repository: str = "") -> Credentials | None:
    """Return the credentials for a repository, or None when there are none.

    The first file that knows the registry decides; in it, the longest key ``host/namespace`` that
    fits. Raises RegistryError when a credential helper fails.
    """
    for path in files():
        try:
            config = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(config, dict):
            found = _from_config(config, registry, repository, path)
            if found:
                return found
    return None


def _from_config(
    config: dict[str, Any], registry: str, repository: str, path: Path
) -> Credentials | None:
    auths = _table(config, "auths")
    helpers = _table(config, "credHelpers")
    for key in _keys(registry, repository):
        helper = helpers.get(key)
        if helper:
            return _ask(str(helper), key, path)
        item = auths.get(key)
        found = _from_item(item) if isinstance(item, dict) else None
        if found:
            return found
    store = config.get("credsStore")
    if not store:
        return None
    for key in _keys(registry, ""):
        found = _ask(str(store), key, path)
        if found:
            return found
    return None


def _table(config: dict[str, Any], name: str) -> dict[str, Any]:
    value = config.get(name)
    if not isinstance(value, dict):
        return {}
    return {_host_key(str(key)): item for key, item in value.items()}


def _host_key(key: str) -> str:
    if key in _HUB_KEYS:
        return key
    without = re.sub(r"^https?://", "", key)
    return re.sub(r"/v[12]/?$", "", without).rstrip("/")


def _keys(registry: str, repository: str) -> Iterator[str]:
    """Yield ``host/a/b``, ``host/a``, ``host``, and what Docker Hub is also called."""
    parts = [part for part in repository.split("/") if part]
    for length in range(len(parts), -1, -1):
        yield "/".join([registry, *parts[:length]])
    if registry == _HUB:
        yield from _HUB_KEYS


def _from_item(item: dict[str, Any]) -> Credentials | None:
    token = str(item.get("identitytoken") or "")
    user, password = str(item.get("username") or ""), str(item.get("password") or "")
    if item.get("auth"):
        try:
            decoded = base64.b64decode(str(item["auth"])).decode()
        except ValueError:
            return None
        user, _, password = decoded.partition(":")
    if not (token or user):
        return None
    return Credentials(user, password.rstrip("\0"), token)


def _ask(helper: str, key: str, path: Path) -> Credentials | None:
    """Run ``docker-credential-<helper> get`` (its protocol: host in, JSON out)."""
    if not _HELPER.fullmatch(helper):
        raise RegistryError(f"{helper!r} is not a credential helper", where=str(path))
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"], input=key, capture_output=True, text=True,
            timeout=HELPER_TIMEOUT, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise RegistryError(
            f"The credential helper {program} is not installed",
            remedy=f"Install it, or log in anew: docker login {key}",
            where=str(path),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise RegistryError(
            f"The credential helper {program} does not answer within {HELPER_TIMEOUT:g} seconds",
            where=str(path),
        ) from error
    if done.returncode:
        if "not found" in (done.stdout + done.stderr):
            return None
        raise RegistryError(  # what it printed may hold a secret
            f"The credential helper {program} failed for {key}",
            remedy=f"Log in anew: docker login {key}",
            where=str(path),
        )
    try:
        answer = json.loads(done.stdout)
        user, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise RegistryError(
            f"The credential helper {program} gave an answer that cannot be read", where=str(path)
        ) from None
    if user == "<token>":
        return Credentials(identity_token=secret)
    return Credentials(user, secret)
