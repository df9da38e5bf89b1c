"""What a registry holds, described from labels alone; tags that move, and versions that go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jupyter_mlops import analyze, settings
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.capture.models import Signature
from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.fsck import Checked, fsck
from jupyter_mlops.image.repository import Repository
from jupyter_mlops.registry import catalog as listing
from jupyter_mlops.registry import retention, search, tags
from jupyter_mlops.registry.catalog import Described, Listed
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.registry.retention import Decision, Rule
from jupyter_mlops.registry.search import Query
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
    authors: list[str]
    created: str
    verified: str
    metrics: dict[str, float]
    parameters: list[dict[str, Any]]
    captures: list[dict[str, Any]]
    predictor: dict[str, Any]
    size: int
    platforms: list[str]


def list_publications(
    registry: str | None = None, query: Query | None = None
) -> list[PublicationSummary]:
    """List the publications of a registry (default: the default one), newest version first.

    Only those that fit ``query``, which is answered from labels: no layer is read. Images that were
    not made by this tool are left out. Raises ``UsageError`` for the query, ``RegistryError``.
    """
    fits = search.read(query or Query())
    found = [
        (item, _publication(item.labels, item.reference))
        for item in listing.list_publications(registry or settings.default_registry())
    ]
    return [
        _summary(item, publication)
        for item, publication in found
        if fits(publication, item.repository)
    ]


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
    for item in _around(place):
        if wanted in ("", item.digest, *item.platforms.values()):
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


def signature(subject: str) -> Signature:
    """Return what the service of a publication accepts; of a notebook, its newest publication's.

    Raises ``NotFoundError``, also where it has no service.
    """
    if subject.endswith(".ipynb"):
        subject = analyze.default_target(notebooks.read(subject).name)
    found = describe(subject)
    if not found["signature"]:
        raise NotFoundError(
            "This publication has no signature",
            why="It predicts nothing, or nothing is known of its inputs",
            where=subject,
        )
    return msgspec.convert(found["signature"], Signature)


class Tagged(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tag points now, and where it pointed before (nowhere: an empty digest)."""

    reference: str
    digest: str
    version: int | None
    previous: str
    previous_version: int | None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each publication of a repository; nothing has gone yet in a ``dry_run``.

    ``freed`` are bytes; a registry that is a server frees them by itself, later: 0.
    """

    repository: str
    dry_run: bool
    publications: list[Decision]
    freed: int = 0


def tag(reference: str, name: str) -> Tagged:
    """Point a tag that moves, such as ``champion``, to the image under a reference.

    The image is looked at first, and the tag moves at once. Raises UsageError for a name that is
    no tag or a version's, NotFoundError, RegistryError.
    """
    place = Reference.parse(reference)
    target = tags.movable(place, name)
    repository = open_repository(place)
    found, manifest = repository.manifest(place.version)
    tags.check_image(place, manifest)
    every = listing.pointed(repository, [*filter(listing.version_of, repository.tags()), name])
    version = {digest: listing.newest(names) for digest, names in every.items()}
    before = next((digest for digest, names in every.items() if name in names), "")
    if before != found.digest:
        repository.tag(found.digest, name)
    return Tagged(
        reference=str(target),
        digest=found.digest,
        version=version.get(found.digest),
        previous=before,
        previous_version=version.get(before),
    )


def retain(repository: str, rule: Rule, *, dry_run: bool = True) -> Retention:
    """Say which publications of a repository stay by a rule; without ``dry_run`` the others go.

    What is attached to an image goes with it. Never goes: the newest version, what a tag that moves
    points to, and what is no publication. Raises UsageError, NotFoundError, RegistryError.
    """
    place = tags.repository(repository)
    opened = open_repository(place)
    plan = retention.plan(place, opened, rule)
    decisions, freed = plan.decisions, 0
    if not decisions:
        raise NotFoundError(
            f"There are no publications in {place.name}",
            remedy="See what there is: jupyter mlops list",
        )
    if not dry_run:
        decisions, freed = retention.carry_out(opened, plan)
    return Retention(repository=place.name, dry_run=dry_run, publications=decisions, freed=freed)


def delete(reference: str, *, dry_run: bool = True) -> Retention:
    """Say what would go with one version, or a tag that moves; without ``dry_run`` remove it.

    A version goes with all that is attached to it, a tag that moves alone. Raises UsageError for
    what has to stay (see ``retain``), NotFoundError, RegistryError.
    """
    place = Reference.parse(reference)
    tags.removable(place)
    opened = open_repository(place)
    digest = opened.manifest(place.version)[0].digest
    freed = 0
    if place.digest or listing.version_of(place.version):
        plan = retention.plan_one(place, opened, digest)
        decisions = plan.decisions
        if not dry_run:
            decisions, freed = retention.carry_out(opened, plan)
    else:
        decisions = [retention.tag_alone(place, digest)]
        if not dry_run:
            opened.delete_tag(place.version)
    return Retention(repository=place.name, dry_run=dry_run, publications=decisions, freed=freed)


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


def _summary(item: Listed, publication: Publication) -> PublicationSummary:
    plain = msgspec.to_builtins(publication)
    return PublicationSummary(
        name=publication.name,
        title=publication.title,
        reference=item.reference,
        digest=item.digest,
        version=item.version,
        tags=item.tags,
        authors=publication.authors,
        created=publication.created,
        verified=publication.verified,
        metrics=publication.metrics,
        parameters=plain["parameters"],
        captures=plain["captures"],
        predictor=plain["predictor"],
        size=item.size,
        platforms=list(item.platforms) or [publication.platform],
    )


def _around(place: Reference) -> list[Listed]:
    """List what is in the repository of a reference; a directory alone stands for all in it."""
    if place.is_layout and not place.repository and not place.tag:
        return listing.list_publications(f"oci:{place.directory}")
    return listing.describe(place, open_repository(place))


def _publication(labels: Mapping[str, str], where: str) -> Publication:
    try:
        return msgspec.json.decode(labels[LABEL], type=Publication)
    except msgspec.DecodeError:
        raise NotFoundError(
            "The publication's label cannot be read",
            why="It was written by another version, or damaged",
            where=where,
        ) from None
