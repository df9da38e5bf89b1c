"""Old versions go, with all that is attached to them; what somebody points to never does."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_mlops import cli
from jupyter_mlops.catalog import Retention, delete, retain, tag
from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import INDEX, BytesBlob
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.image.referrers import EMPTY, Referrer, fallback_tag, index_of
from jupyter_mlops.image.repository import Repository, read_blob
from jupyter_mlops.registry import retention
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.registry.retention import Decision, Plan, Rule
from tests.attest.test_referrers import api
from tests.fixtures_registry import MakeImage, RunningRegistry
from tests.fixtures_registry import index_of as several
from tests.registry.faulty import FaultyRegistry, Handler, status, times
from tests.registry.places import index, labelled, paper, papers_of, versions
from tests.registry.test_tags import named

KEEP_2 = Rule(keep=2)


def staying(found: Retention) -> list[int | None]:
    return [item.version for item in found.publications if item.stays]


def pointers(repository: Repository) -> dict[str, str]:
    return {name: repository.resolve(name).digest for name in repository.tags()}


def assert_whole(repository: Repository, image: Image) -> None:
    """Everything of an image is there and can be read, its papers and signature, too."""
    assert repository.manifest_bytes(image.digest) == image.manifest
    for blob in image.blobs():
        read_blob(repository, blob.descriptor.digest)
    for item in papers_of(image):
        subject = item.subject.digest
        listed = [found.manifest.digest for found in repository.referrers(subject)]
        assert listed == [item.manifest.descriptor.digest]
        repository.manifest(item.manifest.descriptor.digest)
        read_blob(repository, item.payload.descriptor.digest)
    repository.manifest(f"{fallback_tag(image.digest)}.sig")


def assert_gone(repository: Repository, image: Image) -> None:
    """Neither the image is there nor anything that was attached to it."""
    papers = [item.manifest.descriptor.digest for item in papers_of(image)]
    for digest in (image.digest, *papers):
        with pytest.raises(NotFoundError):
            repository.manifest(digest)
        assert not [name for name in repository.tags() if fallback_tag(digest) in name]


def test_what_goes_and_what_stays(place: str, make_image: MakeImage) -> None:
    images = versions(place, make_image, 6)
    repository = open_repository(place)
    tag(named(place, "v2"), "champion")
    before = pointers(repository)
    told = retain(place, KEEP_2)
    assert (told.dry_run, staying(told)) == (True, [6, 5, 2])
    assert [(item.version, item.why) for item in told.publications] == [
        (6, "the newest version; latest points to it"),
        (5, "one of the newest 2"),
        (4, "not one of the newest 2"),
        (3, "not one of the newest 2"),
        (2, "champion points to it"),
        (1, "not one of the newest 2"),
    ]
    assert pointers(repository) == before, "nothing is changed unasked"
    done = retain(place, KEEP_2, dry_run=False)
    assert done.publications == told.publications
    assert (done.freed > 0) == place.startswith("oci:")
    for number, image in enumerate(images, 1):
        (assert_whole if number in (2, 5, 6) else assert_gone)(repository, image)
    kept = {images[number - 1].digest for number in (2, 5, 6)}
    after = pointers(repository)
    assert {before[name] for name in after} == {after[name] for name in after}
    assert {after[name] for name in after if "sha256-" not in name} == kept
    again = retain(place, KEEP_2, dry_run=False)
    assert (staying(again), len(again.publications), again.freed) == ([6, 5, 2], 3, 0)
    assert pointers(repository) == after


def test_the_next_version_is_the_next(place: str, make_image: MakeImage) -> None:
    versions(place, make_image, 3)
    retain(place, Rule(keep=1), dry_run=False)
    assert (
        retention.plan(Reference.parse(place), open_repository(place), KEEP_2).decisions[0].version
        == 3
    )
    for keep in (0, -1):
        with pytest.raises(UsageError, match="Keep at least 1"):
            retain(place, Rule(keep=keep), dry_run=False)
    with pytest.raises(UsageError, match="-1 days cannot be kept"):
        retain(place, Rule(keep=1, keep_days=-1))


def overwrite(place: str, name: str, data: bytes) -> None:
    """Write an index under a tag, as other tools do, or somebody with write access."""
    repository, blob = open_repository(place), BytesBlob(data, INDEX)
    if isinstance(repository, Layout):
        repository._store_blob(blob)
        repository._point(blob.descriptor, [name], [])
        return
    repository.transport.request(  # type: ignore[attr-defined]
        "PUT", f"/v2/{Reference.parse(place).repository}/manifests/{name}", what="index",
        content=data, headers={"content-type": INDEX}, accept=(201,),
    )  # fmt: skip


def test_a_part_of_an_index_stays(place: str, make_image: MakeImage) -> None:
    images = versions(place, make_image, 4)
    overwrite(place, "both", index(images[:2]).data)
    found = retain(place, Rule(keep=1), dry_run=False)
    assert [(item.version, item.why) for item in found.publications if item.version != 3] == [
        (4, "the newest version; latest points to it"),
        (2, "it is a part of both"),
        (1, "it is a part of both"),
        (None, "both points to it"),
    ]
    for number in (0, 1, 3):
        assert_whole(open_repository(place), images[number])
    assert_gone(open_repository(place), images[2])


def test_an_index_goes_with_its_images_and_their_papers(place: str, make_image: MakeImage) -> None:
    kept = versions(place, make_image, 2)
    repository, own = open_repository(place), [make_image("amd64"), make_image("arm64")]
    for image in own:
        repository.push(image, [])
        for item in papers_of(image):
            repository.attach([item])
    made = index([*own, kept[0]])
    overwrite(place, "v3", made.data)
    digest = made.descriptor.digest
    gone = Decision(reference="", digest=digest, version=3, tags=["v3"], stays=False, why="")
    parts = {digest: [image.digest for image in (*own, kept[0])]}
    plan = Plan(decisions=[gone], kept={image.digest for image in kept}, parts=parts)
    retention.carry_out(repository, plan)
    assert "v3" not in repository.tags()
    for image in own:
        assert_gone(repository, image)
    for image in kept:
        assert_whole(repository, image)
    if isinstance(repository, Layout):
        assert fsck(repository.directory).problems == []


def test_what_is_no_publication_is_left_alone(place: str, make_image: MakeImage) -> None:
    repository = open_repository(place)
    foreign = [build_image(Base(name, "", (), {}), [], ImageConfig()) for name in "ab"]
    for number, image in enumerate(foreign, 1):
        repository.push(image, [f"v{number}"])
    with pytest.raises(NotFoundError, match="There are no publications in"):
        retain(place, Rule(keep=1), dry_run=False)
    repository.push(make_image("ours"), ["v3"])
    repository.push(make_image("newer"), ["v4"])
    assert staying(retain(place, Rule(keep=1), dry_run=False)) == [4]
    assert repository.tags() == ["v1", "v2", "v4"]


def test_a_version_with_two_numbers(place: str, make_image: MakeImage) -> None:
    repository = open_repository(place)
    first, second, third = (make_image(text) for text in "abc")
    repository.push(first, ["v1", "v4"])
    repository.push(second, ["v2"])
    repository.push(third, ["v3"])
    found = retain(place, KEEP_2, dry_run=False)
    assert [(item.version, item.stays) for item in found.publications] == [
        (4, True), (3, True), (2, False),
    ]  # fmt: skip
    assert repository.tags() == ["v1", "v3", "v4"]


def test_a_list_that_names_what_stays_takes_nothing(place: str, make_image: MakeImage) -> None:
    """Whoever may write could list an image as attached to another that goes."""
    first, second = versions(place, make_image, 2)
    repository = open_repository(place)
    third = make_image("version 3")
    repository.push(third, ["other"])
    free = make_image("version 4, which no tag points to")
    repository.push(free, [])
    listed = [item.referrer for item in papers_of(first)[:1]]
    for image in (second, third, free):
        listed.append(Referrer(manifest=image.descriptor, artifact_type="x"))
    overwrite(place, fallback_tag(first.digest), index_of(listed).data)
    assert staying(retain(place, Rule(keep=1), dry_run=False)) == [2, None]
    assert_gone(repository, first)
    assert_whole(repository, second)
    assert repository.manifest_bytes("other") == third.manifest
    assert repository.manifest_bytes(free.digest) == free.manifest


def test_what_has_a_tag_stays_though_it_is_attached(place: str, make_image: MakeImage) -> None:
    first, _ = versions(place, make_image, 2)
    repository, sbom = open_repository(place), papers_of(first)[0].manifest.descriptor.digest
    listed = fallback_tag(first.digest)
    overwrite(place, "papers", repository.manifest_bytes(listed))
    repository.tag(sbom, "sbom")
    retain(place, Rule(keep=1), dry_run=False)
    with pytest.raises(NotFoundError):
        repository.manifest(first.digest)
    assert repository.manifest("sbom")[0].digest == sbom
    assert repository.manifest("papers")[1]["manifests"][0]["digest"] == sbom


# One alone


def test_one_version_is_deleted(place: str, make_image: MakeImage) -> None:
    images, repository = versions(place, make_image, 4), open_repository(place)
    tag(named(place, "v2"), "champion")
    before = pointers(repository)
    digest = str(Reference.parse(place).with_digest(images[2].digest))
    for reference, number in ((named(place, "v1"), 1), (digest, 3)):
        told = delete(reference)
        assert [(item.version, item.why) for item in told.publications] == [
            (number, "you ask for it")
        ]
        assert pointers(repository).items() <= before.items() and f"v{number}" in repository.tags()
        done = delete(reference, dry_run=False)
        assert (staying(done), done.dry_run) == ([], False)
        assert_gone(repository, images[number - 1])
    for number in (2, 4):
        assert_whole(repository, images[number - 1])
    after = pointers(repository)
    assert {name for name in after if "sha256-" not in name} == {"v2", "v4", "champion", "latest"}
    for reference, sentence in (
        (named(place, "v4"), "has to stay. It is needed: the newest version; latest points to it"),
        (named(place, "v2"), "has to stay. It is needed: champion points to it"),
        (place, "names no version. Write"),
        (named(place, fallback_tag(images[1].digest)), "is not the tag of an image"),
    ):
        with pytest.raises(UsageError) as caught:
            delete(reference, dry_run=False)
        assert sentence in str(caught.value)
    paper_of = papers_of(images[1])[0].manifest.descriptor.digest
    for version in (named(place, "v1"), str(Reference.parse(place).with_digest(paper_of))):
        with pytest.raises(NotFoundError):
            delete(version, dry_run=False)
    assert pointers(repository) == after


def test_a_tag_that_moves_is_deleted_alone(place: str, make_image: MakeImage) -> None:
    images, repository = versions(place, make_image, 2), open_repository(place)
    tag(named(place, "v1"), "champion")
    told = delete(named(place, "champion"))
    assert told.publications[0].why == "the tag alone: its image stays"
    assert "champion" in repository.tags()
    if place.startswith("oci:"):
        delete(named(place, "champion"), dry_run=False)
        assert "champion" not in repository.tags()
    else:  # docker-registry 2.8 deletes by digest only
        with pytest.raises(RegistryError, match="does not remove a tag alone"):
            delete(named(place, "champion"), dry_run=False)
    for image in images:
        assert_whole(repository, image)


# Age


def aged(layout: Layout, image: Image, days: float) -> None:
    """Make an image that many days old: by the time of its manifest's file."""
    path = layout.directory / "blobs/sha256" / image.digest.removeprefix("sha256:")
    seconds = datetime.datetime.now().timestamp() - days * 86400
    os.utime(path, (seconds, seconds))


