"""An OCI image layout on disk: a registry without a server (image spec 1.0, "Image Layout")."""

from __future__ import annotations

import datetime
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import (
    CHUNK,
    MANIFEST,
    MANIFESTS,
    Blob,
    BytesBlob,
    Descriptor,
    FileBlob,
    checked_digest,
    verified,
)
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.index_file import REF_NAME, IndexFile, ref_name, subject
from jupyter_mlops.image.referrers import Artifact, Referrer, fallback_tag, index_of, parse_index
from jupyter_mlops.image.repository import (
    BeforeTags,
    OnProgress,
    Pushed,
    load_json,
    no_progress,
    nothing,
)

if TYPE_CHECKING:
    from jupyter_mlops.image.manifest import Image


class Layout(IndexFile):
    """A layout directory, or the images of one ``repository`` in it.

    One directory holds many repositories: their tags are kept as ``repository:tag`` in the
    annotation ``org.opencontainers.image.ref.name``. Nothing is created before the first push.
    """

    mount_from = ""

    def __init__(self, directory: Path | str, repository: str = "") -> None:
        self.directory = Path(directory).expanduser()
        self.repository = repository

    @property
    def name(self) -> str:
        """``oci:DIRECTORY`` or ``oci:DIRECTORY:repository``."""
        return f"oci:{self.directory}" + (f":{self.repository}" if self.repository else "")

    # Reading

    def repositories(self) -> list[str]:
        """Return the names of all repositories of the directory, sorted ("" for bare tags)."""
        names = (ref_name(item) for item in self._entries())
        return sorted({name.rpartition(":")[0] for name in names if name})

    def tags(self) -> list[str]:
        """Return the tags of this repository, sorted."""
        return sorted(tag for tag in map(self._tag, self._entries()) if tag)

    def resolve(self, version: str) -> Descriptor:
        """Return what a tag or digest points to; raises NotFoundError."""
        entries = self._entries()
        for item in entries:
            if self._tag(item) == version or item.get("digest") == version:
                return Descriptor.from_dict(item)
        if version.startswith("sha256:"):
            found = self._stored_manifest(version)
            if found:
                return found
        known = sorted(ref_name(item) for item in entries if ref_name(item) and not subject(item))
        raise NotFoundError(
            f"{version} is not in {self.name}",
            why=f"It holds {', '.join(known[:10])}" if known else "It is empty",
            remedy="List it with: jupyter mlops list",
        )

    def manifest(self, version: str) -> tuple[Descriptor, dict[str, Any]]:
        """Return the manifest under a tag or digest, verified; raises NotFoundError."""
        found = self.resolve(version)
        return found, load_json(self._manifest_bytes(found), "manifest")

    def manifest_bytes(self, version: str) -> bytes:
        """Return a manifest as it is stored, verified; raises NotFoundError."""
        return self._manifest_bytes(self.resolve(version))

    def _manifest_bytes(self, found: Descriptor) -> bytes:
        with self._open(found) as chunks:
            return b"".join(chunks)

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        """Open a blob; reading raises RegistryError at its end when it is damaged."""
        try:
            size = self._path(digest).stat().st_size
        except FileNotFoundError as error:
            raise self._missing(digest) from error
        with self._open(Descriptor(media_type="", digest=digest, size=size)) as chunks:
            yield chunks

    @contextmanager
    def _open(self, found: Descriptor) -> Iterator[Iterator[bytes]]:
        path = self._path(found.digest)
        try:
            with path.open("rb") as file:
                chunks = iter(lambda: file.read(CHUNK), b"")
                yield verified(chunks, found, path, RegistryError)
        except FileNotFoundError as error:
            raise self._missing(found.digest) from error

    def _missing(self, digest: str) -> NotFoundError:
        return NotFoundError(
            f"Blob {digest} is not in {self.name}", remedy="Publish again: it is stored anew"
        )

    def _path(self, digest: str) -> Path:
        try:
            return _store.blob_path(self.directory, checked_digest(digest))
        except ValueError as error:
            raise RegistryError("A digest cannot be read", why=str(error)) from error

    def _stored_manifest(self, digest: str) -> Descriptor | None:
        # A manifest that lost its last tag, or one inside an index.
        with suppress(OSError, RegistryError):
            data = self._path(digest).read_bytes()
            media_type = load_json(data, "manifest").get("mediaType") or MANIFEST
            if media_type in MANIFESTS:
                return BytesBlob(data, str(media_type)).descriptor
        return None

    def _tag(self, item: dict[str, Any]) -> str:
        repository, _, tag = ref_name(item).rpartition(":")
        return tag if repository == self.repository else ""

    def referrers(self, digest: str) -> list[Referrer]:
        """Return what is attached to an image; nothing where nothing is."""
        return self._attached(digest, self._entries())

    def _attached(self, digest: str, entries: Sequence[dict[str, Any]]) -> list[Referrer]:
        for item in entries:
            if self._tag(item) == fallback_tag(digest):
                found = Descriptor.from_dict(item)
                return parse_index(load_json(self._manifest_bytes(found), "index"))
        return []

    # Writing

    def attach(self, artifacts: Sequence[Artifact]) -> int:
        """Attach things to one image that is there, or comes; return the bytes written."""
        blobs = [blob for item in artifacts for blob in (*item.blobs(), item.manifest)]
        missing = [blob for blob in blobs if not self._holds(blob.descriptor)]
        for blob in missing:
            self._store_blob(blob)
        sent = sum({b.descriptor.digest: b.descriptor.size for b in missing}.values())
        for digest in {item.subject.digest for item in artifacts}:
            with self._locked() as entries:
                self._store_missing(blobs)
                new = [item.referrer for item in artifacts if item.subject.digest == digest]
                index = index_of([*self._attached(digest, entries), *new])
                if not self._holds(index.descriptor):
                    self._store_blob(index)
                    sent += len(index.data)
                self._write_index(self._pointed(entries, index.descriptor, [fallback_tag(digest)]))
        return sent

    def push(
        self,
        image: Image | Index,
        tags: Sequence[str] = (),
        on_progress: OnProgress = no_progress,
        before_tags: BeforeTags = nothing,
    ) -> Pushed:
        """Store an image or an index: blobs, then manifests, then each tag in order."""
        blobs, done, sent, skipped = image.blobs(), 0, 0, 0
        labels = {layer.descriptor.digest: layer.title for layer in image.layers}
        total = sum(blob.descriptor.size for blob in blobs)
        for blob in blobs:
            found = blob.descriptor
            if self._holds(found):
                skipped += 1
            else:
                self._store_blob(blob)
                sent += found.size
            done += found.size
            on_progress(done, total, labels.get(found.digest, "config"))
        written = [BytesBlob(each.manifest, each.media_type) for each in image.images]
        for manifest in written:
            self._store_blob(manifest)
        first = before_tags() or ()
        if isinstance(image, Index):
            written.append(BytesBlob(image.manifest, image.media_type))
            self._store_blob(written[-1])
        self._point(image.descriptor, [*first, *tags], [*blobs, *written])
        sent += sum(len(manifest.data) for manifest in written)
        return Pushed(digest=image.digest, pushed_bytes=sent, skipped=skipped)

    def tag(self, digest: str, tag: str) -> None:
        """Point a tag to an image that is here, all of it; raises NotFoundError, RegistryError."""
        with self._locked() as entries:
            found = self.resolve(digest)
            for part in sorted(self._reachable(found.to_dict())):
                if not self._path(part).exists():
                    raise RegistryError(
                        f"The image {digest} is not whole",
                        why=f"Blob {part} is missing",
                        remedy=f"See all that is wrong: jupyter mlops fsck oci:{self.directory}",
                        where=self.name,
                    )
            self._write_index(self._pointed(entries, found, [tag]))

    def delete(self, manifests: Mapping[str, Collection[str]]) -> str:
        """Remove manifests, each with its tags; return another tag that points to one, if any."""
        with self._locked() as entries:
            kept = []
            for item in entries:
                digest, tag = str(item.get("digest")), self._tag(item)
                if digest not in manifests or (ref_name(item) and tag not in manifests[digest]):
                    kept.append(item)
                if (
                    digest in manifests
                    and tag not in ("", *manifests[digest])
                    and not subject(item)
                ):
                    return tag
            if len(kept) < len(entries):
                self._write_index(kept)
        return ""

    def free(self, digests: Collection[str]) -> int:
        """Remove the blobs of deleted images that nothing else needs; return the bytes freed.

        Publishes may go on: they look for their blobs once more before they write a tag.
        """
        freed = 0
        with self._locked() as entries:
            deleted = [found for digest in digests if (found := self._stored_manifest(digest))]
            blobs = {part for found in deleted for part in self._reachable(found.to_dict())}
            if blobs:
                blobs -= {part for item in entries for part in self._reachable(item)}
            for path in map(self._path, blobs):
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    def arrived(self, digest: str) -> datetime.datetime | None:
        """Return when an image was last published here: the time of its manifest's file."""
        try:
            seconds = self._path(digest).stat().st_mtime
        except OSError:
            return None
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)

    def delete_tag(self, tag: str) -> None:
        """Remove a tag; the blobs stay until ``prune``. Raises NotFoundError."""
        with self._locked() as entries:
            kept = [item for item in entries if self._tag(item) != tag]
            if len(kept) == len(entries):
                raise NotFoundError(f"{tag} is not in {self.name}")
            self._write_index(kept)

    def prune(self) -> int:
        """Remove blobs that no manifest leads to; return the bytes freed.

        What is attached to an image goes with it. Do not call it while somebody pushes: what is
        not tagged yet would go.
        """
        freed = 0
        with self._locked() as entries:
            images = [item for item in entries if not subject(item)]
            needed = {digest for item in images for digest in self._reachable(item)}
            kept = [item for item in entries if not subject(item) or subject(item) in needed]
            if len(kept) < len(entries):
                self._write_index(kept)
            needed |= {digest for item in kept for digest in self._reachable(item)}
            for path in self._blob_files():
                if f"sha256:{path.name}" not in needed:
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    def _holds(self, found: Descriptor) -> bool:
        try:
            return self._path(found.digest).stat().st_size == found.size
        except OSError:
            return False

    def _store_blob(self, blob: Blob) -> None:
        final = self._path(blob.descriptor.digest)
        if isinstance(blob, FileBlob) and self._link(blob, final):
            return
        with _store.writing(final.parent) as (file, temporary), blob.open() as chunks:
            for chunk in chunks:
                file.write(chunk)
            _store.replace(file, temporary, final)

    def _link(self, blob: FileBlob, final: Path) -> bool:
        # The store's blobs never change, so a second name for one costs no space.
        with blob.open() as chunks:
            for _ in chunks:
                pass  # verifies
        temporary = final.parent / f"{_store.TEMPORARY}{os.getpid()}-{final.name}"
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            os.link(blob.path, temporary)
            temporary.replace(final)
            # Where both are names of one file already, a rename does nothing.
            temporary.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _point(self, found: Descriptor, tags: Sequence[str], blobs: Sequence[Blob]) -> None:
        _durable(self._path(found.digest).parent)
        with self._locked() as entries:
            self._store_missing(blobs)
            self._write_index(self._pointed(entries, found, tags))

    def _store_missing(self, blobs: Sequence[Blob]) -> None:
        """Store what somebody who freed space has taken since it was looked for; under the lock."""
        for blob in blobs:
            if not self._holds(blob.descriptor):
                self._store_blob(blob)

    def _pointed(
        self, entries: list[dict[str, Any]], found: Descriptor, tags: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return the entries with those of the tags pointing to a manifest."""
        for tag in tags:
            name = f"{self.repository}:{tag}" if self.repository else tag
            entries = [item for item in entries if ref_name(item) != name]
            entries.append({**found.to_dict(), "annotations": {REF_NAME: name}})
        if not any(item.get("digest") == found.digest for item in entries):
            entries.append(found.to_dict())
        return entries

    def _reachable(self, item: dict[str, Any]) -> set[str]:
        found = Descriptor.from_dict(item)
        value = load_json(self._manifest_bytes(found), "manifest")
        digests = {found.digest}
        for inner in value.get("manifests") or []:
            if self._path(Descriptor.from_dict(inner).digest).exists():
                digests |= self._reachable(inner)
        parts = [*(value.get("layers") or []), *filter(None, [value.get("config")])]
        return digests | {Descriptor.from_dict(part).digest for part in parts}

    def _blob_files(self) -> list[Path]:
        folder = self.directory / "blobs" / "sha256"
        return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


def _durable(folder: Path) -> None:
    """Write the names in a folder to the disk: no index may outlive the blobs that it names."""
    with suppress(OSError):  # some network file systems cannot
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
