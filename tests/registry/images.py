"""Images whose blobs are generated, so that large ones need neither disk nor memory."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import LAYER_TAR, Descriptor, verified
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image

PIECE = 1 << 20


@functools.cache
def piece_of(seed: int) -> bytes:
    """Return the mebibyte that the blobs of a seed repeat."""
    return hashlib.shake_256(str(seed).encode()).digest(PIECE)


@functools.cache
def _digest(seed: int, count: int) -> str:
    sha256 = hashlib.sha256()
    for _ in range(count):
        sha256.update(piece_of(seed))
    return f"sha256:{sha256.hexdigest()}"


@dataclass(frozen=True)
class GeneratedBlob:
    """``count`` mebibytes that follow from ``seed``, made while they are read."""

    seed: int
    count: int

    @property
    def descriptor(self) -> Descriptor:
        """The blob's media type, digest and size."""
        return Descriptor(
            media_type=LAYER_TAR, digest=_digest(self.seed, self.count), size=self.count * PIECE
        )

    @contextmanager
    def open(self) -> Iterator[Iterator[bytes]]:
        """Stream the blob, verified as a file would be."""
        yield verified((piece_of(self.seed) for _ in range(self.count)), self.descriptor)


def generated_image(*blobs: GeneratedBlob) -> Image:
    """Return an image of generated layers: the first is the base, the last the code."""
    layers = [
        Layer(blob, blob.descriptor.digest, "weights", f"layer {number}")
        for number, blob in enumerate(blobs)
    ]
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]}}
    base = Base("example.org/base:1", "sha256:" + "0" * 64, (layers[0],), config)
    return build_image(base, layers[1:], ImageConfig())
