"""Old versions go, with all that is attached to them; what somebody points to never does."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from jupyter_mlops import cli
from jupyter_mlops.catalog import delete, retain, tag
from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import INDEX, BytesBlob
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.image.referrers import Referrer, fallback_tag, index_of
from jupyter_mlops.image.repository import read_blob
from jupyter_mlops.registry import retention
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.registry.retention import Decision, Plan, Rule
from tests.fixtures_registry import MakeImage
from tests.fixtures_registry import index_of as several
from tests.registry.faulty import FaultyRegistry
from tests.registry.kept import assert_gone, assert_whole, pointers, staying
from tests.registry.places import index, labelled, papers_of, versions
from tests.registry.test_tags import named

KEEP_2 = Rule(keep=2)


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
