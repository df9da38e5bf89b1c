"""What goes wrong between us and a registry ends in success or in one clear sentence."""

from __future__ import annotations

import email.utils
import json
import socket
import time
from itertools import pairwise
from pathlib import Path

import pytest

from jupyter_mlops.errors import ImageError, NotFoundError, RegistryError
from jupyter_mlops.image.blob import FileBlob, RemoteBlob
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.registry import mounts
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.transport import Transport
from tests.fixtures_registry import MakeImage, free_port
from tests.registry.faulty import FaultyRegistry, Handler, reset, status, times
from tests.registry.logins import basic_only, log_in


def repository(server: FaultyRegistry, name: str = "lab/iris") -> RemoteRepository:
    return RemoteRepository(server.url, name)


def complete(server: FaultyRegistry, image: Image, name: str = "lab/iris") -> bool:
    return all((name, blob.descriptor.digest) in server.blobs for blob in image.blobs())


def test_a_push_is_complete_and_the_tags_come_last(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    image, seen = make_image(weights=b"w" * 3_000_000), list[tuple[int, int]]()
    pushed = repository(faulty).push(
        image, ["v1", "latest"], lambda done, total, _: seen.append((done, total))
    )
    assert complete(faulty, image)
    assert faulty.tags("lab/iris") == {"v1": image.digest, "latest": image.digest}
    assert pushed.pushed_bytes == image.size + 2 * len(image.manifest), "once for each tag"
    assert seen[-1] == (image.size, image.size)
    assert all(before[0] <= after[0] for before, after in pairwise(seen))
    writes = [path for method, path in faulty.requests if method == "PUT"]
    assert [path.rpartition("/")[2] for path in writes[-2:]] == ["v1", "latest"]
    assert not any("/manifests/" in path for path in writes[:-2]), "all blobs are there first"


def test_of_a_changed_image_only_what_is_new_is_sent(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    repository(faulty).push(make_image("1"), ["latest"])
    faulty.requests.clear()
    pushed = repository(faulty).push(make_image("2"), ["latest"])
    assert pushed.skipped == 1
    assert faulty.count("POST") == 2  # code and config, not the base
    assert faulty.count("HEAD", "/blobs/") == 0  # they are small, and never were there


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("method", "part"),
    [("HEAD", "/blobs/"), ("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/")],
)
def test_bad_moments_are_waited_out(
    faulty: FaultyRegistry, make_image: MakeImage, method: str, part: str, code: int
) -> None:
    faulty.rules.append(times(2, method, part, status(code)))
    image = make_image()
    digests = [blob.descriptor.digest for blob in image.blobs()]
    mounts.remember(faulty.url, "lab/iris", digests)  # so they are asked for
    repository(faulty).push(image, ["latest"])
    assert faulty.count(method, part) >= 3
    assert complete(faulty, image)
    assert faulty.tags("lab/iris") == {"latest": image.digest}


def test_retry_after_is_followed(
    faulty: FaultyRegistry, make_image: MakeImage, waits: list[float]
) -> None:
    when = email.utils.formatdate(time.time() + 20, usegmt=True)
    faulty.rules.append(times(1, "GET", "/manifests/", status(503, {"Retry-After": "7"})))
    faulty.rules.append(times(1, "GET", "/manifests/", status(429, {"Retry-After": when})))
    with pytest.raises(NotFoundError):
        repository(faulty).manifest("latest")
    assert waits[0] == 7
    assert 10 < waits[1] <= 20


def test_too_long_a_wait_is_said(faulty: FaultyRegistry, waits: list[float]) -> None:
    faulty.rules.append(times(9, "GET", "/tags/", status(429, {"Retry-After": "3600"})))
    with pytest.raises(RegistryError, match="asks to wait 3600 seconds"):
        repository(faulty).tags()
    assert waits == []


@pytest.mark.parametrize(
    ("code", "body", "sentence"),
    [
        (401, None, f"docker login {'127.0.0.1'}"),
        (403, None, "Ask its owner for the right"),
        (400, {"errors": [{"code": "DENIED", "message": "requested access is denied"}]}, "denied"),
        (413, None, "client_max_body_size"),
        (507, None, "no space left"),
        (500, {"errors": [{"code": "UNKNOWN", "detail": {"Err": "no space left on device"}}]},
         "no space left"),
        (500, None, "Try again later"),
        (429, None, "too many requests"),
        (400, {"errors": [{"code": "DIGEST_INVALID", "message": "bad"}]}, "HTTP 400: bad"),
    ],
)  # fmt: skip
def test_what_a_refused_upload_means(
    faulty: FaultyRegistry, make_image: MakeImage, code: int, body: object, sentence: str
) -> None:
    faulty.rules.append(times(99, "PUT", "/uploads/", status(code, body=body)))
    with pytest.raises(RegistryError) as caught:
        repository(faulty).push(make_image(), ["latest"])
    assert sentence in str(caught.value)
    assert faulty.url in str(caught.value)
    assert faulty.tags("lab/iris") == {}


def test_a_broken_upload_is_begun_anew_in_a_new_session(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    faulty.rules.append(times(1, "PUT", "/uploads/", reset(after=1000)))
    image = make_image(weights=bytes(range(256)) * 20_000)
    seen: list[int] = []
    repository(faulty).push(image, ["latest"], lambda done, *_: seen.append(done))
    assert complete(faulty, image)
    assert seen[-1] == image.size
    puts = [path for method, path in faulty.requests if method == "PUT" and "/uploads/" in path]
    sessions = [path.split("/uploads/")[1].split("?")[0] for path in puts]
    assert len(sessions) == len(set(sessions)) == len(image.blobs()) + 1


@pytest.mark.parametrize("code", [404, 416])
def test_a_lost_session_is_begun_anew(
    faulty: FaultyRegistry, make_image: MakeImage, code: int
) -> None:
    faulty.rules.append(times(1, "PUT", "/uploads/", status(code)))
    image = make_image()
    repository(faulty).push(image, ["latest"])
    assert complete(faulty, image)


def test_a_reply_that_was_lost_is_not_sent_twice(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    image = make_image()

    def lose(handler: Handler) -> None:
        data = handler.drain()
        digest = handler.path.rpartition("digest=")[2].replace("%3A", ":")
        faulty.blobs["lab/iris", digest] = data
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    faulty.rules.append(times(1, "PUT", "/uploads/", lose))
    repository(faulty).push(image, ["latest"])
    assert complete(faulty, image)
    assert faulty.count("PUT", "/uploads/") == len(image.blobs())


def mountable(image: Image, server: FaultyRegistry, source: str = "base/python") -> Image:
    """Let the base's layer live in another repository of the server."""
    base = image.layers[0]
    with base.blob.open() as chunks:
        server.blobs[source, base.blob.descriptor.digest] = b"".join(chunks)
    blob = RemoteBlob(base.blob.descriptor, repository(server, source), f"{server.url}/{source}")
    moved = Layer(blob, base.diff_id, base.kind, base.title)
    return Image(image.manifest, image.config, (moved, *image.layers[1:]))


def test_a_base_is_mounted_not_downloaded(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    image = mountable(make_image(), faulty)
    pushed = repository(faulty).push(image, ["latest"])
    assert pushed.mounted == 1
    assert faulty.count("GET", "/blobs/") == 0
    assert complete(faulty, image)


def test_a_202_for_a_mount_is_an_upload(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    image = mountable(make_image(), faulty)

    def not_mounted(handler: Handler) -> None:
        handler.path = handler.path.partition("?")[0]
        handler._blobs_uploads("lab/iris", "", {})

    faulty.rules.append(times(1, "POST", "mount=", not_mounted))
    pushed = repository(faulty).push(image, ["latest"])
    assert pushed.mounted == 0
    assert complete(faulty, image)
    assert faulty.count("POST", "/uploads/") == len(image.blobs())  # its session was used


@pytest.mark.parametrize("code", [401, 403, 404, 405, 500])
def test_a_refused_mount_is_an_upload(
    faulty: FaultyRegistry, make_image: MakeImage, code: int
) -> None:
    image = mountable(make_image(), faulty)
    faulty.rules.append(times(9, "POST", "mount=", status(code)))
    assert repository(faulty).push(image, ["latest"]).mounted == 0
    assert complete(faulty, image)


def test_blobs_of_another_publication_are_mounted(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    repository(faulty, "lab/iris").push(make_image(), ["latest"])
    pushed = repository(faulty, "lab/wine").push(make_image(), ["latest"])
    assert pushed.mounted == 3
    assert faulty.count("PUT", "/lab/wine/blobs/uploads") == 0


def test_blobs_that_the_registry_forgot_are_sent_again(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    repository(faulty).push(make_image("1"), ["latest"])
    base = make_image("1").layers[0].descriptor.digest
    del faulty.blobs["lab/iris", base]  # by a garbage collection, say
    image = make_image("2")
    repository(faulty).push(image, ["latest"])
    assert complete(faulty, image)
    assert faulty.tags("lab/iris") == {"latest": image.digest}


def pushed_blob(server: FaultyRegistry, data: bytes) -> str:
    import hashlib

    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    server.blobs["lab/iris", digest] = data
    return digest


def read(server: FaultyRegistry, digest: str) -> bytes:
    with repository(server).blob(digest) as chunks:
        return b"".join(chunks)


def test_a_download_that_breaks_goes_on_where_it_was(faulty: FaultyRegistry) -> None:
    data = bytes(range(256)) * 30_000
    digest = pushed_blob(faulty, data)

    def cut(handler: Handler) -> None:
        handler.answer(200, data[:5_000_000], {"Content-Length": str(len(data))})
        handler.wfile.flush()
        handler.close_connection = True

    faulty.rules.append(times(1, "GET", "/blobs/", cut))
    ranges: list[str] = []

    def note(handler: Handler) -> bool:
        ranges.append(handler.headers.get("range", ""))
        return False

    faulty.rules.append(note)
    assert read(faulty, digest) == data
    assert ranges[-1].startswith("bytes=") and ranges[-1] != "bytes=0-"


def test_a_server_without_ranges_is_read_from_the_start(faulty: FaultyRegistry) -> None:
    data = bytes(range(256)) * 30_000
    digest = pushed_blob(faulty, data)

    def cut(handler: Handler) -> None:
        handler.answer(200, data[:5_000_000], {"Content-Length": str(len(data))})
        handler.wfile.flush()
        handler.close_connection = True

    faulty.rules.append(times(1, "GET", "/blobs/", cut))
    faulty.rules.append(times(9, "GET", "/blobs/", lambda handler: handler.answer(200, data)))
    assert read(faulty, digest) == data


def test_wrong_content_is_never_taken(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    digest = pushed_blob(faulty, b"right")
    faulty.blobs["lab/iris", digest] = b"wrong"
    with pytest.raises(RegistryError, match="damaged"):
        read(faulty, digest)
    image = make_image()
    repository(faulty).push(image, ["latest"])
    kind, data = faulty.manifests["lab/iris", image.digest]
    faulty.manifests["lab/iris", image.digest] = (kind, data + b" ")
    with pytest.raises(RegistryError, match="another digest"):
        repository(faulty).manifest(image.digest)


def test_what_is_not_there_is_not_found(faulty: FaultyRegistry) -> None:
    assert repository(faulty).tags() == []
    for version in ("v1", "sha256:" + "0" * 64):
        with pytest.raises(NotFoundError):
            repository(faulty).resolve(version)
    with pytest.raises(NotFoundError), repository(faulty).blob("sha256:" + "0" * 64) as chunks:
        list(chunks)


def test_lists_come_in_pages(faulty: FaultyRegistry) -> None:
    def page(handler: Handler) -> None:
        more = "last=b" in handler.path
        link = {} if more else {"Link": '</v2/lab/iris/tags/list?last=b&n=2>; rel="next"'}
        handler.answer(200, json.dumps({"tags": ["c"] if more else ["a", "b"]}).encode(), link)

    faulty.rules.append(times(2, "GET", "/tags/", page))
    assert repository(faulty).tags() == ["a", "b", "c"]


def test_a_redirect_to_other_storage_gets_no_password(
    faulty: FaultyRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = pushed_blob(faulty, b"data")
    log_in(tmp_path, monkeypatch, faulty.url)
    with FaultyRegistry() as storage:
        storage.blobs["lab/iris", digest] = b"data"
        location = {"Location": f"http://{storage.url}/v2/lab/iris/blobs/{digest}"}
        faulty.rules.append(basic_only())
        faulty.rules.append(times(1, "GET", "/blobs/", status(307, location)))
        assert read(faulty, digest) == b"data"
        assert storage.authorizations == [""]
    assert faulty.authorizations[-1].startswith("Basic ")


def test_nobody_there_is_a_sentence(waits: list[float]) -> None:
    with pytest.raises(RegistryError, match="Nothing listens there"):
        RemoteRepository(f"127.0.0.1:{free_port()}", "a").tags()
    with pytest.raises(RegistryError, match="has no address in the DNS"):
        RemoteRepository("no-such-registry.invalid", "a").tags()
    assert len(waits) < 5


def test_plain_http_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transport, "_speaks_tls", lambda *_: False)
    assert Transport("localhost:5000").root() == "http://localhost:5000"
    assert Transport("127.0.0.2").root() == "http://127.0.0.2"
    assert Transport("[::1]:5000").root() == "http://[::1]:5000"
    assert Transport("r.example.org").root() == "https://r.example.org"
    monkeypatch.setenv("JUPYTER_MLOPS_INSECURE_REGISTRIES", "a.b:1, r.example.org")
    assert Transport("r.example.org").root() == "http://r.example.org"
    assert Transport("docker.io").root() == "https://registry-1.docker.io"


def test_a_stopped_push_moves_no_tag(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    first = make_image("1")
    repository(faulty).push(first, ["latest"])
    faulty.rules.append(times(99, "PUT", "/uploads/", reset()))
    with pytest.raises(RegistryError, match="connection"):
        repository(faulty).push(make_image("2", weights=b"1" * 999), ["latest"])
    assert faulty.tags("lab/iris") == {"latest": first.digest}


def test_a_base_of_another_registry_is_streamed_through(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    with FaultyRegistry() as other:
        image = mountable(make_image(), other)
        pushed = repository(faulty).push(image, ["latest"])
        assert pushed.mounted == 0
        assert complete(faulty, image)
        assert other.count("GET", "/blobs/") == 1


def test_a_layer_that_was_damaged_in_the_store_is_not_pushed(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    image = make_image()
    blob = image.layers[-1].blob
    assert isinstance(blob, FileBlob)
    data = bytearray(blob.path.read_bytes())
    data[-1] ^= 1
    blob.path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="damaged"):
        repository(faulty).push(image, ["latest"])
    assert faulty.tags("lab/iris") == {}
    assert not complete(faulty, image)


def test_a_listener_can_stop_a_push(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int, label: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        repository(faulty).push(make_image(weights=b"1" * 5_000_000), ["latest"], stop)
    assert faulty.tags("lab/iris") == {}
