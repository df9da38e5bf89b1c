"""Which versions of a repository stay, and removing the others with all that is attached to them.

A version is never removed while a tag that moves points to it, be it through an index, and the
newest never is: its number would be given to another image.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.referrers import subject_of
from jupyter_mlops.image.repository import Repository, load_json
from jupyter_mlops.registry.catalog import (
    PUBLICATION,
    Listed,
    image_tags,
    listed,
    pointed,
    version_of,
)
from jupyter_mlops.registry.reference import Reference

_LANES = 8


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one image of a repository, and why."""

    reference: str
    digest: str
    version: int | None
    tags: list[str]
    stays: bool
    why: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the newest versions stay, and those of how many days (0: no matter their age)."""

    keep: int
    keep_days: int = 0

    def check(self) -> None:
        """Raise UsageError for numbers that make no sense."""
        if self.keep < 1:
            raise UsageError(
                f"{self.keep} versions cannot be kept",
                why="The newest always stays: its number would be given to another image",
                remedy="Keep at least 1",
            )
        if self.keep_days < 0:
            raise UsageError(f"{self.keep_days} days cannot be kept", remedy="Name 1 or more")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each publication, the newest version first.

    ``kept`` are the digests of all that stays, ``parts`` those of the images in each index.
    """

    decisions: list[Decision]
    kept: set[str]
    parts: dict[str, list[str]]


def plan(reference: Reference, repository: Repository, rule: Rule) -> Plan:
    """Decide which publications of a repository stay; nothing is changed.

    What is no publication is left alone. Raises UsageError for the rule, RegistryError.
    """
    rule.check()
    digests = pointed(repository, image_tags(repository))
    found = listed(reference, repository, digests)
    parts = _parts(repository, digests)
    versions = [item.digest for item in found if item.version]
    reasons = {item.digest: _reasons(repository, item, versions, rule) for item in found}
    inside: dict[str, list[str]] = {}
    for index, images in parts.items():
        for image in images if reasons.get(index, ["it is no publication"]) else []:
            inside.setdefault(image, []).extend(digests[index])
    older = f", and older than {rule.keep_days} days" if rule.keep_days else ""
    goes = f"not one of the newest {rule.keep}{older}"
    decisions = []
    for item in found:
        stays = [
            *reasons[item.digest],
            *(f"it is a part of {t}" for t in inside.get(item.digest, [])),
        ]
        decisions.append(_decision(item, stays, "; ".join(stays) or goes))
    gone = {item.digest for item in decisions if not item.stays}
    return Plan(decisions=decisions, kept=(set(digests) | set(inside)) - gone, parts=parts)


def plan_one(reference: Reference, repository: Repository, digest: str) -> Plan:
    """Decide on the publications of a repository when one is to go; nothing is changed.

    Raises NotFoundError where it is none, UsageError when it has to stay.
    """
    found = plan(reference, repository, Rule(keep=1))
    for item in found.decisions:
        if item.digest == digest and item.stays:
            raise UsageError(
                f"{reference} has to stay",
                why=f"It is needed: {item.why}",
                remedy="Point its tags elsewhere (jupyter mlops tag), or publish a newer version",
            )
        if item.digest == digest:
            asked = msgspec.structs.replace(item, why="you ask for it")
            others = {each.digest for each in found.decisions} - {digest}
            return Plan(decisions=[asked], kept=found.kept | others, parts=found.parts)
    raise NotFoundError(
        f"{reference} is not a publication", remedy="See what there is: jupyter mlops list"
    )


def tag_alone(reference: Reference, digest: str) -> Decision:
    """Return what becomes of a tag that moves: it goes, and its image stays."""
    return Decision(
        reference=str(reference),
        digest=digest,
        version=None,
        tags=[reference.version],
        stays=False,
        why="the tag alone: its image stays",
    )


def _parts(repository: Repository, digests: Iterable[str]) -> dict[str, list[str]]:
    """Return the indexes among images, each with the images that it consists of."""

    def read(digest: str) -> tuple[str, list[str]]:
        try:
            _, value = repository.manifest(digest)
        except NotFoundError:
            return digest, []  # deleted since the tags were listed
        listed = value.get("manifests")
        parts = listed if isinstance(listed, list) else []
        return digest, [str(part.get("digest")) for part in parts if isinstance(part, dict)]

    with ThreadPoolExecutor(_LANES) as pool:
        return {digest: parts for digest, parts in pool.map(read, digests) if parts}


