"""Versions that go from a registry on its bad days: what is refused, and what stops halfway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyter_mlops.catalog import retain
from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.referrers import fallback_tag
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.retention import Rule
from tests.attest.test_referrers import api
from tests.fixtures_registry import MakeImage, RunningRegistry
from tests.registry.faulty import FaultyRegistry, Handler, status, times
from tests.registry.kept import assert_gone, assert_whole, staying
from tests.registry.places import versions

KEEP_2 = Rule(keep=2)


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
