"""An image for several platforms: an index that lists one image for each (image spec 1.0)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jupyter_mlops.image import platforms
from jupyter_mlops.image.blob import INDEX, Blob, BytesBlob, Descriptor
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.manifest import Image, canonical


@dataclass(frozen=True)
class Index:
    """Images of one content, one for each platform; the same images give the same bytes."""

    images: tuple[Image, ...]
    media_type: str = INDEX

    @cached_property
    def manifest(self) -> bytes:
        """The index as it is stored: its images sorted by their platforms."""
        listed = [_entry(image) for image in sorted(self.images, key=platform_of)]
        return canonical({"schemaVersion": 2, "mediaType": self.media_type, "manifests": listed})

    @property
    def descriptor(self) -> Descriptor:
        """The index's descriptor."""
        return BytesBlob(self.manifest, self.media_type).descriptor

    @property
    def digest(self) -> str:
        """The index's digest: what a tag of it points to."""
        return self.descriptor.digest

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of all images."""
        return tuple(layer for image in self.images for layer in image.layers)

    @property
    def size(self) -> int:
        """Bytes of configs and layers as transferred; what images share counts once."""
        return sum(blob.descriptor.size for blob in self.blobs())

    def blobs(self) -> list[Blob]:
        """Return everything to transfer but the manifests, each blob once."""
        every = (blob for image in self.images for blob in image.blobs())
        return list({blob.descriptor.digest: blob for blob in every}.values())


def platform_of(image: Image) -> str:
    """Return the platform that an image says it is for, such as ``linux/arm64/v8``."""
    return platforms.name_of(json.loads(image.config))


def _entry(image: Image) -> dict[str, Any]:
    config = json.loads(image.config)
    parts = {key: config[key] for key in ("architecture", "os", "variant") if config.get(key)}
    return {**image.descriptor.to_dict(), "platform": parts}
