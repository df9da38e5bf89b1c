"""Sign an image that is in a registry, and what is attached to it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jupyter_mlops.attest import attached, bundle, dsse, keys, signature
from jupyter_mlops.attest.keys import PrivateKey
from jupyter_mlops.attest.models import IN_TOTO
from jupyter_mlops.attest.provenance import PREDICATE
from jupyter_mlops.errors import AttestationError
from jupyter_mlops.image import platforms
from jupyter_mlops.image.blob import BytesBlob, Descriptor
from jupyter_mlops.image.referrers import Artifact
from jupyter_mlops.image.repository import Repository
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

    Of an index, the image of each platform is signed so, and then the index itself. ``key`` is
    the file of a private key (see ``attest.keys``). Raises ``UsageError`` for the key,
    ``AttestationError`` where it cannot be told which of several provenances is true, and
    ``RegistryError``.
    """
    private = keys.private(key)
    place = Reference.parse(reference)
    repository = open_repository(place)
    found = repository.resolve(place.version)
    _, manifest = repository.manifest(found.digest)
    images, names = [found], [""]
    if platforms.is_index(manifest):
        offers = platforms.offers(manifest)
        images = [repository.resolve(offer.manifest.digest) for offer in offers]
        names = [f"{offer.platform}: " for offer in offers]
    papers = [_provenance(repository, image, private, place) for image in images]
    for image, sealed in zip(images, papers, strict=True):
        _attach(repository, image, sealed, private, place)
    if found not in images:
        _attach(repository, found, [], private, place)
    notes = [
        f"{name}no provenance is attached to it: only the image is signed"
        for name, sealed in zip(names, papers, strict=True)
        if not sealed
    ]
    return Signed(
        reference=str(place), digest=found.digest, key=private.public.fingerprint, notes=notes
    )


def _provenance(
    repository: Repository, image: Descriptor, key: PrivateKey, place: Reference
) -> list[Artifact]:
    """Return the provenance of an image, sealed; none where it has none."""
    provenances = attached.statements(repository, image.digest)
    if len(provenances) > 1:
        raise AttestationError(
            f"{len(provenances)} different provenances are attached to the image",
            why="A signature would vouch for all of them",
            remedy="Publish the notebook again with --key: it signs what it has seen",
            where=str(place),
        )
    about = {"in-toto.io/predicate-type": PREDICATE}
    return [
        Artifact(image, IN_TOTO, dsse.seal(BytesBlob(text, IN_TOTO), key), about)
        for text in provenances
    ]


def _attach(
    repository: Repository,
    subject: Descriptor,
    papers: list[Artifact],
    key: PrivateKey,
    place: Reference,
) -> None:
    """Sign an image or an index in both forms, and attach what else is signed with it."""
    repository.attach([bundle.artifact(subject, key), *papers])
    signature.attach(repository, subject.digest, place.public_name, key)
