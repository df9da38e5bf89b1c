"""Blobs: the bytes an image is made of, each known by its descriptor before it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from jupyter_mlops.errors import ImageError, MlopsError, RegistryError

CHUNK = 1 << 20

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"

#: Docker schema-2 names for the same bytes.
OCI_NAMES = {
    DOCKER_MANIFEST: MANIFEST,
    DOCKER_INDEX: INDEX,
    "application/vnd.docker.container.image.v1+json": CONFIG,
    "application/vnd.docker.image.rootfs.diff.tar": LAYER_TAR,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": LAYER_GZIP,
    "application/vnd.docker.image.rootfs.diff.tar.zstd": LAYER_ZSTD,
}
MANIFESTS = (MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
INDEXES = (INDEX, DOCKER_INDEX)

#: Annotation of a layer's descriptor: base, system, pyc, weights, library, lock, styles,
#: plots or code; a layer of packages has none.
LAYER_KIND = "io.jupyter-mlops.layer"
PACKAGES = ("wheel", "bundle")


class Descriptor(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a blob without its bytes (OCI image spec, "Content Descriptors").

    ``size`` is in bytes, ``digest`` is ``sha256:<hex>``.
    """

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = {}

    def to_dict(self) -> dict[str, Any]:
        """Return the descriptor as the OCI specification writes it in JSON."""
        value: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.annotations:
            value["annotations"] = dict(sorted(self.annotations.items()))
        return value

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Descriptor:
        """Read a descriptor of a manifest; Docker's media types become OCI's.

        Raises RegistryError when it is not one.
        """
        try:
            media_type = str(value["mediaType"])
            found = cls(
                media_type=OCI_NAMES.get(media_type, media_type),
                digest=checked_digest(str(value["digest"])),
                size=int(value["size"]),
                annotations={str(k): str(v) for k, v in (value.get("annotations") or {}).items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RegistryError(
                "A manifest holds a descriptor that cannot be read", why=f"{error!r} in {value!r}"
            ) from error
        if found.size < 0:
            raise RegistryError(f"A manifest gives blob {found.digest} a negative size")
        return found


def checked_digest(digest: str) -> str:
    """Return ``digest`` when it is a well-formed sha256 digest, else raise ValueError."""
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ValueError(f"{digest!r} is not sha256: and 64 hexadecimal digits")
    return digest


def digest_of(data: bytes) -> str:
    """Return the digest of ``data`` as ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Source(Protocol):
    """Where a remote blob is read from: any repository."""

    def blob(self, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open a blob for reading; what comes out is verified against ``digest``."""
        ...


class Blob(Protocol):
    """Bytes with a descriptor; ``open`` may be called many times (a retry reads again)."""

    @property
    def descriptor(self) -> Descriptor:
        """The blob's media type, digest and size."""
        ...

    def open(self) -> AbstractContextManager[Iterator[bytes]]:
        """Stream the blob; raises at the end when the bytes are not those of the digest."""
        ...


@dataclass(frozen=True)
class BytesBlob:
    """A small blob held in memory: a config, a manifest."""

    data: bytes
    media_type: str = CONFIG

    @property
    def descriptor(self) -> Descriptor:
        """The blob's media type, digest and size."""
        return Descriptor(
            media_type=self.media_type, digest=digest_of(self.data), size=len(self.data)
        )

    @contextmanager
    def open(self) -> Iterator[Iterator[bytes]]:
        """Yield the bytes."""
        yield iter((self.data,))


@dataclass(frozen=True)
class FileBlob:
    """A blob in a file of the store."""

    path: Path
    descriptor: Descriptor

    @classmethod
    def of(cls, path: Path, media_type: str = LAYER_GZIP) -> FileBlob:
        """Describe a file by reading it once."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        descriptor = Descriptor(media_type=media_type, digest=f"sha256:{digest}", size=size)
        return cls(path, descriptor)

    @contextmanager
    def open(self) -> Iterator[Iterator[bytes]]:
        """Stream the file and verify it; raises ImageError when it is not what it was."""
        try:
            with self.path.open("rb") as file:
                yield verified(iter(lambda: file.read(CHUNK), b""), self.descriptor, self.path)
        except FileNotFoundError as error:
            raise ImageError(
                f"Blob {self.descriptor.digest} is gone from the store",
                remedy="Publish again: it is built anew",
                where=str(self.path),
            ) from error


@dataclass(frozen=True)
class RemoteBlob:
    """A blob that stays in another repository until somebody needs its bytes.

    ``mount_from`` is ``registry/repository`` when a registry may mount it from there.
    """

    descriptor: Descriptor
    source: Source
    mount_from: str = ""

    def open(self) -> AbstractContextManager[Iterator[bytes]]:
        """Stream the blob from where it lives, verified."""
        return self.source.blob(self.descriptor.digest)


def verified(
    chunks: Iterator[bytes],
    descriptor: Descriptor,
    where: Path | str = "",
    error: type[MlopsError] = ImageError,
) -> Iterator[bytes]:
    """Pass chunks on; raise ``error`` at their end when digest or size are not as described.

    The last chunk is held back until the check, so that no reader completes wrong content.
    A negative size is an unknown one.
    """
    total, sha256, held = 0, hashlib.sha256(), b""
    for chunk in chunks:
        total += len(chunk)
        if 0 <= descriptor.size < total:
            break
        sha256.update(chunk)
        if held:
            yield held
        held = chunk
    expected = total if descriptor.size < 0 else descriptor.size
    if total != expected or f"sha256:{sha256.hexdigest()}" != descriptor.digest:
        raise error(
            f"the content of {descriptor.digest} is damaged",
            why=f"{expected} bytes were promised and {total} found, or other ones",
            remedy="Remove it and try again",
            where=str(where),
        )
    if held:
        yield held
