"""Logins for the tests: Docker's file of credentials, and registries that want them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.registry.faulty import FaultyRegistry, Handler, Rule, status


def log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, **item: str) -> None:
    auth = item or {"auth": base64.b64encode(b"scientist:s3cret-word").decode()}
    (tmp_path / "docker").mkdir(exist_ok=True)
    (tmp_path / "docker" / "config.json").write_text(json.dumps({"auths": {url: auth}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def basic_only() -> Rule:
    wanted = "Basic " + base64.b64encode(b"scientist:s3cret-word").decode()

    def rule(handler: Handler) -> bool:
        if handler.headers.get("authorization") == wanted:
            return False
        status(401, {"WWW-Authenticate": 'Basic realm="test"'})(handler)
        return True

    return rule


class TokenServer:
    """Makes a registry want bearer tokens, and gives them at /token."""

    def __init__(self, server: FaultyRegistry, lifetime: int = 300) -> None:
        self.server, self.lifetime = server, lifetime
        self.asked: list[tuple[str, str]] = []
        server.rules.append(self)

    def __call__(self, handler: Handler) -> bool:
        if handler.path.startswith("/token"):
            body = handler.drain().decode()
            self.asked.append((handler.path + body, handler.headers.get("authorization", "")))
            token = f"t{len(self.asked)}"
            self.server.tokens.add(token)
            answer = {"token": token, "expires_in": self.lifetime}
            handler.answer(200, json.dumps(answer).encode())
            return True
        sent = handler.headers.get("authorization", "").removeprefix("Bearer ")
        if sent in self.server.tokens:
            return False
        realm = f'Bearer realm="http://{self.server.url}/token",service="reg",scope="x"'
        status(401, {"WWW-Authenticate": realm})(handler)
        return True
