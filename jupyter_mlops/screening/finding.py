"""A secret that was found: where, of what kind, and never the secret itself."""

from __future__ import annotations

import hashlib

import msgspec

#: So many characters at the beginning are shown: the service's prefix, for a person to find it.
SHOWN = 4


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A secret in a text. ``where`` is a place for a person ("cell 3", "tools.py"), ``line``
    counts from 1 there; ``shown`` is the secret's beginning; ``fingerprint`` names it without
    telling it, the same wherever it stands.
    """

    kind: str
    where: str
    line: int
    shown: str
    fingerprint: str


def found(kind: str, secret: str, where: str, line: int) -> Finding:
    """Return what is kept of a secret."""
    digest = hashlib.sha256(b"jupyter-mlops secret\0" + secret.encode("utf-8", "replace"))
    return Finding(
        kind=kind,
        where=where,
        line=line,
        shown=f"{secret[:SHOWN]}…" if len(secret) >= 4 * SHOWN else "…",
        fingerprint=digest.hexdigest()[:12],
    )
