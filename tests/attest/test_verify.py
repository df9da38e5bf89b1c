"""Verification: what is right passes, and a signature that is not has one clear sentence."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from jupyter_mlops import cli
from jupyter_mlops.attest import bundle, dsse, signature
from jupyter_mlops.attest import keys as key_files
from jupyter_mlops.attest.models import BUNDLE, CYCLONEDX, IN_TOTO
from jupyter_mlops.errors import NotFoundError, UsageError
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.image.repository import read_blob
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.sign import sign
from jupyter_mlops.verify import verify
from tests.attest.conftest import Publish, named, papers
from tests.attest.forging import ALL, put_signatures, replace_papers, signatures, states, text
from tests.fixtures_keys import PASSPHRASE, Keys, openssl
from tests.fixtures_registry import MakeImage

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
