"""Publications for the tests of the catalog: their labels, and versions with what is attached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import INDEX, BytesBlob, Descriptor
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.image.referrers import Artifact, fallback_tag
from jupyter_mlops.image.repository import Repository
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.runtime.publication import Publication
from tests.fixtures_registry import MakeImage

SBOM = "application/vnd.example.sbom+json"


def labelled(name: str, **fields: Any) -> Image:
    """Return an image without layers whose label says what a publication is."""
    publication = Publication(
        **{"notebook_sha256": "", "lock_sha256": "", "python": "", "platform": "", **fields},
        name=name,
    )
    labels = {LABEL: msgspec.json.encode(publication).decode()}
    return build_image(Base("b", "", (), {}), [], ImageConfig(labels=labels))


def paper(subject: Descriptor, text: str) -> Artifact:
    """Return something to attach."""
    return Artifact(subject, SBOM, BytesBlob(text.encode(), SBOM), {"note": text})


def papers_of(image: Image) -> list[Artifact]:
    """Return what is attached to a version: an SBOM, and a signature of that SBOM."""
    sbom = paper(image.descriptor, f"SBOM of {image.digest}")
    return [sbom, paper(sbom.manifest.descriptor, f"signature of the SBOM of {image.digest}")]


def versions(place: str, make_image: MakeImage, count: int) -> list[Image]:
    """Publish v1, v2, … with papers at a place, ``latest`` the last; return the images."""
    repository = open_repository(place)
    images = [make_image(f"version {number}") for number in range(1, count + 1)]
    for number, image in enumerate(images, 1):
        repository.push(image, [f"v{number}", "latest"])
        for item in papers_of(image):
            repository.attach([item])
        sign(repository, image)
    return images


def sign(repository: Repository, image: Image) -> None:
    """Put an image beside another as cosign 2 keeps signatures."""
    text = json.dumps({"signs": image.digest}).encode()
    config = BytesBlob(text, "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "config": config.descriptor.to_dict(), "layers": []}
    signature = Image(json.dumps(manifest).encode(), text, ())
    repository.push(signature, [f"{fallback_tag(image.digest)}.sig"])


def index(images: Sequence[Image]) -> BytesBlob:
    """Return an index of images, as one for several platforms is."""
    listed = [image.descriptor.to_dict() for image in images]
    value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
    return BytesBlob(json.dumps(value).encode(), INDEX)
