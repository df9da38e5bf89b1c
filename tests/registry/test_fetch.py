"""Unpacking: only our layers, only below the prefix, nothing unsafe, all or nothing."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import multiprocessing
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image import store
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import LAYER_GZIP, Descriptor, FileBlob
from jupyter_mlops.image.layer import Entry, Layer, Link, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import ImageConfig, build_image
from jupyter_mlops.registry import fetch
from jupyter_mlops.registry.fetch import read_files, unpack
from tests.fixtures_registry import MakeImage


def push(tmp_path: Path, layers: list[Layer]) -> Layout:
    base = build_layer([Entry("usr/bin/x", b"")], kind="base", title="", store=tmp_path / "store")
    layout = Layout(tmp_path / "layout", "iris")
    layout.push(build_image(Base("b", "", (base,), {}), layers, ImageConfig()), ["v1"])
    return layout


def test_what_was_added_to_the_base_is_unpacked(tmp_path: Path) -> None:
    def layer(kind: str, *entries: Entry | Link) -> Layer:
        return build_layer(list(entries), kind=kind, title="", store=tmp_path / "store")

    big = os.urandom(3_000_000)
    layout = push(
        tmp_path,
        [
            layer("wheel", Entry("opt/mlops/site/a/x.py", b"1"), Link("opt/mlops/site/b", "a")),
            layer("bundle", Entry("opt/mlops/site/c/y.py", b"2"), Entry("etc/other", b"no")),
            layer("weights", Entry("opt/mlops/weights/w", big)),
            layer("code", Entry("opt/mlops/run", b"#!", executable=True)),
        ],
    )
    root = unpack(layout, "v1", tmp_path / "unpacked")
    assert (
        root == tmp_path / "unpacked" / layout.resolve("v1").digest.replace(":", "-") / "opt/mlops"
    )
    files = sorted(
        str((Path(folder) / name).relative_to(root))
        for folder, _, names in os.walk(root)
        for name in names
    )
    assert files == ["run", "site/a/x.py", "site/c/y.py", "weights/w"]
    assert (root / "site/b/x.py").read_bytes() == b"1"
    assert (root / "weights/w").read_bytes() == big
    assert os.access(root / "run", os.X_OK) and not os.access(root / "site/a/x.py", os.X_OK)
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == [root.parent.parent.name]
    assert not list(root.parent.parent.rglob("etc"))


def test_the_second_call_reads_nothing(tmp_path: Path, make_image: MakeImage) -> None:
    layout = Layout(tmp_path / "l", "iris")
    layout.push(make_image(), ["v1"])
    root = unpack(layout, "v1", tmp_path / "u")
    digest = layout.resolve("v1").digest
    (tmp_path / "l" / "index.json").unlink()
    assert unpack(layout, digest, tmp_path / "u") == root


def hostile(tmp_path: Path, *members: tarfile.TarInfo, name: str = "code") -> Layer:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    packed = gzip.compress(data.getvalue())
    digest = f"sha256:{hashlib.sha256(packed).hexdigest()}"
    path = store.blob_path(tmp_path / "store", digest)
    store.write_file(path, packed)
    descriptor = Descriptor(media_type=LAYER_GZIP, digest=digest, size=len(packed))
    return Layer(FileBlob(path, descriptor), digest, name, "")


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    item = tarfile.TarInfo(name)
    item.type, item.linkname, item.size = kind, link, size
    return item


@pytest.mark.parametrize(
    "members",
    [
        [member("../evil")],
        [member("opt/mlops/../../../evil")],
        [member("/etc/evil")],
        [member("opt/mlops/a", tarfile.SYMTYPE, "/etc")],
        [member("opt/mlops/a", tarfile.SYMTYPE, "../../../../etc")],
        [member("opt/mlops/a", tarfile.SYMTYPE, "../other")],
        [member("opt/mlops/a", tarfile.SYMTYPE, "b"), member("opt/mlops/a/evil")],
        [member("opt/mlops/a", tarfile.LNKTYPE, "/etc/passwd")],
        [member("opt/mlops/a", tarfile.LNKTYPE, "opt/mlops/b")],
        [member("opt/mlops/a", tarfile.CHRTYPE)],
        [member("opt/mlops/a", tarfile.FIFOTYPE)],
        [member("opt/mlops/a", size=1), member("opt/mlops/a", size=2)],
        [member("opt/mlops/a", size=1), member("opt/mlops/a/b", size=2)],
    ],
)
def test_unsafe_layers_are_refused_and_leave_nothing(
    tmp_path: Path, members: list[tarfile.TarInfo]
) -> None:
    layout = push(tmp_path, [hostile(tmp_path, *members)])
    with pytest.raises(RegistryError, match="unsafe path"):
        unpack(layout, "v1", tmp_path / "u")
    assert list((tmp_path / "u").iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MOST_BYTES", 1000)
    layout = push(tmp_path, [hostile(tmp_path, member("opt/mlops/a", size=2000))])
    with pytest.raises(RegistryError, match="more than is reasonable"):
        unpack(layout, "v1", tmp_path / "u")
    assert list((tmp_path / "u").iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "not gzip"])
def test_damage_is_found_and_leaves_nothing(
    tmp_path: Path, make_image: MakeImage, damage: str
) -> None:
    layout, image = Layout(tmp_path / "l", "iris"), make_image(weights=os.urandom(100_000))
    layout.push(image, ["v1"])
    blob = store.blob_path(tmp_path / "l", image.layers[1].descriptor.digest)
    data = bytearray(blob.read_bytes())
    blob.unlink()
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    changed = {"cut": data[:-500], "flipped": data, "not gzip": b"hello"}[damage]
    blob.write_bytes(bytes(changed))
    with pytest.raises(RegistryError, match="damaged"):
        unpack(layout, "v1", tmp_path / "u")
    assert list((tmp_path / "u").iterdir()) == []


def test_any_other_image_is_no_publication(tmp_path: Path) -> None:
    layout = push(tmp_path, [])
    with pytest.raises(RegistryError, match="not a publication"):
        unpack(layout, "v1", tmp_path / "u")
    with pytest.raises(NotFoundError):
        unpack(layout, "v2", tmp_path / "u")


def test_a_full_disk_is_a_sentence(
    tmp_path: Path, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "l", "iris")
    layout.push(make_image(), ["v1"])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(RegistryError, match="No space left"):
        unpack(layout, "v1", tmp_path / "u")
    assert list((tmp_path / "u").iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(
    tmp_path: Path, make_image: MakeImage
) -> None:
    layout = Layout(tmp_path / "l", "iris")
    layout.push(make_image(), ["v1"])
    ready, never = multiprocessing.Event(), multiprocessing.Event()

    def half(*_: object) -> None:
        ready.set()
        never.wait(60)

    def begin() -> None:
        fetch._write = half  # type: ignore[assignment]
        unpack(layout, "v1", tmp_path / "u")

    worker = multiprocessing.get_context("fork").Process(target=begin)
    worker.start()
    assert ready.wait(30)
    left = list((tmp_path / "u").iterdir())
    store.sweep(tmp_path / "u")
    assert list((tmp_path / "u").iterdir()) == left != []  # it is still at work
    worker.kill()
    worker.join(30)
    root = unpack(layout, "v1", tmp_path / "u")
    assert list((tmp_path / "u").iterdir()) == [root.parents[1]]


def test_the_manifest_says_which_layers_are_ours(tmp_path: Path, make_image: MakeImage) -> None:
    kinds = [
        item["annotations"]["io.jupyter-mlops.layer"]
        for item in json.loads(make_image().manifest)["layers"]
    ]
    assert kinds == ["base", "code"]


def test_small_files_are_read_from_the_top_and_no_further_than_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def layer(kind: str, *entries: Entry) -> Layer:
        return build_layer(list(entries), kind=kind, title="", store=tmp_path / "store")

    packages = layer("wheel", Entry("opt/mlops/site/a.py", os.urandom(100_000)))
    below = layer("lock", Entry("opt/mlops/lock", b"new"), Entry("opt/mlops/run", b"old"))
    top = layer("code", Entry("opt/mlops/run", b"#!"), Entry("opt/mlops/long", b"x" * 1000))
    layout = push(tmp_path, [packages, below, top])
    read: list[str] = []
    blob = layout.blob
    monkeypatch.setattr(layout, "blob", lambda digest: (read.append(digest), blob(digest))[1])
    assert read_files(layout, "v1", ["lock", "run"]) == {"lock": b"new", "run": b"#!"}
    assert packages.descriptor.digest not in read and len(read) == 2
    monkeypatch.setattr(fetch, "MOST_READ", 999)
    assert read_files(layout, "v1", ["long", "none"]) == {}
    with pytest.raises(NotFoundError):
        read_files(layout, "v9", ["run"])


def test_a_damaged_layer_is_no_file(tmp_path: Path) -> None:
    store = tmp_path / "store"
    code = build_layer([Entry("opt/mlops/run", b"#!")], kind="code", title="", store=store)
    layout = push(tmp_path, [code])
    path = tmp_path / "layout" / "blobs" / "sha256" / code.descriptor.digest.split(":")[1]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(RegistryError):
        read_files(layout, "v1", ["run"])
