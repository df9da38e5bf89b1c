"""Bring one blob into a registry: look, mount, or send, in chunks or whole.

What breaks in chunks goes on from where it was (``chunks.py``); what is sent whole begins anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Literal

import httpx

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image.blob import Blob, Descriptor
from jupyter_mlops.image.repository import OnProgress
from jupyter_mlops.registry import chunks
from jupyter_mlops.registry.chunks import ChunkedUpload, NoChunks, Session, closing_seconds
from jupyter_mlops.registry.failures import is_final, refused, unreachable
from jupyter_mlops.registry.quirks import quirks_of
from jupyter_mlops.registry.transport import ATTEMPTS, RETRIED, Transport

Outcome = Literal["skipped", "mounted", "sent"]
#: Bytes that are sent as soon as it is asked whether they are there.
SMALL = 1 << 16
#: Statuses after which a new session may succeed: a lost one, a stale token, a bad day.
_ANEW = RETRIED | {401, 404, 416}


class Cancelled(Exception):
    """Another blob failed: this one need not be sent."""


class Uploader:
    """Uploads blobs to one repository; ``on_bytes`` hears how many bytes were sent (or unsent)."""

    def __init__(
        self, transport: Transport, repository: str, on_bytes: Callable[[int, str], None]
    ) -> None:
        self.transport = transport
        self.repository = repository
        self.on_bytes = on_bytes
        self.stop = threading.Event()
        self.quirks = quirks_of(transport.registry)
        self.chunked = self.quirks.chunks  # until it refuses one
        self._path = f"/v2/{repository}/blobs"
        self._scopes = push_scopes(repository)

    def exists(self, found: Descriptor) -> bool:
        """Tell whether the repository has a blob, with the size it should have."""
        return has_blob(self.transport, self.repository, found, self._scopes)

    def bring(self, blob: Blob, *, label: str, mount_from: str = "", new: bool = False) -> Outcome:
        """Make the repository hold a blob; raises RegistryError.

        A small one that this registry was never seen to hold, as far as is known (``new``), is
        sent without asking for it.
        """
        found = blob.descriptor
        self._check()
        if not (new and not mount_from and found.size <= SMALL) and self.exists(found):
            self.on_bytes(found.size, label)
            return "skipped"
        session = None
        if mount_from:
            session = self._mount(found.digest, mount_from)
            if session is None:
                self.on_bytes(found.size, label)
                return "mounted"
        if self.chunked and found.size >= chunks.THRESHOLD:
            try:
                self._send_chunks(blob, session, label)
            except NoChunks:
                self.chunked, session = False, None
            else:
                return "sent"
        self._send_whole(blob, session, label)
        return "sent"

    def _check(self) -> None:
        if self.stop.is_set():
            raise Cancelled

    def _mount(self, digest: str, source: str) -> Session | None:
        """Ask to take a blob from another repository: None when done, else a session to send to."""
        scopes = (*self._scopes, f"repository:{source}:pull")
        query = httpx.QueryParams({"mount": digest, "from": source})
        try:
            response = self.transport.request(
                "POST", f"{self._path}/uploads/?{query}", what="a mount", scopes=scopes,
                accept=(201, 202), attempts=2, headers={"content-length": "0"},
            )  # fmt: skip
        except RegistryError:
            return self._begin()  # not allowed there: send the bytes
        return None if response.status_code == 201 else Session.opened(response)

    def _begin(self) -> Session:
        response = self.transport.request(
            "POST", f"{self._path}/uploads/", what=f"uploads to {self.repository}",
            scopes=self._scopes, accept=(202, 404), headers={"content-length": "0"},
        )  # fmt: skip
        if response.status_code == 404:
            raise NotFoundError(
                f"Repository {self.repository} is not in registry {self.transport.registry}",
                why="The registry makes none at the first push",
                remedy=self.quirks.create or "Make it there first, or check its name",
            )
        return Session.opened(response)

    def _send_chunks(self, blob: Blob, session: Session | None, label: str) -> None:
        found = blob.descriptor
        ChunkedUpload(
            self.transport, self._scopes, blob,
            begin=self._begin,
            exists=lambda: self.exists(found),
            check=self._check,
            on_bytes=lambda count: self.on_bytes(count, label),
        ).run(session)  # fmt: skip

    def _send_whole(self, blob: Blob, session: Session | None, label: str) -> None:
        """Send a blob in one PUT. What fails is begun anew with a new session, not replayed."""
        what = f"blob {blob.descriptor.digest}"
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            target = (session or self._begin()).location
            session = None
            sent = [0]
            try:
                response = self._put(blob, target, sent, label)
            except httpx.TransportError as error:
                if last or is_final(error):
                    raise unreachable(self.transport.registry, error) from error
                response = None
            if response is not None and response.status_code in (201, 204):
                return
            self.on_bytes(-sent[0], label)
            # The reply may have been lost only: then the blob is there.
            if response is None and self.exists(blob.descriptor):
                self.on_bytes(blob.descriptor.size, label)
                return
            if response is not None:
                if last or response.status_code not in _ANEW:
                    raise refused(self.transport.registry, what, response)
                if response.status_code == 401:
                    self.transport.forget_tokens()
            self.transport.pause(attempt, response, what)

    def _put(self, blob: Blob, target: str, sent: list[int], label: str) -> httpx.Response:
        found = blob.descriptor
        url = httpx.URL(target).copy_merge_params({"digest": found.digest})
        with blob.open() as pieces:

            def content() -> Iterator[bytes]:
                for piece in pieces:
                    self._check()
                    yield piece
                    sent[0] += len(piece)
                    self.on_bytes(len(piece), label)

            headers = {
                "content-length": str(found.size),
                "content-type": "application/octet-stream",
            }
            with self.transport.once(
                "PUT", str(url), scopes=self._scopes, headers=headers, content=content,
                challenge=False, silence=closing_seconds(found.size),
            ) as response:  # fmt: skip
                response.read()
                return response


class Progress:
    """Adds up the bytes of all blobs of a push."""

    def __init__(self, listener: OnProgress, total: int) -> None:
        self._listener = listener
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def add(self, count: int, label: str) -> None:
        """Count bytes that are there now (or, when negative, no longer count)."""
        with self._lock:
            self._done = min(self._done + count, self._total)
            self._listener(self._done, self._total, label)


def has_blob(
    transport: Transport, repository: str, found: Descriptor, scopes: tuple[str, ...]
) -> bool:
    """Tell whether a repository has a blob, with the size it should have."""
    response = transport.request(
        "HEAD", f"/v2/{repository}/blobs/{found.digest}", what=f"to look for blob {found.digest}",
        scopes=scopes, accept=(200, 404),
    )  # fmt: skip
    length = response.headers.get("content-length", str(found.size))
    return response.status_code == 200 and length == str(found.size)


def push_scopes(repository: str) -> tuple[str, ...]:
    """Return the access that a push to a repository needs."""
    return (f"repository:{repository}:pull,push",)