def _decision(item: Listed, stays: Sequence[str], why: str) -> Decision:
    return Decision(
        reference=item.reference,
        digest=item.digest,
        version=item.version,
        tags=item.tags,
        stays=bool(stays),
        why=why,
    )


def _reasons(
    repository: Repository, item: Listed, versions: Sequence[str], rule: Rule
) -> list[str]:
    """Return why an image stays, each reason as a sentence has it; nothing when it goes."""
    reasons = [f"{tag} points to it" for tag in item.tags if not version_of(tag)]
    if item.digest in versions[:1]:
        reasons.insert(0, "the newest version")
    elif item.digest in versions[: rule.keep]:
        reasons.insert(0, f"one of the newest {rule.keep}")
    if not reasons and rule.keep_days:
        reasons += _young(repository, item, rule.keep_days)
    return reasons


def _young(repository: Repository, item: Listed, days: int) -> list[str]:
    """Return why an image may be too young to go; nothing when it is old enough."""
    arrived = repository.arrived(item.digest) or _created(item)
    if arrived is None:
        return ["nobody knows its age: it was published without SOURCE_DATE_EPOCH"]
    age = (datetime.datetime.now(datetime.UTC) - arrived).days
    return [] if age >= days else [f"not older than {days} days"]


def _created(item: Listed) -> datetime.datetime | None:
    try:
        text = str(load_json(item.labels[PUBLICATION].encode(), "label").get("created"))
        moment = datetime.datetime.fromisoformat(text)
    except (RegistryError, ValueError):
        return None
    return moment if moment.tzinfo and moment.timestamp() > 0 else None


def carry_out(repository: Repository, plan: Plan) -> tuple[list[Decision], int]:
    """Remove what goes, the oldest first; return what became of each, and the bytes freed.

    What is attached to an image goes before it, so that a removal that was stopped finds it again
    and goes on. A tag that was moved meanwhile is heeded. Raises RegistryError.
    """
    done = {item.digest: item for item in plan.decisions}
    gone: list[str] = []
    for item in reversed([item for item in plan.decisions if not item.stays]):
        moving = _moving(repository)
        in_the_way = moving.get(item.digest, [""])[0]
        if not in_the_way:
            doomed = _doomed(repository, item, plan, plan.kept | set(moving))
            in_the_way = repository.delete(doomed)
        if in_the_way:
            why = f"{in_the_way} points to it by now"
            done[item.digest] = msgspec.structs.replace(item, stays=True, why=why)
        else:
            gone += doomed
    return list(done.values()), repository.free(gone) if gone else 0


def _doomed(
    repository: Repository, item: Decision, plan: Plan, kept: Collection[str]
) -> dict[str, list[str]]:
    """Return all that goes with an image, in order, each with its tags.

    The images of an index go behind it: a registry may keep what an index names. Those that are
    versions themselves are decided on for themselves.
    """
    own = {*kept, *(each.digest for each in plan.decisions)}
    parts = [digest for digest in plan.parts.get(item.digest, []) if digest not in own]
    doomed: dict[str, list[str]] = {}
    for digest in (item.digest, *parts):
        doomed |= _attached(repository, digest, kept)
    return {**doomed, item.digest: item.tags, **{digest: [] for digest in parts}}


def _moving(repository: Repository) -> dict[str, list[str]]:
    """Return what the tags that move point to at this moment."""
    return pointed(repository, [tag for tag in image_tags(repository) if not version_of(tag)])


def _attached(repository: Repository, digest: str, kept: Collection[str]) -> dict[str, list[str]]:
    """Return what is attached to an image, and to that in turn, with the tags that list it.

    Each stands behind what is attached to it and before what lists it, so that removing them in
    order may stop anywhere and be begun again. Only what says itself that it is attached counts:
    whoever may write a list of attachments could name an image in it that stays.
    """
    found: dict[str, list[str]] = {}
    seen = {digest, *kept}
    tags = [tag for tag in repository.tags() if subject_of(tag)]

    def add(subject: str) -> None:
        for item in repository.referrers(subject):
            name = item.manifest.digest
            if name not in seen and _names(repository, name, subject):
                seen.add(name)
                add(name)
                found[name] = []
        lists = pointed(repository, [tag for tag in tags if subject_of(tag) == subject])
        found.update({name: own for name, own in lists.items() if name not in kept})

    add(digest)
    return found


def _names(repository: Repository, digest: str, subject: str) -> bool:
    """Tell whether a manifest is there and names an image as its subject."""
    try:
        _, value = repository.manifest(digest)
    except NotFoundError:
        return False
    named = value.get("subject")
    return isinstance(named, dict) and named.get("digest") == subject
