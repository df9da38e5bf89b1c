"""A real registry with TLS of a private authority and a login, behind a proxy with a login.

What is wrong is one clear sentence, and no password is in any error, log or event.
"""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.registry import chunks
from jupyter_mlops.registry.client import RemoteRepository
from tests.fixtures_registry import MakeImage, RunningRegistry, TlsRegistry, free_port, run_registry
from tests.registry.logins import log_in
from tests.registry.proxy import Proxy

pytestmark = pytest.mark.registry

PASSWORD, PROXY_PASSWORD = "s3cret-word", "pr0xy%pass/word"
QUOTED = "pr0xy%25pass%2Fword"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def no_secret_anywhere(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, with all logs on, no password is written."""
    caplog.set_level(logging.DEBUG)
    yield
    shown = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    pairs = (f"scientist:{PASSWORD}", f"lab:{PROXY_PASSWORD}")
    encoded = [base64.b64encode(pair.encode()).decode() for pair in pairs]
    for secret in (PASSWORD, PROXY_PASSWORD, QUOTED, "wr0ng", *encoded):
        assert secret not in shown


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRegistry]:
    """A registry with TLS and htpasswd, whose name only a proxy knows: registry.test."""
    folder = tmp_path_factory.mktemp("secure-registry")
    authority = trustme.CA()
    certificate = authority.issue_cert("registry.test", "localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with (folder / "cert.pem").open("wb") as file:
        file.writelines(pem.bytes() for pem in certificate.cert_chain_pems)
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    tls = (folder / "cert.pem", folder / "key.pem")
    with run_registry(folder, user="scientist", password=PASSWORD, tls=tls) as running:
        yield TlsRegistry(running.url, folder, "scientist", PASSWORD, authority=folder / "ca.pem")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy("lab", PROXY_PASSWORD) as running:
        yield running


def named(running: RunningRegistry) -> str:
    """Return a registry's name behind the proxy."""
    return f"registry.test:{running.url.rpartition(':')[2]}"


def through(monkeypatch: pytest.MonkeyPatch, proxy: Proxy, pair: str = f"lab:{QUOTED}@") -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://{pair}127.0.0.1:{proxy.port}")


@pytest.mark.parametrize("variable", ["JUPYTER_MLOPS_CA", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_and_a_login(
    secure: TlsRegistry, make_image: MakeImage, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, variable: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(chunks, "THRESHOLD", 1 << 20)
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 1 << 19)
    image, name = make_image(variable, weights=bytes(range(256)) * 16_000), variable.lower()
    log_in(tmp_path, monkeypatch, secure.url)
    with pytest.raises(RegistryError, match=r"is not trusted.*JUPYTER_MLOPS_CA"):
        RemoteRepository(secure.url, name).push(image, ["latest"])
    monkeypatch.setenv(variable, str(secure.authority))
    repository = RemoteRepository(secure.url, name)
    repository.push(image, ["latest"])
    for blob in image.blobs():
        with repository.blob(blob.descriptor.digest) as pieces:
            assert sum(map(len, pieces)) == blob.descriptor.size


def test_a_wrong_login_is_a_sentence(
    secure: TlsRegistry, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_CA", str(secure.authority))
    events: list[str] = []
    for item in ({}, {"username": "scientist", "password": "wr0ng"}):
        log_in(tmp_path, monkeypatch, secure.url if item else "elsewhere", **item)
        repository = RemoteRepository(secure.url, "refused")
        with pytest.raises(RegistryError) as caught:
            repository.push(make_image(), ["latest"], lambda *told: events.append(repr(told)))
        said = str(caught.value)
        assert f"Registry {secure.url} does not know you" in said
        assert f"docker login {secure.url}" in said
        assert "wr0ng" not in said + repr(caught.value.problems) + "".join(events)


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_through_a_proxy_with_a_login(
    secure: TlsRegistry, docker_registry: RunningRegistry, proxy: Proxy, tls: bool,
    make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    registry = named(secure if tls else docker_registry)
    if tls:
        log_in(tmp_path, monkeypatch, registry)
        monkeypatch.setenv("JUPYTER_MLOPS_CA", str(secure.authority))
    else:
        monkeypatch.setenv("JUPYTER_MLOPS_INSECURE_REGISTRIES", registry)
    through(monkeypatch, proxy)
    image = make_image("proxied", weights=b"w" * 2_000_000)
    repository = RemoteRepository(registry, "proxied/iris")
    repository.push(image, ["latest"])
    assert repository.resolve("latest").digest == image.digest
    with repository.blob(image.layers[1].descriptor.digest) as pieces:
        assert sum(map(len, pieces)) == image.layers[1].descriptor.size
    assert proxy.refused == 0
    methods = {method for method, _ in proxy.asked}
    assert methods == {"CONNECT"} if tls else {"HEAD", "GET", "POST", "PUT"} <= methods
    if tls:  # the registry's password went through the tunnel, not to the proxy
        assert {path for _, path in proxy.asked} == {registry}


@pytest.mark.parametrize("pair", ["lab:wr0ng@", ""], ids=["wrong", "none"])
@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_a_wrong_login_at_the_proxy_is_a_sentence(
    secure: TlsRegistry, docker_registry: RunningRegistry, proxy: Proxy, tls: bool, pair: str,
    make_image: MakeImage, waits: list[float], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    registry = named(secure if tls else docker_registry)
    monkeypatch.setenv("JUPYTER_MLOPS_CA", str(secure.authority))
    if not tls:
        monkeypatch.setenv("JUPYTER_MLOPS_INSECURE_REGISTRIES", registry)
    through(monkeypatch, proxy, pair)
    with pytest.raises(RegistryError) as caught:
        RemoteRepository(registry, "refused").push(make_image(), ["latest"])
    said = str(caught.value)
    assert f"The proxy before registry {registry} does not know you" in said
    assert "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" in said
    assert "wr0ng" not in said + repr(caught.value.problems)
    assert waits == [] and proxy.asked == []  # saying it again would not help


@pytest.mark.parametrize(("code", "tries"), [(403, 1), (503, 5)])
def test_a_proxy_that_lets_nothing_through_is_a_sentence(
    secure: TlsRegistry, proxy: Proxy, code: int, tries: int,
    waits: list[float], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    through(monkeypatch, proxy)
    proxy.answers = [code] * 5
    with pytest.raises(RegistryError, match=f"lets? (any|no)thing through.*{code}.*NO_PROXY"):
        RemoteRepository(named(secure), "refused").tags()
    assert proxy.refused == tries
    assert len(waits) == tries - 1


def test_a_proxy_that_is_not_there_is_a_sentence(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://lab:{QUOTED}@{address}")
    with pytest.raises(RegistryError) as caught:
        RemoteRepository("registry.test", "refused").tags()
    said = str(caught.value)
    assert f"registry.test is not reachable through the proxy {address}" in said
    assert "lab" not in said and QUOTED not in said and PROXY_PASSWORD not in said


@pytest.mark.parametrize(
    "url",
    [
        "http://lab:s3cret-word@127.0.0.1:port",
        "http://lab:s3cret/word@127.0.0.1:3128",
        "http://lab:s3cret#word@127.0.0.1:3128",
        "socks5://lab:s3cret-word@127.0.0.1:3128",
        "ftp://lab:s3cret-word@127.0.0.1:3128",
    ],
)
def test_a_proxy_that_makes_no_sense_is_a_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(RegistryError, match="is not the URL of an HTTP proxy") as caught:
        RemoteRepository("registry.test", "refused").tags()
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in str(caught.value) + repr(caught.value.problems)
    assert "InvalidURL" not in shown


def test_this_machine_and_no_proxy_are_spoken_to_directly(
    docker_registry: RunningRegistry, proxy: Proxy, monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
) -> None:  # fmt: skip
    through(monkeypatch, proxy)
    assert RemoteRepository(docker_registry.url, "nothing/there").tags() == []
    monkeypatch.setenv("NO_PROXY", "registry.test")
    with pytest.raises(RegistryError, match="has no address in the DNS"):
        RemoteRepository("registry.test", "nothing/there").tags()
    assert proxy.asked == [] and proxy.refused == 0