def test_young_versions_stay_in_a_directory(tmp_path: Path, make_image: MakeImage) -> None:
    place = f"oci:{tmp_path}:iris"
    images, layout = versions(place + ":", make_image, 4), Layout(tmp_path, "iris")
    for image, days in zip(images, (90, 31, 29, 0), strict=True):
        aged(layout, image, days)
    found = retain(place, Rule(keep=1, keep_days=30), dry_run=False)
    assert [(item.version, item.why) for item in found.publications] == [
        (4, "the newest version; latest points to it"),
        (3, "not older than 30 days"),
        (2, "not one of the newest 1, and older than 30 days"),
        (1, "not one of the newest 1, and older than 30 days"),
    ]
    assert staying(retain(place, Rule(keep=1), dry_run=False)) == [4]


def test_in_a_registry_the_image_itself_tells_its_age(faulty: FaultyRegistry) -> None:
    faulty.deletes = True
    now = datetime.datetime.now(datetime.UTC)
    times_ = ["1970-01-01T00:00:00Z", "soon", (now - datetime.timedelta(days=40)).isoformat(),
              (now - datetime.timedelta(days=20)).isoformat(), "2001-01-01T00:00:00Z"]  # fmt: skip
    repository = open_repository(f"{faulty.url}/iris")
    for number, created in enumerate(times_, 1):
        image = labelled("iris", title=str(number), created=created)
        repository.push(image, [f"v{number}"])
    found = retain(f"{faulty.url}/iris", Rule(keep=1, keep_days=30), dry_run=False)
    unknown = "nobody knows its age: it was published without SOURCE_DATE_EPOCH"
    assert [(item.version, item.stays, item.why) for item in found.publications] == [
        (5, True, "the newest version"),
        (4, True, "not older than 30 days"),
        (3, False, "not one of the newest 1, and older than 30 days"),
        (2, True, unknown),
        (1, True, unknown),
    ]


