"""Layers shared by way of the registry: what one user packed, no other packs or sends again.

The repository ``<prefix>/layers`` beside the publications holds, for each key (the hashes of
wheels, or of a lock, with all that the bytes depend on), a manifest that points to the layers. So
they can be mounted from there, and no garbage collection takes them.

What it says is believed only when a trusted key signed it (``JUPYTER_MLOPS_TRUSTED_KEYS``, or the
publisher's own). Else the layers are packed here as ever, and it only tells where to mount the
same bytes from. So a wrong entry costs time and is never taken for true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.attest import dsse, keys
from jupyter_mlops.attest.keys import PrivateKey
from jupyter_mlops.errors import MlopsError, NotFoundError
from jupyter_mlops.events import Log, OnEvent, ignore
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import (
    CONFIG,
    LAYER_GZIP,
    LAYER_TAR,
    LAYER_ZSTD,
    MANIFEST,
    BytesBlob,
    Descriptor,
    RemoteBlob,
    checked_digest,
)
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.manifest import Image, canonical
from jupyter_mlops.registry import mounts, tags
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.reference import Reference

REPOSITORY = "layers"
ARTIFACT = "application/vnd.jupyter-mlops.layers.v1+json"
#: Annotation of an entry's manifest: the signed statement, as JSON.
STATEMENT = "io.jupyter-mlops.layers"
_MEDIA_TYPES = (LAYER_GZIP, LAYER_ZSTD, LAYER_TAR)
_LANES = 6


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """One layer as an entry tells of it."""

    digest: str
    size: int
    media_type: str
    diff_id: str
    kind: str
    title: str


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: under this key lie these layers."""

    key: str
    layers: list[_Told]


class SharedLayers:
    """The shelf (``image.shelf``) of all who publish below one prefix of a registry."""

    def __init__(
        self, repository: RemoteRepository, signer: PrivateKey | None, on_event: OnEvent = ignore
    ) -> None:
        self._repository = repository
        self._signer = signer
        self._trusted = [keys.public(path) for path in settings.trusted_keys()]
        if signer:
            self._trusted.append(signer.public)
        self._on_event = on_event
        self._made: dict[str, tuple[Layer, ...]] = {}
        self._silent = False

    def find(self, key: str) -> list[Layer] | None:
        """Return the layers under a key when a trusted key signed them and all are there."""
        if self._silent:
            return None
        try:
            _, manifest = self._repository.manifest(tags.of_shared_layer(key))
            return self._believed(key, manifest)
        except NotFoundError:
            return None
        except MlopsError as error:
            self._silent = True  # one that does not answer is not asked for each layer
            self._on_event(Log(text=f"Shared layers are not looked for. {error}"))
            return None

    def put(self, key: str, layers: Sequence[Layer]) -> None:
        """Note what was built here; ``tell`` offers it."""
        self._made[key] = tuple(layers)

    def below(self, layers: Sequence[Layer]) -> None:
        """Do the same for the layers of a base: learn where they can be mounted from, offer them.

        They are there in any case, so nothing of them needs to be believed.
        """
        digests = [layer.blob.descriptor.digest for layer in layers]
        key = f"base {' '.join(digests)}"
        known = mounts.read(self._repository.registry)
        if digests and not all(digest in known for digest in digests):
            self.find(key)
        if digests:
            self.put(key, layers)

    def tell(self) -> None:
        """Offer what was built here to all others. A registry that refuses costs nobody anything.

        What a home told once is not told again.
        """
        name = self._memory()
        known = _remembered(name)
        by = f" {self._signer.public.fingerprint}" if self._signer else ""
        new = {
            key: layers
            for key, layers in self._made.items()
            if tags.of_shared_layer(key) + by not in known
        }
        if not new or self._silent:
            return
        try:
            with ThreadPoolExecutor(_LANES, thread_name_prefix="tell") as pool:
                list(pool.map(self._tell, new, new.values()))
        except MlopsError as error:
            self._on_event(Log(text=f"The layers are not shared with others. {error}"))
        told = {tags.of_shared_layer(key) for key in new}
        _remember(name, known | told | {tag + by for tag in told})

    def _memory(self) -> str:
        return hashlib.sha256(self._repository.name.encode()).hexdigest()[:32]

    def _believed(self, key: str, manifest: dict[str, Any]) -> list[Layer] | None:
        """Return the layers of an entry that is signed; of any other, note where they lie."""
        entry, signed = self._read(key, manifest)
        if entry is None:
            return None
        digests = [told.digest for told in entry.layers]
        mounts.remember(self._repository.registry, self._repository.repository, digests)
        if not signed:
            return None
        layers = [self._layer(told) for told in entry.layers]
        with ThreadPoolExecutor(_LANES, thread_name_prefix="shelf") as pool:
            there = pool.map(lambda layer: self._repository.has(layer.blob.descriptor), layers)
            return layers if all(there) else None

    def _read(self, key: str, manifest: dict[str, Any]) -> tuple[_Entry | None, bool]:
        """Return what a manifest says of a key, and whether somebody trusted says so."""
        notes = manifest.get("annotations")
        text = notes.get(STATEMENT) if isinstance(notes, dict) else None
        try:
            opened = dsse.open_(str(text or "").encode())
            entry = msgspec.json.decode(opened.payload, type=_Entry)
            for told in entry.layers:
                checked_digest(told.digest)
                checked_digest(told.diff_id)
        except ValueError:
            return None, False
        # A true statement about another key, or of another kind, says nothing about this one.
        if opened.payload_type != ARTIFACT or entry.key != key or not entry.layers:
            return None, False
        if any(t.size < 0 or t.media_type not in _MEDIA_TYPES for t in entry.layers):
            return None, False
        return entry, any(opened.is_signed_by(trusted) for trusted in self._trusted)

    def _layer(self, told: _Told) -> Layer:
        descriptor = Descriptor(media_type=told.media_type, digest=told.digest, size=told.size)
        blob = RemoteBlob(descriptor, self._repository, self._repository.mount_from)
        return Layer(blob, told.diff_id, told.kind, told.title)

    def _tell(self, key: str, layers: tuple[Layer, ...]) -> None:
        """Write one entry, unless one is there that says the same and is not worth less."""
        entry = _Entry(key=key, layers=[_told(layer) for layer in layers])
        payload = BytesBlob(canonical(msgspec.to_builtins(entry)), ARTIFACT)
        statement = dsse.envelope(payload, self._signer)
        try:
            _, before = self._repository.manifest(tags.of_shared_layer(key))
        except NotFoundError:
            before = {}
        known, _ = self._read(key, before)
        others = _signatures(before) if known else []
        mine = statement["signatures"]
        if known and {item["keyid"] for item in mine} <= {item["keyid"] for item in others}:
            return
        if known == entry:
            statement["signatures"] = [*others, *mine]
        elif known and (others or not mine):
            return  # somebody stands for another build: this one is no better
        self._repository.push(_image(statement, layers), [tags.of_shared_layer(key)])


