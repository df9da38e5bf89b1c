"""Which packages share a layer: heavy ones have their own, the light ones one bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jupyter_mlops.image.compression import GZIP, Compression
from jupyter_mlops.image.distributions import Distribution
from jupyter_mlops.image.layer import Entry, Layer, build_layer
from jupyter_mlops.image.shelf import Shelf

#: A package of this many bytes, unpacked, has a layer of its own.
HEAVY = 1 << 20
#: Layers of a whole image, its base included: engines mount at most about 120.
MOST_LAYERS = 100

#: Changes when the same packages would be divided otherwise.
LAYOUT = "1"

# Nodes reuse unpacked layers only as a common beginning, so what most publications have comes
# first, whatever else is added. The order is part of the format: only append to it.
_RANK = (
    "numpy", "scipy", "scikit-learn", "skops", "pandas", "ipython", "jedi", "pygments", "uvloop",
    "debugpy", "zmq", "pyzmq", "tornado", "sqlalchemy", "pyarrow", "pillow", "matplotlib",
    "fonttools", "lightgbm", "xgboost", "nvidia-nccl-cu12", "torch", "triton", "torchvision",
    "transformers", "tokenizers", "tensorflow", "keras", "jax", "jaxlib", "statsmodels", "numba",
    "llvmlite", "polars", "duckdb", "networkx", "sympy",
)  # fmt: skip
_ORDER = {name: rank for rank, name in enumerate(_RANK)}


@dataclass(frozen=True)
class Group:
    """The packages of one layer; ``key`` names its content, or is None when a hash is missing."""

    kind: Literal["wheel", "bundle"]
    title: str
    distributions: tuple[Distribution, ...]
    entries: tuple[Entry, ...]
    key: str | None

    @property
    def size(self) -> int:
        """Bytes of all files, uncompressed."""
        return sum(distribution.size for distribution in self.distributions)


@dataclass(frozen=True)
class Partition:
    """Groups in the order of their layers, and what the user should know."""

    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()


def partition(
    distributions: Iterable[Distribution], *, reserved: int = 20, heavy: int = HEAVY
) -> Partition:
    """Divide packages into layers; the result depends on the set given only, not on its order.

    ``reserved`` layers of ``MOST_LAYERS`` are left to the base and to what comes on top. Two
    packages that own the same file share a layer, where the later by name wins, with a note.
    """
    every = sorted(distributions, key=lambda distribution: distribution.name)
    together, notes = _sharing(every)
    own = [group for group in together if sum(item.size for item in group) >= heavy]
    room = max(1, MOST_LAYERS - reserved - 1)
    own = sorted(own, key=lambda group: (-sum(item.size for item in group), group[0].name))[:room]
    own.sort(key=_rank)
    alone = {item.name for group in own for item in group}
    rest = [item for item in every if item.name not in alone]
    groups = [_group("wheel", group) for group in own]
    if rest:
        groups.append(_group("bundle", rest))
    return Partition(tuple(groups), tuple(notes))


def build_layers(
    division: Partition,
    *,
    store: Path,
    compression: Compression = GZIP,
    shelf: Shelf | None = None,
) -> list[Layer]:
    """Build every group's layer, or take it from ``store`` or ``shelf``; several at a time."""

    def build(group: Group) -> Layer:
        return build_layer(
            group.entries,
            kind=group.kind,
            title=group.title,
            store=store,
            key=group.key,
            compression=compression,
            shelf=shelf,
        )

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(build, division.groups))


def _rank(group: Sequence[Distribution]) -> tuple[int, str]:
    return min((_ORDER.get(item.name, len(_RANK)), item.name) for item in group)


def _sharing(every: Sequence[Distribution]) -> tuple[list[list[Distribution]], list[str]]:
    """Join packages that own a common path; return the groups and a note per pair."""
    groups = {item.name: [item] for item in every}
    owner: dict[str, str] = {}
    pairs: dict[tuple[str, str], list[str]] = {}
    for item in every:
        for entry in item.files:
            first = owner.setdefault(entry.path, item.name)
            if first == item.name:
                continue
            pairs.setdefault((first, item.name), []).append(entry.path)
            owner[entry.path] = item.name
            if groups[first] is not groups[item.name]:
                joined = groups[first]
                joined.extend(groups[item.name])
                for member in list(groups[item.name]):
                    groups[member.name] = joined
    notes = [
        f"packages {first} and {second} both hold {paths[0]}"
        + (f" and {len(paths) - 1} more files" if len(paths) > 1 else "")
        + f"; the one of {second} is used"
        for (first, second), paths in pairs.items()
    ]
    unique = {id(group): group for group in groups.values()}
    return [sorted(group, key=lambda item: item.name) for group in unique.values()], notes


def _group(kind: Literal["wheel", "bundle"], members: Sequence[Distribution]) -> Group:
    entries = {entry.path: entry for item in members for entry in item.files}
    complete = all(item.sha256 for item in members)
    key = "|".join(f"{item.name}=={item.version}:{item.sha256}" for item in members)
    title = " ".join(f"{item.name}=={item.version}" for item in members)
    if kind == "bundle":
        title = f"{len(members)} small packages"
    return Group(
        kind,
        title,
        tuple(members),
        tuple(entries[path] for path in sorted(entries)),
        f"site:{key}" if complete else None,
    )
