"""The store does not grow for ever: what was used least recently goes, and is built again."""

from __future__ import annotations

import os
import time
from pathlib import Path

from jupyter_mlops.image.layer import Entry, Layer, build_layer, remembered_layer
from jupyter_mlops.image.sweep import RECENT, sweep

LONG_AGO = time.time() - 10 * RECENT


def built(store: Path, key: str, used: float) -> Layer:
    """Build a layer of about 100 kB that was last used at a time."""
    content = os.urandom(100_000)
    layer = build_layer([Entry(key, content)], kind="wheel", title=key, store=store, key=key)
    os.utime(place(store, layer), (used, used))
    return layer


def place(store: Path, layer: Layer) -> Path:
    return store / "blobs" / "sha256" / layer.descriptor.digest.removeprefix("sha256:")


def test_the_oldest_use_goes_first(tmp_path: Path) -> None:
    layers = [built(tmp_path, f"k{number}", LONG_AGO + number) for number in range(4)]
    swept = sweep(tmp_path, at_most=250_000)
    assert swept.removed == [layers[1].descriptor.digest, layers[0].descriptor.digest]
    assert (swept.kept, swept.size) == (2, sum(layer.descriptor.size for layer in layers[2:]))
    assert swept.freed == sum(layer.descriptor.size for layer in layers[:2])
    assert [place(tmp_path, layer).exists() for layer in layers] == [False, False, True, True]
    assert len(list((tmp_path / "layers").glob("*/*.json"))) == 2


def test_what_is_found_again_counts_as_used(tmp_path: Path) -> None:
    first = built(tmp_path, "first", LONG_AGO)
    second = built(tmp_path, "second", LONG_AGO + 1)
    assert remembered_layer("first", kind="wheel", title="", store=tmp_path) is not None
    assert sweep(tmp_path, at_most=150_000).removed == [second.descriptor.digest]
    assert place(tmp_path, first).exists()


def test_what_a_publish_may_be_about_to_send_stays(tmp_path: Path) -> None:
    layer = built(tmp_path, "new", time.time())
    assert sweep(tmp_path, at_most=0).removed == []
    assert place(tmp_path, layer).exists()


def test_files_of_killed_processes_go(tmp_path: Path) -> None:
    built(tmp_path, "k", LONG_AGO)
    old, new = (tmp_path / "blobs" / "sha256" / f".tmp-1-{name}" for name in ("old", "new"))
    old.write_bytes(b"x" * 9)
    new.write_bytes(b"y")
    os.utime(old, (LONG_AGO, LONG_AGO))
    swept = sweep(tmp_path)
    assert (swept.removed, swept.freed) == ([], 9)
    assert not old.exists() and new.exists()


def test_what_went_is_built_again(tmp_path: Path) -> None:
    entry = Entry("a", b"1" * 999)
    first = build_layer([entry], kind="wheel", title="", store=tmp_path, key="k")
    os.utime(place(tmp_path, first), (LONG_AGO, LONG_AGO))
    assert sweep(tmp_path, at_most=0).kept == 0
    again = build_layer([entry], kind="wheel", title="", store=tmp_path, key="k")
    assert again == first and place(tmp_path, again).exists()


def test_there_need_not_be_a_store(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none").kept == 0
