"""Layers are a pure function of their files."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import layer as layer_module
from jupyter_mlops.image import store as store_module
from jupyter_mlops.image.blob import LAYER_ZSTD, FileBlob
from jupyter_mlops.image.compression import GZIP, PLAIN, ZSTD
from jupyter_mlops.image.layer import (
    Directory,
    Entry,
    Layer,
    Link,
    build_layer,
    remember_layer,
    remembered_layer,
)
from jupyter_mlops.image.reading import DAMAGED, uncompressed
from jupyter_mlops.image.tar import END, TarWriter, header


def content(layer: Layer) -> bytes:
    with layer.blob.open() as chunks:
        return b"".join(chunks)


def members(layer: Layer) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content(layer)))) as archive:
        for item in archive:
            file = archive.extractfile(item) if item.isreg() else None
            assert item.name not in found
            found[item.name] = (item, file.read() if file else b"")
    return found


def test_a_layer_holds_what_it_was_given(tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.write_bytes(b"x" * 3_000_000)
    made = build_layer(
        [
            Entry("b/run", b"#!/bin/sh\n", executable=True),
            Entry("a/deep/file", source),
            Link("a/link", "deep/file"),
            Directory("tmp", 0o1777),
        ],
        kind="code",
        title="t",
        store=tmp_path / "store",
    )
    found = members(made)
    assert list(found) == ["a", "a/deep", "a/deep/file", "a/link", "b", "b/run", "tmp"]
    assert found["a/deep/file"][1] == source.read_bytes()
    assert found["a/link"][0].linkname == "deep/file"
    assert oct(found["b/run"][0].mode) == oct(0o755)
    assert oct(found["a/deep/file"][0].mode) == oct(0o644)
    assert oct(found["tmp"][0].mode) == oct(0o1777)
    for item, _ in found.values():
        assert (item.uid, item.gid, item.uname, item.gname, item.mtime) == (0, 0, "", "", 0)
    raw = gzip.decompress(content(made))
    assert made.diff_id == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert made.descriptor.annotations == {"io.jupyter-mlops.layer": "code"}
    assert replace(made, kind="wheel").descriptor.annotations == {}, "what most layers are"


def test_the_same_files_give_the_same_layer_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = set()
    for number, (mask, zone) in enumerate([(0o022, "UTC"), (0o077, "Asia/Tokyo"), (0, "")]):
        before = os.umask(mask)
        try:
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            place = tmp_path / f"place{number}"
            place.mkdir()
            monkeypatch.chdir(place)
            entries = []
            for name in ("one", "two")[:: 1 if number else -1]:
                (place / name).write_text(name)
                os.utime(place / name, (number, number * 1000))
                entries.append(Entry(f"opt/{name}", Path(name)))
            made = build_layer(entries, kind="code", title="", store=place / "store")
            digests.add((made.descriptor.digest, made.diff_id))
        finally:
            os.umask(before)
    monkeypatch.delenv("TZ")
    time.tzset()
    assert len(digests) == 1


def test_source_date_epoch_is_the_time_of_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [Entry("a/b", b"1")]
    without = build_layer(entries, kind="code", title="", store=tmp_path, key="k")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with_epoch = build_layer(entries, kind="code", title="", store=tmp_path, key="k")
    assert {item.mtime for item, _ in members(with_epoch).values()} == {1700000000}
    assert without.diff_id != with_epoch.diff_id


def test_a_key_saves_the_second_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "file"
    source.write_text("text")
    first = build_layer(
        [Entry("file", source)], kind="wheel", title="w", store=tmp_path / "s", key="wheel:1"
    )
    source.unlink()
    again = build_layer(
        [Entry("file", source)], kind="wheel", title="w", store=tmp_path / "s", key="wheel:1"
    )
    assert again == first
    with pytest.raises(ImageError, match="cannot be read"):
        build_layer(
            [Entry("file", source)], kind="wheel", title="w", store=tmp_path / "s", key="wheel:2"
        )


@pytest.mark.parametrize("damage", ["gone", "short", "record"])
def test_a_damaged_memory_is_built_anew(tmp_path: Path, damage: str) -> None:
    first = build_layer([Entry("f", b"1" * 999)], kind="wheel", title="", store=tmp_path, key="k")
    assert isinstance(first.blob, FileBlob)
    if damage == "gone":
        first.blob.path.unlink()
    elif damage == "short":
        first.blob.path.write_bytes(b"")
    else:
        for record in (tmp_path / "layers").rglob("*.json"):
            record.write_bytes(b"{")
    again = build_layer([Entry("f", b"1" * 999)], kind="wheel", title="", store=tmp_path, key="k")
    assert again == first
    assert content(again)


def test_changed_content_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    made = build_layer([Entry("f", b"1")], kind="code", title="", store=tmp_path)
    assert isinstance(made.blob, FileBlob)
    data = bytearray(made.blob.path.read_bytes())
    data[-1] ^= 1
    made.blob.path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="damaged"):
        content(made)


def test_a_file_that_is_not_its_wheels_is_noted_and_not_remembered(tmp_path: Path) -> None:
    source = tmp_path / "f.py"
    source.write_text("edited")
    entry = Entry("f.py", source, sha256="not-the-hash")
    made = build_layer([entry], kind="wheel", title="", store=tmp_path, key="wheel:a")
    assert made.notes and "f.py" in made.notes[0]
    source.write_text("other")
    again = build_layer([entry], kind="wheel", title="", store=tmp_path, key="wheel:a")
    assert again.diff_id != made.diff_id


@pytest.mark.parametrize("path", ["", "/", "../a", "a/../b", "a//b", "./a", "a\0b"])
def test_unsafe_paths_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ImageError):
        build_layer([Entry(path, b"")], kind="code", title="", store=tmp_path)


def test_doubled_and_contradicting_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="same path"):
        build_layer([Entry("a", b""), Entry("/a", b"")], kind="", title="", store=tmp_path)
    with pytest.raises(ImageError, match="both a file and a folder"):
        build_layer([Entry("a", b""), Entry("a/b", b"")], kind="", title="", store=tmp_path)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, packed: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(layer_module.Packer, "_put", full)
    with pytest.raises(ImageError, match="no space left"):
        build_layer([Entry("a", b"1")], kind="code", title="", store=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_interrupted_build_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_layer([Entry("a", b"1")], kind="code", title="", store=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_big_files_are_streamed(tmp_path: Path) -> None:
    import resource

    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(600 << 20)  # sparse: costs no disk
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    build_layer([Entry("big", big)], kind="weights", title="", store=tmp_path / "s")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 << 10  # KiB


name = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=120,
).filter(lambda text: text not in (".", ".."))
paths = st.lists(name, min_size=1, max_size=4).map("/".join)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(paths, st.binary(max_size=2000), max_size=12))
def test_any_tree_comes_back_from_the_tar(tmp_path: Path, tree: dict[str, bytes]) -> None:
    folders = {"/".join(p.split("/")[:n]) for p in tree for n in range(1, p.count("/") + 1)}
    files = {path: data for path, data in tree.items() if path not in folders}
    made = build_layer(
        [Entry(path, data) for path, data in files.items()], kind="", title="", store=tmp_path
    )
    found = members(made)
    assert {path: data for path, (item, data) in found.items() if item.isreg()} == files


@settings(max_examples=200)
@given(
    name=st.text(
        st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300
    ).filter(lambda text: not text.endswith("/")),
    size=st.integers(0, 1 << 40),
    mtime=st.integers(0, 1 << 34),
)
def test_headers_are_those_that_python_reads(name: str, size: int, mtime: int) -> None:
    block = header(name, size=size, mtime=mtime)
    assert len(block) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(block + END), ignore_zeros=False) as archive:
        item = archive.next()
    assert item is not None
    assert (item.name, item.size, item.mtime) == (name, size, mtime)


def test_a_file_that_changes_its_size_is_noticed() -> None:
    written = bytearray()
    with pytest.raises(ValueError, match="changed its size"):
        TarWriter(written.extend).file("f", 3, iter([b"12"]))
    with pytest.raises(ValueError, match="changed its size"):
        TarWriter(written.extend).file("f", 3, iter([b"1234"]))


def read(made: Layer) -> bytes:
    with made.blob.open() as chunks:
        return b"".join(uncompressed(chunks, made.descriptor.media_type))


def test_every_compression_gives_the_same_layer_back(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(1 << 20) * 3)
    entries = [Entry("a", b"text" * 9999), Entry("b", big)]
    made = [
        build_layer(entries, kind="code", title="", store=tmp_path, key="k", compression=each)
        for each in (GZIP, ZSTD, PLAIN)
    ]
    assert len({layer.diff_id for layer in made}) == 1
    assert len({layer.descriptor.digest for layer in made}) == 3
    assert len({read(layer) for layer in made}) == 1
    again = build_layer(entries, kind="code", title="", store=tmp_path / "x", compression=ZSTD)
    assert again.descriptor == made[1].descriptor


def test_a_cut_zstd_layer_is_damaged(tmp_path: Path) -> None:
    made = build_layer(
        [Entry("a", os.urandom(99_999))], kind="", title="", store=tmp_path, compression=ZSTD
    )
    whole = content(made)
    assert len(b"".join(uncompressed(iter([whole, whole]), LAYER_ZSTD))) > 2 * 99_999
    for broken in (whole[:-9], whole[:50_000], b"nonsense" + whole, b""):
        with pytest.raises(DAMAGED):
            b"".join(uncompressed(iter([broken]), LAYER_ZSTD))


def test_a_layer_can_be_found_by_another_key(tmp_path: Path) -> None:
    made = build_layer([Entry("a", b"1")], kind="pyc", title="t", store=tmp_path, key="content")
    remember_layer(made, "lock", store=tmp_path)
    assert remembered_layer("lock", kind="pyc", title="t", store=tmp_path) == made
    doubtful = replace(made, notes=("not what its package was published with",))
    remember_layer(doubtful, "another lock", store=tmp_path)
    assert remembered_layer("another lock", kind="pyc", title="t", store=tmp_path) is None
