"""Give back the space of what nobody uses: environments of locks, and layers of the store."""

from __future__ import annotations

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.environment import prune as environments
from jupyter_mlops.environment.prune import Pruned
from jupyter_mlops.image import sweep as layers
from jupyter_mlops.image.sweep import Swept


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What went and what stays, by kind."""

    environments: Pruned
    layers: Swept


def prune(*, keep: int = environments.KEEP, at_most: int = layers.AT_MOST) -> Freed:
    """Remove environments beyond ``keep`` in number, and layers beyond ``at_most`` bytes.

    The ones used least recently go; none that a process holds, no layer that was used within a
    day. What goes is made again when it is needed.
    """
    return Freed(
        environments=environments.prune(keep),
        layers=layers.sweep(settings.store(), at_most=at_most),
    )
