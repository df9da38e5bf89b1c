"""A repository of an OCI registry (distribution spec 1.1), read and written by streaming."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image import platforms
from jupyter_mlops.image.blob import CHUNK, MANIFESTS, Blob, Descriptor, digest_of, verified
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact, Referrer
from jupyter_mlops.image.repository import (
    BeforeTags,
    OnProgress,
    Pushed,
    load_json,
    load_names,
    no_progress,
    nothing,
)
from jupyter_mlops.registry import mounts, referrers
from jupyter_mlops.registry.chunks import PROGRESS
from jupyter_mlops.registry.failures import UNKNOWN_BLOB, codes, is_final, refused, unreachable
from jupyter_mlops.registry.transport import ATTEMPTS, RETRIED, Transport, next_page
from jupyter_mlops.registry.upload import (
    Cancelled,
    Outcome,
    Progress,
    Uploader,
    has_blob,
    push_scopes,
)

#: Blobs transferred at a time.
LANES = 6
_ACCEPT = ", ".join(MANIFESTS)


class RemoteRepository:
    """The images of one repository in a registry; see ``image.repository.Repository``."""

    def __init__(
        self, registry: str, repository: str, *, transport: Transport | None = None
    ) -> None:
        self.registry = registry
        self.repository = repository
        self.transport = transport or Transport(registry)
        self.pull_scopes = (f"repository:{repository}:pull",)
        self._root = f"/v2/{repository}"

    @property
    def name(self) -> str:
        """``registry/repository``."""
        return f"{self.registry}/{self.repository}"

    @property
    def mount_from(self) -> str:
        """``registry/repository``: blobs can be mounted from here within the registry."""
        return self.name

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()

    # Reading

    def tags(self) -> list[str]:
        """Return all tags, sorted; none when the repository does not exist yet."""
        found: set[str] = set()
        path, pages = f"{self._root}/tags/list?n=1000", set[str]()
        while path:
            response = self.transport.request(
                "GET", path, what=f"the tags of {self.repository}", scopes=self.pull_scopes,
                accept=(200, 404),
            )  # fmt: skip
            if response.status_code == 404:
                break
            found.update(load_names(response.content, "list of tags", "tags"))
            path = next_page(response, pages)
        return sorted(found)

    def resolve(self, version: str) -> Descriptor:
        """Return what a tag or digest points to; raises NotFoundError."""
        response = self._manifest("HEAD", version)
        digest = response.headers.get("docker-content-digest", "")
        length = response.headers.get("content-length", "")
        if not digest or not length.isdecimal():
            return self._described(version, self._manifest("GET", version))
        return Descriptor(
            media_type=_media_type(response), digest=_expected(version, digest), size=int(length)
        )

    def manifest(self, version: str) -> tuple[Descriptor, dict[str, Any]]:
        """Return the manifest under a tag or digest, verified; raises NotFoundError."""
        response = self._manifest("GET", version)
        return self._described(version, response), load_json(response.content, "manifest")

    def manifest_bytes(self, version: str) -> bytes:
        """Return a manifest as it is stored, verified; raises NotFoundError."""
        response = self._manifest("GET", version)
        self._described(version, response)
        return response.content

    def _manifest(self, method: str, version: str) -> httpx.Response:
        response = self.transport.request(
            method, f"{self._root}/manifests/{version}", what=f"{self.repository}:{version}",
            scopes=self.pull_scopes, headers={"accept": _ACCEPT}, accept=(200, 404),
        )  # fmt: skip
        if response.status_code == 404:
            raise NotFoundError(
                f"{version} is not in {self.name}",
                remedy=f"List it: jupyter mlops list {self.name}",
            )
        return response

    def _described(self, version: str, response: httpx.Response) -> Descriptor:
        digest = digest_of(response.content)
        said = response.headers.get("docker-content-digest", digest)
        if said != digest or (version.startswith("sha256:") and version != digest):
            raise RegistryError(
                f"{self.name} gave a manifest with another digest than {said}",
                why="It was changed or cut on its way",
                remedy="Try again",
            )
        return Descriptor(
            media_type=_media_type(response), digest=digest, size=len(response.content)
        )

    def has(self, descriptor: Descriptor) -> bool:
        """Tell whether a blob is there, with the size it should have."""
        return has_blob(self.transport, self.repository, descriptor, self.pull_scopes)

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        """Open a blob; a broken connection is resumed, damage raises RegistryError at the end."""
        chunks = self._chunks(digest)
        try:
            first = next(chunks, b"")  # a blob that is not there fails here
            described = Descriptor(media_type="", digest=digest, size=-1)
            yield verified(_chain(first, chunks), described, self.name, RegistryError)
        finally:
            chunks.close()

    def _chunks(self, digest: str) -> Generator[bytes, None, None]:
        what = f"blob {digest}"
        done, failures, reached = 0, 0, 0
        while True:
            headers = {"range": f"bytes={done}-"} if done else {}
            response: httpx.Response | None = None
            broken: httpx.TransportError | None = None
            try:
                with self.transport.once(
                    "GET", f"{self._root}/blobs/{digest}", scopes=self.pull_scopes, headers=headers
                ) as response:
                    if response.status_code in (200, 206):
                        skip = done if response.status_code == 200 else 0
                        for chunk in response.iter_raw(CHUNK):
                            fresh = chunk[skip:]
                            skip = max(0, skip - len(chunk))
                            done += len(fresh)
                            if fresh:
                                yield fresh
                        return
                    response.read()
            except httpx.TransportError as error:
                response, broken = None, error
            if done >= reached + PROGRESS:
                failures, reached = 0, done  # it goes on: this failure is the first one again
            failures += 1
            if broken and (failures >= ATTEMPTS or is_final(broken)):
                raise unreachable(self.registry, broken) from broken
            if response is not None and response.status_code == 404:
                raise NotFoundError(f"{what} is not in {self.name}")
            if response is not None and (
                failures >= ATTEMPTS or response.status_code not in RETRIED
            ):
                raise refused(self.registry, what, response)
            self.transport.pause(failures - 1, response, what)

    def referrers(self, digest: str) -> list[Referrer]:
        """Return what is attached to an image, by the API or the fallback tag."""
        return referrers.referrers(self, digest)

    # Writing

    def attach(self, artifacts: Sequence[Artifact]) -> int:
        """Attach things to one image that is there, or comes; return the bytes sent."""
        return referrers.attach(self, artifacts)

    def push(
        self,
        image: Image | Index,
        tags: Sequence[str] = (),
        on_progress: OnProgress = no_progress,
        before_tags: BeforeTags = nothing,
    ) -> Pushed:
        """Push an image: blobs in parallel, then its manifest under each tag in order.

        Of an index, the manifests of its images come before. Without a tag the manifest is
        written by its digest.
        """
        known, manifests = self._known(tags)
        blobs = image.blobs()
        total = sum(blob.descriptor.size for blob in blobs)
        there = [blob for blob in blobs if blob.descriptor.digest in known]
        progress = Progress(on_progress, total)
        progress.add(sum(blob.descriptor.size for blob in there), "already there")
        missing = [blob for blob in blobs if blob.descriptor.digest not in known]
        outcomes, sent = self._bring(image, missing, progress)
        for each in image.images if isinstance(image, Index) else ():
            if each.digest not in manifests:
                self._put_manifest(each, each.digest, progress)
                sent += len(each.manifest)
        for version in [*(before_tags() or ()), *tags] or [image.digest]:
            self._put_manifest(image, version, progress)
            sent += len(image.manifest)
        mounts.remember(self.registry, self.repository, [b.descriptor.digest for b in blobs])
        return Pushed(
            digest=image.digest,
            pushed_bytes=sent,
            mounted=outcomes.count("mounted"),
            skipped=outcomes.count("skipped") + len(there),
        )

    def tag(self, digest: str, tag: str) -> None:
        """Point a tag to a manifest that is there, in one request; raises NotFoundError."""
        found = self._manifest("GET", digest)
        described = self._described(digest, found)
        response = self.transport.request(
            "PUT", f"{self._root}/manifests/{tag}", what=f"{self.repository}:{tag}",
            scopes=push_scopes(self.repository), content=found.content,
            headers={"content-type": described.media_type}, accept=(200, 201, 202),
        )  # fmt: skip
        self._check_stored(response, digest)

    def delete(self, manifests: Mapping[str, Collection[str]]) -> str:
        """Remove manifests in order, and with each every tag that points to it."""
        for digest in manifests:
            response = self._delete(digest, (200, 202, 204, 404, 405))
            if response.status_code == 405:
                raise RegistryError(
                    f"Registry {self.registry} does not let images be deleted",
                    why="Deleting is switched off there",
                    remedy="Ask its operator to allow it (in docker-registry: "
                    "REGISTRY_STORAGE_DELETE_ENABLED=true), or to remove them",
                )
        return ""

    def _delete(self, version: str, accept: Sequence[int]) -> httpx.Response:
        return self.transport.request(
            "DELETE", f"{self._root}/manifests/{version}", what=f"to delete {version}",
            scopes=(f"repository:{self.repository}:pull,delete",), accept=accept,
        )  # fmt: skip

    def free(self, digests: Collection[str]) -> int:
        """Return 0: the registry's own garbage collection frees the space."""
        return 0

    def arrived(self, digest: str) -> datetime.datetime | None:
        """Return None: registries do not tell when an image came."""
        return None

    def delete_tag(self, tag: str) -> None:
        """Remove a tag; raises NotFoundError, or RegistryError where registries cannot do it."""
        self.resolve(tag)
        response = self._delete(tag, (200, 202, 204, 400, 405))
        if not response.is_success:
            raise RegistryError(
                f"Registry {self.registry} does not remove a tag alone",
                why="It deletes images only, with all their tags, or nothing at all",
                remedy=f"Point {tag} to another version: jupyter mlops tag REF {tag}",
            )

    def _known(self, tags: Sequence[str]) -> tuple[set[str], set[str]]:
        """Return the blobs that a manifest of before vouches for, and the manifests that it is."""
        for tag in reversed(tags):
            with suppress(NotFoundError):
                return self._vouched(tag)
        return set(), set()

    def _vouched(self, version: str, *, inner: bool = False) -> tuple[set[str], set[str]]:
        """Return the blobs and manifests that a manifest leads to, and it."""
        descriptor, value = self.manifest(version)
        layers = value.get("layers")
        parts = [*(layers if isinstance(layers, list) else []), value.get("config")]
        blobs = {str(part.get("digest")) for part in parts if isinstance(part, dict)}
        manifests = {descriptor.digest}
        with suppress(RegistryError):  # what cannot be read vouches for nothing
            for offer in [] if inner else platforms.offers(value):
                below = self._vouched(offer.manifest.digest, inner=True)
                blobs, manifests = blobs | below[0], manifests | below[1]
        return blobs, manifests

    def _bring(
        self, image: Image | Index, blobs: Sequence[Blob], progress: Progress, again: bool = False
    ) -> tuple[list[Outcome], int]:
        """Bring all blobs, large ones first; return what became of each and the bytes sent.

        Of those that were brought before (``again``) each is asked for.
        """
        labels = {layer.descriptor.digest: layer.title or layer.kind for layer in image.layers}
        uploader = Uploader(self.transport, self.repository, progress.add)
        seen = mounts.read(self.registry)
        ordered = sorted(blobs, key=lambda blob: -blob.descriptor.size)

        def bring(blob: Blob) -> Outcome:
            digest = blob.descriptor.digest
            return uploader.bring(
                blob,
                label=labels.get(digest, "config"),
                mount_from=self._mountable(blob, seen),
                new=digest not in seen and not again,
            )

        with ThreadPoolExecutor(LANES, thread_name_prefix="push") as pool:
            futures = [pool.submit(bring, blob) for blob in ordered]
            failed: list[BaseException | None] = [None]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                failed = [error for future in done if (error := future.exception())]
            finally:
                if failed:  # or interrupted: the others need not go on
                    uploader.stop.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                self._remember(ordered, futures)
        for error in failed:
            if error and not isinstance(error, Cancelled):
                raise error
        outcomes = [future.result() for future in futures]
        sizes = [blob.descriptor.size for blob in ordered]
        sent = sum(size for size, out in zip(sizes, outcomes, strict=True) if out == "sent")
        return outcomes, sent

    def _remember(self, blobs: Sequence[Blob], work: Sequence[Future[Outcome]]) -> None:
        """Note which blobs are there by now, so that a push that failed goes on from there."""
        there = [
            blob.descriptor.digest
            for blob, future in zip(blobs, work, strict=True)
            if future.done() and not future.cancelled() and not future.exception()
        ]
        mounts.remember(self.registry, self.repository, there)

    def _mountable(self, blob: Blob, seen: Mapping[str, str]) -> str:
        """Return the repository of this registry that a blob can be mounted from, if any."""
        host, _, repository = str(getattr(blob, "mount_from", "")).partition("/")
        if host != self.registry:
            repository = seen.get(blob.descriptor.digest, "")
        return repository if repository != self.repository else ""

    def _put_manifest(self, image: Image | Index, version: str, progress: Progress) -> None:
        """Write the manifest; when the registry misses what it names, bring that first.

        Some registries know a blob only a moment after they have taken it.
        """
        for attempt in range(ATTEMPTS):
            response = self.transport.request(
                "PUT", f"{self._root}/manifests/{version}", what=f"{self.repository}:{version}",
                scopes=push_scopes(self.repository), content=image.manifest,
                headers={"content-type": image.media_type}, accept=(201, 200, 202, 400, 404),
            )  # fmt: skip
            if response.is_success:
                self._check_stored(response, image.digest)
                return
            if attempt == ATTEMPTS - 1 or not codes(response) & UNKNOWN_BLOB:
                raise refused(self.registry, f"{self.repository}:{version}", response)
            if attempt:
                self.transport.pause(attempt, response, f"{self.repository}:{version}")
            self._bring(image, image.blobs(), progress, again=True)
            for each in image.images if isinstance(image, Index) else ():
                self._put_manifest(each, each.digest, progress)

    def _check_stored(self, response: httpx.Response, digest: str) -> None:
        if response.headers.get("docker-content-digest", digest) != digest:
            raise RegistryError(
                f"Registry {self.registry} stored another manifest than it was given"
            )


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip()


def _expected(version: str, digest: str) -> str:
    if version.startswith("sha256:") and version != digest:
        raise RegistryError(f"The registry answers {version} with {digest}")
    return digest
