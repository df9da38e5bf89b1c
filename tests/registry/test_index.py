"""An index in a registry: images before it, the tag last, and every client gets its platform's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.catalog import describe, list_publications
from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import INDEX, digest_of
from jupyter_mlops.image.contents import LABEL
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layer import Entry, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image, stored_image
from jupyter_mlops.image.platforms import chosen
from jupyter_mlops.registry.catalog import describe_image, next_version
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.show_catalog import publication as shown
from tests.fixtures_registry import MakeImage, RunningRegistry, index_of, machines
from tests.registry.faulty import FaultyRegistry, status, times


def published(tmp_path: Path, *, proven: bool = True) -> Index:
    """Return an index of two publications, of which this machine's was run, or the other's."""
    own, other = (f"linux/{machine}" for machine in machines())
    run_on = own if proven else other
    made = []
    for platform in (own, other):
        told = Publication(
            name="iris",
            title="Iris",
            notebook_sha256="",
            lock_sha256="",
            python="3.11",
            platform=platform,
            verified="full" if platform == run_on else "elsewhere",
            run_on=msgspec.UNSET if platform == run_on else run_on,
        )
        entries = [Entry("opt/mlops/platform", platform.encode())]
        layer = build_layer(entries, kind="code", title="code", store=tmp_path / "store")
        config = {"os": "linux", "architecture": platform.partition("/")[2]}
        labels = {LABEL: msgspec.json.encode(told).decode()}
        made.append(build_image(Base("b", "", (), config), [layer], ImageConfig(labels=labels)))
    return Index(tuple(made))


def test_images_come_first_and_the_tags_last(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    index, repository = index_of(make_image), RemoteRepository(faulty.url, "lab/iris")
    order: list[str] = []
    repository.push(index, ["v1", "latest"], before_tags=lambda: order.append("papers"))
    writes = [p.rpartition("/")[2] for m, p in faulty.requests if m == "PUT" and "manifests" in p]
    assert writes == [*(image.digest for image in index.images), "v1", "latest"]
    assert order == ["papers"]
    assert faulty.tags("lab/iris") == {"v1": index.digest, "latest": index.digest}
    for blob in index.blobs():
        assert faulty.holds("lab/iris", blob.descriptor.digest)


def test_the_second_push_asks_for_no_blob(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    repository = RemoteRepository(faulty.url, "lab/iris")
    repository.push(index_of(make_image, "1"), ["latest"])
    faulty.requests.clear()
    again = repository.push(index_of(make_image, "1"), ["latest"])
    assert again.skipped == len(index_of(make_image, "1").blobs())
    assert faulty.count("HEAD", "/blobs/") == faulty.count("POST") == 0
    assert faulty.count("PUT") == 1, "the tag"
    changed = repository.push(index_of(make_image, "2"), ["latest"])
    assert changed.skipped == 2, "the bases"


@pytest.mark.parametrize("part", ["/manifests/sha256", "/manifests/v2", "/uploads/"])
def test_what_fails_on_the_way_moves_no_tag(
    faulty: FaultyRegistry, make_image: MakeImage, part: str
) -> None:
    repository, old = RemoteRepository(faulty.url, "lab/iris"), make_image("old")
    repository.push(old, ["latest"])
    faulty.rules.append(times(99, "PUT", part, status(403)))
    with pytest.raises(RegistryError):
        repository.push(index_of(make_image), ["v2", "latest"])
    assert faulty.tags("lab/iris") == {"latest": old.digest}
    faulty.rules.clear()
    index = index_of(make_image)
    repository.push(index, ["v2", "latest"])
    assert faulty.tags("lab/iris") == {"v2": index.digest, "latest": index.digest}


def test_an_image_that_the_registry_lost_is_brought_again(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    repository, index = RemoteRepository(faulty.url, "lab/iris"), index_of(make_image)
    repository.push(index, ["latest"])
    lost = index.images[1]
    del faulty.manifests["lab/iris", lost.digest]
    repository.push(index, ["latest"])
    assert repository.manifest_bytes(lost.digest) == lost.manifest

    def lose() -> None:
        del faulty.manifests["lab/iris", lost.digest]

    repository.push(index, ["v2"], before_tags=lose)
    assert repository.manifest_bytes(lost.digest) == lost.manifest
    assert faulty.tags("lab/iris")["v2"] == index.digest


@pytest.mark.registry
def test_a_real_registry_takes_it(
    docker_registry: RunningRegistry, make_image: MakeImage, tmp_path: Path
) -> None:
    index = index_of(make_image, weights=b"w" * 500_000)
    repository = open_repository(f"{docker_registry.url}/index/iris")
    pushed = repository.push(index, ["v1", "latest"])
    assert pushed.digest == repository.resolve("latest").digest == index.digest
    assert repository.manifest_bytes("v1") == index.manifest
    assert next_version(repository, index.digest) == (1, True)
    assert next_version(repository, index.images[0].digest) == (2, False)
    assert chosen(repository, "latest").digest == index.images[0].digest
    other = stored_image(repository, "latest", f"linux/{machines()[1]}")
    assert other.manifest == index.images[1].manifest
    copied = Layout(tmp_path / "copy", "iris")
    copied.push(Index((stored_image(repository, "latest"), other)), ["latest"])
    assert copied.resolve("latest").digest == index.digest, "a copy is the same index"
    root = unpack(repository, "latest", tmp_path / "unpacked")
    assert root.parent.parent.name == index.images[0].digest.replace(":", "-")
    assert (root / "service.py").read_text() == "print(1)"


def skopeo(*words: str) -> str:
    done = subprocess.run(["skopeo", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.registry
@pytest.mark.skopeo
@pytest.mark.parametrize("where", ["registry", "layout"])
def test_skopeo_reads_both_platforms(
    docker_registry: RunningRegistry, make_image: MakeImage, tmp_path: Path, where: str
) -> None:
    index = index_of(make_image)
    repository, place, options = Layout(tmp_path / "layout"), f"oci:{tmp_path}/layout:v1", [""]
    if where == "registry":
        url = f"{docker_registry.url}/index/skopeo"
        repository = open_repository(url)  # type: ignore[assignment]
        place, options = f"docker://{url}:v1", ["--tls-verify=false"]
    repository.push(index, ["v1"])
    more = [option for option in options if option]
    assert skopeo("inspect", *more, "--raw", place).encode() == index.manifest
    for image, machine in zip(index.images, machines(), strict=True):
        said = skopeo("--override-arch", machine, "inspect", *more, "--config", "--raw", place)
        assert said.encode() == image.config
        copy = f"oci:{tmp_path}/{machine}:v1"
        source = [option.replace("--tls", "--src-tls") for option in more]
        skopeo("--override-arch", machine, "copy", *source, place, copy)
        assert Layout(tmp_path / machine).resolve("v1").digest == image.digest
    skopeo("copy", "--all", *[o.replace("--tls", "--src-tls") for o in more], place,
           f"oci:{tmp_path}/both:v1")  # fmt: skip
    assert Layout(tmp_path / "both").resolve("v1").digest == index.digest


@pytest.mark.registry
@pytest.mark.docker
def test_docker_pulls_its_own_by_tag(
    docker_registry: RunningRegistry, make_image: MakeImage
) -> None:
    index = index_of(make_image)
    place = f"{docker_registry.url}/index/docker"
    open_repository(place).push(index, ["v1"])
    subprocess.run(["docker", "pull", "-q", f"{place}:v1"], check=True, capture_output=True)
    try:
        asked = ["docker", "image", "inspect", f"{place}:v1"]
        (found,) = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
        assert found["Architecture"] == machines()[0]
        assert found["RepoDigests"] == [f"{place}@{index.digest}"]
    finally:
        subprocess.run(["docker", "image", "rm", "-f", f"{place}:v1"], capture_output=True)


@pytest.fixture(params=["directory", pytest.param("registry", marks=pytest.mark.registry)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for one repository: ``oci:DIRECTORY:iris``, or one of a real registry."""
    if request.param == "directory":
        return f"oci:{tmp_path}/layout:iris:"
    name = tmp_path.name.replace("_", "-").lower()
    return f"{request.getfixturevalue('docker_registry').url}/index/{name}"


