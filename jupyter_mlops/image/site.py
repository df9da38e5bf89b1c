"""The packages of an environment as layers; the same lock finds them again at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from jupyter_mlops.image import store as _store
from jupyter_mlops.image.compression import GZIP, Compression
from jupyter_mlops.image.distributions import read_distributions
from jupyter_mlops.image.layer import Layer, full_key, remembered_layer
from jupyter_mlops.image.partition import LAYOUT, build_layers, partition
from jupyter_mlops.image.shelf import Shelf


class _Group(msgspec.Struct, frozen=True):
    """One layer: what it is called, and the key that it is remembered by."""

    kind: str
    title: str
    key: str


class _Division(msgspec.Struct, frozen=True, kw_only=True):
    """How the packages of a lock were divided into layers, and what was said about it."""

    key: str
    groups: list[_Group]
    notes: list[str]


def site_layers(
    site: Path,
    hashes: Callable[[], Mapping[str, str]],
    *,
    key: str,
    store: Path,
    compression: Compression = GZIP,
    shelf: Shelf | None = None,
) -> tuple[list[Layer], list[str]]:
    """Return the layers of the packages in ``site``, and what the user should know of them.

    ``key`` names all that the packages depend on: a lock's hash and the Python. Layers that were
    built for it before, here or (``shelf``) by others, are found by it alone: nothing is read,
    packed or compressed. ``hashes`` gives the sha256 of each package's wheel. Raises ImageError,
    as ``read_distributions`` does.
    """
    full = full_key(f"packages {LAYOUT} {key}", compression)
    known = _recall(store, full, compression, shelf)
    if known is not None:
        return known
    found = shelf.find(full) if shelf else None
    if found:
        return found, []
    division = partition(read_distributions(site, hashes()))
    layers = build_layers(division, store=store, compression=compression, shelf=shelf)
    notes = [*division.notes, *(note for layer in layers for note in layer.notes)]
    if all(group.key for group in division.groups) and not any(layer.notes for layer in layers):
        groups = [_Group(group.kind, group.title, group.key or "") for group in division.groups]
        made = _Division(key=full, groups=groups, notes=list(division.notes))
        _store.write_file(_place(store, full), msgspec.json.encode(made))
        _offer(shelf, made, layers, compression)
    return layers, notes


def _recall(
    store: Path, key: str, compression: Compression, shelf: Shelf | None
) -> tuple[list[Layer], list[str]] | None:
    try:
        found = msgspec.json.decode(_place(store, key).read_bytes(), type=_Division)
    except (OSError, msgspec.MsgspecError):
        return None
    layers = [
        remembered_layer(
            group.key, kind=group.kind, title=group.title, store=store, compression=compression
        )
        for group in found.groups
    ]
    complete = [layer for layer in layers if layer is not None]
    if found.key != key or len(complete) != len(layers):
        return None
    _offer(shelf, found, complete, compression)
    return complete, found.notes


def _offer(
    shelf: Shelf | None, division: _Division, layers: list[Layer], compression: Compression
) -> None:
    """Offer all layers of a lock at once (with notes, which would be lost, not), and each one."""
    if shelf is None:
        return
    for group, layer in zip(division.groups, layers, strict=True):
        shelf.put(full_key(group.key, compression), [layer])
    if not division.notes:
        shelf.put(division.key, layers)


def _place(store: Path, key: str) -> Path:
    name = hashlib.sha256(key.encode()).hexdigest()
    return store / "packages" / name[:2] / f"{name}.json"
