"""A registry that talks nonsense: whatever it says, it is a result or a sentence, no traceback."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.registry import chunks, transport
from jupyter_mlops.registry.catalog import list_publications
from jupyter_mlops.registry.client import RemoteRepository
from tests.registry.faulty import FaultyRegistry, Handler
from tests.registry.images import PIECE, GeneratedBlob, generated_image

IMAGE = generated_image(GeneratedBlob(1, 1))
BAD_URLS = ("http://[::1", "http://a b:x/", "//:99999999/", "ftp://elsewhere/", "\x7f", "?", "#")
HEADERS: list[dict[str, str]] = [
    *({"Location": url} for url in BAD_URLS),
    *({"Link": f'<{url}>; rel="next"'} for url in BAD_URLS),
    *({"WWW-Authenticate": f'Bearer realm="{url}",service="x"'} for url in BAD_URLS),
    {"WWW-Authenticate": "Bearer"},
    {"WWW-Authenticate": 'Negotiate x=",,,'},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "zstd, br, x"},
    {"Content-Type": ";;;charset=nonsense"},
    {"Docker-Content-Digest": "sha256:zz"},
    {"Docker-Content-Digest": "hello"},
    {"Content-Length": "7"},
    {"Range": "0-18446744073709551616"},
    {"Range": "5-1"},
    {"OCI-Chunk-Min-Length": "-5"},
    {"OCI-Chunk-Min-Length": "99999999999999999999"},
    {"OCI-Chunk-Max-Length": "1"},
    {"Retry-After": "Fri, 99 Foo 2026 99:99:99"},
    {"Retry-After": "²"},
    {"Retry-After": "9" * 400},
    {"Date": "yesterday", "Retry-After": "Sat, 21 Nov 2026 17:33:33 GMT"},
]
BODIES: list[bytes] = [
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"<html>", b"[" * 5000,
    *(json.dumps(value).encode() for value in (
        {"errors": None}, {"errors": [1]}, {"errors": [{"code": {}, "message": [], "detail": 3}]},
        {"tags": 3}, {"tags": [None, {}, 1.5, "x/../y"]}, {"tags": {"a": 1}},
        {"repositories": 3}, {"repositories": ["../x", "", None, "A"]},
        {"token": None}, {"token": ["x"]}, {"token": "a\nb"}, {"token": "x", "expires_in": "soon"},
        {"layers": 3, "config": 4}, {"layers": [None], "config": {}}, {"manifests": [1]},
        {"layers": [{"digest": "sha256:..", "size": "x"}]}, {"schemaVersion": 1},
    )),
]  # fmt: skip
STATUSES = (200, 201, 202, 204, 206, 301, 307, 400, 401, 404, 416, 429, 500, 599)


def push(registry: str) -> object:
    return RemoteRepository(registry, "lab/iris").push(IMAGE, ["latest"])


def read(registry: str) -> object:
    with RemoteRepository(registry, "lab/iris").blob(IMAGE.layers[0].descriptor.digest) as pieces:
        return sum(map(len, pieces))


ACTS: dict[str, Callable[[str], object]] = {
    "push": push,
    "read": read,
    "tags": lambda registry: RemoteRepository(registry, "lab/iris").tags(),
    "resolve": lambda registry: RemoteRepository(registry, "lab/iris").resolve("latest"),
    "manifest": lambda registry: RemoteRepository(registry, "lab/iris").manifest("latest"),
    "list": list_publications,
}


class Nonsense:
    """Answers the n-th request, and every later one of its method, with nonsense."""

    def __init__(self, skip: int, code: int, headers: dict[str, str], body: bytes) -> None:
        self.left, self.method = skip, ""
        self.code, self.headers, self.body = code, headers, body

    def __call__(self, handler: Handler) -> bool:
        self.left -= 1
        if self.left >= 0 or self.method not in ("", handler.command):
            return False
        self.method = handler.command
        handler.discard()
        handler.answer(self.code, self.body, self.headers)
        if "Content-Length" in self.headers:
            handler.close_connection = True
        return True


@pytest.fixture
def server(faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch) -> FaultyRegistry:
    monkeypatch.setattr(chunks, "THRESHOLD", PIECE)
    monkeypatch.setattr(chunks, "CHUNK_SIZE", PIECE // 2)
    monkeypatch.setattr(transport, "SILENCE", 0.5)
    monkeypatch.setattr(chunks, "closing_seconds", lambda _: 0.0)
    push(faulty.url)
    return faulty


def told(server: FaultyRegistry, act: str, rule: Any) -> str:
    """Do something with a registry that talks nonsense; return the sentence, if there is one."""
    server.rules[:] = [rule]
    if act == "push":
        server.manifests.clear()
        server.blobs.clear()
    try:
        ACTS[act](server.url)
    except MlopsError as error:
        return str(error)
    return ""


CASES = [
    *((headers, b"{}") for headers in HEADERS),
    *(({"WWW-Authenticate": 'Bearer realm="http://REGISTRY/token"'}, body) for body in BODIES),
]


@pytest.mark.parametrize("act", ACTS)
def test_nonsense_is_a_result_or_a_sentence(server: FaultyRegistry, act: str) -> None:
    """A fifth of all combinations, another one for each act."""
    manifests = dict(server.manifests)
    for number, ((headers, body), code) in enumerate(itertools.product(CASES, STATUSES)):
        if (number + len(act)) % 5:
            continue
        asked = {key: value.replace("REGISTRY", server.url) for key, value in headers.items()}
        server.manifests.update(manifests)
        said = told(server, act, Nonsense(number % 4, code, asked, body))
        assert len(said) < 2000, (headers, body, code)


def test_a_list_without_end_is_a_sentence(server: FaultyRegistry) -> None:
    for link in ("?", "/v2/lab/iris/tags/list?n=1000"):
        headers = {"Link": f'<{link}>; rel="next"'}
        said = told(server, "tags", Nonsense(0, 200, headers, b'{"tags": ["a"]}'))
        assert "a list without end" in said
