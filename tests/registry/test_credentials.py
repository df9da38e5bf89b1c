"""Credentials are found where Docker and Podman keep them, and shown nowhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.registry import credentials
from jupyter_mlops.registry.credentials import Credentials, find


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, value: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def test_the_files_are_asked_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("r.org") is None
    places = {
        "docker": tmp_path / "home/.docker/config.json",
        "podman": tmp_path / "home/.config/containers/auth.json",
        "runtime": tmp_path / "run/containers/auth.json",
        "DOCKER_CONFIG": tmp_path / "config/config.json",
        "REGISTRY_AUTH_FILE": tmp_path / "auth.json",
    }
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    for name, path in places.items():  # each one is asked before those written so far
        write(path, {"auths": {"r.org": auth(name, "x")}})
        assert find("r.org") == Credentials(name, "x")
    assert find("other.org") is None


def test_the_longest_key_decides(tmp_path: Path) -> None:
    entries = {"r.org": "host", "r.org/lab": "lab", "r.org/lab/iris": "iris"}
    write(
        tmp_path / "home/.docker/config.json",
        {"auths": {key: auth(user, "x") for key, user in entries.items()}},
    )
    assert find("r.org", "lab/iris") == Credentials("iris", "x")
    assert find("r.org", "lab/wine") == Credentials("lab", "x")
    assert find("r.org", "other") == Credentials("host", "x")
    assert find("r.org", "laboratory") == Credentials("host", "x")


@pytest.mark.parametrize(
    "key", ["https://r.org", "https://r.org/v2/", "http://r.org/v1/", "r.org/"]
)
def test_keys_that_are_urls(tmp_path: Path, key: str) -> None:
    write(tmp_path / "home/.docker/config.json", {"auths": {key: auth("a", "b:c")}})
    assert find("r.org") == Credentials("a", "b:c")


def test_docker_hub_by_its_old_name(tmp_path: Path) -> None:
    write(
        tmp_path / "home/.docker/config.json",
        {"auths": {"https://index.docker.io/v1/": auth("a", "b")}},
    )
    assert find("docker.io", "library/python") == Credentials("a", "b")


def test_an_identity_token(tmp_path: Path) -> None:
    item = {**auth("00000000-0000-0000-0000-000000000000", ""), "identitytoken": "token"}
    write(tmp_path / "home/.docker/config.json", {"auths": {"r.org": item}})
    found = find("r.org")
    assert found and found.identity_token == "token"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"auths": []}', '{"auths": {"r.org": 3}}', '{"auths":{"r.org":{}}}']
)
def test_files_that_say_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path / "home/.docker/config.json", {}).write_text(text)
    assert find("r.org") is None


def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "docker-credential-test"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\nread host\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.mark.parametrize("config", [{"credHelpers": {"r.org": "test"}}, {"credsStore": "test"}])
def test_helpers_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    helper(
        tmp_path, monkeypatch, 'echo "{\\"Username\\": \\"for-$host\\", \\"Secret\\": \\"pw\\"}"'
    )
    write(tmp_path / "home/.docker/config.json", config)
    assert find("r.org", "lab/iris") == Credentials("for-r.org", "pw")


def test_a_helper_may_give_an_identity_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, monkeypatch, 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"t\\"}"')
    write(tmp_path / "home/.docker/config.json", {"credsStore": "test"})
    assert find("r.org") == Credentials(identity_token="t")


def test_a_helper_that_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "echo credentials not found in native keychain; exit 1")
    write(tmp_path / "home/.docker/config.json", {"credsStore": "test"})
    assert find("r.org") is None


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo s3cret-word; exit 1", "failed for r.org"),
        ("echo s3cret-word", "cannot be read"),
        ("exec sleep 20", "does not answer"),
    ],
)
def test_a_helper_that_fails_is_a_sentence_without_what_it_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    monkeypatch.setattr(credentials, "HELPER_TIMEOUT", 0.5)
    helper(tmp_path, monkeypatch, script)
    write(tmp_path / "home/.docker/config.json", {"credHelpers": {"r.org": "test"}})
    with pytest.raises(RegistryError, match=sentence) as caught:
        find("r.org")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing-one", "../../bin/sh", "a b"])
def test_a_helper_that_is_not_there(tmp_path: Path, name: str) -> None:
    write(tmp_path / "home/.docker/config.json", {"credHelpers": {"r.org": name}})
    with pytest.raises(RegistryError, match=r"not installed|not a credential helper"):
        find("r.org")


def test_secrets_are_not_in_the_repr() -> None:
    shown = repr(Credentials("user", "s3cret-word", "t0ken"))
    assert "s3cret" not in shown and "t0ken" not in shown
