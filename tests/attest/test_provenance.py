"""The provenance: an in-toto statement, the same each time, and its envelope."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.attest import dsse, provenance, sbom
from jupyter_mlops.attest import keys as key_files
from jupyter_mlops.attest.models import IN_TOTO
from tests.attest.conftest import BUILD, CONTENTS
from tests.fixtures_keys import Keys, openssl

DIGEST = f"sha256:{'d' * 64}"
SBOM = sbom.write(CONTENTS)
STATEMENT = provenance.write(DIGEST, CONTENTS, BUILD, SBOM)


def test_it_says_what_the_specifications_ask_for() -> None:
    value = json.loads(STATEMENT.data)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://slsa.dev/provenance/v1"
    assert value["subject"] == [{"name": "iris", "digest": {"sha256": "d" * 64}}]
    definition, details = value["predicate"]["buildDefinition"], value["predicate"]["runDetails"]
    assert definition["buildType"].startswith("https://")
    assert definition["externalParameters"] == BUILD.external
    assert definition["internalParameters"] == BUILD.internal
    known = [
        item["digest"]["sha256"] for item in definition["resolvedDependencies"] if "digest" in item
    ]
    assert known == ["4" * 64, "5" * 64, "b" * 64, "6" * 64], "wheels are in lock and SBOM"
    # A ResourceDescriptor has at least one of uri, digest and content.
    every = [*definition["resolvedDependencies"], *details["byproducts"]]
    assert all({"uri", "digest"} & set(item) for item in every)
    assert details["builder"]["id"].startswith("https://")
    assert details["builder"]["version"] == {"jupyter-mlops": "1.2.3"}
    assert details["byproducts"][0]["digest"]["sha256"] == SBOM.descriptor.digest[7:]


def test_it_is_the_same_each_time_and_reads_back() -> None:
    assert provenance.write(DIGEST, CONTENTS, BUILD, SBOM) == STATEMENT
    found = provenance.read(STATEMENT.data)
    assert found == provenance.Statement(subjects=[DIGEST], sboms=[SBOM.descriptor.digest])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"_type":"https://in-toto.io/Statement/v1","predicateType":"x"}',
        b"\xff",
    ],
)
def test_something_else_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        provenance.read(text)


@pytest.mark.parametrize("hole", ["subject", "predicate"])
def test_holes_are_no_subjects(hole: str) -> None:
    for filling in (None, 1, "x", [1, {"digest": 3}], {"runDetails": {"byproducts": [7]}}):
        value = {**json.loads(STATEMENT.data), hole: filling}
        found = provenance.read(json.dumps(value).encode())
        assert not (found.subjects if hole == "subject" else found.sboms)


def test_an_envelope_is_what_dsse_says(keys: Keys, tmp_path: Path) -> None:
    private = key_files.private(keys.private)
    sealed = dsse.seal(STATEMENT, private)
    assert sealed == dsse.seal(STATEMENT, private), "no chance is in a signature"
    value = json.loads(sealed.data)
    assert base64.b64decode(value["payload"]) == STATEMENT.data
    # Another program, and the encoding written down a second time.
    text = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(STATEMENT.data)).encode()
    (tmp_path / "text").write_bytes(text + b" " + STATEMENT.data)
    (tmp_path / "sig").write_bytes(base64.b64decode(value["signatures"][0]["sig"]))
    said = openssl(
        *("dgst", "-sha256", "-verify", keys.public),
        *("-signature", tmp_path / "sig", tmp_path / "text"),
    )
    assert said == b"Verified OK\n"


def test_only_the_right_key_and_the_same_payload_verify(keys: Keys) -> None:
    public, other = key_files.public(keys.public), key_files.public(keys.other_public)
    opened = dsse.open_(dsse.seal(STATEMENT, key_files.private(keys.private)).data)
    assert opened.is_signed_by(public) and not opened.is_signed_by(other)
    assert opened.keys == [public.fingerprint] and opened.payload_type == IN_TOTO
    for change in ({"payload": opened.payload + b" "}, {"payload_type": "x"}, {"signatures": []}):
        assert not msgspec.structs.replace(opened, **change).is_signed_by(public)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"payload":"!","payloadType":"x","signatures":[]}', b"[" * 10000]
)
def test_what_is_no_envelope_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        dsse.open_(text)
