"""What is attached to images of a registry: by its referrers API, else under the fallback tag."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx

from jupyter_mlops import settings
from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import INDEX, BytesBlob
from jupyter_mlops.image.referrers import Artifact, Referrer, fallback_tag, index_of, parse_index
from jupyter_mlops.image.repository import load_json
from jupyter_mlops.registry import mounts
from jupyter_mlops.registry.failures import UNKNOWN_BLOB, codes, refused
from jupyter_mlops.registry.transport import ATTEMPTS, next_page, wait_before
from jupyter_mlops.registry.upload import Uploader, push_scopes

if TYPE_CHECKING:
    from jupyter_mlops.registry.client import RemoteRepository

_LANES = 4


def referrers(repository: RemoteRepository, digest: str) -> list[Referrer]:
    """Return what is attached to an image; nothing where nothing is."""
    listed = _by_api(repository, digest)
    return _by_tag(repository, digest) if listed is None else listed


def attach(repository: RemoteRepository, artifacts: Sequence[Artifact]) -> int:
    """Attach things to one image that is there, or comes; return the bytes sent.

    What is attached already is not sent again.
    """
    if not artifacts:
        return 0
    subject = artifacts[0].subject.digest
    blobs = {blob.descriptor.digest: blob for item in artifacts for blob in item.blobs()}
    uploader = Uploader(repository.transport, repository.repository, _ignore)
    seen = mounts.read(repository.registry)
    with ThreadPoolExecutor(_LANES, thread_name_prefix="attach") as pool:
        listing = pool.submit(referrers, repository, subject)
        outcomes = pool.map(
            lambda blob: uploader.bring(
                blob, label="attached", new=blob.descriptor.digest not in seen
            ),
            blobs.values(),
        )
        sent = sum(
            blob.descriptor.size
            for blob, outcome in zip(blobs.values(), outcomes, strict=True)
            if outcome == "sent"
        )
        known = {item.manifest.digest for item in listing.result()}
        new = [item for item in artifacts if item.manifest.descriptor.digest not in known]
        listed = list(pool.map(lambda item: _put_artifact(repository, uploader, item), new))
    mounts.remember(repository.registry, repository.repository, list(blobs))
    sent += sum(len(item.manifest.data) for item in new)
    unlisted = [item.referrer for item, is_listed in zip(new, listed, strict=True) if not is_listed]
    return sent + (_list_by_tag(repository, subject, unlisted) if unlisted else 0)


def _ignore(count: int, label: str) -> None:
    """Hear of progress; it is too little to be shown."""


def _by_api(repository: RemoteRepository, digest: str) -> list[Referrer] | None:
    """Ask the registry itself; None where it does not offer that."""
    found: list[Referrer] = []
    path, pages = f"/v2/{repository.repository}/referrers/{digest}", set[str]()
    while path:
        response = repository.transport.request(
            "GET", path, what=f"what is attached to {digest}", scopes=repository.pull_scopes,
            headers={"accept": INDEX}, accept=(200, 400, 404, 405, 501),
        )  # fmt: skip
        if response.status_code != 200:
            return None
        value = load_json(response.content, "list of referrers")
        if not isinstance(value.get("manifests"), list):
            return None
        found += parse_index(value)
        path = next_page(response, pages)
    return found


def _by_tag(repository: RemoteRepository, digest: str) -> list[Referrer]:
    try:
        _, value = repository.manifest(fallback_tag(digest))
    except NotFoundError:
        return []
    return parse_index(value)


def _put_artifact(repository: RemoteRepository, uploader: Uploader, item: Artifact) -> bool:
    """Write an artifact's manifest; tell whether the registry will list it under its subject.

    When the registry misses blobs after all, they are brought first.
    """
    subject, manifest = item.subject.digest, item.manifest
    response = _put(repository, manifest, manifest.descriptor.digest)
    if codes(response) & UNKNOWN_BLOB:
        for blob in item.blobs():
            uploader.bring(blob, label="attached")
        response = _put(repository, manifest, manifest.descriptor.digest)
    if not response.is_success:
        raise refused(repository.registry, f"what is attached to {subject}", response)
    return bool(response.headers.get("oci-subject") == subject)


def _put(repository: RemoteRepository, manifest: BytesBlob, version: str) -> httpx.Response:
    return repository.transport.request(
        "PUT", f"/v2/{repository.repository}/manifests/{version}",
        what=f"{repository.repository}:{version}", scopes=push_scopes(repository.repository),
        content=manifest.data, headers={"content-type": manifest.media_type},
        accept=(200, 201, 202, 400, 404),
    )  # fmt: skip


def _list_by_tag(repository: RemoteRepository, digest: str, entries: Sequence[Referrer]) -> int:
    """Add entries to the index under the fallback tag; return the bytes sent.

    Registries cannot compare before they write. So the index is read right before it is written,
    and again until it holds the entries; publishers on this machine go one after the other.
    """
    wanted = {item.manifest.digest for item in entries}
    sent = 0
    with _store.locked(settings.store() / "referrers.lock"):
        for attempt in range(ATTEMPTS):
            if attempt > 1:
                repository.transport.sleep(wait_before(attempt))
            before = _by_tag(repository, digest)
            if wanted <= {item.manifest.digest for item in before}:
                return sent
            index = index_of([*before, *entries])
            response = _put(repository, index, fallback_tag(digest))
            if not response.is_success:
                raise refused(
                    repository.registry, f"the list of what is attached to {digest}", response
                )
            sent += len(index.data)
    raise RegistryError(
        f"What was attached to {digest} does not stay listed",
        why="Others change the same list all the time",
        remedy="Publish again",
        where=f"{repository.name}:{fallback_tag(digest)}",
    )
