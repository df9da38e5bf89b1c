"""Weights as layers: each big file alone, and as it is where compression saves nothing."""

from __future__ import annotations

from pathlib import Path

from jupyter_mlops.image import contents
from jupyter_mlops.image.compression import GZIP, PLAIN, Compression, is_worth_it
from jupyter_mlops.image.layer import Layer, build_layer

#: The folder of a publication that holds them; each file is named by its SHA-256.
FOLDER = "weights"
OWN_LAYER = 64 << 20  # bytes from which a file gets a layer of its own
_SAMPLE = 1 << 20


def weights_layers(root: Path, *, store: Path, compression: Compression = GZIP) -> list[Layer]:
    """Return the layers of a publication's weights, big files first; none without weights.

    A megabyte out of the middle of a big file tells whether compression is worth its time.
    """
    files = sorted((root / FOLDER).glob("*")) if (root / FOLDER).is_dir() else []
    big = [path for path in files if path.stat().st_size >= OWN_LAYER]
    layers = [
        build_layer(
            contents.entries(root, [f"{FOLDER}/{path.name}"]),
            kind="weights",
            title=path.name,
            store=store,
            key=f"weights {path.name}",
            compression=compression if is_worth_it(_sample(path)) else PLAIN,
        )
        for path in big
    ]
    small = [f"{FOLDER}/{path.name}" for path in files if path not in big]
    if small:
        entries = contents.entries(root, small)
        layers.append(
            build_layer(
                entries, kind="weights", title="weights", store=store, compression=compression
            )
        )
    return layers


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        return file.read(_SAMPLE)