# A directory, while others work


def test_space_is_given_back_and_what_others_use_stays(
    tmp_path: Path, make_image: MakeImage
) -> None:
    versions(f"oci:{tmp_path}:iris:", make_image, 5)
    wine = make_image("version 1")  # the same image in another repository
    Layout(tmp_path, "wine").push(wine, ["v1"])
    Layout(tmp_path, "wine").attach(papers_of(wine)[:1])
    found = retain(f"oci:{tmp_path}:iris", Rule(keep=1), dry_run=False)
    checked = fsck(tmp_path)
    assert (checked.problems, staying(found)) == ([], [5])
    assert Layout(tmp_path, "wine").manifest_bytes("v1") == wine.manifest
    for blob in wine.blobs():
        read_blob(Layout(tmp_path, "wine"), blob.descriptor.digest)
    assert len(Layout(tmp_path, "wine").referrers(wine.digest)) == 1
    # What lists of attachments were before they were written anew was nobody's already.
    left = {path.name for path in (tmp_path / "blobs/sha256").iterdir()}
    assert len(left & {item.digest[7:] for item in found.publications}) == 2


def test_a_publish_that_found_a_blob_which_then_goes_is_whole(
    tmp_path: Path, make_image: MakeImage
) -> None:
    """Its layers were there when it looked, and were freed before it wrote its tag."""
    place, weights = f"oci:{tmp_path}:iris:", os.urandom(50_000)
    layout = Layout(tmp_path, "iris")
    layout.push(make_image("old", weights=weights), ["v1"])
    layout.push(make_image("new"), ["v2"])
    image = make_image("newest", weights=weights)
    freed: list[int] = []
    pushed = layout.push(
        image, ["v3"],
        before_tags=lambda: freed.append(retain(place, Rule(keep=1), dry_run=False).freed),
    )  # fmt: skip
    assert pushed.skipped == 2 and freed[0] > len(weights)
    for blob in image.blobs():
        read_blob(layout, blob.descriptor.digest)
    assert fsck(tmp_path).problems == []


