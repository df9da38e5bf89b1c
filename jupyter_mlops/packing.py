"""Making a lock's packages into layers, from the moment the lock is known.

They depend on nothing that the verified run comes to, so they are packed beside it.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field

from jupyter_mlops import settings
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.verify import Environment, installed_hashes
from jupyter_mlops.image.compression import GZIP, Compression
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.shelf import Shelf
from jupyter_mlops.image.site import site_layers

#: The layers of a lock's packages, and what the user should know of them.
Packed = tuple[list[Layer], list[str]]


@dataclass
class _Begun:
    thread: threading.Thread
    found: list[Packed]


@dataclass(frozen=True)
class Packing:
    """How a publish makes layers: compressed in one way, or taken from what others have packed."""

    compression: Compression = GZIP
    shelf: Shelf | None = None
    _begun: dict[str, _Begun] = field(default_factory=dict)

    def begin(self, environment: Environment, lock: Lock) -> None:
        """Begin to pack a lock's packages; returns at once.

        Whoever fails meanwhile need not wait for it. What was packed is found by the next publish.
        """
        found: list[Packed] = []

        def pack() -> None:
            # What fails here is tried again where it is needed, and told there.
            with suppress(Exception):
                found.append(self._pack(environment, lock))

        thread = threading.Thread(target=pack, name="pack", daemon=True)
        self._begun[lock.sha256] = _Begun(thread, found)
        thread.start()

    def packages(self, environment: Environment, lock: Lock) -> Packed:
        """Return the layers of a lock's packages; raises ``ImageError`` as ``site_layers`` does."""
        begun = self._begun.pop(lock.sha256, None)
        if begun:
            begun.thread.join()
            if begun.found:
                return begun.found[0]
        return self._pack(environment, lock)

    def _pack(self, environment: Environment, lock: Lock) -> Packed:
        return site_layers(
            environment.site_packages,
            lambda: installed_hashes(environment, lock),
            key=f"{lock.sha256} {environment.version()}",
            store=settings.store(),
            compression=self.compression,
            shelf=self.shelf,
        )
