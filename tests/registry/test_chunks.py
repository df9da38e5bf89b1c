"""Large blobs go in chunks, and what breaks goes on from where the registry says it is."""

from __future__ import annotations

import hashlib
import os
import threading
from itertools import pairwise

import pytest

from jupyter_mlops.errors import ImageError, NotFoundError, RegistryError
from jupyter_mlops.image.blob import FileBlob
from jupyter_mlops.registry import chunks
from jupyter_mlops.registry.chunks import ChunkedUpload, Source
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.quirks import TABLE, Quirks, quirks_of
from tests.fixtures_registry import MakeImage, RunningRegistry
from tests.registry.faulty import FaultyRegistry, Handler, Upload, reset, status, times
from tests.registry.images import PIECE, GeneratedBlob, generated_image
from tests.registry.proxy import Line

BIG = GeneratedBlob(1, 8)
SMALL = GeneratedBlob(2, 1)
CHUNK = 2 * PIECE


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "THRESHOLD", 4 * PIECE)
    monkeypatch.setattr(chunks, "CHUNK_SIZE", CHUNK)


class Sent:
    """A push of one large and one small blob, and the progress that it told."""

    def __init__(self, server: FaultyRegistry) -> None:
        self.image = generated_image(SMALL, BIG)
        self.progress: list[int] = []
        repository = RemoteRepository(server.url, "lab/iris")
        repository.push(self.image, ["latest"], lambda done, *_: self.progress.append(done))
        #: Bytes of uploads beyond those of the image.
        self.again = server.received - self.image.size


def ranges(server: FaultyRegistry) -> list[str]:
    """Note the Content-Range of each PATCH from now on."""
    noted: list[str] = []

    def note(handler: Handler) -> bool:
        if handler.command == "PATCH":
            noted.append(handler.headers["content-range"])
        return False

    server.rules.insert(0, note)
    return noted


def test_only_large_blobs_go_in_chunks(faulty: FaultyRegistry) -> None:
    noted = ranges(faulty)
    sent = Sent(faulty)
    assert noted == [f"{at}-{at + CHUNK - 1}" for at in range(0, 8 * PIECE, CHUNK)]
    assert faulty.tags("lab/iris") == {"latest": sent.image.digest}
    assert sent.again == 0 and sent.progress[-1] == sent.image.size
    assert faulty.count("PUT", "/uploads/") == len(sent.image.blobs())


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({"OCI-Chunk-Min-Length": str(3 * PIECE)}, 3 * PIECE),
        ({"OCI-Chunk-Max-Length": str(PIECE)}, PIECE),
        ({"OCI-Chunk-Min-Length": "1000", "OCI-Chunk-Max-Length": "99999999"}, CHUNK),
        ({"OCI-Chunk-Min-Length": "a lot"}, CHUNK),
    ],
)
def test_the_size_of_chunks_is_the_registrys(
    faulty: FaultyRegistry, headers: dict[str, str], size: int
) -> None:
    faulty.upload_headers = headers
    noted = ranges(faulty)
    Sent(faulty)
    assert noted[0] == f"0-{size - 1}"
    assert noted[-1].endswith(f"-{8 * PIECE - 1}")


def test_a_broken_chunk_goes_on_within_the_chunk(faulty: FaultyRegistry) -> None:
    noted = ranges(faulty)
    skipped = times(1, "PATCH", "/uploads/", lambda handler: handler.serve())
    faulty.rules += [skipped, times(1, "PATCH", "/uploads/", reset(after=PIECE))]
    sent = Sent(faulty)
    assert noted[2] == f"{CHUNK + PIECE}-{2 * CHUNK + PIECE - 1}"
    assert sent.again == 0  # what had arrived was not sent again
    assert sent.progress[-1] == sent.image.size


@pytest.mark.parametrize("code", [416, 429, 500, 503])
def test_a_refused_chunk_is_sent_again_alone(faulty: FaultyRegistry, code: int) -> None:
    faulty.rules.append(times(1, "PATCH", "/uploads/", status(code)))
    sent = Sent(faulty)
    assert sent.again == CHUNK  # the one that was refused
    assert faulty.opened == len(sent.image.blobs())


def test_each_failure_on_the_way_counts_anew(faulty: FaultyRegistry) -> None:
    left = [9]  # more than the attempts of one blob, each after some progress

    def now_and_then(handler: Handler) -> bool:
        if handler.command == "PATCH" and left[0] and len(faulty.requests) % 2:
            left[0] -= 1
            reset(after=PIECE)(handler)
            return True
        return False

    faulty.rules.append(now_and_then)
    assert Sent(faulty).again == 0