def beside(
    place: Reference, signer: PrivateKey | None, on_event: OnEvent = ignore
) -> SharedLayers | None:
    """Return the shared layers of the prefix that a publication goes to; none for a directory.

    In one directory the same layers are one file anyway. Raises UsageError for a trusted key that
    cannot be read.
    """
    if place.is_layout or not settings.shares_layers():
        return None
    prefix = place.repository.rpartition("/")[0]
    name = f"{prefix}/{REPOSITORY}" if prefix else REPOSITORY
    if name == place.repository:
        return None
    return SharedLayers(RemoteRepository(place.registry, name), signer, on_event)


def _signatures(manifest: dict[str, Any]) -> list[dict[str, str]]:
    """Return the signatures of an entry that was read before."""
    found: list[dict[str, str]] = json.loads(manifest["annotations"][STATEMENT])["signatures"]
    return [{"keyid": str(item.get("keyid")), "sig": str(item.get("sig"))} for item in found]


def _told(layer: Layer) -> _Told:
    found = layer.blob.descriptor
    return _Told(
        digest=found.digest,
        size=found.size,
        media_type=found.media_type,
        diff_id=layer.diff_id,
        kind=layer.kind,
        title=layer.title,
    )


def _image(statement: dict[str, Any], layers: Sequence[Layer]) -> Image:
    """Return an entry as what every registry keeps: an image manifest without a configuration."""
    empty = b"{}"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": ARTIFACT,
        "config": BytesBlob(empty, CONFIG).descriptor.to_dict()
        | {"mediaType": "application/vnd.oci.empty.v1+json"},
        "layers": [layer.blob.descriptor.to_dict() for layer in layers],
        "annotations": {STATEMENT: canonical(statement).decode()},
    }
    return Image(canonical(manifest), empty, tuple(layers))


def _remembered(name: str) -> frozenset[str]:
    try:
        text = (settings.store() / "told" / f"{name}.json").read_bytes()
        return frozenset(msgspec.json.decode(text, type=list[str]))
    except (OSError, msgspec.MsgspecError):
        return frozenset()


def _remember(name: str, tags: frozenset[str]) -> None:
    _store.write_file(settings.store() / "told" / f"{name}.json", msgspec.json.encode(sorted(tags)))
