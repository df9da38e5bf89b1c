"""One bad day after the other: each fault of the list ends well, or in one clear sentence.

Each case pushes an image over an older one. It holds what the person reads, that the tag is the
old one or the whole new one, how many bytes were sent in vain, and that no blob is held in memory.
"""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.registry import chunks, mounts, transport
from jupyter_mlops.registry.client import RemoteRepository
from tests.registry.faulty import FaultyRegistry, Handler, Rule, reset, status, times
from tests.registry.images import PIECE, GeneratedBlob, generated_image
from tests.registry.logins import TokenServer

CHUNK = 4 * PIECE
BASE, WHOLE, BIG = GeneratedBlob(1, 1), GeneratedBlob(2, 6), GeneratedBlob(3, 24)
OLD, NEW = generated_image(BASE, GeneratedBlob(4, 2)), generated_image(BASE, WHOLE, BIG)
#: Bytes of Python objects, of client and registry together, at any time: less than the blob.
MEMORY = 8 * PIECE
PATCH, PUT, POST = ("PATCH", "/uploads/"), ("PUT", "/uploads/"), ("POST", "/uploads/")
MANIFEST = ("PUT", "/manifests/")
#: Any chunk but the first.
SECOND = ("PATCH", f"D{CHUNK}")
WHOLE_PUT = ("PUT", WHOLE.descriptor.digest.removeprefix("sha256:"))
FOREVER = 999


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "THRESHOLD", 16 * PIECE)
    monkeypatch.setattr(chunks, "CHUNK_SIZE", CHUNK)
    monkeypatch.setattr(chunks, "closing_seconds", lambda _: 0.0)


@pytest.fixture
def server(waits: list[float]) -> Iterator[FaultyRegistry]:
    """A registry that drops what it is sent, with the old image under the tag."""
    with FaultyRegistry(keep=False) as running:
        RemoteRepository(running.url, "lab/iris").push(OLD, ["latest"])
        running.requests.clear()
        running.received = 0
        yield running


Setup = Callable[[FaultyRegistry], None]


@dataclass(frozen=True)
class Case:
    """A fault, what is read when it stays (nothing: the push succeeds), and the price."""

    name: str
    setup: Setup
    sentence: str = ""
    #: Most bytes that are sent in vain.
    again: int = 0
    waits: list[float] = field(default_factory=list)


def on(where: tuple[str, str], act: Any, count: int = 1) -> Setup:
    return lambda server: server.rules.append(times(count, *where, act))


def dated(code: int, seconds: float) -> Any:
    """Ask to come back at a moment by the registry's clock."""

    def act(handler: Handler) -> None:
        when = handler.date_time_string(time.time() + seconds)
        status(code, {"Retry-After": when})(handler)

    return act


def stall(handler: Handler) -> None:
    """Take a little, then nothing more, and say nothing."""
    handler.take(PIECE)
    time.sleep(2.5)
    reset()(handler)


def at_once(code: int) -> Any:
    """Answer before the body was read, and hang up, as proxies do."""

    def act(handler: Handler) -> None:
        handler.answer(code)
        handler.wfile.flush()
        handler.close_connection = True

    return act