def at(place: str, version: str) -> str:
    return f"{place}{version}" if place.startswith("oci:") else f"{place}:{version}"


def test_a_catalog_lists_it_once_with_its_platforms(place: str, tmp_path: Path) -> None:
    index = published(tmp_path)
    open_repository(at(place, "v1")).push(index, ["v1", "latest"])
    own, other = (f"linux/{machine}" for machine in machines())
    (one,) = list_publications(place.rstrip(":"))
    assert (one.digest, one.version, one.tags) == (index.digest, 1, ["latest", "v1"])
    assert one.verified == "full" and one.platforms == ["linux/amd64", "linux/arm64"]
    assert one.size == index.images[0].size
    found = describe(at(place, "v1"))
    assert (found["digest"], found["platform"], found["version"]) == (index.digest, own, 1)
    words = {item["platform"]: (item["verified"], item["run_on"]) for item in found["platforms"]}
    assert words == {own: ("full", ""), other: ("elsewhere", own)}
    assert {item["digest"] for item in found["platforms"]} == {i.digest for i in index.images}


def test_the_image_of_another_platform_is_described_by_its_digest(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = published(tmp_path)
    open_repository(at(place, "v1")).push(index, ["v1"])
    digest = index.images[1].digest
    found = describe(f"{at(place, 'v1')}@{digest}")
    own, other = (f"linux/{machine}" for machine in machines())
    assert (found["digest"], found["platform"]) == (digest, other)
    assert (found["verified"], found["run_on"]) == ("elsewhere", own)
    shown(found)
    said = capsys.readouterr().out
    assert "verified: elsewhere" in said and f"verified: elsewhere (run on {own})" in said


def test_where_the_run_was_elsewhere_that_is_what_is_listed(place: str, tmp_path: Path) -> None:
    """On a machine of the platform that nothing was run on."""
    open_repository(at(place, "v1")).push(published(tmp_path, proven=False), ["v1"])
    assert [one.verified for one in list_publications(place.rstrip(":"))] == ["elsewhere"]
    assert describe(at(place, "v1"))["verified"] == "elsewhere"


def test_an_index_without_this_platform_is_listed_and_not_fetched(
    place: str, tmp_path: Path
) -> None:
    repository = open_repository(at(place, "v1"))
    repository.push(Index(published(tmp_path).images[1:]), ["v1"])
    (one,) = list_publications(place.rstrip(":"))
    assert one.platforms == [f"linux/{machines()[1]}"]
    with pytest.raises(RegistryError, match=f"is not there for linux/{machines()[0]}"):
        unpack(repository, "v1", tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_catalog_says_which_image_is_gone(tmp_path: Path) -> None:
    layout, index = Layout(tmp_path / "layout", "iris"), published(tmp_path)
    layout.push(index, ["v1"])
    gone: Image = index.images[1]
    (layout.directory / "blobs/sha256" / gone.digest.removeprefix("sha256:")).unlink()
    found = {
        item["digest"]: item["verified"] for item in describe(f"{layout.name}:v1")["platforms"]
    }
    assert found == {index.images[0].digest: "full", gone.digest: ""}


def test_where_this_platforms_image_is_gone_another_is_described(tmp_path: Path) -> None:
    layout, index = Layout(tmp_path / "layout", "iris"), published(tmp_path)
    layout.push(index, ["v1"])
    gone = index.images[0].digest
    (layout.directory / "blobs/sha256" / gone.removeprefix("sha256:")).unlink()
    (one,) = list_publications(f"oci:{tmp_path}/layout")
    assert one.verified == "elsewhere"
    images = describe(f"{layout.name}:v1")["platforms"]
    assert [item["verified"] for item in images if item["digest"] == gone] == [""]


@pytest.mark.parametrize("manifests", [[7], [{"digest": "x", "platform": {}}], "text", []])
def test_an_index_that_makes_no_sense_is_passed_over(
    faulty: FaultyRegistry, make_image: MakeImage, manifests: object
) -> None:
    """It stops neither a list nor the next push under its tag."""
    repository = RemoteRepository(faulty.url, "lab/iris")
    data = json.dumps({"mediaType": INDEX, "manifests": manifests}).encode()
    faulty.manifests["lab/iris", "latest"] = (INDEX, data)
    faulty.manifests["lab/iris", digest_of(data)] = (INDEX, data)
    assert describe_image(repository, "latest").labels == {}
    image = make_image()
    repository.push(image, ["latest"])
    assert faulty.tags("lab/iris") == {"latest": image.digest}
