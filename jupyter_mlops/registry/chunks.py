"""A large blob in chunks (PATCH): what breaks goes on from where the registry says it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from jupyter_mlops.errors import ImageError, RegistryError
from jupyter_mlops.image.blob import Blob
from jupyter_mlops.registry.failures import codes, is_final, refused, unreachable
from jupyter_mlops.registry.transport import ATTEMPTS, RETRIED, Transport, joined

#: Bytes: blobs of this size and more go in chunks of that size, where the registry allows it.
THRESHOLD, CHUNK_SIZE = 100 << 20, 32 << 20
#: Bytes that a registry must have taken since the last failure for it to be the first one again.
PROGRESS = 1 << 20
#: Statuses after which the session is asked how far it is, or a new one is begun.
_AGAIN = RETRIED | {401, 404, 416}
_LOST = {"BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN"}


class NoChunks(Exception):
    """The registry does not take chunks: the blob has to be sent whole."""


@dataclass
class Session:
    """An upload that a registry has opened: where to go on, and how large chunks may be."""

    location: str
    least: int = 0
    most: int = 0

    @classmethod
    def opened(cls, response: httpx.Response) -> Session:
        """Read the answer to a POST; raises RegistryError when it opens nothing."""
        return cls(
            location_of(response),
            _number(response, "oci-chunk-min-length"),
            _number(response, "oci-chunk-max-length"),
        )

    def chunk_size(self) -> int:
        """Return the bytes of a chunk but the last."""
        size = min(CHUNK_SIZE, self.most) if self.most else CHUNK_SIZE
        return max(size, self.least)


def location_of(response: httpx.Response) -> str:
    """Return where an upload goes on, absolute, with its query; raises RegistryError."""
    location = response.headers.get("location", "")
    if not location:
        raise RegistryError(
            "The registry opened no upload",
            why="Its answer has no Location",
            where=str(response.url.copy_with(query=None)),
        )
    return str(joined(response, location))


def closing_seconds(size: int) -> float:
    """Return how long the last answer of an upload may take: some storages copy the blob first."""
    return 60.0 + size / 20e6


class ChunkedUpload:
    """One blob on its way into a repository; ``run`` returns when the registry has it.

    ``begin`` opens a session, ``exists`` tells whether the blob is there, ``check`` raises when the
    upload need not go on, ``on_bytes`` hears the bytes sent (or, negative, not held after all).
    """

    def __init__(
        self, transport: Transport, scopes: tuple[str, ...], blob: Blob, *,
        begin: Callable[[], Session], exists: Callable[[], bool],
        check: Callable[[], None], on_bytes: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._transport = transport
        self._scopes = scopes
        self._digest, self._size = blob.descriptor.digest, blob.descriptor.size
        self._what = f"blob {self._digest}"
        self._begin, self._exists = begin, exists
        self._check, self._on_bytes = check, on_bytes
        self._source = Source(blob)
        self._session: Session | None = None
        self._held = 0  # bytes that the registry says it holds
        self._given = 0  # bytes that it may hold: the end of the last chunk
        self._told = 0  # bytes that on_bytes was told
        self._resumed = False

    def run(self, session: Session | None = None) -> None:
        """Send the blob. Raises RegistryError, NoChunks, and what ``check`` raises."""
        self._session = session
        failures, reached = 0, 0
        try:
            while True:
                response, error = self._step()
                if response is not None and response.status_code in (201, 204):
                    return
                if response is None and error is None:
                    continue
                if self._held >= reached + PROGRESS:
                    failures, reached = 0, self._held
                failures += 1
                self._judge(response, error, failures)
                self._transport.pause(failures - 1, response, self._what)
                if self._recover(response):
                    return
        except BaseException:
            self._tell(0)
            raise
        finally:
            self._source.close()

    def _step(self) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        """Send a chunk, or close the upload; return what ended it or went wrong, else nothing."""
        self._check()
        if self._session is None:
            self._session, self._held = self._begin(), 0
        session, start = self._session, self._held
        end = min(start + session.chunk_size(), self._size)
        try:
            if start == self._size:
                return self._close(session), None
            response = self._patch(session, start, end)
        except httpx.TransportError as error:
            return None, error
        if response.status_code not in (202, 204):
            if response.status_code == 201:
                raise NoChunks  # it took the first chunk for the whole
            return response, None
        session.location = location_of(response)
        said = _held(response)
        if said is not None and not start < said <= end:
            return response, None  # it says it took nothing, or more than it was given
        self._held = end if said is None else said
        self._tell(self._held)
        return None, None

    def _patch(self, session: Session, start: int, end: int) -> httpx.Response:
        self._given = end

        def content() -> Iterator[bytes]:
            for piece in self._source.read(start, end - start):
                self._check()
                yield piece
                self._told += len(piece)
                self._on_bytes(len(piece))

        headers = {
            "content-length": str(end - start),
            "content-range": f"{start}-{end - 1}",
            "content-type": "application/octet-stream",
        }
        with self._transport.once(
            "PATCH", session.location, scopes=self._scopes, headers=headers, content=content,
            challenge=False,
        ) as response:  # fmt: skip
            response.read()
            return response

    def _close(self, session: Session) -> httpx.Response:
        url = httpx.URL(session.location).copy_merge_params({"digest": self._digest})
        with self._transport.once(
            "PUT", str(url), scopes=self._scopes, headers={"content-length": "0"},
            challenge=False, silence=closing_seconds(self._size),
        ) as response:  # fmt: skip
            response.read()
            return response

    def _judge(
        self, response: httpx.Response | None, error: httpx.TransportError | None, failures: int
    ) -> None:
        """Raise when trying again cannot help."""
        registry, last = self._transport.registry, failures >= ATTEMPTS
        if response is None:
            assert error is not None
            if last or is_final(error):
                raise unreachable(registry, error) from error
            return
        status, said = response.status_code, codes(response)
        fresh = self._held == 0
        if fresh and (status in (405, 501) or "UNSUPPORTED" in said):
            raise NoChunks
        if fresh and status == 416 and failures > 1:
            raise NoChunks  # twice at its beginning: the chunk is too large for this registry
        if status == 401:
            self._transport.forget_tokens()
        again = status in _AGAIN or status in (202, 204) or bool(said & _LOST)
        # After a resume the registry may have put bytes where they do not belong: once more, whole.
        again |= self._resumed and "DIGEST_INVALID" in said
        if last or not again:
            raise refused(registry, self._what, response)

    def _recover(self, response: httpx.Response | None) -> bool:
        """Find out how far the session is; return True when the blob turns out to be there."""
        whole = self._held == self._size
        broken = response is not None and "DIGEST_INVALID" in codes(response)
        held = None if broken else self._ask()
        self._resumed = held is not None and held > 0
        if held is None:
            self._session = None
            # The reply may have been lost only: then the blob is there.
            if whole and self._exists():
                self._tell(self._size)
                return True
        self._held = held or 0
        self._tell(self._held)
        return False

    def _ask(self) -> int | None:
        """Return how many bytes the session holds; None when it is lost or talks nonsense."""
        session = self._session
        if session is None:
            return None
        try:
            response = self._transport.request(
                "GET", session.location, what=f"the state of {self._what}", scopes=self._scopes,
                accept=(204, 202, 200),
            )  # fmt: skip
        except RegistryError:
            return None
        held = _held(response)
        if held is None or held > self._given:
            return None
        if "location" in response.headers:
            session.location = location_of(response)
        return held

    def _tell(self, held: int) -> None:
        if held != self._told:
            self._on_bytes(held - self._told)
            self._told = held


class Source:
    """A blob's bytes from any place on; going back reads it again from its start, verified."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._stack = ExitStack()
        self._chunks: Iterator[bytes] = iter(())
        self._rest = memoryview(b"")
        self._at = -1

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes from ``start``; raises ImageError when the blob is damaged."""
        if self._at < 0 or start < self._at:
            self.close()
            self._chunks, self._at = self._stack.enter_context(self._blob.open()), 0
        while self._at < start:
            self._take(start - self._at)
        left = length
        while left:
            piece = self._take(left)
            left -= len(piece)
            yield piece

    def _take(self, most: int) -> bytes:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise ImageError(
                    f"Blob {self._blob.descriptor.digest} is shorter than it should be"
                )
            self._rest = memoryview(chunk)
        piece, self._rest = self._rest[:most], self._rest[most:]
        self._at += len(piece)
        return bytes(piece)

    def close(self) -> None:
        """Let go of the blob; it may be read again."""
        self._stack.close()
        self._chunks, self._rest, self._at = iter(()), memoryview(b""), -1


def _number(response: httpx.Response, name: str) -> int:
    text = response.headers.get(name, "").strip()
    return int(text) if text.isdecimal() else 0


def _held(response: httpx.Response) -> int | None:
    """Return how many bytes the ``Range`` of an answer stands for; ``0-0`` is none."""
    match = re.fullmatch(r"(?:bytes=)?0-(\d+)", response.headers.get("range", "").strip())
    if not match:
        return None
    last = int(match[1])
    return last + 1 if last else 0
