"""Which repository of a registry holds which blob, as seen by pushes: the first of a name mounts.

A hint and no more: a registry that cannot mount is sent the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store

#: Blobs remembered per registry; the oldest go first.
MOST = 5000


def _file(registry: str) -> Path:
    name = hashlib.sha256(registry.encode()).hexdigest()[:32]
    return settings.store() / "mounts" / f"{name}.json"


def read(registry: str) -> dict[str, str]:
    """Return digests and the repository of the registry that was seen to hold each."""
    try:
        return msgspec.json.decode(_file(registry).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def remember(registry: str, repository: str, digests: Sequence[str]) -> None:
    """Note that a repository holds blobs."""
    path = _file(registry)
    # A full disk is no reason to fail a push that succeeded.
    with suppress(OSError, ImageError), _store.locked(path.with_suffix(".lock")):
        known = read(registry)
        if all(known.get(digest) for digest in digests):
            return
        for digest in digests:
            known.setdefault(digest, repository)
        kept = dict(list(known.items())[-MOST:])
        _store.write_file(path, msgspec.json.encode(kept))