def test_an_attachment_whose_blob_then_goes_is_whole(
    tmp_path: Path, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, image = Layout(tmp_path, "iris"), make_image()
    layout.push(image, ["v1"])
    layout.attach([paper(image.descriptor, "before")])
    locked = Layout._locked

    def late(self: Layout) -> object:
        with suppress(FileNotFoundError):
            (tmp_path / "blobs/sha256" / EMPTY.descriptor.digest[7:]).unlink()
        return locked(self)

    monkeypatch.setattr(Layout, "_locked", late)
    layout.attach([paper(image.descriptor, "after")])
    monkeypatch.undo()
    assert fsck(tmp_path).problems == []


def test_a_tag_that_moves_under_the_lock_wins(
    tmp_path: Path, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"oci:{tmp_path}:iris:"
    images, layout = versions(place, make_image, 3), Layout(tmp_path, "iris")
    attached = retention._attached

    def moved(*arguments: object) -> dict[str, list[str]]:
        layout.tag(images[0].digest, "champion")
        return attached(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_attached", moved)
    found = retain(place, Rule(keep=1), dry_run=False)
    assert [(item.version, item.why) for item in found.publications if item.stays] == [
        (3, "the newest version; latest points to it"),
        (1, "champion points to it by now"),
    ]
    for image in (images[0], images[2]):
        assert_whole(layout, image)
    assert_gone(layout, images[1])


def _publish(directory: Path, name: str, images: list[Image]) -> None:
    layout = Layout(directory, name)
    for number, image in enumerate(images, 1):
        layout.push(image, [f"v{number}"])
        layout.attach(papers_of(image)[:1])


def _retain(directory: Path, name: str, until: str) -> None:
    while True:
        tags = Layout(directory, name).tags()
        if tags:
            retain(f"oci:{directory}:{name}", Rule(keep=1), dry_run=False)
        if until in tags:
            return


def test_publishers_and_who_cleans_up_at_the_same_time(
    tmp_path: Path, make_image: MakeImage
) -> None:
    """They share layers: each removal takes what another is about to need."""
    images = [make_image(str(number % 4), weights=b"w" * number) for number in range(16)]
    layout = tmp_path / "layout"
    context = multiprocessing.get_context("fork")
    workers = [
        *(context.Process(target=_publish, args=(layout, name, images)) for name in "ab"),
        *(context.Process(target=_retain, args=(layout, name, "v16")) for name in "ab"),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    assert fsck(layout).problems == []
    for name in "ab":
        _retain(layout, name, "v16")
        kept = Layout(layout, name)
        assert kept.resolve("v16").digest == images[-1].digest
        assert len(kept.referrers(images[-1].digest)) == 1
    assert fsck(layout).problems == []


def test_a_kill_at_any_moment_leaves_a_whole_directory(
    tmp_path: Path, make_image: MakeImage
) -> None:
    images = versions(f"oci:{tmp_path}:iris:", make_image, 12)
    context = multiprocessing.get_context("fork")
    for number in range(10):
        worker = context.Process(target=_retain, args=(tmp_path, "iris", "v12"))
        worker.start()
        time.sleep(number / 50)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert fsck(tmp_path).problems == []
    _retain(tmp_path, "iris", "v12")
    layout = Layout(tmp_path, "iris")
    assert_whole(layout, images[-1])
    assert [tag for tag in layout.tags() if "sha256-" not in tag] == ["latest", "v12"]


def test_without_a_repository(tmp_path: Path, make_image: MakeImage) -> None:
    layout = Layout(tmp_path)
    for number in (1, 2, 3):
        layout.push(make_image(str(number)), [f"v{number}"])
    assert staying(retain(f"oci:{tmp_path}", KEEP_2, dry_run=False)) == [3, 2]
    assert layout.tags() == ["v2", "v3"]
    with pytest.raises(NotFoundError, match="There are no publications in oci:"):
        retain(f"oci:{tmp_path}:v3", KEEP_2, dry_run=False)  # one name is a repository's
    for text in (f"oci:{tmp_path}:iris:v3", "r.example.org/iris:v3"):
        with pytest.raises(UsageError, match="is not a repository but one image"):
            retain(text, KEEP_2, dry_run=False)


# A registry on its bad days


def test_a_registry_that_deletes_nothing_is_a_sentence(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    images = versions(f"{faulty.url}/iris", make_image, 3)
    before = dict(faulty.manifests)
    assert staying(retain(f"{faulty.url}/iris", Rule(keep=1))) == [3]
    with pytest.raises(RegistryError) as caught:
        retain(f"{faulty.url}/iris", Rule(keep=1), dry_run=False)
    assert "does not let images be deleted. Deleting is switched off" in str(caught.value)
    assert faulty.manifests == before
    assert_whole(open_repository(f"{faulty.url}/iris"), images[0])


@pytest.mark.registry
def test_a_real_registry_that_deletes_nothing(
    undeleting_registry: RunningRegistry, make_image: MakeImage
) -> None:
    place = f"{undeleting_registry.url}/iris"
    images = versions(place, make_image, 2)
    with pytest.raises(RegistryError, match="does not let images be deleted"):
        retain(place, Rule(keep=1), dry_run=False)
    assert_whole(open_repository(place), images[0])


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(500, "failed at to delete"), (403, "Ask its owner for the right"), (401, "docker login")],
)
def test_a_refusal_is_a_sentence(
    faulty: FaultyRegistry, make_image: MakeImage, code: int, sentence: str
) -> None:
    versions(f"{faulty.url}/iris", make_image, 2)
    before = dict(faulty.manifests)
    faulty.rules.append(times(99, "DELETE", "/manifests/", status(code)))
    with pytest.raises(RegistryError, match=sentence):
        retain(f"{faulty.url}/iris", Rule(keep=1), dry_run=False)
    assert faulty.manifests == before


def test_a_removal_that_stops_anywhere_goes_on(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    faulty.deletes = True
    requests = 12  # an image, its SBOM, that one's signature, two lists, a tag of cosign; twice
    for count in range(requests + 1):
        place = f"{faulty.url}/stops/{count}"
        images = versions(place, make_image, 3)
        faulty.rules = [_after(count)]
        if count < requests:
            with pytest.raises(RegistryError, match="Ask its owner"):
                retain(place, Rule(keep=1), dry_run=False)
        assert_whole(open_repository(place), images[2])
        faulty.rules = []
        assert staying(retain(place, Rule(keep=1), dry_run=False)) == [3]
        for image in images[:2]:
            assert_gone(open_repository(place), image)
        assert_whole(open_repository(place), images[2])
        left = {data for (name, _), (_, data) in faulty.manifests.items() if name in place}
        assert len(left) == requests / 2


def _after(count: int) -> Callable[[Handler], bool]:
    """Refuse to delete anything but the first manifests."""
    left = [count]

    def rule(handler: Handler) -> bool:
        if handler.command != "DELETE":
            return False
        left[0] -= 1
        if left[0] < 0:
            status(403)(handler)
        return left[0] < 0

    return rule


def test_a_tag_that_is_moved_meanwhile_is_heeded(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    place = f"{faulty.url}/iris"
    images = versions(place, make_image, 4)
    faulty.deletes = True

    def move(handler: Handler) -> None:
        faulty.manifests["iris", "champion"] = faulty.manifests["iris", "v2"]
        handler.serve()

    faulty.rules.append(times(1, "DELETE", "/manifests/", move))
    found = retain(place, Rule(keep=1), dry_run=False)
    assert [(item.version, item.why) for item in found.publications if item.stays] == [
        (4, "the newest version; latest points to it"),
        (2, "champion points to it by now"),
    ]
    for number in (1, 3):
        assert_whole(open_repository(place), images[number])
    for number in (0, 2):
        assert_gone(open_repository(place), images[number])


def test_where_the_registry_lists_what_is_attached(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    faulty.deletes, faulty.rules = True, [api()]
    images = versions(f"{faulty.url}/iris", make_image, 3)
    assert fallback_tag(images[0].digest) not in faulty.tags("iris")
    retain(f"{faulty.url}/iris", KEEP_2, dry_run=False)
    assert_gone(open_repository(f"{faulty.url}/iris"), images[0])
    for image in images[1:]:
        assert_whole(open_repository(f"{faulty.url}/iris"), image)


def test_a_plan_reads_no_layer(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    versions(f"{faulty.url}/iris", make_image, 5)
    faulty.requests.clear()
    retain(f"{faulty.url}/iris", KEEP_2)
    assert faulty.count("GET", "/blobs/") == 5, "the configs"
    assert faulty.count("DELETE") == faulty.count("PUT") == 0


# The command line


def test_on_the_command_line(
    place: str, make_image: MakeImage, capsys: pytest.CaptureFixture[str]
) -> None:
    versions(place, make_image, 3)
    repository = place.removesuffix(":")
    name = Reference.parse(place).name
    assert cli.main(["retain", repository, "--keep", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: 2 stay, 1 go",
        "  v3       stays  the newest version; latest points to it",
        "  v2       stays  one of the newest 2",
        "  v1       goes   not one of the newest 2",
        "Nothing was removed: do it with --yes",
    ]
    assert cli.main(["retain", repository, "--keep", "2", "--yes"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[3] == "  v1       gone   not one of the newest 2"
    assert said[4].startswith("Removed 1 with all that was attached to them")
    assert cli.main(["retain", repository, "--keep", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["stays"] for item in found["publications"]] == [True, True]
    assert cli.main(["delete", named(place, "v2")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: 0 stay, 1 go",
        "  v2       goes   you ask for it",
        "Nothing was removed: do it with --yes",
    ]
    assert cli.main(["delete", named(place, "v2"), "--yes"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "  v2       gone   you ask for it"
    assert cli.main(["delete", named(place, "v3"), "--yes"]) == 2
    assert cli.main(["retain", repository, "--keep", "0", "--yes"]) == 2
    assert cli.main(["retain", named(place, "v3"), "--keep", "1", "--yes"]) == 2
    assert cli.main(["retain", f"{repository}/none", "--keep", "1", "--yes"]) == 9


def test_a_publication_of_several_platforms_goes_whole(place: str, make_image: MakeImage) -> None:
    """Its images have no tags of their own: they go with the version that listed them."""
    repository = open_repository(place)
    made = [several(make_image, str(number)) for number in range(3)]
    for number, each in enumerate(made, 1):
        for image in each.images:
            for item in papers_of(image):
                repository.attach([item])
        repository.push(each, [f"v{number}", "latest"])
    found = retain(place, Rule(keep=1), dry_run=False)
    assert [(item.version, item.stays) for item in found.publications] == [
        (3, True), (2, False), (1, False),
    ]  # fmt: skip
    for image in made[2].images:
        assert repository.manifest_bytes(image.digest) == image.manifest
        for blob in image.blobs():
            read_blob(repository, blob.descriptor.digest)
        assert repository.referrers(image.digest)
    for image in (image for each in made[:2] for image in each.images):
        with pytest.raises(NotFoundError):
            repository.manifest(image.digest)
        assert repository.referrers(image.digest) == []
