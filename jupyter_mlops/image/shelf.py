"""Layers that others built: what a build asks before it packs anything itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jupyter_mlops.image.layer import Layer


class Shelf(Protocol):
    """Finds layers by the key of all that their bytes depend on (``layer.full_key``)."""

    def find(self, key: str) -> list[Layer] | None:
        """Return the layers under a key, if somebody who is trusted put them there."""
        ...

    def put(self, key: str, layers: Sequence[Layer]) -> None:
        """Offer layers that were built here, so that others need not."""
        ...
