"""What every place that keeps images can do, be it a registry or a directory."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.blob import Descriptor
from jupyter_mlops.image.referrers import Artifact, Referrer

if TYPE_CHECKING:
    from jupyter_mlops.image.index import Index
    from jupyter_mlops.image.manifest import Image

#: Called with bytes done, bytes in all, and what is being transferred.
OnProgress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, label: str) -> None:
    """Drop the progress: the default listener."""


#: Called when all is there that tags will point to; returns tags to write before the others.
BeforeTags = Callable[[], Sequence[str] | None]


def nothing() -> None:
    """Do nothing before the tags: the default."""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What a push did: bytes sent, blobs mounted from another repository, blobs already there."""

    digest: str
    pushed_bytes: int
    mounted: int = 0
    skipped: int = 0


class Repository(Protocol):
    """Images of one name: tags that point to manifests that point to blobs."""

    @property
    def name(self) -> str:
        """What a person calls the repository: ``registry/repository`` or ``oci:DIRECTORY…``."""
        ...

    @property
    def mount_from(self) -> str:
        """``registry/repository`` when a registry may mount blobs from here, else empty."""
        ...

    def tags(self) -> list[str]:
        """Return all tags, sorted; none when the repository does not exist yet."""
        ...

    def resolve(self, version: str) -> Descriptor:
        """Return what a tag or digest points to; raises NotFoundError."""
        ...

    def manifest(self, version: str) -> tuple[Descriptor, dict[str, Any]]:
        """Return the manifest under a tag or digest, verified; raises NotFoundError."""
        ...

    def manifest_bytes(self, version: str) -> bytes:
        """Return a manifest as it is stored, verified; raises NotFoundError."""
        ...

    def blob(self, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open a blob; reading raises RegistryError at its end when it is damaged."""
        ...

    def referrers(self, digest: str) -> list[Referrer]:
        """Return what is attached to an image; nothing where nothing is."""
        ...

    def attach(self, artifacts: Sequence[Artifact]) -> int:
        """Attach things to one image that is there, or comes; return the bytes sent.

        What is attached already stays and is not sent again, what others attached stays, too.
        """
        ...

    def push(
        self,
        image: Image | Index,
        tags: Sequence[str] = (),
        on_progress: OnProgress = no_progress,
        before_tags: BeforeTags = nothing,
    ) -> Pushed:
        """Store an image: its blobs, then its manifest under each tag in order, the last one last.

        Of an index, the manifests of all images come before it. Only what is missing is
        transferred. A tag never points to something incomplete; ``before_tags`` is called when
        all of that is there and no tag points to it yet, and may return tags to write first.
        """
        ...

    def tag(self, digest: str, tag: str) -> None:
        """Point a tag to an image that is here, at once; raises NotFoundError, RegistryError."""
        ...

    def delete(self, manifests: Mapping[str, Collection[str]]) -> str:
        """Remove manifests by digest, each with its tags, in order; one that is gone is no error.

        A directory removes all or nothing: it returns another tag that points to one of them, if
        there is any by now. A registry removes all tags of each. Raises RegistryError.
        """
        ...

    def free(self, digests: Collection[str]) -> int:
        """Give back the space of manifests that were deleted; return the bytes freed.

        A registry does that by itself, some time later: 0.
        """
        ...

    def arrived(self, digest: str) -> datetime.datetime | None:
        """Return when an image came here; None where nobody knows, as in a registry."""
        ...

    def delete_tag(self, tag: str) -> None:
        """Remove a tag; raises NotFoundError, or RegistryError when it cannot be removed."""
        ...


def load_json(data: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object; raises RegistryError when it is something else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"A {what} is not JSON", why=str(error)) from error
    if not isinstance(value, dict):
        raise RegistryError(f"A {what} is not a JSON object")
    return value


def load_names(data: bytes, what: str, key: str) -> list[str]:
    """Parse a JSON object that lists names under a key; raises RegistryError for another thing."""
    names = load_json(data, what).get(key) or []
    if not isinstance(names, list):
        raise RegistryError(f"A {what} is none", why=f"Its {key} are not a list")
    return [str(name) for name in names]


def read_blob(repository: Repository, digest: str, limit: int = 16 << 20) -> bytes:
    """Read a small blob whole; raises RegistryError when it is larger than ``limit`` bytes."""
    data = bytearray()
    with repository.blob(digest) as chunks:
        for chunk in chunks:
            data += chunk
            if len(data) > limit:
                raise RegistryError(
                    f"Blob {digest} is larger than a config may be", where=repository.name
                )
    return bytes(data)
