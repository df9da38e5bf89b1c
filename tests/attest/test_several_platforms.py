"""An index is vouched for as a whole: each of its images has papers, and all of it is signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops import cli
from jupyter_mlops.attest import attached, signature
from jupyter_mlops.attest.keys import private
from jupyter_mlops.errors import AttestationError, NotFoundError
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import stored_image
from jupyter_mlops.image.repository import Repository
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.sign import sign
from jupyter_mlops.verify import Verification, verify
from tests.attest.conftest import CONTENTS, named, papers
from tests.fixtures_keys import Keys
from tests.fixtures_registry import MakeImage, index_of


@pytest.fixture
def repository(place: str) -> Repository:
    return open_repository(named(place, "latest"))


@pytest.fixture
def index(make_image: MakeImage, repository: Repository) -> Index:
    """An index that is in the repository, each of its images with papers that nobody signed."""
    made = index_of(make_image)
    for image in made.images:
        told = attached.artifacts(image.descriptor, *papers(image), CONTENTS.created)
        repository.attach(told)
    repository.push(made, ["latest"])
    return made


def words(found: Verification) -> dict[tuple[str, str], str]:
    return {(check.subject, check.platform): check.state for check in found.checks}


EVERY = [
    ("signature", ""),
    *(
        (subject, platform)
        for platform in ("linux/amd64", "linux/arm64")
        for subject in ("signature", "provenance", "SBOM")
    ),
]


def test_signing_signs_the_index_and_each_image(place: str, index: Index, keys: Keys) -> None:
    reference = named(place, "latest")
    before = verify(reference, keys.public)
    assert not before.ok and set(words(before).values()) == {"absent"}
    done = sign(reference, keys.private)
    assert (done.digest, done.notes) == (index.digest, [])
    found = verify(reference, keys.public)
    assert found.ok and words(found) == dict.fromkeys(EVERY, "verified")
    assert found.digest == index.digest and found.pinned.endswith(f"@{index.digest}")
    assert not verify(reference, keys.other_public).ok
    for image in index.images:
        alone = verify(f"{reference}@{image.digest}", keys.public)
        assert alone.ok and alone.digest == image.digest
    assert sign(reference, keys.private) == done, "again changes nothing"


def test_one_bad_image_is_enough_and_is_named(
    place: str, index: Index, repository: Repository, keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but one image are signed: whoever deploys by the index may get that one."""
    for image in index.images[:1]:
        sign(f"{named(place, 'latest')}@{image.digest}", keys.private)
    signature.attach(repository, index.digest, "iris", private(keys.private))
    found = verify(named(place, "latest"), keys.public)
    states = words(found)
    bad = {key for key, state in states.items() if state != "verified"}
    (platform,) = {key[1] for key in bad}
    assert not found.ok and states["signature", ""] == "verified"
    assert cli.main(["verify", named(place, "latest"), "--key", str(keys.public)]) == 14
    said = capsys.readouterr().out
    assert f"NOT THERE ({platform})" in said and "NOT verified" in said


def test_what_was_put_into_a_signed_index_shows(
    place: str, index: Index, repository: Repository, make_image: MakeImage, keys: Keys
) -> None:
    """Another image beside one that is signed makes another index, which nobody signed."""
    reference = named(place, "latest")
    sign(reference, keys.private)
    planted = Index((index.images[0], make_image("evil", machine="s390x")))
    repository.push(planted, ["latest"])
    states = words(verify(reference, keys.public))
    assert states["signature", ""] == "absent"
    assert states["signature", "linux/s390x"] == "absent"


def test_two_provenances_of_one_image_stop_the_signing_of_all(
    place: str, index: Index, repository: Repository, keys: Keys
) -> None:
    image = index.images[1]
    listed, told = papers(image)
    changed = BytesBlob(told.data.replace(b'"rate":0.5', b'"rate":0.7'), told.media_type)
    assert changed != told
    repository.attach(attached.artifacts(image.descriptor, listed, changed, CONTENTS.created))
    with pytest.raises(AttestationError, match="2 different provenances"):
        sign(named(place, "latest"), keys.private)
    assert set(words(verify(named(place, "latest"), keys.public)).values()) == {"absent"}


def test_an_image_that_is_gone_is_a_sentence(
    tmp_path: Path, make_image: MakeImage, keys: Keys
) -> None:
    layout, index = Layout(tmp_path / "layout", "iris"), index_of(make_image)
    layout.push(index, ["latest"])
    gone = index.images[1].digest
    (layout.directory / "blobs/sha256" / gone.removeprefix("sha256:")).unlink()
    for act in (lambda: verify(f"{layout.name}:latest", keys.public),
                lambda: sign(f"{layout.name}:latest", keys.private)):  # fmt: skip
        with pytest.raises(NotFoundError, match=gone):
            act()
    assert stored_image(layout, "latest").digest == index.images[0].digest
