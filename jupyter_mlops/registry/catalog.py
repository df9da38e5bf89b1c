"""What a registry offers: publications described by manifest and config, layers never read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec

from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image import platforms
from jupyter_mlops.image.blob import Descriptor
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.referrers import subject_of
from jupyter_mlops.image.repository import Repository, load_json, load_names, read_blob
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.reference import Reference, is_host
from jupyter_mlops.registry.tags import is_of_shared_layer
from jupyter_mlops.registry.transport import Transport, next_page

#: Label that holds a publication's description as compact JSON.
PUBLICATION = LABEL
_VERSION = re.compile(r"v([1-9][0-9]*)")
_LANES = 8


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a registry: all tags that point to it, its labels, its size in bytes.

    ``reference`` names it by its best tag; ``version`` is the highest N of its tags ``vN``. An
    index is listed once: ``platforms`` maps what it is for to the digests of its images, labels
    and size are those of this machine's image, else of the first; empty for a single image.
    """

    reference: str
    repository: str
    digest: str
    tags: list[str]
    version: int | None
    size: int
    labels: dict[str, str]
    platforms: dict[str, str] = {}


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What config and manifest of an image say: its labels, its size in bytes, as ``Listed``."""

    labels: dict[str, str] = {}
    size: int = 0
    platforms: dict[str, str] = {}


def list_publications(registry: str) -> list[Listed]:
    """List the publications of ``oci:DIRECTORY``, of a registry ``host[/prefix]`` or a repository.

    Images without the label ``io.jupyter-mlops.publication`` are left out. Sorted by repository,
    then newest version first. Raises RegistryError, or UsageError when the text names no registry.
    """
    found: list[Listed] = []
    for reference, repository in _repositories(registry.rstrip("/")):
        found += describe(reference, repository)
    return sorted(found, key=lambda item: item.repository)


def describe(reference: Reference, repository: Repository) -> list[Listed]:
    """List the publications of one repository, the newest version first."""
    return listed(reference, repository, pointed(repository, image_tags(repository)))


def image_tags(repository: Repository) -> list[str]:
    """Return the tags of images: neither of what is attached to them, nor of shared layers."""
    return [tag for tag in repository.tags() if not (subject_of(tag) or is_of_shared_layer(tag))]


def listed(
    reference: Reference, repository: Repository, digests: Mapping[str, Sequence[str]]
) -> list[Listed]:
    """List the publications among images, given by digest with their tags; newest version first."""
    with ThreadPoolExecutor(_LANES) as pool:
        described = pool.map(lambda digest: describe_image(repository, digest), digests)
        found = [
            _listed(reference, digest, digests[digest], image)
            for digest, image in zip(digests, described, strict=True)
            if PUBLICATION in image.labels
        ]
    return sorted(found, key=lambda item: (-(item.version or 0), item.digest))


def pointed(repository: Repository, tags: Sequence[str]) -> dict[str, list[str]]:
    """Return the digests that tags point to, each with its tags; a tag that is gone is left out."""
    digests: dict[str, list[str]] = {}
    with ThreadPoolExecutor(_LANES) as pool:
        found = pool.map(lambda tag: _digest(repository, tag), tags)
        for tag, digest in zip(tags, found, strict=True):
            if digest:
                digests.setdefault(digest, []).append(tag)
    return digests


def next_version(repository: Repository, digest: str) -> tuple[int, bool]:
    """Return the version number for an image, and whether it has it already.

    Versions are the tags ``v1``, ``v2``…; the same digest keeps its number, another gets the next.
    """
    with ThreadPoolExecutor(_LANES) as pool:
        there = pool.submit(_digest, repository, digest)
        versions = sorted(number for tag in repository.tags() if (number := version_of(tag)))
        # No tag points to what is not there: most publishes need not ask about every version.
        asked = versions if there.result() else []
        digests = pool.map(lambda number: _digest(repository, f"v{number}"), asked)
        same = [number for number, found in zip(asked, digests, strict=True) if found == digest]
    if same:
        return same[-1], True
    return (versions[-1] if versions else 0) + 1, False


def version_of(tag: str) -> int | None:
    """Return N of a tag ``vN``, else None."""
    match = _VERSION.fullmatch(tag)
    return int(match[1]) if match else None


def newest(tags: Sequence[str]) -> int | None:
    """Return the highest N of tags ``vN``, else None."""
    return max((number for tag in tags if (number := version_of(tag))), default=None)


def _digest(repository: Repository, tag: str) -> str:
    try:
        return repository.resolve(tag).digest
    except NotFoundError:
        return ""  # deleted since the tags were listed


def describe_image(repository: Repository, digest: str) -> Described:
    """Describe an image, or of an index this machine's; nothing of what is not an image."""
    try:
        _, manifest = repository.manifest(digest)
        there: dict[str, str] = {}
        if platforms.is_index(manifest):
            there = _images(manifest)
            manifest = _first(repository, there)
        if not isinstance(manifest.get("config"), dict):
            return Described()
        parts = [Descriptor.from_dict(part) for part in manifest.get("layers") or []]
        config = Descriptor.from_dict(manifest["config"])
        value = load_json(read_blob(repository, config.digest), "config")
    except NotFoundError:
        return Described()
    labels = (value.get("config") or {}).get("Labels") or {}
    return Described(
        labels={str(key): str(text) for key, text in labels.items()},
        size=config.size + sum(part.size for part in parts),
        platforms=there,
    )


