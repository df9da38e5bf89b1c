"""Which versions of a repository stay, and removing the others with all that is attached to them.

A version is never removed while a tag that moves points to it, be it through an index, and the
newest never is: its number would be given to another image.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence

import msgspec

from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.referrers import subject_of
from jupyter_mlops.image.repository import Repository, load_json
from jupyter_mlops.registry.catalog import PUBLICATION, Listed, listed, pointed, version_of
from jupyter_mlops.registry.reference import Reference


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


def plan(reference: Reference, repository: Repository, rule: Rule) -> list[Decision]:
    """Decide which publications of a repository stay, the newest version first; nothing is changed.

    What is no publication is left alone. Raises UsageError for the rule, RegistryError.
    """
    rule.check()
    digests = pointed(repository, [tag for tag in repository.tags() if not subject_of(tag)])
    found = listed(reference, repository, digests)
    known = {item.digest for item in found}
    others = {digest: tags for digest, tags in digests.items() if digest not in known}
    inside = _inside(repository, others)
    versions = [item.digest for item in found if item.version]
    return [
        _decide(repository, item, versions, inside.get(item.digest, []), rule) for item in found
    ]


def plan_one(reference: Reference, repository: Repository, digest: str) -> list[Decision]:
    """Decide on the publications of a repository when one is to go; nothing is changed.

    Raises NotFoundError where it is none, UsageError when it has to stay.
    """
    decisions = []
    for item in plan(reference, repository, Rule(keep=1)):
        if item.digest == digest and item.stays:
            raise UsageError(
                f"{reference} has to stay",
                why=f"It is needed: {item.why}",
                remedy="Point its tags elsewhere (jupyter mlops tag), or publish a newer version",
            )
        why = "you ask for it" if item.digest == digest else "another one is asked for"
        stays = item.digest != digest
        decisions.append(msgspec.structs.replace(item, stays=stays, why=why))
    if all(item.stays for item in decisions):
        raise NotFoundError(
            f"{reference} is not a publication", remedy="See what there is: jupyter mlops list"
        )
    return decisions


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


def _inside(repository: Repository, others: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the images that indexes consist of, each with the tags of its index."""
    found: dict[str, list[str]] = {}
    for digest, tags in others.items():
        try:
            _, value = repository.manifest(digest)
        except NotFoundError:
            continue  # deleted since the tags were listed
        for part in value.get("manifests") or []:
            found.setdefault(str(part.get("digest")), []).extend(tags)
    return found


def _decide(
    repository: Repository, item: Listed, versions: Sequence[str], inside: Sequence[str], rule: Rule
) -> Decision:
    reasons = [f"{tag} points to it" for tag in item.tags if not version_of(tag)]
    reasons += [f"it is a part of {tag}" for tag in inside]
    if not item.version:
        pass  # a tag points to it, or it would not be listed
    elif item.digest == versions[0]:
        reasons.insert(0, "the newest version")
    elif item.digest in versions[: rule.keep]:
        reasons.insert(0, f"one of the newest {rule.keep}")
    if not reasons and rule.keep_days:
        reasons += _young(repository, item, rule.keep_days)
    older = f", and older than {rule.keep_days} days" if rule.keep_days else ""
    return Decision(
        reference=item.reference,
        digest=item.digest,
        version=item.version,
        tags=item.tags,
        stays=bool(reasons),
        why="; ".join(reasons) or f"not one of the newest {rule.keep}{older}",
    )


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


def carry_out(repository: Repository, decisions: Sequence[Decision]) -> tuple[list[Decision], int]:
    """Remove what goes, the oldest first; return what became of each, and the bytes freed.

    What is attached to an image goes before it, so that a removal that was stopped finds it again
    and goes on. A tag that was moved meanwhile is heeded. Raises RegistryError.
    """
    done = {item.digest: item for item in decisions}
    kept = {item.digest for item in decisions if item.stays}
    gone: list[str] = []
    for item in reversed([item for item in decisions if not item.stays]):
        moving = _moving(repository)
        in_the_way = moving.get(item.digest, [""])[0]
        if not in_the_way:
            attached = _attached(repository, item.digest, kept | set(moving))
            doomed = {**attached, item.digest: item.tags}
            in_the_way = repository.delete(doomed)
        if in_the_way:
            why = f"{in_the_way} points to it by now"
            done[item.digest] = msgspec.structs.replace(item, stays=True, why=why)
        else:
            gone += doomed
    return list(done.values()), repository.free(gone) if gone else 0


def _moving(repository: Repository) -> dict[str, list[str]]:
    """Return what the tags that move point to at this moment."""
    tags = repository.tags()
    return pointed(repository, [tag for tag in tags if not version_of(tag) and not subject_of(tag)])


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
