"""Verification: what is right passes, and everything that is not has one clear sentence."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops import cli
from jupyter_mlops.attest import bundle, dsse, provenance, sbom, signature
from jupyter_mlops.attest import keys as key_files
from jupyter_mlops.attest.models import BUNDLE, CYCLONEDX, ENVELOPE, IN_TOTO
from jupyter_mlops.errors import AttestationError, NotFoundError, UsageError
from jupyter_mlops.image.blob import CONFIG, BytesBlob
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import Artifact, fallback_tag
from jupyter_mlops.image.repository import read_blob
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.sign import sign
from jupyter_mlops.verify import Verification, verify
from tests.attest.conftest import BUILD, CONTENTS, Placed, Publish, named, papers
from tests.fixtures_keys import PASSPHRASE, Keys, openssl
from tests.fixtures_registry import MakeImage

ALL = ["signature", "provenance", "SBOM"]


def states(found: Verification) -> dict[str, str]:
    assert [check.subject for check in found.checks] == ALL
    assert found.ok == all(check.state == "verified" for check in found.checks)
    for check in found.checks:
        assert check.text.endswith(".") and check.text[0].isupper()
    return {check.subject: check.state for check in found.checks}


def text(found: Verification, subject: str) -> str:
    return next(check.text for check in found.checks if check.subject == subject)


def signatures(placed: Placed) -> tuple[str, dict[str, Any]]:
    """Return the tag of an image's signatures, and the manifest under it."""
    tag = signature.tag_of(placed.image.digest)
    return tag, placed.repository.manifest(tag)[1]


def put_signatures(placed: Placed, tag: str, items: list[dict[str, Any]], payload: bytes) -> None:
    """Overwrite the signatures under a tag, as somebody with write access can."""
    config = b'{"rootfs":{"type":"layers","diff_ids":[]}}'
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": BytesBlob(config, CONFIG).descriptor.to_dict(),
        "layers": items,
    }
    layer = Layer(BytesBlob(payload, signature.SIMPLE_SIGNING), "", "", "")
    placed.repository.push(Image(json.dumps(manifest).encode(), config, (layer,)), [tag])


