"""What single registries do otherwise than the specification says: a table, matched by host.

A newcomer adds a line here, and a line to ``tests/registry/test_quirks.py``. Registries that are
not listed are taken at their word; what they refuse (``upload.py``) is then done in another way.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    """How to send to the registries whose host (without a port) fits one of ``hosts``."""

    hosts: tuple[str, ...] = ("*",)
    #: Whether a large blob may go in chunks (PATCH), so that a broken upload goes on.
    chunks: bool = True
    #: Where the knowledge is from, and what happens otherwise.
    why: str = ""
    #: What to do where a repository has to be made before the first push.
    create: str = ""


TABLE = (
    Quirks(
        hosts=("ghcr.io",),
        chunks=False,
        why="It answers a PATCH of more than 4 MiB with 416",
    ),
    Quirks(
        hosts=("*.pkg.dev", "gcr.io", "*.gcr.io"),
        chunks=False,
        why="Google's registries take whole blobs only",
    ),
    Quirks(
        hosts=("*.amazonaws.com", "*.amazonaws.com.cn", "public.ecr.aws"),
        chunks=False,
        # A mount needs no line: where an account has not switched it on, it is answered by an
        # upload that is used, so that asking costs nothing.
        why="ECR answers the first chunk with 201, and the next one with 416",
        create="Make it first: aws ecr create-repository --repository-name NAME",
    ),
)
_NONE = Quirks()


def quirks_of(registry: str) -> Quirks:
    """Return what is known of a registry, given as ``host`` or ``host:port``."""
    host = registry.lower().partition(":")[0]
    for item in TABLE:
        if any(fnmatch.fnmatchcase(host, pattern) for pattern in item.hosts):
            return item
    return _NONE
