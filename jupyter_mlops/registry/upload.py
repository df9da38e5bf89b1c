"""Bring one blob into a registry: look, mount, or send; a broken session is begun anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Literal

import httpx

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.blob import Blob
from jupyter_mlops.registry.failures import is_final, refused, unreachable
from jupyter_mlops.registry.transport import ATTEMPTS, RETRIED, Transport

Outcome = Literal["skipped", "mounted", "sent"]
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
        self._path = f"/v2/{repository}/blobs"
        self._scopes = push_scopes(repository)

    def exists(self, digest: str, size: int) -> bool:
        """Tell whether the repository has a blob, with the size it should have."""
        response = self.transport.request(
            "HEAD", f"{self._path}/{digest}", what=f"to look for blob {digest}",
            scopes=self._scopes, accept=(200, 404),
        )  # fmt: skip
        length = response.headers.get("content-length", str(size))
        return response.status_code == 200 and length == str(size)

    def bring(self, blob: Blob, *, label: str, mount_from: str = "") -> Outcome:
        """Make the repository hold a blob; raises RegistryError."""
        found = blob.descriptor
        if self.stop.is_set():
            raise Cancelled
        if self.exists(found.digest, found.size):
            self.on_bytes(found.size, label)
            return "skipped"
        location = ""
        if mount_from:
            location = self._mount(found.digest, mount_from)
            if not location:
                self.on_bytes(found.size, label)
                return "mounted"
        self._send(blob, location, label)
        return "sent"

    def _mount(self, digest: str, source: str) -> str:
        """Ask to take a blob from another repository: "" when done, else a session to upload to."""
        scopes = (*self._scopes, f"repository:{source}:pull")
        query = httpx.QueryParams({"mount": digest, "from": source})
        try:
            response = self.transport.request(
                "POST", f"{self._path}/uploads/?{query}", what="a mount", scopes=scopes,
                accept=(201, 202), attempts=2, headers={"content-length": "0"},
            )  # fmt: skip
        except RegistryError:
            return self._begin()  # not allowed there: send the bytes
        return "" if response.status_code == 201 else _location(response)

    def _begin(self) -> str:
        response = self.transport.request(
            "POST", f"{self._path}/uploads/", what=f"uploads to {self.repository}",
            scopes=self._scopes, accept=(202,), headers={"content-length": "0"},
        )  # fmt: skip
        return _location(response)

    def _send(self, blob: Blob, location: str, label: str) -> None:
        """Send a blob in one PUT. What fails is begun anew with a new session, not replayed."""
        what = f"blob {blob.descriptor.digest}"
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            target = location or self._begin()
            location = ""
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
            if response is None and self.exists(blob.descriptor.digest, blob.descriptor.size):
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
        url = httpx.URL(self.transport.root()).join(target)
        url = url.copy_merge_params({"digest": found.digest})
        with blob.open() as chunks:

            def content() -> Iterator[bytes]:
                for chunk in chunks:
                    if self.stop.is_set():
                        raise Cancelled
                    yield chunk
                    sent[0] += len(chunk)
                    self.on_bytes(len(chunk), label)

            headers = {
                "content-length": str(found.size),
                "content-type": "application/octet-stream",
            }
            with self.transport.once(
                "PUT", str(url), scopes=self._scopes, headers=headers, content=content,
                challenge=False,
            ) as response:  # fmt: skip
                response.read()
                return response


def push_scopes(repository: str) -> tuple[str, ...]:
    """Return the access that a push to a repository needs."""
    return (f"repository:{repository}:pull,push",)


def _location(response: httpx.Response) -> str:
    location = response.headers.get("location", "")
    if not location:
        raise RegistryError(
            "The registry opened no upload",
            why="Its answer has no Location",
            where=str(response.url),
        )
    return str(response.url.join(location))