def replace_papers(placed: Placed, *artifacts: Artifact) -> None:
    """Attach other papers, after the list of those that were there was made empty."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": BytesBlob(b"{}", CONFIG).descriptor.to_dict(),
        "layers": [],
    }
    image = Image(json.dumps(manifest).encode(), b"{}", ())
    placed.repository.push(image, [fallback_tag(placed.image.digest)])
    placed.repository.attach(artifacts)


# What is right


def test_a_signed_publication_verifies(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    found = verify(placed.reference, keys.public)
    assert states(found) == dict.fromkeys(ALL, "verified") and found.ok
    assert found.digest == placed.image.digest
    assert Reference.parse(found.pinned).digest == placed.image.digest
    assert verify(found.pinned, keys.public).ok
    assert found.key == key_files.public(keys.public).fingerprint


def test_a_directory_without_a_repository_is_named_as_it_is(
    tmp_path: Path, make_image: MakeImage, keys: Keys
) -> None:
    image = make_image()
    Layout(tmp_path / "layout").push(image, ["stable"])
    assert sign(f"oci:{tmp_path}/layout:stable", keys.private).digest == image.digest
    found = verify(f"oci:{tmp_path}/layout:stable", keys.public)
    assert found.reference == f"oci:{tmp_path}/layout:stable"
    assert found.pinned == f"oci:{tmp_path}/layout@{image.digest}"
    assert verify(found.pinned, keys.public).checks == found.checks
    assert found.checks[0].state == "verified"


def test_openssl_verifies_what_is_in_the_registry(
    publish: Publish, keys: Keys, tmp_path: Path
) -> None:
    """By hand: the tag, the payload and the annotation are where cosign 2 has them."""
    placed = publish(key=keys.private)
    tag = placed.image.digest.replace("sha256:", "sha256-") + ".sig"
    layer = placed.repository.manifest(tag)[1]["layers"][0]
    assert layer["mediaType"] == "application/vnd.dev.cosign.simplesigning.v1+json"
    payload = read_blob(placed.repository, layer["digest"])
    critical = json.loads(payload)["critical"]
    assert critical["image"] == {"docker-manifest-digest": placed.image.digest}
    assert critical["type"] == "cosign container image signature"
    assert critical["identity"]["docker-reference"] == Reference.parse(placed.reference).public_name
    (tmp_path / "payload").write_bytes(payload)
    sig = layer["annotations"]["dev.cosignproject.cosign/signature"]
    (tmp_path / "sig").write_bytes(base64.b64decode(sig))
    said = openssl(
        *("dgst", "-sha256", "-verify", keys.public),
        *("-signature", tmp_path / "sig", tmp_path / "payload"),
    )
    assert said == b"Verified OK\n"


def test_papers_are_the_same_bytes_wherever_they_are_made(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    before = {item.manifest.digest for item in placed.repository.referrers(placed.image.digest)}
    tag, manifest = signatures(placed)
    publish(key=keys.private)
    after = {item.manifest.digest for item in placed.repository.referrers(placed.image.digest)}
    assert after == before and len(before) == 3
    assert placed.repository.manifest(tag)[1] == manifest


def test_what_is_there_can_be_signed_later(
    publish: Publish, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = publish()
    found = verify(placed.reference, keys.public)
    assert states(found) == dict.fromkeys(ALL, "absent")
    assert "No signature is attached" in text(found, "signature")
    assert "not signed" in text(found, "provenance")
    monkeypatch.setenv("MLOPS_KEY_PASSWORD", PASSPHRASE)
    signed = sign(placed.reference, keys.locked)
    assert (signed.digest, signed.notes) == (placed.image.digest, [])
    assert verify(placed.reference, keys.public).ok
    assert sign(placed.reference, keys.private) == signed, "again: nothing is added"
    assert len(signatures(placed)[1]["layers"]) == 1
    assert len(placed.repository.referrers(placed.image.digest)) == 4


def test_two_may_sign_one_image(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    sign(placed.reference, keys.other)
    assert len(signatures(placed)[1]["layers"]) == 2
    for key in (keys.public, keys.other_public):
        assert verify(placed.reference, key).ok


def test_an_image_without_papers_is_signed_and_told(
    place: str, keys: Keys, make_image: MakeImage, publish: Publish
) -> None:
    placed = publish()
    other = make_image("bare")
    placed.repository.push(other, ["bare"])
    signed = sign(named(place, "bare"), keys.private)
    assert signed.notes == ["no provenance is attached to it: only the image is signed"]
    found = verify(named(place, "bare"), keys.public)
    assert states(found) == {"signature": "verified", "provenance": "absent", "SBOM": "absent"}
    assert not found.ok and "No SBOM is attached" in text(found, "SBOM")


# What is wrong with the signature


def test_another_key(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    found = verify(placed.reference, keys.other_public)
    assert states(found) == {"signature": "wrong", "provenance": "wrong", "SBOM": "absent"}
    assert text(found, "signature") == "The signature is by another key."
    assert text(found, "provenance") == "The provenance is signed by another key."


def test_a_tampered_signature(publish: Publish, keys: Keys) -> None:
    placed = publish(key=keys.private)
    tag, manifest = signatures(placed)
    item = manifest["layers"][0]
    payload = read_blob(placed.repository, item["digest"])
    good = base64.b64decode(item["annotations"][signature.SIGNATURE])
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), b"", b"not one"):
        item["annotations"][signature.SIGNATURE] = base64.b64encode(bad).decode()
        put_signatures(placed, tag, [item], payload)
        found = verify(placed.reference, keys.public)
        assert states(found)["signature"] == "wrong"
        assert text(found, "signature") == "The signature was changed after it was made."
    item["annotations"] = {signature.SIGNATURE: "%%%"}
    replace_papers(placed)
    put_signatures(placed, tag, [item], payload)
    found = verify(placed.reference, keys.public)
    assert text(found, "signature") == "The signature is by another key, or was changed."


def test_a_swapped_image_under_the_tag(publish: Publish, keys: Keys, make_image: MakeImage) -> None:
    placed = publish(key=keys.private)
    other = make_image("malicious")
    placed.repository.push(other, ["latest"])
    found = verify(placed.reference, keys.public)
    assert states(found) == dict.fromkeys(ALL, "absent")
    assert text(found, "signature") == f"No signature is attached to {other.digest}."
    # With the signature of the good image copied to it:
    _, manifest = signatures(placed)
    payload = read_blob(placed.repository, manifest["layers"][0]["digest"])
    put_signatures(placed, signature.tag_of(other.digest), manifest["layers"], payload)
    found = verify(placed.reference, keys.public)
    assert states(found)["signature"] == "wrong"
    assert text(found, "signature") == (
        f"The signature is by this key but for another image: {placed.image.digest}, "
        f"not {other.digest}."
    )
    # And with its papers:
    listed, statement = papers(placed.image)
    sealed = dsse.seal(statement, key_files.private(keys.private))
    placed.repository.attach(
        [
            Artifact(other.descriptor, CYCLONEDX, listed),
            Artifact(other.descriptor, IN_TOTO, sealed),
        ]
    )
    found = verify(placed.reference, keys.public)
    assert states(found) == {"signature": "wrong", "provenance": "wrong", "SBOM": "absent"}
    assert "by this key but for another image" in text(found, "provenance")
    # The good image is what it was.
    assert verify(named(placed.reference, "v1"), keys.public).ok


def test_something_else_that_the_key_signed(publish: Publish, keys: Keys) -> None:
    placed = publish()
    private = key_files.private(keys.private)
    for payload in (b"{}", b"[]", b"no json", b'{"critical":{"type":"x"}}'):
        sig = base64.b64encode(private.sign(payload)).decode()
        item = BytesBlob(payload, signature.SIMPLE_SIGNING).descriptor.to_dict()
        tag = signature.tag_of(placed.image.digest)
        annotated = {**item, "annotations": {signature.SIGNATURE: sig}}
        put_signatures(placed, tag, [annotated], payload)
        found = verify(placed.reference, keys.public)
        assert states(found)["signature"] == "wrong"
        assert "for another image: unknown" in text(found, "signature")


# Signatures as newer cosigns attach them


def test_a_bundle_is_a_signature_of_its_own(publish: Publish, keys: Keys, tmp_path: Path) -> None:
    placed = publish(key=keys.private)
    put_signatures(placed, signature.tag_of(placed.image.digest), [], b"")
    found = verify(placed.reference, keys.public)
    assert states(found) == dict.fromkeys(ALL, "verified")
    assert text(verify(placed.reference, keys.other_public), "signature") == (
        "The signature is by another key."
    )
    made = bundle.artifact(placed.image.descriptor, key_files.private(keys.private))
    value = json.loads(made.payload.data)
    assert value["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    der = openssl("pkey", "-pubin", "-in", keys.public, "-outform", "DER")
    hint = base64.b64encode(openssl("dgst", "-sha256", "-binary", text=der)).decode()
    assert value["verificationMaterial"] == {"publicKey": {"hint": hint}, "tlogEntries": []}
    payload = base64.b64decode(value["dsseEnvelope"]["payload"])
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": placed.image.digest[7:]}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    encoded = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    (tmp_path / "text").write_bytes(encoded)
    sig = base64.b64decode(value["dsseEnvelope"]["signatures"][0]["sig"])
    (tmp_path / "sig").write_bytes(sig)
    said = openssl(
        *("dgst", "-sha256", "-verify", keys.public),
        *("-signature", tmp_path / "sig", tmp_path / "text"),
    )
    assert said == b"Verified OK\n"


def test_a_bundle_that_is_wrong(publish: Publish, keys: Keys, make_image: MakeImage) -> None:
    placed, private = publish(), key_files.private(keys.private)
    subject = placed.image.descriptor
    good = bundle.artifact(subject, private).payload.data
    other = bundle.artifact(make_image("other").descriptor, private).payload.data
    changed = json.loads(good)
    changed["dsseEnvelope"]["payload"] = json.loads(other)["dsseEnvelope"]["payload"]
    holes = dsse.seal(
        BytesBlob(json.dumps({"predicateType": bundle.PREDICATE}).encode(), IN_TOTO), private
    )
    for data, words in [
        (other, "by this key but for another image"),
        (json.dumps(changed).encode(), "The signature was changed after it was made."),
        (b'{"dsseEnvelope":{}}', "cannot be read: it is not an envelope."),
        (b"{", "The signature cannot be read"),
        (b'{"dsseEnvelope":' + holes.data + b"}", "it names no image."),
    ]:
        replace_papers(placed, Artifact(subject, BUNDLE, BytesBlob(data, BUNDLE)))
        found = verify(placed.reference, keys.public)
        assert states(found)["signature"] == "wrong"
        assert words in text(found, "signature")
    for nothing in (b"{}", b"[]", b'{"messageSignature":{}}'):  # about something else
        replace_papers(placed, Artifact(subject, BUNDLE, BytesBlob(nothing, BUNDLE)))
        assert states(verify(placed.reference, keys.public))["signature"] == "absent"


# What is wrong with the papers


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


# The command


def test_the_command_line_says_it_and_ends_with_14(
    publish: Publish, keys: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    placed = publish(key=keys.private)
    assert cli.main(["verify", placed.reference, "--key", str(keys.public)]) == 0
    said = capsys.readouterr().out
    assert "signature   verified: " in said and "SBOM        verified: " in said
    assert f"@{placed.image.digest}" in said
    assert cli.main(["verify", placed.reference, "--key", str(keys.other_public), "--json"]) == 14
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is False and value["digest"] == placed.image.digest
    assert {check["subject"]: check["state"] for check in value["checks"]} == {
        "signature": "wrong", "provenance": "wrong", "SBOM": "absent",
    }  # fmt: skip
    assert cli.main(["sign", placed.reference, "--key", str(keys.other)]) == 0
    assert "Signed" in capsys.readouterr().out
    assert cli.main(["verify", placed.reference, "--key", str(keys.other_public)]) == 0
    assert cli.main(["verify", placed.reference, "--key", str(keys.private)]) == 2
    assert "private key" in capsys.readouterr().err
    missing = named(placed.reference, "nothing")
    assert cli.main(["verify", missing, "--key", str(keys.public)]) == 9


def test_mistakes_are_refused(publish: Publish, keys: Keys) -> None:
    placed = publish()
    with pytest.raises(NotFoundError):
        sign(named(placed.reference, "nothing"), keys.private)
    with pytest.raises(UsageError, match="public key"):
        sign(placed.reference, keys.public)
    with pytest.raises(UsageError, match="not an image reference"):
        verify("iris", keys.public)
