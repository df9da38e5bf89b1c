"""Access tokens: fetched once, for all that is needed, renewed, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.errors import RegistryError
from tests.fixtures_registry import MakeImage
from tests.registry.faulty import FaultyRegistry, status, times
from tests.registry.logins import TokenServer, log_in
from tests.registry.test_faults import complete, mountable, repository


def test_tokens_are_fetched_once_per_access(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    tokens = TokenServer(faulty)
    repo = repository(faulty)
    assert repo.tags() == []
    assert repo.tags() == []
    assert len(tokens.asked) == 1
    assert "service=reg" in tokens.asked[0][0]
    assert "scope=repository%3Alab%2Firis%3Apull" in tokens.asked[0][0]


def test_a_mount_asks_for_access_to_both(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    image = mountable(make_image(), faulty)
    tokens = TokenServer(faulty)
    assert repository(faulty).push(image, ["latest"]).mounted == 1
    assert any("base%2Fpython%3Apull" in path for path, _ in tokens.asked)
    assert complete(faulty, image)


def test_an_expired_token_in_the_middle_is_renewed(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    TokenServer(faulty)
    expire = times(1, "PUT", "/uploads/", status(401))
    faulty.rules.insert(0, expire)
    image = make_image()
    repository(faulty).push(image, ["latest"])
    assert complete(faulty, image)


def test_an_identity_token_is_traded(
    faulty: FaultyRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, monkeypatch, faulty.url, identitytoken="refresh-me")
    tokens = TokenServer(faulty)
    assert repository(faulty).tags() == []
    asked, authorization = tokens.asked[0]
    assert "grant_type=refresh_token" in asked and "refresh_token=refresh-me" in asked
    assert authorization == ""


def test_a_token_server_that_talks_nonsense_is_a_sentence(faulty: FaultyRegistry) -> None:
    TokenServer(faulty)
    faulty.rules.insert(0, times(1, "GET", "/token", status(200, body={"a": 1})))
    with pytest.raises(RegistryError, match="gave no token"):
        repository(faulty).tags()


def test_secrets_are_in_no_error(
    faulty: FaultyRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, monkeypatch, faulty.url)
    faulty.rules.append(times(99, "GET", "/tags/", status(401, {"WWW-Authenticate": "Basic x"})))
    with pytest.raises(RegistryError) as caught:
        repository(faulty).tags()
    assert "s3cret" not in str(caught.value) + repr(caught.value.problems)
    assert "docker login" in str(caught.value)
