"""What is attached to an image: manifests that name it as their subject (OCI image spec 1.1).

A registry lists them itself (the referrers API), or they stand in an index under the fallback tag
``sha256-<hex>`` of the image's digest, as they do in a directory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from jupyter_mlops.image.blob import INDEX, MANIFEST, Blob, BytesBlob, Descriptor

EMPTY = BytesBlob(b"{}", "application/vnd.oci.empty.v1+json")
# Also the tags that cosign 2 writes: signatures, attestations, SBOMs.
_TAG = re.compile(r"sha256-([0-9a-f]{64})(\.[a-z]+)?")


class Referrer(msgspec.Struct, frozen=True, kw_only=True):
    """One attached thing: its manifest, and what kind of thing it is (a media type)."""

    manifest: Descriptor
    artifact_type: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as an index lists it."""
        return {**self.manifest.to_dict(), "artifactType": self.artifact_type}


@dataclass(frozen=True)
class Artifact:
    """Something to attach to ``subject``, an image in the same repository: one blob with a type."""

    subject: Descriptor
    artifact_type: str
    payload: BytesBlob
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> BytesBlob:
        """Its manifest: the same bytes for the same content."""
        subject = self.subject
        value = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": self.artifact_type,
            "config": EMPTY.descriptor.to_dict(),
            "layers": [self.payload.descriptor.to_dict()],
            "subject": {
                "mediaType": subject.media_type,
                "digest": subject.digest,
                "size": subject.size,
            },
            "annotations": dict(self.annotations),
        }
        text = json.dumps({key: item for key, item in value.items() if item}, sort_keys=True)
        return BytesBlob(text.encode(), MANIFEST)

    @property
    def referrer(self) -> Referrer:
        """How an index lists it."""
        found = self.manifest.descriptor
        annotated = msgspec.structs.replace(found, annotations=dict(self.annotations))
        return Referrer(manifest=annotated, artifact_type=self.artifact_type)

    def blobs(self) -> list[Blob]:
        """Return what its manifest refers to."""
        return [self.payload, EMPTY]


def fallback_tag(digest: str) -> str:
    """Return the tag under which what is attached to an image is listed."""
    return digest.replace(":", "-", 1)


def subject_of(tag: str) -> str:
    """Return the digest of the image that a tag lists attachments of; "" for any other tag."""
    match = _TAG.fullmatch(tag)
    return f"sha256:{match[1]}" if match else ""


def parse_index(value: Mapping[str, Any]) -> list[Referrer]:
    """Return what an index lists; raises RegistryError for what is not a descriptor."""
    items = value.get("manifests")
    return [
        Referrer(
            manifest=Descriptor.from_dict(item), artifact_type=str(item.get("artifactType") or "")
        )
        for item in (items if isinstance(items, list) else [])
    ]


def index_of(referrers: Iterable[Referrer]) -> BytesBlob:
    """Return the index that lists each of them once: the same bytes in whatever order."""
    unique = {item.manifest.digest: item for item in referrers}
    listed = [unique[digest].to_dict() for digest in sorted(unique)]
    value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
    return BytesBlob(json.dumps(value, sort_keys=True).encode(), INDEX)
