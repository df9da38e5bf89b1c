"""Weights: big files alone, and as they are where compression saves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_mlops.image import weights
from jupyter_mlops.image.blob import LAYER_GZIP, LAYER_TAR, LAYER_ZSTD
from jupyter_mlops.image.compression import GZIP, ZSTD, Compression
from jupyter_mlops.image.weights import weights_layers


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(weights, "OWN_LAYER", 1 << 20)
    folder = tmp_path / "publication" / "weights"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(os.urandom(3 << 20))
    (folder / "b.bin").write_bytes(b"0123456789abcdef" * (1 << 17))
    (folder / "c.bin").write_bytes(b"small")
    (folder / "d.bin").write_bytes(b"small, too")
    return folder.parent


@pytest.mark.parametrize(("compression", "kind"), [(GZIP, LAYER_GZIP), (ZSTD, LAYER_ZSTD)])
def test_each_big_file_alone(
    root: Path, tmp_path: Path, compression: Compression, kind: str
) -> None:
    layers = weights_layers(root, store=tmp_path / "store", compression=compression)
    assert [(layer.title, layer.descriptor.media_type) for layer in layers] == [
        ("a.bin", LAYER_TAR), ("b.bin", kind), ("weights", kind),
    ]  # fmt: skip
    plain, packed, _ = layers
    assert plain.diff_id == plain.descriptor.digest and plain.descriptor.size > 3 << 20
    assert packed.descriptor.size < 1 << 20


def test_without_weights_there_is_no_layer(tmp_path: Path) -> None:
    assert weights_layers(tmp_path, store=tmp_path / "store") == []
