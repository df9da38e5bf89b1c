"""Tags that move, such as ``champion``: which names may, and what they may point to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.registry.reference import Reference

_VERSION = re.compile(r"v[0-9]+", re.IGNORECASE)
_SHARED = r"layer-[0-9a-f]{64}"
#: How the tags begin that list what is attached to images, and those of shared layers.
_NO_IMAGE = re.compile(rf"sha(256|512)-|{_SHARED}", re.IGNORECASE)


def of_shared_layer(key: str) -> str:
    """Return the tag of the shared layers that lie under a key."""
    return f"layer-{hashlib.sha256(key.encode()).hexdigest()}"


def is_of_shared_layer(tag: str) -> bool:
    """Tell such a tag: an entry for builds, of which there can be thousands."""
    return re.fullmatch(_SHARED, tag) is not None


def movable(place: Reference, name: str) -> Reference:
    """Return the reference of a tag that may move; raises UsageError for any other name."""
    target = place.with_tag(name)
    if _VERSION.fullmatch(name):
        raise UsageError(
            f"{name} is the tag of a version, which never moves",
            why="Who ran or deployed it must find the same image again",
            remedy="Choose a name such as champion, or publish: that makes the next version",
        )
    for each in (target, place):
        check_tag(each)
    return target


def check_tag(place: Reference) -> None:
    """Raise UsageError for a tag that is of no image."""
    if _NO_IMAGE.match(place.tag or ""):
        raise UsageError(
            f"{place.tag} is not the tag of an image",
            why="Such tags are for what is attached to one, and for shared layers",
            remedy="Name a version, such as v3",
        )


def removable(place: Reference) -> None:
    """Raise UsageError for a reference that does not say what is to go."""
    if not place.tag and not place.digest:
        raise UsageError(
            f"{place} names no version",
            remedy=f"Write {place.with_tag('v1')}, for example, or keep some: jupyter mlops retain",
        )
    check_tag(place)


def check_image(place: Reference, manifest: Mapping[str, Any]) -> None:
    """Raise UsageError when a manifest is something that is attached to an image."""
    if "subject" in manifest or "artifactType" in manifest:
        raise UsageError(
            f"{place} is not an image",
            why="It is attached to one: an SBOM, a provenance or a signature",
            remedy="Name a version, such as v3",
        )


def repository(text: str) -> Reference:
    """Read the name of a repository; raises UsageError when it names more or less than that.

    One name behind a directory is a repository's here: no tag can be meant.
    """
    one_name = text.startswith("oci:") and text.count(":") == 2 and not text.endswith(":")
    found = Reference.parse(f"{text}:" if one_name else text)
    if found.tag or found.digest:
        raise UsageError(f"{text} is not a repository but one image", remedy=f"Write {found.name}")
    return found
