"""Which image of an index is meant: all that read a reference choose the platform's image here."""

from __future__ import annotations

import platform as _platform
from collections.abc import Mapping
from typing import Any

import msgspec

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.image.blob import INDEXES, Descriptor
from jupyter_mlops.image.repository import Repository

#: Machines as Python names them, and as images do.
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
#: What build tools write for entries that are no images but attachments.
_NONE = "unknown/unknown"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An image that an index lists, and the platform it is for, such as ``linux/arm64/v8``."""

    platform: str
    manifest: Descriptor


def host_platform() -> str:
    """Return the platform of this machine as images name it, such as ``linux/amd64``."""
    machine = _platform.machine()
    return f"linux/{MACHINES.get(machine, machine)}"


def is_index(value: Mapping[str, Any]) -> bool:
    """Tell a manifest that lists images from that of one image."""
    return value.get("mediaType") in INDEXES or "manifests" in value


def name_of(value: Mapping[str, Any]) -> str:
    """Return the name of a platform from its parts, as a config or an index entry has them."""
    parts = (value.get("os") or "linux", value.get("architecture"), value.get("variant"))
    return "/".join(str(part) for part in parts if part)


def fits(offered: str, wanted: str) -> bool:
    """Tell whether an image for one platform is meant by another's name.

    A name without a variant means any: ``linux/arm64`` is met by ``linux/arm64/v8``.
    """
    return f"{offered}/".startswith(f"{wanted}/")


def offers(value: Mapping[str, Any]) -> list[Offer]:
    """Return the images that an index lists, in its order.

    Raises RegistryError for what is not a descriptor.
    """
    items = value.get("manifests")
    found = []
    for item in items if isinstance(items, list) else []:
        of = item.get("platform") if isinstance(item, dict) else None
        name = name_of(of) if isinstance(of, dict) else ""
        if name != _NONE:
            found.append(Offer(platform=name, manifest=Descriptor.from_dict(item)))
    return found


def choose(value: Mapping[str, Any], platform: str, name: str) -> Descriptor:
    """Return the image of an index for a platform; ``name`` is what the index is called.

    Raises NotFoundError with the platforms that there are.
    """
    found = offers(value)
    for offer in found:
        if fits(offer.platform, platform):
            return offer.manifest
    there = ", ".join(sorted({offer.platform or "no platform" for offer in found}))
    raise NotFoundError(
        f"{name} is not there for {platform}",
        why=f"It is for {there}" if there else "It is an index that lists nothing",
        remedy=f"Name one that was made for {platform}",
    )


def chosen(repository: Repository, version: str, platform: str = "") -> Descriptor:
    """Return the image under a tag or digest: of an index that for a platform (this machine's).

    Raises NotFoundError where nothing is there, or nothing for the platform.
    """
    descriptor, value = repository.manifest(version)
    if not is_index(value):
        return descriptor
    return choose(value, platform or host_platform(), f"{repository.name} {version}")
