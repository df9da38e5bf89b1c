"""Verification of SBOM and provenance: tampered, swapped, attached by others, of another image."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.attest import dsse, provenance, sbom
from jupyter_mlops.attest import keys as key_files
from jupyter_mlops.attest.models import CYCLONEDX, ENVELOPE, IN_TOTO
from jupyter_mlops.errors import AttestationError
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact, fallback_tag
from jupyter_mlops.sign import sign
from jupyter_mlops.verify import verify
from tests.attest.conftest import BUILD, CONTENTS, Placed, Publish, named, papers
from tests.attest.forging import ALL, replace_papers, states, text
from tests.fixtures_keys import Keys
from tests.fixtures_registry import MakeImage


def test_a_tampered_provenance(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    listed, statement = papers(placed.image)
    sealed = json.loads(dsse.seal(statement, key_files.private(keys.private)).data)
    forged = statement.data.replace(b'"rate":0.5', b'"rate":9.5')
    assert forged != statement.data
    sealed["payload"] = base64.b64encode(forged).decode()
    subject = placed.image.descriptor
    good = Artifact(subject, CYCLONEDX, listed)
    envelope = BytesBlob(json.dumps(sealed).encode(), ENVELOPE)
    replace_papers(placed, good, Artifact(subject, IN_TOTO, envelope))
    found = verify(placed.reference, keys.public)
    assert states(found) == {"signature": "verified", "provenance": "wrong", "SBOM": "absent"}
    assert text(found, "provenance") == "The provenance was changed after it was signed."
    # The same without any signature, and what is no provenance at all.
    for blob, state, words in [
        (BytesBlob(forged, IN_TOTO), "absent", "The provenance is not signed"),
        (BytesBlob(b"{", ENVELOPE), "wrong", "The provenance cannot be read"),
        (BytesBlob(b"[]", ENVELOPE), "wrong", "it is not an envelope"),
    ]:
        replace_papers(placed, good, Artifact(subject, IN_TOTO, blob))
        found = verify(placed.reference, keys.public)
        assert states(found)["provenance"] == state
        assert words in text(found, "provenance")


def test_something_else_that_the_key_sealed(publish: Publish, keys: Keys) -> None:
    placed, private = publish(key=keys.private), key_files.private(keys.private)
    for blob, words in [
        (BytesBlob(b'{"_type":"x"}', IN_TOTO), "not an in-toto statement"),
        (BytesBlob(papers(placed.image)[1].data, "text/plain"), "no provenance but text/plain"),
    ]:
        sealed = dsse.seal(blob, private)
        replace_papers(placed, Artifact(placed.image.descriptor, IN_TOTO, sealed))
        found = verify(placed.reference, keys.public)
        assert states(found) == {"signature": "verified", "provenance": "wrong", "SBOM": "absent"}
        assert words in text(found, "provenance")


def test_another_sbom(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    listed, statement = papers(placed.image)
    sealed = dsse.seal(statement, key_files.private(keys.private))
    subject = placed.image.descriptor
    provenance_of_it = Artifact(subject, IN_TOTO, sealed)
    for blob, words in [
        (
            BytesBlob(listed.data.replace(b"numpy", b"numpi"), CYCLONEDX),
            "not the one that the signed",
        ),
        (BytesBlob(b"{}", CYCLONEDX), "not CycloneDX"),
        (BytesBlob(b"\xff", CYCLONEDX), "not CycloneDX"),
    ]:
        replace_papers(placed, provenance_of_it, Artifact(subject, CYCLONEDX, blob))
        found = verify(placed.reference, keys.public)
        assert states(found) == {"signature": "verified", "provenance": "verified", "SBOM": "wrong"}
        assert words in text(found, "SBOM")
    replace_papers(placed, provenance_of_it)
    found = verify(placed.reference, keys.public)
    assert states(found)["SBOM"] == "wrong"
    assert "that the provenance names is not attached" in text(found, "SBOM")


def test_papers_that_others_attach_take_nothing_away(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    subject = placed.image.descriptor
    placed.repository.attach(
        [
            Artifact(subject, IN_TOTO, BytesBlob(b"garbage", IN_TOTO)),
            Artifact(subject, CYCLONEDX, BytesBlob(b"garbage", CYCLONEDX)),
        ]
    )
    assert verify(placed.reference, keys.public).ok


def test_papers_of_another_image_do_not_count(
    publish: Publish, keys: Keys, make_image: MakeImage
) -> None:
    """The list under the tag of one image names papers whose manifests name another."""
    good = publish(key=keys.private)
    other = make_image("other")
    good.repository.push(other, ["other"])
    manifest = good.repository.manifest_bytes(fallback_tag(good.image.digest))
    index = json.loads(manifest)
    assert len(index["manifests"]) == 3
    placed = Placed(named(good.reference, "other"), good.repository, other)
    copy_index(placed, manifest)
    found = verify(placed.reference, keys.public)
    assert states(found) == dict.fromkeys(ALL, "wrong")
    for subject in ALL:
        assert "another image as its subject" in text(found, subject)


def copy_index(placed: Placed, manifest: bytes) -> None:
    image = Image(manifest, b"{}", (), "application/vnd.oci.image.index.v1+json")
    placed.repository.push(image, [fallback_tag(placed.image.digest)])


def test_it_is_not_told_which_of_two_is_true(publish: Publish, keys: Keys) -> None:
    placed = publish()
    other = sbom.write(CONTENTS)
    build = msgspec.structs.replace(BUILD, notebook_sha256="0" * 64)
    forged = provenance.write(placed.image.digest, CONTENTS, build, other)
    placed.repository.attach([Artifact(placed.image.descriptor, IN_TOTO, forged)])
    with pytest.raises(AttestationError, match="2 different provenances"):
        sign(placed.reference, keys.private)
    found = verify(placed.reference, keys.public)
    assert states(found)["signature"] == "absent", "nothing was signed"


@pytest.mark.parametrize("place", ["directory"], indirect=True)
def test_a_damaged_paper(tmp_path: Path, publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    listed, _ = papers(placed.image)
    file = tmp_path / "layout" / "blobs" / "sha256" / listed.descriptor.digest[7:]
    file.write_bytes(listed.data.replace(b"numpy", b"numpi"))
    found = verify(placed.reference, keys.public)
    assert states(found) == {"signature": "verified", "provenance": "verified", "SBOM": "wrong"}
    assert "is damaged" in text(found, "SBOM")
    file.unlink()
    found = verify(placed.reference, keys.public)
    assert states(found)["SBOM"] == "wrong" and "is not in" in text(found, "SBOM")