def test_a_lost_session_begins_anew(faulty: FaultyRegistry) -> None:
    def lose(handler: Handler) -> None:
        faulty.uploads.clear()
        reset(after=PIECE)(handler)

    faulty.rules.append(times(1, "PATCH", f"D{2 * CHUNK}", lose))
    sent = Sent(faulty)
    assert 0 < sent.again <= 3 * CHUNK
    assert sent.progress[-1] == sent.image.size


def test_a_registry_that_forgets_broken_chunks_is_begun_anew() -> None:
    with FaultyRegistry(forgets=True) as server:
        server.rules.append(times(1, "PATCH", f"D{CHUNK}", reset(after=PIECE)))
        sent = Sent(server)
        assert sent.again == CHUNK + PIECE
        assert server.tags("lab/iris") == {"latest": sent.image.digest}


@pytest.mark.parametrize("said", [{"Range": "0-99999999"}, {"Range": "bytes"}, {"Range": ""}, {}])
def test_a_session_that_talks_nonsense_begins_anew(
    faulty: FaultyRegistry, said: dict[str, str]
) -> None:
    faulty.rules.append(times(1, "PATCH", f"D{CHUNK}", reset(after=PIECE)))
    faulty.rules.append(times(1, "GET", "/uploads/", status(204, said)))
    sent = Sent(faulty)
    assert sent.again == CHUNK + PIECE
    assert sent.progress[-1] == sent.image.size


def test_bytes_that_a_registry_lost_are_sent_again(faulty: FaultyRegistry) -> None:
    """It took a chunk, and says afterwards that it holds nothing of it."""

    def shrink(handler: Handler) -> None:
        handler.take()
        item = handler.path.partition("?")[0].rpartition("/")[2]
        del faulty.uploads[item]
        faulty.uploads[item] = Upload("lab/iris")
        headers = {**handler._location(item), "Range": "0-0"}
        handler.answer(202, headers=headers)

    faulty.rules.append(times(1, "PATCH", f"D{CHUNK}", shrink))
    sent = Sent(faulty)
    assert sent.again == 2 * CHUNK


@pytest.mark.parametrize("lost", [True, False])
def test_a_lost_answer_to_the_last_request(faulty: FaultyRegistry, lost: bool) -> None:
    """Whether the registry has closed the upload or not: nothing is sent twice."""

    def lose(handler: Handler) -> None:
        if lost:
            handler.answer = lambda *_, **__: None  # type: ignore[method-assign]
            handler.serve()
        reset()(handler)

    faulty.rules.append(times(1, "PUT", f"D{8 * PIECE}", lose))
    sent = Sent(faulty)
    assert sent.again == 0
    assert faulty.tags("lab/iris") == {"latest": sent.image.digest}


@pytest.mark.parametrize("code", [201, 404, 405, 501])
def test_a_registry_without_chunks_gets_the_blob_whole(faulty: FaultyRegistry, code: int) -> None:
    """ECR answers 201; 404 is what a registry says whose sessions take no PATCH."""
    faulty.rules.append(times(99, "PATCH", "/uploads/", status(code)))
    if code == 404:
        with pytest.raises(NotFoundError):
            Sent(faulty)
        return
    sent = Sent(faulty)
    assert sent.again == CHUNK  # one chunk was in vain
    assert faulty.count("PATCH") == 1


def test_a_registry_of_small_chunks_gets_the_blob_whole(faulty: FaultyRegistry) -> None:
    """As GHCR does beyond 4 MiB: 416 to the first chunk, again and again."""
    faulty.rules.append(times(99, "PATCH", "/uploads/", status(416)))
    assert Sent(faulty).again == 2 * CHUNK
    assert faulty.count("PATCH") == 2


def test_a_resume_that_went_wrong_is_begun_anew(faulty: FaultyRegistry) -> None:
    """The registry says that it holds a piece, but what it holds is something else."""

    def spoil(handler: Handler) -> None:
        reset(after=PIECE)(handler)
        for upload in faulty.uploads.values():
            if upload.size == CHUNK + PIECE:
                upload.sha256 = hashlib.sha256(b"other")

    faulty.rules.append(times(1, "PATCH", f"D{CHUNK}", spoil))
    sent = Sent(faulty)
    assert sent.again == 8 * PIECE
    assert faulty.tags("lab/iris") == {"latest": sent.image.digest}


def test_a_damaged_file_is_never_completed(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    image = make_image(weights=os.urandom(5 * PIECE))
    blob = image.layers[1].blob
    assert isinstance(blob, FileBlob)
    data = bytearray(blob.path.read_bytes())
    data[100] ^= 1
    blob.path.unlink()
    blob.path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="damaged"):
        RemoteRepository(faulty.url, "lab/iris").push(image, ["latest"])
    assert faulty.tags("lab/iris") == {}


