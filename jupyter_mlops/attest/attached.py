"""The papers of an image, SBOM and provenance: attached to it, read back, held against it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from jupyter_mlops.attest import bundle, dsse, provenance
from jupyter_mlops.attest.keys import PrivateKey, PublicKey
from jupyter_mlops.attest.models import CYCLONEDX, ENVELOPE, IN_TOTO, Check
from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image.blob import BytesBlob, Descriptor
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.image.repository import Repository, read_blob

#: Bytes of an SBOM or a provenance that are read.
_MOST = 32 << 20
CREATED = "org.opencontainers.image.created"


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One attached paper: ``problem`` says why it does not count."""

    digest: str
    media_type: str
    data: bytes = b""
    problem: str = ""


def artifacts(
    subject: Descriptor,
    sbom: BytesBlob,
    statement: BytesBlob,
    created: str,
    key: PrivateKey | None = None,
) -> list[Artifact]:
    """Return what is attached to an image: SBOM and provenance.

    With a key the provenance is sealed, and the image signed by a bundle (see ``bundle``).
    """
    sealed = dsse.seal(statement, key) if key else statement
    signed = [bundle.artifact(subject, key)] if key else []
    notes = {CREATED: created}
    about = {**notes, "in-toto.io/predicate-type": provenance.PREDICATE}
    return [
        Artifact(subject, CYCLONEDX, sbom, notes),
        Artifact(subject, IN_TOTO, sealed, about),
        *signed,
    ]


def read(repository: Repository, digest: str, artifact_type: str) -> list[Paper]:
    """Return the papers of one type that are attached to an image, each verified by its digest."""
    return [
        _read(repository, digest, item.manifest.digest)
        for item in repository.referrers(digest)
        if item.artifact_type == artifact_type
    ]


def _read(repository: Repository, subject: str, digest: str) -> Paper:
    try:
        _, manifest = repository.manifest(digest)
        found = Descriptor.from_dict((manifest.get("layers") or [{}])[0])
        named = manifest.get("subject")
        of = str(named.get("digest")) if isinstance(named, dict) else "none"
        problem = "" if of == subject else f"it names another image as its subject: {of}."
        data = read_blob(repository, found.digest, _MOST)
    except RegistryError as error:
        return Paper(digest=digest, media_type="", problem=str(error))
    return Paper(digest=found.digest, media_type=found.media_type, data=data, problem=problem)


def statements(repository: Repository, digest: str) -> list[bytes]:
    """Return the different provenances of an image, sealed or not; nothing is verified."""
    found = []
    for paper in read(repository, digest, IN_TOTO):
        try:
            text = dsse.open_(paper.data).payload if paper.media_type == ENVELOPE else paper.data
            told = provenance.read(text)
        except ValueError:
            continue
        if not paper.problem and digest in told.subjects and text not in found:
            found.append(text)
    return found


def check(repository: Repository, digest: str, key: PublicKey) -> list[Check]:
    """Say whether provenance and SBOM are there, and whether a key vouches for them.

    The key vouches for the provenance, and that names the SBOM by its digest.
    """
    try:
        provenances = read(repository, digest, IN_TOTO)
        sboms = read(repository, digest, CYCLONEDX)
    except RegistryError as error:
        text = f"What is attached to the image cannot be read: {error}"
        return [_check("provenance", "wrong", text), _check("SBOM", "wrong", text)]
    looked = [_provenance(paper, digest, key) for paper in provenances]
    best = _best([item for item, _ in looked])
    if best is None:
        best = _check("provenance", "absent", f"No provenance is attached to {digest}.")
    named = [name for item, names in looked if item.state == "verified" for name in names]
    seen = _best([_sbom(paper, named, best) for paper in sboms])
    if seen is None:
        state: Any = "wrong" if named else "absent"
        missing = f"No SBOM is attached to {digest}."
        if named:
            missing = f"The SBOM that the provenance names is not attached: {named[0]}."
        seen = _check("SBOM", state, missing)
    return [best, seen]


def _provenance(paper: Paper, digest: str, key: PublicKey) -> tuple[Check, list[str]]:
    """Look at one provenance; return also the digests of the SBOMs that it names."""
    if paper.problem:
        return _wrong(f"The provenance does not count: {paper.problem}"), []
    if paper.media_type != ENVELOPE:
        text = "The provenance is not signed, so nothing vouches for it."
        return _check("provenance", "absent", text), []
    try:
        envelope = dsse.open_(paper.data)
        if not envelope.is_signed_by(key):
            if key.fingerprint in envelope.keys:
                return _wrong("The provenance was changed after it was signed."), []
            return _wrong("The provenance is signed by another key."), []
        if envelope.payload_type != IN_TOTO:
            return _wrong(f"What is signed is no provenance but {envelope.payload_type}."), []
        told = provenance.read(envelope.payload)
    except ValueError as error:
        return _wrong(f"The provenance cannot be read: {error}."), []
    if digest not in told.subjects:
        others = ", ".join(told.subjects) or "none"
        return _wrong(f"The provenance is by this key but for another image: {others}."), []
    text = "The provenance is for this image and signed by this key."
    return _check("provenance", "verified", text), told.sboms


def _sbom(paper: Paper, named: list[str], about: Check) -> Check:
    if paper.problem:
        return _check("SBOM", "wrong", f"The SBOM does not count: {paper.problem}")
    try:
        is_one = json.loads(paper.data).get("bomFormat") == "CycloneDX"
    except (ValueError, AttributeError, RecursionError):
        is_one = False
    if not is_one:
        return _check("SBOM", "wrong", "The attached SBOM is not CycloneDX.")
    if paper.digest in named:
        return _check("SBOM", "verified", "The SBOM is the one that the signed provenance names.")
    if about.state == "verified":
        return _check("SBOM", "wrong", "The SBOM is not the one that the signed provenance names.")
    text = "The SBOM is there, but no provenance that this key signed names it."
    return _check("SBOM", "absent", text)


def _best(checks: list[Check]) -> Check | None:
    """Return what counts of several: anybody may attach more, which takes nothing away."""
    order = ("verified", "wrong", "absent")
    return min(checks, key=lambda item: order.index(item.state), default=None)


def _wrong(text: str) -> Check:
    return _check("provenance", "wrong", text)


def _check(subject: Any, state: Any, text: str) -> Check:
    return Check(subject=subject, state=state, text=text)
