"""What is attached to an image: by the fallback tag, by the API, in a directory; never lost."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image.base import resolve_base
from jupyter_mlops.image.blob import INDEX, BytesBlob, Descriptor
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact, fallback_tag, index_of, subject_of
from jupyter_mlops.image.repository import read_blob
from jupyter_mlops.registry.catalog import list_publications, next_version
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.registry.transport import Transport
from tests.attest.conftest import Publish, named
from tests.fixtures_keys import Keys
from tests.fixtures_registry import MakeImage, RunningRegistry, run_registry
from tests.registry.faulty import FaultyRegistry, Handler, Rule

TYPE = "application/vnd.example+json"


def artifact(image: Image | Descriptor, text: str) -> Artifact:
    subject = image.descriptor if isinstance(image, Image) else image
    return Artifact(subject, TYPE, BytesBlob(text.encode(), TYPE), {"note": text})


def test_what_is_attached_is_read_back(place: str, make_image: MakeImage) -> None:
    image, repository = make_image(), open_repository(place)
    assert repository.referrers(image.digest) == []
    repository.push(image, ["v1"])
    assert repository.attach([]) == 0
    one, two = artifact(image, "1"), artifact(image, "2")
    sent = repository.attach([one, two])
    assert sent > len(one.manifest.data) + len(two.manifest.data)
    found = {item.manifest.digest: item for item in repository.referrers(image.digest)}
    assert found == {item.referrer.manifest.digest: item.referrer for item in (one, two)}
    descriptor, manifest = repository.manifest(one.manifest.descriptor.digest)
    assert manifest["subject"] == image.descriptor.to_dict()
    assert (manifest["artifactType"], manifest["config"]["size"]) == (TYPE, 2)
    assert read_blob(repository, manifest["layers"][0]["digest"]) == b"1"
    assert repository.attach([two, one]) == 0, "what is there is not sent again"
    repository.attach([artifact(image, "3")])
    assert len(repository.referrers(image.digest)) == 3
    assert repository.resolve("v1").digest == image.digest
    assert descriptor.media_type == one.manifest.media_type


def test_many_writers_lose_nothing(place: str, make_image: MakeImage) -> None:
    image = make_image()
    open_repository(place).push(image, ["v1"])
    every = [artifact(image, str(number)) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda item: open_repository(place).attach([item]), every))
    found = {item.manifest.digest for item in open_repository(place).referrers(image.digest)}
    assert found == {item.manifest.descriptor.digest for item in every}


def test_the_catalog_does_not_know_the_tags(place: str, publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    repository, digest = placed.repository, placed.image.digest
    tags = set(repository.tags())
    assert tags == {"latest", "v1", fallback_tag(digest), f"{fallback_tag(digest)}.sig"}
    found = list_publications(place.removesuffix(":") if place.startswith("oci:") else place)
    assert [(item.tags, item.version) for item in found] == [(["latest", "v1"], 1)]
    assert next_version(repository, "sha256:" + "0" * 64) == (2, False)
    with pytest.raises(NotFoundError) as caught:
        repository.resolve("nothing")
    assert "sha256-" not in str(caught.value)


def test_a_tag_says_whose_it_is() -> None:
    digest = f"sha256:{'a' * 64}"
    assert subject_of(fallback_tag(digest)) == subject_of(f"{fallback_tag(digest)}.sig") == digest
    for tag in ("latest", "v1", "sha256-abc", f"sha256-{'a' * 64}-x", f"sha256-{'g' * 64}"):
        assert subject_of(tag) == ""


def test_the_order_of_an_index_is_its_own(make_image: MakeImage) -> None:
    every = [artifact(make_image(), str(number)).referrer for number in range(5)]
    assert index_of(every) == index_of([*reversed(every), every[2]])


@pytest.mark.registry
@pytest.mark.skopeo
def test_skopeo_copies_and_inspects_an_image_with_papers(
    docker_registry: RunningRegistry, make_image: MakeImage, tmp_path: Path
) -> None:
    image, name = make_image("skopeo"), f"{docker_registry.url}/attest/skopeo"
    repository = open_repository(name)
    repository.push(
        image, ["v1"], before_tags=lambda: _ignore(repository.attach([artifact(image, "1")]))
    )

    def skopeo(*arguments: str) -> bytes:
        done = subprocess.run(["skopeo", *arguments], capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    value = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{name}:v1"))
    assert value["Digest"] == image.digest
    raw = skopeo(
        "inspect", "--raw", "--tls-verify=false", f"docker://{name}:{fallback_tag(image.digest)}"
    )
    assert json.loads(raw)["manifests"][0]["artifactType"] == TYPE
    skopeo("copy", "--src-tls-verify=false", f"docker://{name}:v1", f"oci:{tmp_path}/l:x")
    assert Layout(tmp_path / "l").resolve("x").digest == image.digest
    ours = Layout(tmp_path / "ours", "iris")
    ours.push(image, ["v1"])
    ours.attach([artifact(image, "1")])
    skopeo("copy", f"oci:{tmp_path}/ours:iris:v1", f"oci:{tmp_path}/l:y")
    assert Layout(tmp_path / "l").resolve("y").digest == image.digest


def _ignore(_: object) -> None:
    """Take a value."""


# A directory


def test_prune_keeps_what_belongs_to_images_and_no_more(
    tmp_path: Path, make_image: MakeImage
) -> None:
    layout, (first, second) = Layout(tmp_path, "iris"), (make_image("1"), make_image("2"))
    for image, tag in ((first, "v1"), (second, "v2")):
        layout.push(image, [tag])
        layout.attach([artifact(image, f"about {tag}")])
        layout.attach([artifact(image, f"more about {tag}")])
    assert layout.prune() > 0, "the index of before is not needed"
    checked = fsck(tmp_path)
    assert layout.prune() == 0 and (checked.problems, checked.orphans) == ([], [])
    assert [len(layout.referrers(image.digest)) for image in (first, second)] == [2, 2]
    layout.delete_tag("v1")
    layout.prune()
    assert layout.referrers(first.digest) == [] and len(layout.referrers(second.digest)) == 2
    assert set(layout.tags()) == {"v2", fallback_tag(second.digest)}
    texts = [path.read_bytes() for path in (tmp_path / "blobs" / "sha256").iterdir()]
    assert b"about v2" in texts and b"about v1" not in texts
    assert fsck(tmp_path).problems == []


def test_a_base_with_papers_is_still_one_image(tmp_path: Path, make_image: MakeImage) -> None:
    layout, image = Layout(tmp_path / "base"), make_image()
    layout.push(image, ["mine"])
    layout.attach([artifact(image, "1")])
    base = resolve_base(
        f"oci:{tmp_path}/base", python="3.11", platform="linux/amd64", store=tmp_path / "store",
        open_repository=lambda text: open_repository(Reference.parse(text)),
        on_event=_ignore,
    )  # fmt: skip
    assert base.digest == image.digest


# The API, and a registry on its bad days


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyRegistry]:
    monkeypatch.setattr(Transport, "sleep", staticmethod(_ignore))
    with FaultyRegistry() as server:
        server.rules.append(accepts_indexes)
        yield server


def accepts_indexes(handler: Handler) -> bool:
    """Take an index as real registries do; no referrers API is there."""
    if handler.command == "GET" and "/referrers/" in handler.path:
        handler.error(404, "NOT_FOUND")
        return True
    if handler.command != "PUT" or handler.headers.get("content-type") != INDEX:
        return False
    store(handler)
    return True


def store(handler: Handler, headers: dict[str, str] | None = None) -> None:
    repository, _, version = handler.path.removeprefix("/v2/").partition("/manifests/")
    keep(
        handler.server_state, repository, version, handler.drain(), handler.headers["content-type"]
    )
    handler.answer(201, headers=headers)


def keep(server: FaultyRegistry, repository: str, version: str, data: bytes, kind: str) -> None:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    server.manifests[repository, version] = server.manifests[repository, digest] = (kind, data)


def api(page: int = 100) -> Rule:
    """Return a rule that lists referrers as the specification says, ``page`` at a time."""

    def rule(handler: Handler) -> bool:
        path, _, query = handler.path.partition("?")
        if handler.command == "PUT" and "/manifests/" in path:
            subject = json.loads(handler.drain()).get("subject")
            if not subject:
                return False
            store(handler, {"OCI-Subject": subject["digest"]})
            return True
        if handler.command != "GET" or "/referrers/" not in path:
            return False
        repository, _, digest = path.removeprefix("/v2/").partition("/referrers/")
        found = {
            version: (kind, json.loads(data), len(data))
            for (name, version), (kind, data) in sorted(handler.server_state.manifests.items())
            if name == repository and version.startswith("sha256:")
        }
        items = [
            {
                "mediaType": kind, "digest": version, "size": size,
                "artifactType": value["artifactType"], "annotations": value["annotations"],
            }
            for version, (kind, value, size) in found.items()
            if (value.get("subject") or {}).get("digest") == digest
        ]  # fmt: skip
        start = int(query.partition("=")[2] or 0)
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": items[start : start + page]}
        more = (
            {"Link": f'<{path}?start={start + page}>; rel="next"'}
            if start + page < len(items)
            else {}
        )
        handler.answer(200, json.dumps(body).encode(), {"Content-Type": INDEX, **more})
        return True

    return rule


def test_where_there_is_an_api_no_tag_is_written(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    faulty.rules.insert(0, api(page=2))
    image, repository = make_image(), open_repository(f"{faulty.url}/iris")
    repository.push(image, ["v1"])
    every = [artifact(image, str(number)) for number in range(5)]
    repository.attach(every)
    found = {item.manifest.digest: item for item in repository.referrers(image.digest)}
    assert found == {item.referrer.manifest.digest: item.referrer for item in every}
    assert faulty.count("GET", "?start=") == 2  # pages after the first
    assert repository.tags() == ["v1"]
    assert repository.attach(every) == 0


def test_a_list_without_end_is_a_sentence(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    def again(handler: Handler) -> bool:
        if "/referrers/" in handler.path:
            more = {"Content-Type": INDEX, "Link": f'<{handler.path}>; rel="next"'}
            handler.answer(200, b'{"schemaVersion": 2, "manifests": []}', more)
        return "/referrers/" in handler.path

    faulty.rules.insert(0, again)
    with pytest.raises(RegistryError, match="a list without end"):
        open_repository(f"{faulty.url}/iris").referrers(make_image().digest)


def test_a_registry_that_says_nothing_useful_has_no_api(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    def nonsense(handler: Handler) -> bool:
        if "/referrers/" in handler.path:
            handler.answer(200, b"{}")
        return "/referrers/" in handler.path

    faulty.rules.insert(0, nonsense)
    image, repository = make_image(), open_repository(f"{faulty.url}/iris")
    repository.push(image, ["v1"])
    repository.attach([artifact(image, "1")])
    assert len(repository.referrers(image.digest)) == 1
    assert repository.tags() == [fallback_tag(image.digest), "v1"]


def test_an_entry_that_another_writer_overwrote_is_written_again(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    image, repository = make_image(), open_repository(f"{faulty.url}/iris")
    repository.push(image, ["v1"])
    ours, theirs = artifact(image, "ours"), artifact(image, "theirs")
    left = [2]

    def other(handler: Handler) -> bool:
        """Another writer, who has read before we wrote, writes right after us."""
        if (
            handler.command != "PUT"
            or fallback_tag(image.digest) not in handler.path
            or not left[0]
        ):
            return False
        left[0] -= 1
        store(handler)
        data = index_of([theirs.referrer]).data
        keep(handler.server_state, "iris", fallback_tag(image.digest), data, INDEX)
        return True

    faulty.rules.insert(0, other)
    repository.attach([ours])
    found = {item.manifest.digest for item in repository.referrers(image.digest)}
    assert found == {item.manifest.descriptor.digest for item in (ours, theirs)}
    left[0] = 100
    with pytest.raises(RegistryError, match="does not stay listed"):
        repository.attach([artifact(image, "never")])


def test_a_blob_that_was_lost_meanwhile_is_brought_again(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    image, repository = make_image(), open_repository(f"{faulty.url}/iris")
    repository.push(image, ["v1"])
    text = artifact(image, "1")
    left = [1]

    def lose(handler: Handler) -> bool:
        if handler.command == "PUT" and handler.path.endswith(text.manifest.descriptor.digest):
            while left[0]:
                left[0] -= 1
                del handler.server_state.blobs["iris", text.payload.descriptor.digest]
        return False

    faulty.rules.insert(0, lose)
    repository.attach([text])
    assert len(repository.referrers(image.digest)) == 1
    assert ("iris", text.payload.descriptor.digest) in faulty.blobs and left == [0]


def test_no_tag_moves_when_papers_cannot_be_attached(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    image, repository = make_image(), open_repository(f"{faulty.url}/iris")
    text = artifact(image, "1")

    def refuse(handler: Handler) -> bool:
        if handler.command == "PUT" and handler.path.endswith(text.manifest.descriptor.digest):
            handler.drain()
            handler.error(403, "DENIED", "no artifacts here")
            return True
        return False

    faulty.rules.insert(0, refuse)
    with pytest.raises(RegistryError, match="no artifacts here"):
        repository.push(image, ["v1"], before_tags=lambda: _ignore(repository.attach([text])))
    assert repository.tags() == []
    faulty.rules.remove(refuse)
    repository.push(image, ["v1"], before_tags=lambda: _ignore(repository.attach([text])))
    assert "v1" in repository.tags() and len(repository.referrers(image.digest)) == 1


def test_the_papers_are_there_before_the_tags(place: str, make_image: MakeImage) -> None:
    image, repository = make_image("order"), open_repository(place)
    seen: list[tuple[bool, list[str]]] = []

    def look() -> None:
        there = b"".join(read_blob(repository, blob.descriptor.digest) for blob in image.blobs())
        seen.append((there.endswith(image.config), repository.tags()))

    repository.push(image, ["v1", "latest"], before_tags=look)
    assert seen == [(True, [])]
    assert named(place, "v1") and repository.tags() == ["latest", "v1"]


@pytest.mark.registry
def test_the_garbage_collection_of_a_registry_leaves_papers_alone(
    tmp_path: Path, make_image: MakeImage
) -> None:
    (tmp_path / "data").mkdir()
    image = make_image("collected")
    with run_registry(tmp_path / "data") as running:
        repository = open_repository(f"{running.url}/iris")
        repository.push(image, ["v1"])
        repository.attach([artifact(image, "1"), artifact(image, "2")])
    config = tmp_path / "data" / "config.yml"
    done = subprocess.run(["docker-registry", "garbage-collect", str(config)], capture_output=True)
    assert done.returncode == 0 and b"eligible for deletion" in done.stdout + done.stderr
    with run_registry(tmp_path / "data") as running:
        repository = open_repository(f"{running.url}/iris")
        found = repository.referrers(image.digest)
        texts = {
            read_blob(
                repository, repository.manifest(item.manifest.digest)[1]["layers"][0]["digest"]
            )
            for item in found
        }
    assert texts == {b"1", b"2"}
