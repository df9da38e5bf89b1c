"""What a registry holds, described from labels alone; and how its versions are numbered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.fsck import Checked, fsck
from jupyter_mlops.image.repository import Repository
from jupyter_mlops.registry import catalog as listing
from jupyter_mlops.registry.catalog import Described, Listed
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime.publication import Publication


class OfPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """The image of a publication for a platform, and what proves it; see ``Publication``.

    ``verified`` is empty where the registry does not have the image.
    """

    platform: str
    digest: str
    verified: str
    run_on: str = ""


class PublicationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A publication as a registry lists it; ``size`` is in bytes, compressed.

    Of several ``platforms`` it is the image for this machine's that is described, else the first.
    """

    name: str
    title: str
    reference: str
    digest: str
    version: int | None
    tags: list[str]
    created: str
    verified: str
    metrics: dict[str, float]
    parameters: list[dict[str, Any]]
    captures: list[dict[str, Any]]
    predictor: dict[str, Any]
    size: int
    platforms: list[str]


def list_publications(registry: str | None = None) -> list[PublicationSummary]:
    """List the publications of a registry (default: the default one), newest version first.

    Images that were not made by this tool are left out. Raises ``RegistryError``.
    """
    found = listing.list_publications(registry or settings.default_registry())
    return [_summary(item) for item in found if LABEL in item.labels]


def describe(reference: str) -> dict[str, Any]:
    """Return the publication under a reference with its digest, tags and version.

    Without a tag or a digest it is the newest. ``platforms`` are the images that there are; of
    several it is the one for this machine that is described, unless the digest of another is
    asked for. Raises ``NotFoundError``.
    """
    place = Reference.parse(reference)
    repository, wanted = open_repository(place), ""
    if place.tag or place.digest:
        wanted = repository.resolve(place.version).digest
    for item in listing.list_publications(str(place)):
        if LABEL in item.labels and wanted in ("", item.digest, *item.platforms.values()):
            found: Listed | Described = item
            if wanted in item.platforms.values():
                found = listing.describe_image(repository, wanted)
            return {
                **msgspec.to_builtins(_publication(found.labels, str(place))),
                "reference": str(place),
                "digest": wanted or item.digest,
                "tags": item.tags,
                "version": item.version,
                "size": found.size,
                "platforms": msgspec.to_builtins(_platforms(item, repository)),
            }
    raise NotFoundError(
        "This image is not a publication",
        why="It does not carry the label of a published notebook",
        remedy="List what is there: jupyter mlops list",
        where=str(place),
    )


def check(registry: str | None = None, *, repair: bool = False) -> Checked:
    """Read a registry directory whole (default: the default one); see ``image.fsck``.

    Raises RegistryError with every damage that was found, and UsageError for a registry that is no
    directory.
    """
    place = registry or settings.default_registry()
    if not place.startswith("oci:"):
        raise UsageError(
            f"{place} is not a directory",
            why="A registry that is a server checks itself",
            remedy="Write oci:DIRECTORY",
        )
    found = fsck(Reference.below(place, "any").path, repair=repair)
    if found.problems:
        raise RegistryError.collect(found.problems)
    return found


def _platforms(item: Listed, repository: Repository) -> list[OfPlatform]:
    """Return the images of a publication, one for each platform."""
    if not item.platforms:
        told = _publication(item.labels, item.reference)
        return [OfPlatform(platform=told.platform, digest=item.digest, verified=told.verified)]
    found = []
    for platform, digest in item.platforms.items():
        labels = listing.describe_image(repository, digest).labels
        image = OfPlatform(platform=platform, digest=digest, verified="")
        if LABEL in labels:
            told = _publication(labels, item.reference)
            image = msgspec.structs.replace(image, verified=told.verified, run_on=told.run_on or "")
        found.append(image)
    return found


def _summary(item: Listed) -> PublicationSummary:
    publication = _publication(item.labels, item.reference)
    plain = msgspec.to_builtins(publication)
    return PublicationSummary(
        name=publication.name,
        title=publication.title,
        reference=item.reference,
        digest=item.digest,
        version=item.version,
        tags=item.tags,
        created=publication.created,
        verified=publication.verified,
        metrics=publication.metrics,
        parameters=plain["parameters"],
        captures=plain["captures"],
        predictor=plain["predictor"],
        size=item.size,
        platforms=list(item.platforms) or [publication.platform],
    )


def _publication(labels: Mapping[str, str], where: str) -> Publication:
    try:
        return msgspec.json.decode(labels[LABEL], type=Publication)
    except msgspec.DecodeError:
        raise NotFoundError(
            "The publication's label cannot be read",
            why="It was written by another version, or damaged",
            where=where,
        ) from None