def lose_session(handler: Handler) -> None:
    handler.server_state.uploads.pop(handler.path.partition("?")[0].rpartition("/")[2])
    status(404, body={"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]})(handler)


def lose_answer(handler: Handler) -> None:
    """Do what was asked for, and do not say so."""
    handler.answer = lambda *_, **__: None  # type: ignore[method-assign]
    handler.serve()
    reset()(handler)


def seen_elsewhere(answer: Any = None) -> Setup:
    """A blob was seen in another repository; a mount from there is answered so."""

    def setup(server: FaultyRegistry) -> None:
        mounts.remember(server.url, "lab/wine", [WHOLE.descriptor.digest])
        if answer:
            server.rules.append(times(FOREVER, "POST", "mount=", answer))

    return setup


def expire(server: FaultyRegistry) -> None:
    """All tokens end in the middle of the upload."""
    TokenServer(server)

    def end(handler: Handler) -> None:
        server.tokens.clear()
        status(401)(handler)

    server.rules.insert(0, times(1, *SECOND, end))


def unknown(count: int) -> Setup:
    body = {"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]}
    return on(MANIFEST, status(400, body=body), count)


def skewed(server: FaultyRegistry) -> None:
    server.ahead = 7200
    server.rules.append(times(1, *PATCH, dated(503, 5)))


def http_1_0(server: FaultyRegistry) -> None:
    server.server.RequestHandlerClass.protocol_version = "HTTP/1.0"  # type: ignore[attr-defined]
    server.lengths = False


def absolute(server: FaultyRegistry) -> None:
    server.absolute = True


FULL = {"errors": [{"code": "UNKNOWN", "detail": {"Err": "no space left on device"}}]}
CASES = [
    Case("nothing", lambda _: None),
    Case("429 with seconds", on(PATCH, status(429, {"Retry-After": "7"})), "", CHUNK, [7]),
    Case("429 with a date", on(PATCH, dated(429, 20)), "", CHUNK, [20]),
    Case("429 with a date that is over", on(PATCH, dated(429, -99)), "", CHUNK, [0]),
    Case("429 by a clock that is ahead", skewed, "", CHUNK, [5]),
    Case("429 that asks for an hour", on(PATCH, status(429, {"Retry-After": "3600"}), FOREVER),
         "asks to wait 3600 seconds with blob sha256:", CHUNK),
    Case("429 for good", on(PATCH, status(429), FOREVER), "has had too many requests", 5 * CHUNK),
    *(Case(f"{code} twice", on(PATCH, status(code), 2), "", 2 * CHUNK)
      for code in (500, 502, 503, 504)),
    Case("503 to a whole blob", on(WHOLE_PUT, status(503), 2), "", 2 * 6 * PIECE),
    Case("503 to the opening", on(POST, status(503), 4)),
    Case("503 to the manifest", on(MANIFEST, status(503), 4)),
    Case("500 for good", on(PATCH, status(500), FOREVER), "failed at blob sha256:", 5 * CHUNK),
    Case("504 to the last answer", on(("PUT", f"D{24 * PIECE}"), status(504))),
    # What the other lane is sending just then, a whole blob, is refused, too.
    Case("401 in the middle", expire, "", CHUNK + 6 * PIECE),
    Case("401 for good", on(PATCH, status(401), FOREVER), "docker login 127.0.0.1", 5 * CHUNK),
    Case("403 for good", on(PATCH, status(403), FOREVER), "Ask its owner for the right", CHUNK),
    *(Case(f"{code} to a mount", seen_elsewhere(status(code))) for code in (401, 403, 404, 405)),
    Case("500 to a mount", seen_elsewhere(status(500))),
    Case("202 to a mount", seen_elsewhere()),
    Case("416", on(SECOND, status(416)), "", CHUNK),
    Case("404, the session is lost", on(SECOND, lose_session), "", 2 * CHUNK),
    Case("a reset within a chunk", on(SECOND, reset(after=PIECE))),
    Case("a reset within a whole blob", on(WHOLE_PUT, reset(after=PIECE)), "", PIECE),
    Case("resets for good", on(PATCH, reset(), FOREVER), "The connection to registry 127.0.0.1"),
    Case("a stall", on(SECOND, stall), "", 0),
    Case("a stall of a whole blob", on(WHOLE_PUT, stall), "", PIECE),
    Case("a stall for good", on(WHOLE_PUT, stall, FOREVER), "does not answer in time", 5 * PIECE),
    Case("Locations with a host", absolute),
    Case("no Location", on(POST, status(202), FOREVER), "opened no upload"),
    Case("the answer to a blob is lost", on(WHOLE_PUT, lose_answer)),
    Case("the answer to the last request is lost", on(("PUT", f"D{24 * PIECE}"), lose_answer)),
    Case("the answer to a manifest is lost", on(MANIFEST, lose_answer, 2)),
    Case("a blob is unknown once", unknown(1)),
    Case("blobs are unknown for good", unknown(FOREVER), "blob unknown to registry"),
    Case("HTTP/1.0 without lengths", http_1_0),
    Case("no chunks", on(PATCH, status(405), FOREVER), "", CHUNK),
    Case("413 for good", on(PATCH, status(413), FOREVER), "client_max_body_size", CHUNK),
    Case("413 before the body is read", on(WHOLE_PUT, at_once(413), FOREVER),
         "client_max_body_size"),
    Case("503 before the body is read", on(SECOND, at_once(503), 2)),
    Case("a full registry", on(PATCH, status(500, body=FULL), FOREVER), "no space left", 5 * CHUNK),
    Case("the manifest is too large", on(MANIFEST, status(413), FOREVER), "client_max_body_size"),
    Case("another digest", on(PUT, status(400, body={"errors": [{"code": "DIGEST_INVALID"}]}),
         FOREVER), "HTTP 400: DIGEST_INVALID", 6 * PIECE),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault(
    server: FaultyRegistry, case: Case, waits: list[float], record_property: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if "stall" in case.name:
        monkeypatch.setattr(transport, "SILENCE", 1.0)
    case.setup(server)
    repository = RemoteRepository(server.url, "lab/iris")
    said = ""
    tracemalloc.start()
    try:
        repository.push(NEW, ["latest"])
    except RegistryError as error:
        said = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    if case.sentence:
        assert case.sentence in said and server.url in said
        assert len(said) < 400 and "\n" not in said and said.endswith(".")
        assert server.tags("lab/iris") == {"latest": OLD.digest}
    else:
        assert said == ""
        assert server.tags("lab/iris") == {"latest": NEW.digest}
        assert complete(server, NEW)
    sent = NEW.size - BASE.descriptor.size  # the base was there already
    again = server.received - sent
    record_property("again", again)
    record_property("peak", peak)
    assert again <= case.again
    assert peak < MEMORY
    assert all(abs(real - asked) < 2 for real, asked in zip(waits, case.waits, strict=False))
    assert len(waits) >= len(case.waits)
    assert complete(server, OLD)


def complete(server: FaultyRegistry, image: Image) -> bool:
    return all(server.holds("lab/iris", blob.descriptor.digest) for blob in image.blobs())


def test_a_push_that_failed_goes_on_where_it_was(server: FaultyRegistry) -> None:
    """The second push sends only what the first did not bring."""
    fail: Rule = times(FOREVER, "PUT", "/manifests/", status(500))
    server.rules.append(fail)
    repository = RemoteRepository(server.url, "lab/iris")
    with pytest.raises(RegistryError, match="failed at lab/iris"):
        repository.push(NEW, ["latest"])
    server.rules.clear()
    server.received = 0
    pushed = repository.push(NEW, ["latest"])
    assert server.received == 0 and pushed.skipped == len(NEW.blobs())
    assert server.tags("lab/iris") == {"latest": NEW.digest}


def test_two_publishers_of_one_tag(server: FaultyRegistry) -> None:
    """The tag is one of the two, and whole; the other stays under its digest."""
    images = [generated_image(BASE, GeneratedBlob(seed, 5)) for seed in (11, 12)]
    barrier, failed = threading.Barrier(2), list[BaseException]()

    def publish(image: Image) -> None:
        try:
            barrier.wait(10)
            for _ in range(3):
                RemoteRepository(server.url, "lab/iris").push(image, ["latest"])
        except BaseException as error:
            failed.append(error)

    publishers = [threading.Thread(target=publish, args=(image,)) for image in images]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join(60)
    assert not failed
    assert server.tags("lab/iris")["latest"] in {image.digest for image in images}
    for image in images:
        assert complete(server, image)
        assert ("lab/iris", image.digest) in server.manifests


def test_what_is_read_last_is_what_the_tag_says(server: FaultyRegistry) -> None:
    """A registry that stores something else than it was given is found out."""

    def store_other(handler: Handler) -> None:
        handler.drain()
        handler.answer(201, headers={"Docker-Content-Digest": "sha256:" + "1" * 64})

    server.rules.append(times(1, *MANIFEST, store_other))
    with pytest.raises(RegistryError, match="stored another manifest"):
        RemoteRepository(server.url, "lab/iris").push(NEW, ["latest"])
    assert server.tags("lab/iris") == {"latest": OLD.digest}
