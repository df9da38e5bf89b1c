"""A real registry (Debian's ``docker-registry``) on a free port of this machine, for the tests."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_mlops.image.base import Base
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layer import Entry, build_layer
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.image.platforms import host_platform

MakeImage = Callable[..., Image]


@dataclass(frozen=True)
class RunningRegistry:
    """A registry that runs: ``url`` is ``host:port``, the rest is empty where there is no login."""

    url: str
    root: Path
    user: str = ""
    password: str = ""


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_registry(
    folder: Path,
    *,
    user: str = "",
    password: str = "",
    tls: tuple[Path, Path] | None = None,
    deletes: bool = True,
) -> Iterator[RunningRegistry]:
    """Start a registry with its data in ``folder``; end it with the block."""
    port = free_port()
    # With TLS by name, as its certificate says; the port of each is its own.
    host = f"localhost:{port}" if tls else f"127.0.0.1:{port}"
    lines = [
        "version: 0.1",
        "log: {level: error, accesslog: {disabled: true}}",
        "storage:",
        f"  filesystem: {{rootdirectory: '{folder}'}}",
        f"  delete: {{enabled: {str(deletes).lower()}}}",
        "http:",
        f"  addr: 127.0.0.1:{port}",
    ]
    if tls:
        lines += ["  tls:", f"    certificate: '{tls[0]}'", f"    key: '{tls[1]}'"]
    if user:
        hashed = subprocess.run(
            ["htpasswd", "-Bbn", user, password], capture_output=True, text=True, check=True
        ).stdout
        (folder / "htpasswd").write_text(hashed)
        lines += ["auth:", f"  htpasswd: {{realm: test, path: '{folder / 'htpasswd'}'}}"]
    config = folder / "config.yml"
    config.write_text("\n".join(lines) + "\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [shutil.which("docker-registry") or "docker-registry", "serve", str(config)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        try:
            _wait(process, port, folder)
            yield RunningRegistry(host, folder, user, password)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"docker-registry does not start: {(folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """An open registry, one for all tests of a session: use a repository name of your own."""
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def private_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry that wants the login ``scientist`` / ``s3cret-word``."""
    folder = tmp_path_factory.mktemp("private-registry")
    with run_registry(folder, user="scientist", password="s3cret-word") as running:
        yield running


@pytest.fixture(scope="session")
def undeleting_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry as it is without any setting: nothing can be deleted."""
    with run_registry(tmp_path_factory.mktemp("undeleting-registry"), deletes=False) as running:
        yield running


@dataclass(frozen=True)
class TlsRegistry(RunningRegistry):
    """A registry with TLS; ``authority`` is the file of the authority that signed for it."""

    authority: Path = Path()


@pytest.fixture(scope="session")
def tls_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRegistry]:
    """A registry with a certificate of a private authority."""
    import trustme

    folder = tmp_path_factory.mktemp("tls-registry")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with (folder / "cert.pem").open("wb") as file:
        file.writelines(pem.bytes() for pem in certificate.cert_chain_pems)
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    with run_registry(folder, tls=(folder / "cert.pem", folder / "key.pem")) as running:
        yield TlsRegistry(running.url, running.root, authority=folder / "ca.pem")


def machines() -> tuple[str, str]:
    """Return what images call this machine's architecture, and another one."""
    own = host_platform().partition("/")[2]
    return own, "arm64" if own == "amd64" else "amd64"


def index_of(make: MakeImage, text: str = "print(1)", **more: bytes) -> Index:
    """Return an index of two small images: another machine's is listed first or last by name."""
    return Index(tuple(make(text, base=each.encode(), machine=each, **more) for each in machines()))


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """Return a maker of small images: ``make_image("text", base=b"…")``; equal in, equal out."""

    def make(
        text: str = "print(1)",
        *,
        base: bytes = b"base",
        weights: bytes = b"",
        machine: str = "amd64",
    ) -> Image:
        store = tmp_path / "store"
        below = build_layer([Entry("etc/base", base)], kind="base", title="base", store=store)
        config = {"architecture": machine, "os": "linux", "config": {"Env": ["PATH=/bin"]}}
        layers = [
            build_layer(
                [Entry("opt/mlops/service.py", text.encode())],
                kind="code", title="code", store=store,
            )
        ]  # fmt: skip
        if weights:
            entry = Entry("opt/mlops/weights/w.npy", weights)
            layers.insert(0, build_layer([entry], kind="weights", title="w", store=store))
        return build_image(
            Base("example.org/base:1", "sha256:" + "0" * 64, (below,), config),
            layers,
            ImageConfig(
                entrypoint=["python3"],
                env={"B": "2", "A": "1"},
                ports=[8080],
                labels={"io.jupyter-mlops.publication": '{"name":"small"}'},
            ),
        )

    return make
