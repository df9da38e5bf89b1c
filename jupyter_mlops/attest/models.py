"""The words of this room: what an image is made of, and what was found out about it."""

from __future__ import annotations

from typing import Literal

import msgspec

#: Media types: of a CycloneDX SBOM, an in-toto statement, a signed envelope, a Sigstore bundle.
CYCLONEDX = "application/vnd.cyclonedx+json"
IN_TOTO = "application/vnd.in-toto+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """A Python package of an image: the wheels it may come from, and its licenses in words.

    ``sha256`` is that of the wheel that was installed; all that fit, where that is not known.
    ``expression`` is an SPDX license expression, ``licenses`` names where there is none.
    """

    name: str
    version: str
    sha256: list[str]
    expression: str = ""
    licenses: list[str] = []


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """A file by its content: captured weights, a module or a table beside the notebook."""

    name: str
    sha256: str
    size: int
    kind: Literal["model", "data", "code"] = "data"


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """All that an image is made of.

    ``system`` is the distribution of the Debian packages ("debian-12"), ``system_packages`` maps
    each that was added to its version. ``created`` is the image's own time.
    """

    name: str
    generator: str
    created: str
    platform: str
    base_name: str = ""
    base_digest: str = ""
    wheels: list[Wheel] = []
    system: str = ""
    system_packages: dict[str, str] = {}
    captures: list[Data] = []


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What one look came to: ``text`` is a sentence for a person.

    ``platform`` says which image of an index it is about; it is empty for the index itself.
    """

    subject: Literal["signature", "provenance", "SBOM"]
    state: Literal["verified", "absent", "wrong"]
    text: str
    platform: str = ""