def test_a_push_that_is_stopped_sends_no_more_chunks(faulty: FaultyRegistry) -> None:
    """Another blob fails: the large one stops within its chunk."""
    arrived = threading.Event()
    faulty.rules.append(times(1, "PATCH", f"D{CHUNK}", lambda _: arrived.wait(10) and None))
    faulty.rules.append(times(9, "HEAD", SMALL.descriptor.digest, status(403)))
    faulty.rules.append(lambda handler: bool(handler.command == "HEAD" and arrived.set()))
    with pytest.raises(RegistryError, match="Ask its owner"):
        Sent(faulty)
    assert faulty.tags("lab/iris") == {}


@pytest.mark.parametrize(
    ("registry", "chunked"),
    [
        ("ghcr.io", False),
        ("GHCR.io:443", False),
        ("europe-west1-docker.pkg.dev", False),
        ("eu.gcr.io", False),
        ("gcr.io", False),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", False),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", False),
        ("public.ecr.aws", False),
        ("notgcr.io", True),
        ("ghcr.io.example.org", True),
        ("registry.example.org:5000", True),
        ("127.0.0.1:5000", True),
        ("docker.io", True),
    ],
)
def test_the_table_of_quirks(registry: str, chunked: bool) -> None:
    assert quirks_of(registry).chunks is chunked


def test_every_quirk_has_its_reason() -> None:
    assert all(item.why and item.hosts for item in TABLE)


def test_a_listed_registry_gets_no_chunks(
    faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = (Quirks(hosts=("127.0.0.1",), chunks=False, why="test", create="Make it so"),)
    monkeypatch.setattr("jupyter_mlops.registry.quirks.TABLE", listed)
    Sent(faulty)
    assert faulty.count("PATCH") == 0
    faulty.blobs.clear()
    faulty.rules.append(times(9, "POST", "/uploads/", status(404)))
    with pytest.raises(NotFoundError, match=r"lab/other is not in registry .* Make it so\."):
        RemoteRepository(faulty.url, "lab/other").push(generated_image(SMALL, BIG), ["v1"])


def test_a_source_is_read_from_any_place() -> None:
    blob = GeneratedBlob(3, 3)
    with blob.open() as pieces:
        whole = b"".join(pieces)
    source = Source(blob)
    for start, length in [(0, 10), (10, PIECE), (5, 2 * PIECE), (PIECE - 1, 2), (0, 3 * PIECE)]:
        assert b"".join(source.read(start, length)) == whole[start : start + length]
    source.close()
    assert b"".join(source.read(1, 1)) == whole[1:2]


@pytest.mark.registry
def test_a_real_registry_goes_on_between_chunks(
    docker_registry: RunningRegistry, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real chunks, a real status request; only the failure in the middle is made up."""
    failed = []
    real = ChunkedUpload._patch

    def patch(self: ChunkedUpload, session: chunks.Session, start: int, end: int) -> object:
        if start == 2 * CHUNK and not failed:
            failed.append(start)
            raise chunks.httpx.ReadError("made up")
        return real(self, session, start, end)

    monkeypatch.setattr(ChunkedUpload, "_patch", patch)
    image, told = generated_image(SMALL, BIG), list[int]()
    repository = RemoteRepository(docker_registry.url, "real/chunks")
    repository.push(image, ["latest"], lambda done, *_: told.append(done))
    assert failed == [2 * CHUNK] and len(waits) == 1
    assert all(before <= after for before, after in pairwise(told))
    with repository.blob(BIG.descriptor.digest) as pieces:
        assert sum(map(len, pieces)) == BIG.descriptor.size


@pytest.mark.registry
def test_a_real_registry_behind_a_line_that_breaks(
    docker_registry: RunningRegistry, waits: list[float]
) -> None:
    """docker-registry 2.8 forgets an upload that broke within a chunk: it is begun anew."""
    port = int(docker_registry.url.rpartition(":")[2])
    image = generated_image(SMALL, BIG)
    with Line(port, [4 * PIECE, 9 * PIECE]) as line:
        repository = RemoteRepository(line.url, "real/broken")
        repository.push(image, ["latest"])
        assert line.breaks == []
        again = line.carried - image.size
        assert 0 < again < 10 * PIECE
        with repository.blob(BIG.descriptor.digest) as pieces:
            assert sum(map(len, pieces)) == BIG.descriptor.size
    assert len(waits) >= 2
