"""Bad days of reading, of logging in and of the local disk: a result, or one clear sentence."""

from __future__ import annotations

import errno
import os
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import MlopsError, RegistryError
from jupyter_mlops.image import store
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.registry import mounts, tokens, transport
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.failures import unreachable
from tests.registry.faulty import FaultyRegistry, Handler, Repeated, reset, status, times
from tests.registry.images import PIECE, GeneratedBlob, generated_image, piece_of
from tests.registry.logins import TokenServer, basic_only, log_in

BLOB = GeneratedBlob(5, 8)
DIGEST = BLOB.descriptor.digest


@pytest.fixture
def server(faulty: FaultyRegistry) -> FaultyRegistry:
    """A registry with one blob of 8 MiB."""
    faulty.large[DIGEST] = Repeated(piece_of(5), 8)
    return faulty


def read(server: FaultyRegistry) -> int:
    with RemoteRepository(server.url, "lab/iris").blob(DIGEST) as pieces:
        return sum(map(len, pieces))


def cut(after: int, pause: float = 0.0) -> Any:
    """Send only some of the bytes that were promised, then wait, then break."""

    def act(handler: Handler) -> None:
        handler.answer(200, b"", {"Content-Length": str(8 * PIECE)})
        for _ in range(after // PIECE):
            handler.wfile.write(piece_of(5))
        handler.wfile.flush()
        time.sleep(pause)
        reset()(handler)

    return act


def asked(server: FaultyRegistry) -> list[str]:
    """Note from which byte on each request reads."""
    noted: list[str] = []

    def note(handler: Handler) -> bool:
        if handler.command == "GET":
            noted.append(handler.headers.get("range", ""))
        return False

    server.rules.insert(0, note)
    return noted


@pytest.mark.parametrize("pause", [0.0, 2.5], ids=["truncated", "stalled"])
def test_a_download_goes_on_where_it_was(
    server: FaultyRegistry, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pause:
        monkeypatch.setattr(transport, "SILENCE", 1.0)
    ranges = asked(server)
    server.rules.append(times(1, "GET", "/blobs/", cut(3 * PIECE, pause)))
    assert read(server) == 8 * PIECE
    assert ranges[1] == f"bytes={3 * PIECE}-"


def test_each_break_on_the_way_counts_anew(server: FaultyRegistry) -> None:
    """More breaks than attempts, each after a mebibyte."""

    def next_one(handler: Handler) -> None:
        start = handler._start()
        length = {"Content-Length": str(8 * PIECE - start)}
        handler.answer(206 if start else 200, piece_of(5), length)
        handler.wfile.flush()
        reset()(handler)

    server.rules.append(times(7, "GET", "/blobs/", next_one))
    assert read(server) == 8 * PIECE


def test_a_download_that_never_comes_is_a_sentence(server: FaultyRegistry) -> None:
    server.rules.append(times(99, "GET", "/blobs/", cut(0)))
    with pytest.raises(RegistryError, match=r"connection to registry 127\.0\.0\.1:\d+ failed"):
        read(server)
    assert server.count("GET", "/blobs/") == 5


def test_wrong_content_is_a_sentence_and_never_complete(server: FaultyRegistry) -> None:
    server.large[DIGEST] = Repeated(piece_of(6), 8)
    got = 0
    with (
        pytest.raises(RegistryError, match=f"the content of {DIGEST} is damaged"),
        RemoteRepository(server.url, "lab/iris").blob(DIGEST) as pieces,
    ):
        for piece in pieces:
            got += len(piece)
    assert got < 8 * PIECE


@pytest.mark.parametrize("kind", [307, 302, 308])
def test_a_redirect_to_another_host_takes_no_login_along(
    server: FaultyRegistry, kind: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, monkeypatch, server.url)
    server.rules.append(basic_only())
    with FaultyRegistry() as storage:
        storage.large = server.large
        # It even asks for a login, which it does not get.
        challenge = {"WWW-Authenticate": 'Basic realm="storage"'}
        there = {"Location": f"http://{storage.url}/v2/lab/iris/blobs/{DIGEST}"}
        server.rules.append(times(99, "GET", "/blobs/", status(kind, there)))
        assert read(server) == 8 * PIECE
        storage.rules.append(times(9, "GET", "/blobs/", status(401, challenge)))
        with pytest.raises(RegistryError, match="docker login"):
            read(server)
        assert set(storage.authorizations) == {""}


def test_an_upload_on_another_host_takes_no_login_along(
    server: FaultyRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, monkeypatch, server.url)
    server.rules.append(basic_only())
    with FaultyRegistry() as storage:
        there = {"Location": f"http://{storage.url}/v2/lab/iris/blobs/uploads/s0?_state=a"}
        server.rules.append(times(99, "POST", "/uploads/", status(202, there)))
        challenge = {"WWW-Authenticate": f'Bearer realm="http://{storage.url}/token"'}
        for method in ("PUT", "GET"):
            storage.rules.append(times(99, method, "/", status(401, challenge)))
        with pytest.raises(RegistryError, match="docker login"):
            RemoteRepository(server.url, "lab/iris").push(generated_image(BLOB), ["latest"])
        assert storage.count("GET", "/token") == 0
        assert set(storage.authorizations) == {""}


class Dripping:
    """Answers a byte now and then, for good."""

    def __init__(self, first: bytes) -> None:
        self.first = first

    def __call__(self, handler: Handler) -> None:
        handler.wfile.write(self.first)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                break
            time.sleep(0.05)
        handler.close_connection = True


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
    ids=["headers", "body"],
)  # fmt: skip
def test_a_token_server_that_drips_is_a_sentence(
    server: FaultyRegistry, first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "DEADLINE", 0.3)
    TokenServer(server)
    server.rules.insert(0, times(99, "GET", "/token", Dripping(first)))
    begun = time.monotonic()
    with pytest.raises(RegistryError, match="does not answer in time"):
        RemoteRepository(server.url, "lab/iris").tags()
    assert time.monotonic() - begun < 15  # its drops would go on for longer


def test_a_list_that_drips_is_a_sentence(
    server: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_TIME", 0.2)
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
    server.rules.append(times(99, "GET", "/tags/", Dripping(first)))
    with pytest.raises(RegistryError, match="does not answer in time"):
        RemoteRepository(server.url, "lab/iris").tags()


def test_a_clock_that_is_wrong_is_named() -> None:
    error = ssl.SSLCertVerificationError("certificate is not yet valid")
    error.verify_code, error.verify_message = 9, "certificate is not yet valid"
    broken = ConnectionError()
    broken.__cause__ = error
    said = str(unreachable("r.example.org", broken))
    assert "not yet valid" in said and "Check the clock of this machine" in said


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_moves_no_tag_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "layout", "iris")
    old, new = generated_image(GeneratedBlob(1, 1)), generated_image(GeneratedBlob(1, 1), BLOB)
    layout.push(old, ["latest"])
    before = sorted(path.name for path in (tmp_path / "layout").rglob("*"))

    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(store, "replace", full)
    with pytest.raises(MlopsError, match="no space left") as caught:
        layout.push(new, ["latest"])
    assert "Free some space" in str(caught.value) and str(tmp_path) in str(caught.value)
    assert layout.resolve("latest").digest == old.digest
    assert sorted(path.name for path in (tmp_path / "layout").rglob("*")) == before
    monkeypatch.undo()
    layout.push(new, ["latest"])
    assert fsck(layout.directory).problems == []


def test_a_full_home_does_not_fail_a_push(
    faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen where is a hint: not being able to note it is no failure."""

    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(store, "replace", full)
    image = generated_image(GeneratedBlob(1, 1))
    RemoteRepository(faulty.url, "lab/iris").push(image, ["latest"])
    assert faulty.tags("lab/iris") == {"latest": image.digest}
    assert mounts.read(faulty.url) == {}
