"""Sign an image that is in a registry, and what is attached to it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jupyter_mlops.attest import attached, bundle, dsse, keys, signature
from jupyter_mlops.attest.models import IN_TOTO
from jupyter_mlops.attest.provenance import PREDICATE
from jupyter_mlops.errors import AttestationError
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What was signed; ``key`` is the public key's fingerprint, ``notes`` say what is missing."""

    reference: str
    digest: str
    key: str
    notes: list[str] = []


def sign(reference: str, key: Path) -> Signed:
    """Sign the image under a reference, and the provenance that is attached to it.

    ``key`` is the file of a private key (see ``attest.keys``). Raises ``UsageError`` for the key,
    ``AttestationError`` where it cannot be told which of several provenances is true, and
    ``RegistryError``.
    """
    private = keys.private(key)
    place = Reference.parse(reference)
    repository = open_repository(place)
    found = repository.resolve(place.version)
    notes, papers = [], [bundle.artifact(found, private)]
    provenances = attached.statements(repository, found.digest)
    if len(provenances) > 1:
        raise AttestationError(
            f"{len(provenances)} different provenances are attached to the image",
            why="A signature would vouch for all of them",
            remedy="Publish the notebook again with --key: it signs what it has seen",
            where=str(place),
        )
    if provenances:
        sealed = dsse.seal(BytesBlob(provenances[0], IN_TOTO), private)
        notes_of = {"in-toto.io/predicate-type": PREDICATE}
        papers.append(Artifact(found, IN_TOTO, sealed, notes_of))
    else:
        notes.append("no provenance is attached to it: only the image is signed")
    repository.attach(papers)
    signature.attach(repository, found.digest, place.public_name, private)
    return Signed(
        reference=str(place), digest=found.digest, key=private.public.fingerprint, notes=notes
    )
