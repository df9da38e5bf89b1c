"""An index of images: the same bytes each time, and each reader gets its own platform's image."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image import platforms
from jupyter_mlops.image.blob import INDEX, digest_of
from jupyter_mlops.image.docker import archive
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import stored_image
from tests.fixtures_registry import MakeImage, index_of, machines


def entry(platform: dict[str, str], number: int = 0) -> dict[str, Any]:
    digest = f"sha256:{number:064x}"
    return {"mediaType": INDEX, "digest": digest, "size": 2, "platform": platform}


def test_the_same_images_are_the_same_index(make_image: MakeImage) -> None:
    index = index_of(make_image)
    turned = Index(index.images[::-1])
    assert turned.manifest == index.manifest and turned.digest == index.digest
    value = json.loads(index.manifest)
    assert (value["schemaVersion"], value["mediaType"]) == (2, INDEX)
    assert [item["platform"] for item in value["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    listed = {item["digest"]: item["size"] for item in value["manifests"]}
    assert listed == {image.digest: len(image.manifest) for image in index.images}
    assert index.digest == digest_of(index.manifest)


def test_what_images_share_is_one_blob(make_image: MakeImage) -> None:
    index = index_of(make_image, weights=b"w" * 5000)
    one, other = ({blob.descriptor.digest for blob in image.blobs()} for image in index.images)
    assert len(one & other) == 2, "the code and the weights; base and config are each one's own"
    digests = [blob.descriptor.digest for blob in index.blobs()]
    assert len(digests) == len(set(digests)) == len(one | other)
    assert index.size < sum(image.size for image in index.images)


def test_a_variant_is_listed_and_met_by_the_name_without_it(make_image: MakeImage) -> None:
    image = make_image()
    config = json.loads(image.config) | {"architecture": "arm64", "variant": "v8"}
    index = Index((type(image)(image.manifest, json.dumps(config).encode(), image.layers),))
    value = json.loads(index.manifest)
    assert value["manifests"][0]["platform"] == {
        "architecture": "arm64", "os": "linux", "variant": "v8",
    }  # fmt: skip
    for name in ("linux/arm64", "linux/arm64/v8"):
        assert platforms.choose(value, name, "iris").digest == image.digest
    for name in ("linux/arm64/v7", "linux/arm", "linux/amd64"):
        with pytest.raises(NotFoundError, match=f"iris is not there for {name}"):
            platforms.choose(value, name, "iris")


def test_attachments_in_an_index_are_no_images() -> None:
    """Build tools list theirs under a platform that is none."""
    made = [
        entry({"os": "unknown", "architecture": "unknown"}, 1),
        entry({"os": "linux", "architecture": "amd64"}, 2),
    ]
    assert [offer.platform for offer in platforms.offers({"manifests": made})] == ["linux/amd64"]
    with pytest.raises(NotFoundError) as caught:
        platforms.choose({"manifests": made}, "linux/arm64", "iris")
    assert "It is for linux/amd64." in str(caught.value)
    with pytest.raises(NotFoundError, match="iris is not there") as caught:
        platforms.choose({"manifests": []}, "linux/arm64", "iris")
    assert "lists nothing" in str(caught.value)


@pytest.mark.parametrize("value", [7, "text", None, [7], [{"digest": "x"}], [{}]])
def test_an_index_that_makes_no_sense_is_one_sentence(value: object) -> None:
    with pytest.raises(RegistryError):
        platforms.choose({"manifests": value}, "linux/amd64", "iris")


def test_a_layout_gives_each_platform_its_image(tmp_path: Path, make_image: MakeImage) -> None:
    layout, index = Layout(tmp_path / "layout", "iris"), index_of(make_image)
    seen: list[tuple[int, int]] = []
    pushed = layout.push(index, ["v1", "latest"], lambda done, total, _: seen.append((done, total)))
    assert pushed.digest == index.digest and seen[-1] == (index.size, index.size)
    manifests = len(index.manifest) + sum(len(image.manifest) for image in index.images)
    assert pushed.pushed_bytes == index.size + manifests
    assert layout.resolve("v1").digest == layout.resolve("latest").digest == index.digest
    assert layout.manifest_bytes("v1") == index.manifest
    assert layout.tags() == ["latest", "v1"] and layout.repositories() == ["iris"]
    for version in ("latest", index.digest):
        assert platforms.chosen(layout, version).digest == index.images[0].digest
        for image, machine in zip(index.images, machines(), strict=True):
            found = stored_image(layout, version, f"linux/{machine}")
            assert (found.manifest, found.config) == (image.manifest, image.config)
    other = index.images[1]
    assert platforms.chosen(layout, other.digest).digest == other.digest, "asked for by its digest"
    with pytest.raises(NotFoundError, match="not there for linux/s390x") as caught:
        stored_image(layout, "latest", "linux/s390x")
    assert "linux/amd64, linux/arm64" in str(caught.value)
    assert layout.push(index, ["latest"]).skipped == len(index.blobs())
    assert fsck(layout.directory).problems == []


def test_a_docker_archive_holds_one_platform(tmp_path: Path, make_image: MakeImage) -> None:
    layout, index = Layout(tmp_path / "layout"), index_of(make_image)
    layout.push(index, ["v1"])
    for image, machine in zip(index.images, machines(), strict=True):
        path = tmp_path / f"{machine}.tar"
        with path.open("wb") as file:
            file.writelines(archive(stored_image(layout, "v1", f"linux/{machine}"), "iris:v1"))
        with tarfile.open(path) as tar:
            assert image.descriptor and any(
                json.load(tar.extractfile(member) or pytest.fail(member.name)) == config
                for config in [json.loads(image.config)]
                for member in tar.getmembers()
                if member.name.endswith(".json") and member.name != "manifest.json"
            )


def test_a_layout_keeps_and_frees_an_index_whole(tmp_path: Path, make_image: MakeImage) -> None:
    layout, index = Layout(tmp_path / "layout", "iris"), index_of(make_image)
    layout.push(index, ["v1"])
    assert layout.prune() == 0
    assert stored_image(layout, "v1", f"linux/{machines()[1]}").digest == index.images[1].digest
    layout.push(make_image("another"), ["v2"])
    layout.delete_tag("v1")
    assert layout.prune() > 0
    with pytest.raises(NotFoundError):
        layout.resolve(index.images[1].digest)
    assert fsck(layout.directory).problems == []


def test_no_tag_points_to_an_index_whose_papers_are_not_there(
    tmp_path: Path, make_image: MakeImage
) -> None:
    layout, old = Layout(tmp_path / "layout", "iris"), make_image("old")
    layout.push(old, ["latest"])

    def fail() -> None:
        raise RegistryError("no room for papers")

    index = index_of(make_image)
    with pytest.raises(RegistryError, match="no room"):
        layout.push(index, ["v2", "latest"], before_tags=fail)
    assert layout.tags() == ["latest"] and layout.resolve("latest").digest == old.digest
    with pytest.raises(NotFoundError):
        layout.resolve(index.digest)
    assert layout.push(index, ["v2", "latest"]).skipped == len(index.blobs())


def test_a_damaged_image_of_an_index_is_found(tmp_path: Path, make_image: MakeImage) -> None:
    layout, index = Layout(tmp_path / "layout"), index_of(make_image)
    layout.push(index, ["v1"])
    own = index.images[1].layers[0].descriptor.digest
    path = layout.directory / "blobs/sha256" / own.removeprefix("sha256:")
    path.unlink()
    (problem,) = fsck(layout.directory).problems
    assert problem.problem == f"v1: blob {own} is missing"
