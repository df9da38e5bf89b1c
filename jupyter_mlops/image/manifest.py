"""The manifest and config of an image: canonical JSON that two builds write the same."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops.errors import ImageError, RegistryError
from jupyter_mlops.image import platforms
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import (
    CONFIG,
    LAYER_KIND,
    MANIFEST,
    Blob,
    BytesBlob,
    Descriptor,
    RemoteBlob,
)
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.repository import Repository, load_json, read_blob
from jupyter_mlops.image.tar import source_date_epoch

#: What registries accept at most (distribution spec: "at least 4 megabytes").
MANIFEST_LIMIT = 4 << 20


@dataclass(frozen=True)
class ImageConfig:
    """How a container of the image starts; ``env`` and ``labels`` add to those of the base."""

    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = "1000:0"
    workdir: str = ""
    ports: Sequence[int] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "SIGTERM"


@dataclass(frozen=True)
class Image:
    """A complete image: its manifest and config as bytes, and where each layer's bytes are."""

    manifest: bytes
    config: bytes
    layers: tuple[Layer, ...]
    media_type: str = MANIFEST

    @property
    def descriptor(self) -> Descriptor:
        """The manifest's descriptor."""
        return BytesBlob(self.manifest, self.media_type).descriptor

    @property
    def digest(self) -> str:
        """The manifest's digest: the image's identity in a registry."""
        return self.descriptor.digest

    @property
    def images(self) -> tuple[Image, ...]:
        """The image itself: what an index lists for its only platform."""
        return (self,)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the config."""
        return dict((json.loads(self.config).get("config") or {}).get("Labels") or {})

    @property
    def size(self) -> int:
        """Bytes of config and layers as transferred."""
        return sum(blob.descriptor.size for blob in self.blobs())

    def blobs(self) -> list[Blob]:
        """Return everything to transfer but the manifest: each layer once, the config last."""
        unique: dict[str, Blob] = {}
        for layer in self.layers:
            unique.setdefault(layer.blob.descriptor.digest, layer.blob)
        return [*unique.values(), BytesBlob(self.config, CONFIG)]


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def created() -> str:
    """Return the time written into images: SOURCE_DATE_EPOCH, else 1970-01-01T00:00:00Z."""
    moment = datetime.datetime.fromtimestamp(source_date_epoch(), datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def build_image(
    base: Base,
    layers: Sequence[Layer],
    config: ImageConfig,
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """Put layers on a base (OCI image spec 1.0); raises ImageError when a registry would refuse it.

    The manifest gets ``annotations`` and those that name the base and the time.
    """
    every = (*base.layers, *layers)
    text = canonical(_config(base, layers, config))
    notes = {
        "org.opencontainers.image.base.name": base.name,
        "org.opencontainers.image.base.digest": base.digest,
        "org.opencontainers.image.created": created(),
        **(annotations or {}),
    }
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": BytesBlob(text, CONFIG).descriptor.to_dict(),
            "layers": [layer.descriptor.to_dict() for layer in every],
            "annotations": {key: value for key, value in notes.items() if value},
        }
    )
    if len(manifest) > MANIFEST_LIMIT:
        raise ImageError(
            "The image's manifest is larger than registries accept",
            why=f"It has {len(manifest)} bytes of at most {MANIFEST_LIMIT}",
            remedy="Shorten its annotations",
        )
    return Image(manifest, text, every)


def _config(base: Base, layers: Sequence[Layer], config: ImageConfig) -> dict[str, Any]:
    inherited: dict[str, Any] = dict(base.config.get("config") or {})
    env = dict(item.partition("=")[::2] for item in inherited.get("Env") or [])
    env.update(config.env)
    labels = {**(inherited.get("Labels") or {}), **config.labels}
    start: dict[str, Any] = {
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.cmd),
        "Env": [f"{key}={value}" for key, value in sorted(env.items())],
        "User": config.user,
        "WorkingDir": config.workdir or inherited.get("WorkingDir") or "/",
        "ExposedPorts": {f"{port}/tcp": {} for port in sorted(config.ports)},
        "Labels": labels,
        "StopSignal": config.stop_signal,
    }
    history = _base_history(base)
    # Short, as each publish sends it; the time stands in ``created`` of the whole.
    history += [
        {"created_by": f"jupyter-mlops {layer.kind}", "comment": layer.title} for layer in layers
    ]
    value: dict[str, Any] = {
        "architecture": base.config.get("architecture", "amd64"),
        "os": base.config.get("os", "linux"),
        "created": created(),
        "config": {key: item for key, item in start.items() if item},
        "rootfs": {
            "type": "layers",
            "diff_ids": [layer.diff_id for layer in (*base.layers, *layers)],
        },
        "history": history,
    }
    for key in ("variant", "os.version"):
        if base.config.get(key):
            value[key] = base.config[key]
    return value


def _base_history(base: Base) -> list[dict[str, Any]]:
    history = [dict(item) for item in base.config.get("history") or []]
    if sum(not item.get("empty_layer") for item in history) == len(base.layers):
        return history
    return [{"created_by": f"base {base.name}"} for _ in base.layers]


def stored_image(repository: Repository, version: str, platform: str = "") -> Image:
    """Return an image that lives in a repository, to push it elsewhere or load it into an engine.

    Of an index it is the image for ``platform`` (default: this machine's). Its layers stay where
    they are until somebody reads them. Raises NotFoundError, RegistryError.
    """
    digest = platforms.chosen(repository, version, platform).digest
    descriptor, value = repository.manifest(digest)
    if not isinstance(value.get("config"), dict):
        raise RegistryError(f"{digest} is not an image: it has no config", where=repository.name)
    text = read_blob(repository, str(value["config"]["digest"]))
    config = load_json(text, "config")
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    titles = _titles(config)
    layers = []
    for index, item in enumerate(value.get("layers") or []):
        found = Descriptor.from_dict(item)
        blob = RemoteBlob(found, repository, repository.mount_from)
        kind = found.annotations.get(LAYER_KIND, "")
        diff_id = str(diff_ids[index]) if index < len(diff_ids) else ""
        title = titles[index] if len(titles) == len(diff_ids) > index else ""
        layers.append(Layer(blob, diff_id, kind, title))
    raw = repository.manifest_bytes(descriptor.digest)
    return Image(raw, text, tuple(layers), str(value.get("mediaType") or descriptor.media_type))


def _titles(config: dict[str, Any]) -> list[str]:
    """Return what each layer was called, as the history tells it."""
    history = config.get("history")
    every = [item for item in history if isinstance(item, dict)] if history else []
    return [str(item.get("comment") or "") for item in every if not item.get("empty_layer")]
