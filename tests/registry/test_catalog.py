"""What is listed, and what a version is."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.errors import RegistryError, UsageError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import ImageConfig, build_image
from jupyter_mlops.registry.catalog import list_publications, next_version, version_of
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.fixtures_registry import MakeImage
from tests.registry.faulty import FaultyRegistry, status, times


def test_a_directory_is_listed(tmp_path: Path, make_image: MakeImage) -> None:
    registry = f"oci:{tmp_path}/registry"
    assert list_publications(registry) == []
    for name, text, tags in (
        ("iris", "1", ["v1"]),
        ("iris", "2", ["v2", "latest"]),
        ("team/wine", "3", ["latest"]),
    ):
        reference = Reference.below(registry, name)
        open_repository(reference).push(make_image(text), tags)
    other = build_image(Base("b", "", (), {}), [], ImageConfig())
    Layout(tmp_path / "registry", "python").push(other, ["3.11"])
    found = list_publications(registry)
    assert [(item.repository, item.version, item.tags) for item in found] == [
        ("iris", 2, ["latest", "v2"]),
        ("iris", 1, ["v1"]),
        ("team/wine", None, ["latest"]),
    ]
    assert [item.reference for item in found] == [
        f"oci:{tmp_path}/registry:iris:v2",
        f"oci:{tmp_path}/registry:iris:v1",
        f"oci:{tmp_path}/registry:team/wine:latest",
    ]
    for item in found:
        opened = open_repository(item.reference)
        assert opened.resolve(Reference.parse(item.reference).version).digest == item.digest
    assert [item.repository for item in list_publications(f"{registry}:team/wine:")] == [
        "team/wine"
    ]


def test_only_manifest_and_config_are_read(faulty: FaultyRegistry, make_image: MakeImage) -> None:
    image = make_image(weights=b"w" * 500_000)
    open_repository(f"{faulty.url}/lab/iris").push(image, ["v1", "latest"])
    faulty.requests.clear()
    found = list_publications(f"{faulty.url}/lab/iris")
    assert [(item.version, item.size) for item in found] == [(1, image.size)]
    assert faulty.count("GET", "/blobs/") == 1
    faulty.requests.clear()
    assert list_publications(f"{faulty.url}/lab/iris:v1") == found
    assert faulty.count("GET", "_catalog") == 0


def test_a_registry_without_a_catalog_says_what_to_do(faulty: FaultyRegistry) -> None:
    faulty.rules.append(times(9, "GET", "_catalog", status(404)))
    with pytest.raises(RegistryError, match="Name a repository"):
        list_publications(faulty.url)
    with pytest.raises(UsageError, match="is not a registry"):
        list_publications("iris")


def test_versions_are_counted_in_a_directory(tmp_path: Path, make_image: MakeImage) -> None:
    repository = Layout(tmp_path, "iris")
    digests = []
    for number in range(1, 12):
        image = make_image(str(number))
        assert next_version(repository, image.digest) == (number, False)
        repository.push(image, [f"v{number}", "latest"])
        digests.append(image.digest)
    assert next_version(repository, digests[4]) == (5, True)
    repository.delete_tag("v3")
    assert next_version(repository, digests[2]) == (12, False)


def test_a_new_image_asks_about_no_other_version(
    faulty: FaultyRegistry, make_image: MakeImage
) -> None:
    repository = open_repository(Reference.parse(f"{faulty.url}/lab/iris:latest"))
    images = [make_image(str(number)) for number in range(6)]
    for number, image in enumerate(images[:5], 1):
        repository.push(image, [f"v{number}"])
    before = faulty.count("HEAD", "manifests")
    assert next_version(repository, images[5].digest) == (6, False)
    assert faulty.count("HEAD", "manifests") == before + 1
    assert next_version(repository, images[2].digest) == (3, True)


@pytest.mark.parametrize(
    ("tag", "version"),
    [("v1", 1), ("v12", 12), ("v0", None), ("v01", None), ("1", None), ("v1a", None), ("V1", None)],
)
def test_what_a_version_tag_is(tag: str, version: int | None) -> None:
    assert version_of(tag) == version
