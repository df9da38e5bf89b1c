"""Verify an image before it is trusted: its signature, and what is attached to it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from jupyter_mlops.attest import attached, keys, signature
from jupyter_mlops.attest.models import Check
from jupyter_mlops.image import platforms
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification came to; ``ok`` only if every check is ``verified``.

    ``pinned`` names exactly the image that was looked at; ``key`` is the key's fingerprint.
    """

    reference: str
    pinned: str
    digest: str
    key: str
    ok: bool
    checks: list[Check]


def verify(reference: str, key: Path) -> Verification:
    """Hold the image under a reference against a public key.

    Its signature must be by the key and for the digest, its provenance sealed by the key, and its
    SBOM the one that the provenance names. Of an index, that holds for the image of each platform,
    and the index must be signed, too. Raises ``UsageError`` for the key or the reference,
    ``RegistryError`` where the image cannot be had.
    """
    public = keys.public(key)
    place = Reference.parse(reference)
    repository = open_repository(place)
    # A digest that is asked for is held against the content, whatever the registry says.
    found, manifest = repository.manifest(place.version)
    digest, checks = found.digest, [signature.check(repository, found.digest, public)]
    if not platforms.is_index(manifest):
        checks += attached.check(repository, digest, public)
    for offer in platforms.offers(manifest):
        image = repository.manifest(offer.manifest.digest)[0].digest
        checks += [
            msgspec.structs.replace(check, platform=offer.platform)
            for check in (
                signature.check(repository, image, public),
                *attached.check(repository, image, public),
            )
        ]
    return Verification(
        reference=str(place),
        pinned=str(place.with_digest(digest)),
        digest=digest,
        key=public.fingerprint,
        ok=all(check.state == "verified" for check in checks),
        checks=checks,
    )
