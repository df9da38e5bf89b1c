"""Layers: a set of files becomes one compressed tar that depends on nothing but them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import (
    CHUNK,
    LAYER_KIND,
    PACKAGES,
    Blob,
    Descriptor,
    FileBlob,
)
from jupyter_mlops.image.compression import GZIP, Compression, Packer
from jupyter_mlops.image.tar import FILE_MODE, PROGRAM_MODE, TarWriter, source_date_epoch

if TYPE_CHECKING:
    from jupyter_mlops.image.shelf import Shelf

#: Changes when the same files would give other bytes: remembered layers of before are not used.
RECIPE = "1"


@dataclass(frozen=True)
class Entry:
    """A file of a layer: its path in the image and where its bytes come from.

    ``sha256`` is the unpadded urlsafe base64 hash that the file should have, as wheels write it;
    a file with another content is kept, but its layer says so in ``notes`` and is not remembered.
    """

    path: str
    source: Path | bytes
    executable: bool = False
    sha256: str = ""


@dataclass(frozen=True)
class Link:
    """A symbolic link of a layer."""

    path: str
    target: str


@dataclass(frozen=True)
class Directory:
    """A directory that must exist even when empty, or with a mode of its own."""

    path: str
    mode: int = 0o755


Member = Entry | Link | Directory


@dataclass(frozen=True)
class Layer:
    """A layer of an image: its blob, the digest of its uncompressed tar, its kind and title."""

    blob: Blob
    diff_id: str
    kind: str
    title: str
    notes: tuple[str, ...] = ()

    @property
    def descriptor(self) -> Descriptor:
        """The blob's descriptor with its kind as an annotation; the title is in the history.

        Packages have none: they are most layers, and each publish sends the manifest.
        """
        notes = {LAYER_KIND: "" if self.kind in PACKAGES else self.kind}
        found = self.blob.descriptor
        return Descriptor(
            media_type=found.media_type,
            digest=found.digest,
            size=found.size,
            annotations={**found.annotations, **{k: v for k, v in notes.items() if v}},
        )


def build_layer(
    entries: Sequence[Member],
    *,
    kind: str,
    title: str,
    store: Path,
    key: str | None = None,
    compression: Compression = GZIP,
    shelf: Shelf | None = None,
) -> Layer:
    """Build a layer into ``store``, or take the one remembered under ``key``, here or by others.

    ``key`` names everything the content depends on (a wheel's sha256); without one the layer is
    built each time. Files belong to root with mode 0644 or 0755 and the time SOURCE_DATE_EPOCH,
    else 0. Memory use does not depend on the size of the files. Raises ImageError when two entries
    claim one path, a file cannot be read or changes meanwhile, or the disk is full.
    """
    known = None
    if key:
        known = remembered_layer(
            key, kind=kind, title=title, store=store, compression=compression, shelf=shelf
        )
    if known:
        return known
    members, epoch = in_order(entries), source_date_epoch()
    built, notes = write_layer(members, store=store, epoch=epoch, compression=compression)
    layer = _layer(built, kind, title, store, notes, compression)
    if key:
        remember_layer(layer, key, store=store, compression=compression, shelf=shelf)
    return layer


def remembered_layer(
    key: str,
    *,
    kind: str,
    title: str,
    store: Path,
    compression: Compression = GZIP,
    shelf: Shelf | None = None,
) -> Layer | None:
    """Return the layer that was built under ``key``: here, if its blob is kept, or by others."""
    full = full_key(key, compression)
    built = _store.remembered(store, full)
    if built:
        layer = _layer(built, kind, title, store, (), compression)
        if shelf:
            shelf.put(full, [layer])
        return layer
    found = shelf.find(full) if shelf else None
    return found[0] if found and len(found) == 1 else None


def remember_layer(
    layer: Layer,
    key: str,
    *,
    store: Path,
    compression: Compression = GZIP,
    shelf: Shelf | None = None,
) -> None:
    """Let a layer be found by a key that names its content; one with notes is not what it names."""
    full, found = full_key(key, compression), layer.blob.descriptor
    if layer.notes:
        return
    if isinstance(layer.blob, FileBlob):
        _store.remember(
            store,
            _store.Built(key=full, digest=found.digest, diff_id=layer.diff_id, size=found.size),
        )
    if shelf:
        shelf.put(full, [layer])


def full_key(key: str, compression: Compression) -> str:
    """Return a key with all that the bytes of a layer depend on beside its content."""
    return json.dumps([RECIPE, compression.id, source_date_epoch(), key])


def _layer(
    built: _store.Built,
    kind: str,
    title: str,
    store: Path,
    notes: tuple[str, ...],
    compression: Compression,
) -> Layer:
    descriptor = Descriptor(media_type=compression.media_type, digest=built.digest, size=built.size)
    blob = FileBlob(_store.blob_path(store, built.digest), descriptor)
    return Layer(blob, built.diff_id, kind, title, notes)


def in_order(entries: Sequence[Member]) -> list[Member]:
    """Check the paths and sort the entries; raises ImageError on unsafe or doubled paths."""
    every = sorted((_cleaned(entry) for entry in entries), key=lambda entry: entry.path)
    paths = {entry.path for entry in every if not isinstance(entry, Directory)}
    for before, entry in pairwise(every):
        if before.path == entry.path:
            raise ImageError("Two files of one layer claim the same path", where=entry.path)
    for entry in every:
        parent = entry.path.rpartition("/")[0]
        while parent:
            if parent in paths:
                raise ImageError("A path of a layer is both a file and a folder", where=parent)
            parent = parent.rpartition("/")[0]
    return every


def _cleaned(entry: Member) -> Member:
    path = entry.path.strip("/")
    if not path or any(part in ("", ".", "..") for part in path.split("/")) or "\0" in path:
        raise ImageError(f"{entry.path!r} is not a path that an image can hold")
    return entry if path == entry.path else replace(entry, path=path)


def write_layer(
    members: Sequence[Member], *, store: Path, epoch: int = 0, compression: Compression = GZIP
) -> tuple[_store.Built, tuple[str, ...]]:
    """Write sorted members as one blob of the store; return what it became, and notes."""

    def add(writer: TarWriter) -> Iterator[str]:
        for member in members:
            note = _add(writer, member)
            if note:
                yield note

    return write_blob(add, store=store, epoch=epoch, compression=compression)


def write_blob(
    add: Callable[[TarWriter], Iterator[str]],
    *,
    store: Path,
    epoch: int = 0,
    compression: Compression = GZIP,
) -> tuple[_store.Built, tuple[str, ...]]:
    """Write whatever ``add`` puts into the tar as one blob of the store; ``add`` yields notes."""
    with _store.writing(store / "blobs" / "sha256") as (file, temporary):
        packer = Packer(file, compression)
        writer = TarWriter(packer.write, mtime=epoch)
        notes = tuple(add(writer))
        writer.end()
        built = packer.finish()
        _store.replace(file, temporary, _store.blob_path(store, built.digest))
    return built, notes


def _add(writer: TarWriter, member: Member) -> str:
    if isinstance(member, Link):
        writer.link(member.path, member.target)
        return ""
    if isinstance(member, Directory):
        writer.directory(member.path, member.mode)
        return ""
    mode = PROGRAM_MODE if member.executable else FILE_MODE
    if isinstance(member.source, bytes):
        writer.file(member.path, len(member.source), iter((member.source,)), mode)
        return ""
    try:
        file = member.source.open("rb", buffering=0)
    except OSError as error:
        raise ImageError(
            "A file that belongs into the image cannot be read",
            why=str(error.strerror),
            where=str(member.source),
        ) from error
    with file:
        return _add_file(writer, member, file, mode)


def _add_file(writer: TarWriter, member: Entry, file: IO[bytes], mode: int) -> str:
    sha256 = hashlib.sha256()
    size = _size(file)
    chunks: Iterator[bytes] = iter(lambda: file.read(CHUNK), b"")
    if member.sha256:
        chunks = _hashed(chunks, sha256.update)
    try:
        writer.file(member.path, size, chunks, mode)
    except ValueError as error:
        raise ImageError(
            "A file changed while the image was built",
            remedy="Publish again when nothing writes to it",
            where=str(member.source),
        ) from error
    if member.sha256 and _wheel_hash(sha256.digest()) != member.sha256:
        return f"{member.path} is not the file that its package was published with"
    return ""


def _size(file: IO[bytes]) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _hashed(chunks: Iterator[bytes], update: Callable[[bytes], object]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def _wheel_hash(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
