"""Load an image into a Docker engine that runs here, without a registry in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.blob import LAYER_ZSTD, Blob, BytesBlob
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.reading import uncompressed
from jupyter_mlops.image.repository import OnProgress, no_progress
from jupyter_mlops.image.tar import END, header, padding


def load(image: Image, tag: str, on_progress: OnProgress = no_progress) -> str:
    """Load an image as ``name:tag``; return its id in the engine (the digest of its config).

    For an image of a repository see ``manifest.stored_image``. Raises ImageError when no engine
    answers or it refuses.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ImportError as error:
        raise ImageError("The Docker SDK is not installed", remedy="pip install docker") from error
    try:
        client: Any = docker.from_env(timeout=600)
        try:
            client.images.load(archive(image, tag, on_progress))
            return str(client.images.get(tag).id)
        finally:
            client.close()
    except (DockerException, OSError) as error:
        raise ImageError(
            "The image cannot be loaded into Docker",
            why=str(error)[:300],
            remedy="Check that an engine runs and that you may use it: docker info",
        ) from error


def archive(image: Image, tag: str, on_progress: OnProgress = no_progress) -> Iterator[bytes]:
    """Yield a tar that ``docker load`` reads (``docker save``'s format).

    Layers stay as they are, but for zstd, which engines before 23 do not read.
    """
    total, done = image.size, 0
    config = BytesBlob(image.config)
    names: dict[str, str] = {}
    layers = []
    for layer in image.layers:
        found = layer.blob.descriptor
        name = f"{found.digest.removeprefix('sha256:')}.tar"
        layers.append(name)
        if found.digest in names:
            continue
        names[found.digest] = name
        yield from _layer(name, layer.blob)
        done += found.size
        on_progress(done, total, layer.title or layer.kind)
    config_name = f"{config.descriptor.digest.removeprefix('sha256:')}.json"
    yield from _member(config_name, config)
    index = [{"Config": config_name, "RepoTags": [tag], "Layers": layers}]
    yield from _member("manifest.json", BytesBlob(json.dumps(index).encode()))
    yield END
    on_progress(total, total, "config")


def _layer(name: str, blob: Blob) -> Iterator[bytes]:
    if blob.descriptor.media_type != LAYER_ZSTD:
        yield from _member(name, blob)
        return
    with blob.open() as chunks:  # a tar says how long a member is before it begins
        size = sum(map(len, uncompressed(chunks, LAYER_ZSTD)))
    yield header(name, size=size)
    with blob.open() as chunks:
        yield from uncompressed(chunks, LAYER_ZSTD)
    yield padding(size)


def _member(name: str, blob: Blob) -> Iterator[bytes]:
    size = blob.descriptor.size
    yield header(name, size=size)
    with blob.open() as chunks:
        yield from chunks
    yield padding(size)