def _images(index: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests of an index by platform; nothing of one that makes no sense."""
    try:
        return {each.platform: each.manifest.digest for each in platforms.offers(index)}
    except RegistryError:
        return {}


def _first(repository: Repository, there: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest for this machine's platform, else the first that is there."""
    here = platforms.host_platform()
    for platform in sorted(there, key=lambda platform: not platforms.fits(platform, here)):
        with suppress(NotFoundError):
            return repository.manifest(there[platform])[1]
    return {}


def _listed(reference: Reference, digest: str, tags: Sequence[str], image: Described) -> Listed:
    version = newest(tags)
    best = f"v{version}" if version else sorted(tags)[0]
    return Listed(
        reference=str(reference.with_tag(best)),
        repository=reference.repository,
        digest=digest,
        tags=sorted(tags),
        version=version,
        size=image.size,
        labels=image.labels,
        platforms=image.platforms,
    )


def _repositories(registry: str) -> list[tuple[Reference, Repository]]:
    if registry.startswith("oci:"):
        reference = Reference.parse(registry)
        layout = Layout(reference.path)
        wanted = reference.repository or reference.tag
        named = [
            name
            for name in layout.repositories()
            if not wanted
            or name == wanted
            or name.startswith(f"{wanted}/")
            # One name behind the directory may be a repository's, or a tag without one.
            or (not name and not reference.repository and wanted in layout.tags())
        ]
        return [
            (
                Reference(directory=reference.directory, repository=name),
                Layout(layout.directory, name),
            )
            for name in named
        ]
    host, _, prefix = registry.partition("/")
    if not is_host(host):
        raise UsageError(
            f"{registry!r} is not a registry",
            remedy="Write registry.example.org, registry.example.org/prefix or oci:DIRECTORY",
        )
    transport = Transport(host)
    found: list[tuple[Reference, Repository]] = []
    if prefix:
        reference = Reference.parse(registry)
        own = RemoteRepository(host, reference.repository, transport=transport)
        if own.tags():
            found.append((Reference(registry=host, repository=reference.repository), own))
        if reference.tag or reference.digest:  # one image: nothing lies below it
            return found
    try:
        names = _catalog(transport)
    except RegistryError:
        if not found:
            raise
        names = []
    below = [name for name in names if not prefix or name.startswith(f"{prefix}/")]
    return found + [
        (
            Reference(registry=host, repository=name),
            RemoteRepository(host, name, transport=transport),
        )
        for name in below
    ]


def _catalog(transport: Transport) -> list[str]:
    """Return all repositories of a registry (Docker's ``_catalog``, which not all offer)."""
    names: list[str] = []
    path, pages = "/v2/_catalog?n=1000", set[str]()
    while path:
        response = transport.request(
            "GET", path, what="to list its repositories", scopes=("registry:catalog:*",),
            accept=(200, 401, 403, 404, 405),
        )  # fmt: skip
        if response.status_code != 200:
            raise RegistryError(
                f"Registry {transport.registry} does not list its repositories",
                why="It does not offer a catalog, or not to you",
                remedy=f"Name a repository: jupyter mlops list {transport.registry}/team/name, "
                f"or log in: docker login {transport.registry}",
            )
        names += load_names(response.content, "catalog", "repositories")
        path = next_page(response, pages)
    return names
