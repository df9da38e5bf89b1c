"""Tags that move: to what is there and whole, at once, and nothing else moves."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from jupyter_mlops import cli
from jupyter_mlops.catalog import describe, list_publications, tag
from jupyter_mlops.errors import NotFoundError, RegistryError, UsageError
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.referrers import fallback_tag
from jupyter_mlops.registry import catalog as listing
from jupyter_mlops.registry.catalog import next_version
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.fixtures_registry import MakeImage
from tests.registry.faulty import FaultyRegistry, Handler, reset, status, times
from tests.registry.places import labelled, papers_of, versions


def named(place: str, version: str) -> str:
    return str(Reference.parse(place).with_tag(version))


def test_a_tag_moves_and_says_where_it_was(place: str, make_image: MakeImage) -> None:
    first, second, third = versions(place, make_image, 3)
    repository = open_repository(place)
    tags = set(repository.tags())
    made = tag(named(place, "v1"), "champion")
    assert (made.reference, made.digest) == (named(place, "champion"), first.digest)
    assert (made.version, made.previous, made.previous_version) == (1, "", None)
    moved = tag(str(Reference.parse(place).with_digest(second.digest)), "champion")
    assert (moved.version, moved.previous, moved.previous_version) == (2, first.digest, 1)
    again = tag(named(place, "champion"), "champion")
    assert (again.digest, again.previous) == (second.digest, second.digest)
    assert tag(place.removesuffix(":") + ":latest", "challenger").digest == third.digest
    assert set(repository.tags()) == tags | {"champion", "challenger"}
    assert repository.manifest_bytes("champion") == second.manifest
    assert repository.resolve("v1").digest == first.digest
    assert next_version(repository, third.digest) == (3, True)
    assert len(repository.referrers(second.digest)) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("v2", "v2 is the tag of a version, which never moves"),
        ("v7", "v7 is the tag of a version"),
        ("v0", "v0 is the tag of a version"),
        ("V1", "V1 is the tag of a version"),
        ("no spaces", "'no spaces' is not a tag"),
        ("", "'' is not a tag"),
        ("-x", "'-x' is not a tag"),
        ("a" * 129, "is not a tag"),
        ("a/b", "'a/b' is not a tag"),
        ("sha256-" + "a" * 64, "is not the tag of an image"),
        ("sha256-" + "a" * 64 + ".sig", "is not the tag of an image"),
        ("sha512-abc", "sha512-abc is not the tag of an image"),
        ("layer-" + "a" * 64, "is not the tag of an image"),
    ],
)
def test_names_that_do_not_move(
    place: str, make_image: MakeImage, name: str, sentence: str
) -> None:
    versions(place, make_image, 2)
    before = {item: open_repository(place).resolve(item) for item in open_repository(place).tags()}
    with pytest.raises(UsageError) as caught:
        tag(named(place, "v1"), name)
    assert sentence in str(caught.value)
    after = {item: open_repository(place).resolve(item) for item in open_repository(place).tags()}
    assert after == before


def test_what_is_attached_is_no_target(place: str, make_image: MakeImage) -> None:
    [image] = versions(place, make_image, 1)
    attached = fallback_tag(image.digest)
    for version in (attached, f"{attached}.sig"):
        with pytest.raises(UsageError, match="is not the tag of an image"):
            tag(named(place, version), "champion")
    paper = papers_of(image)[0].manifest.descriptor.digest
    with pytest.raises(UsageError, match="It is attached to one"):
        tag(str(Reference.parse(place).with_digest(paper)), "champion")
    with pytest.raises(NotFoundError, match="v9 is not in"):
        tag(named(place, "v9"), "champion")
    with pytest.raises(NotFoundError):
        tag(str(Reference.parse(place).with_digest(f"sha256:{'0' * 64}")), "champion")
    assert "champion" not in open_repository(place).tags()
    assert [item.tags for item in listing.list_publications(place)] == [["latest", "v1"]]


def test_on_the_command_line(
    place: str, make_image: MakeImage, capsys: pytest.CaptureFixture[str]
) -> None:
    versions(place, make_image, 2)
    champion = named(place, "champion")
    for version, said in (
        ("v2", f"{champion} points to v2 now"),
        ("v2", f"{champion} points to v2 already"),
        ("v1", f"{champion} points to v1 now"),
    ):
        assert cli.main(["tag", named(place, version), "champion"]) == 0
        assert capsys.readouterr().out.splitlines()[0] == said
    assert cli.main(["tag", named(place, "v2"), "champion"]) == 0
    assert "  before     v1, sha256:" in capsys.readouterr().out
    assert cli.main(["tag", named(place, "v2"), "v1"]) == 2
    assert cli.main(["tag", named(place, "v3"), "champion"]) == 9


# A directory


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        tag(f"oci:{tmp_path}/none:iris:v1", "champion")
    assert not (tmp_path / "none").exists()


def test_no_tag_points_to_what_is_not_whole(tmp_path: Path, make_image: MakeImage) -> None:
    layout, image = Layout(tmp_path, "iris"), make_image()
    layout.push(image, ["v1"])
    lost = image.layers[-1].descriptor.digest
    (tmp_path / "blobs/sha256" / lost.removeprefix("sha256:")).unlink()
    with pytest.raises(RegistryError, match=f"is not whole. Blob {lost} is missing"):
        tag(f"oci:{tmp_path}:iris:v1", "champion")
    assert layout.tags() == ["v1"]


def test_without_a_repository(tmp_path: Path) -> None:
    layout, image = Layout(tmp_path), labelled("iris", title="Iris")
    layout.push(image, ["v1"])
    other = labelled("wine")
    Layout(tmp_path, "wine").push(other, ["v1"])
    assert tag(f"oci:{tmp_path}:v1", "champion").reference == f"oci:{tmp_path}:champion"
    assert layout.resolve("champion").digest == image.digest
    found = describe(f"oci:{tmp_path}:champion")
    assert (found["title"], found["version"], found["tags"]) == ("Iris", 1, ["champion", "v1"])
    assert describe(f"oci:{tmp_path}@{other.digest}")["name"] == "wine"
    for registry in (f"oci:{tmp_path}", f"oci:{tmp_path}:champion"):
        assert list_publications(registry)[0].reference == f"oci:{tmp_path}:v1"
    assert [item.name for item in list_publications(f"oci:{tmp_path}:champion")] == ["iris"]
    assert [item.name for item in list_publications(f"oci:{tmp_path}:wine")] == ["wine"]


def _move(directory: Path, name: str, rounds: int) -> None:
    for number in range(rounds):
        tag(f"oci:{directory}:iris:v{number % 2 + 1}", name)


def test_many_who_move_tags_lose_nothing(tmp_path: Path, make_image: MakeImage) -> None:
    first, second = versions(f"oci:{tmp_path}:iris:", make_image, 2)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_move, args=(tmp_path, name, 10)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    layout = Layout(tmp_path, "iris")
    assert {layout.resolve(name).digest for name in "abc"} == {second.digest}
    assert layout.resolve("v1").digest == first.digest
    assert fsck(tmp_path).problems == []


# A registry on its bad days


def other_digest(handler: Handler) -> None:
    handler.drain()
    handler.answer(201, headers={"Docker-Content-Digest": f"sha256:{'1' * 64}"})


BLOBS = {"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (status(500), "failed at iris:champion"),
        (status(403), "Ask its owner for the right"),
        (status(401), "docker login"),
        (status(400, body=BLOBS), "blob unknown to registry"),
        (status(429, {"Retry-After": "3600"}), "asks to wait 3600 seconds"),
        (reset(), "The connection to registry"),
        (other_digest, "stored another manifest than it was given"),
    ],
)
def test_what_fails_leaves_the_tag(
    faulty: FaultyRegistry, make_image: MakeImage, act: object, sentence: str
) -> None:
    first, _ = versions(f"{faulty.url}/iris", make_image, 2)
    tag(f"{faulty.url}/iris:v1", "champion")
    faulty.rules.append(times(999, "PUT", "/manifests/", act))  # type: ignore[arg-type]
    with pytest.raises(RegistryError, match=sentence):
        tag(f"{faulty.url}/iris:v2", "champion")
    assert faulty.tags("iris")["champion"] == first.digest


@pytest.mark.parametrize("act", [status(503), reset()])
def test_what_passes_is_tried_again(
    faulty: FaultyRegistry, make_image: MakeImage, act: object
) -> None:
    _, second = versions(f"{faulty.url}/iris", make_image, 2)
    faulty.rules.append(times(2, "PUT", "/manifests/", act))  # type: ignore[arg-type]
    tag(f"{faulty.url}/iris:v2", "champion")
    assert faulty.tags("iris")["champion"] == second.digest


def test_one_request_moves_it_and_no_layer_is_read(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    versions(f"{faulty.url}/iris", make_image, 2)
    faulty.requests.clear()
    tag(f"{faulty.url}/iris:v1", "latest")
    assert (faulty.count("PUT"), faulty.count("POST"), faulty.count("GET", "/blobs/")) == (1, 0, 0)
    faulty.requests.clear()
    tag(f"{faulty.url}/iris:v1", "latest")
    assert faulty.count("PUT") == 0
