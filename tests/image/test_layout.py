"""The layout directory: a registry on disk that survives crashes and two publishers at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from jupyter_mlops.errors import MlopsError, NotFoundError, RegistryError
from jupyter_mlops.image.blob import RemoteBlob
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import stored_image
from tests.fixtures_registry import MakeImage


def blob_of(layout: Layout, digest: str) -> Path:
    return layout.directory / "blobs/sha256" / digest.removeprefix("sha256:")


def spoil(path: Path) -> None:
    """Change one byte of a blob (and not of the store's file, which may be the same one)."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def test_what_is_pushed_is_there(tmp_path: Path, make_image: MakeImage) -> None:
    layout, image = Layout(tmp_path / "layout", "lab/iris"), make_image()
    assert layout.tags() == [] and layout.repositories() == []
    seen: list[tuple[int, int]] = []
    pushed = layout.push(image, ["v1", "latest"], lambda done, total, _: seen.append((done, total)))
    assert (pushed.digest, pushed.skipped, pushed.mounted) == (image.digest, 0, 0)
    assert pushed.pushed_bytes == image.size + len(image.manifest)
    assert seen[-1] == (image.size, image.size)
    assert layout.tags() == ["latest", "v1"]
    for version in ("v1", "latest", image.digest):
        descriptor, manifest = layout.manifest(version)
        assert descriptor.digest == image.digest
        assert manifest == json.loads(image.manifest)
    assert layout.manifest_bytes("v1") == image.manifest
    assert fsck(layout.directory).problems == []


def test_the_second_push_writes_only_what_changed(tmp_path: Path, make_image: MakeImage) -> None:
    layout = Layout(tmp_path / "layout", "iris")
    first, second = make_image("1"), make_image("2")
    layout.push(first, ["v1"])
    pushed = layout.push(second, ["v2", "latest"])
    assert pushed.skipped == 1  # the base
    code = second.layers[-1].descriptor.size
    assert pushed.pushed_bytes == code + len(second.config) + len(second.manifest)
    assert layout.push(second, ["latest"]).skipped == len(second.blobs())


def test_one_directory_holds_many_repositories(tmp_path: Path, make_image: MakeImage) -> None:
    for name, text in (("iris", "1"), ("team/wine", "2"), ("", "3")):
        Layout(tmp_path, name).push(make_image(text), ["latest"])
    assert Layout(tmp_path).repositories() == ["", "iris", "team/wine"]
    digests = {Layout(tmp_path, name).resolve("latest").digest for name in ("iris", "team/wine")}
    assert len(digests) == 2
    assert Layout(tmp_path, "iris").tags() == ["latest"]
    names = [
        item["annotations"]["org.opencontainers.image.ref.name"]
        for item in json.loads((tmp_path / "index.json").read_bytes())["manifests"]
    ]
    assert names == ["iris:latest", "team/wine:latest", "latest"]


def test_a_tag_moves_and_goes(tmp_path: Path, make_image: MakeImage) -> None:
    layout = Layout(tmp_path, "iris")
    first, second = make_image("1"), make_image("2")
    layout.push(first, ["latest"])
    layout.push(second, ["latest"])
    assert layout.resolve("latest").digest == second.digest
    assert layout.resolve(first.digest).digest == first.digest
    layout.delete_tag("latest")
    assert layout.tags() == []
    with pytest.raises(NotFoundError):
        layout.delete_tag("latest")
    with pytest.raises(NotFoundError, match="latest is not in"):
        layout.resolve("latest")


def test_prune_removes_only_what_no_image_needs(tmp_path: Path, make_image: MakeImage) -> None:
    layout = Layout(tmp_path / "l", "iris")
    first, second = make_image("1"), make_image("2")
    layout.push(first, ["v1"])
    layout.push(second, ["v2"])
    assert layout.prune() == 0
    layout.delete_tag("v1")
    freed = layout.prune()
    gone = first.layers[-1].descriptor.size + len(first.config) + len(first.manifest)
    assert freed == gone
    assert fsck(layout.directory).problems == []


def test_damage_is_never_read_as_content(tmp_path: Path, make_image: MakeImage) -> None:
    layout, image = Layout(tmp_path / "l", "iris"), make_image()
    layout.push(image, ["v1"])
    base, code = (layer.descriptor.digest for layer in image.layers)
    blob_of(layout, base).unlink()
    spoil(blob_of(layout, code))
    with pytest.raises(RegistryError, match="damaged"), layout.blob(code) as chunks:
        list(chunks)
    with pytest.raises(NotFoundError), layout.blob(base) as chunks:
        list(chunks)


def test_a_stored_image_can_go_elsewhere(tmp_path: Path, make_image: MakeImage) -> None:
    image = make_image()
    Layout(tmp_path / "a", "iris").push(image, ["v1"])
    found = stored_image(Layout(tmp_path / "a", "iris"), "v1")
    assert (found.digest, found.labels, found.size) == (image.digest, image.labels, image.size)
    assert [layer.diff_id for layer in found.layers] == [layer.diff_id for layer in image.layers]
    assert [layer.kind for layer in found.layers] == ["base", "code"]
    assert [layer.title for layer in found.layers] == ["", "code"], "of ours"
    assert isinstance(found.layers[0].blob, RemoteBlob)
    Layout(tmp_path / "b", "wine").push(found, ["v7"])
    assert Layout(tmp_path / "b", "wine").resolve("v7").digest == image.digest
    assert fsck(tmp_path / "b").problems == []


def test_a_directory_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, make_image: MakeImage
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MlopsError, match="cannot be written"):
        Layout(tmp_path / "file", "iris").push(make_image(), ["v1"])


def test_a_broken_index_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("[1, 2")
    with pytest.raises(RegistryError, match="not JSON"):
        Layout(tmp_path).tags()
    (tmp_path / "index.json").write_text('{"manifests": [{"annotations": {}, "digest": "x"}]}')
    with pytest.raises(NotFoundError):
        Layout(tmp_path).resolve("v1")


def _push(directory: Path, image: object, name: str, count: int) -> None:
    for number in range(count):
        Layout(directory, name).push(image, [f"v{number}"])  # type: ignore[arg-type]


def test_publishers_at_the_same_time_lose_nothing(tmp_path: Path, make_image: MakeImage) -> None:
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_push, args=(tmp_path / "l", make_image(name), name, 8))
        for name in ("a", "b", "c")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    for name in ("a", "b", "c"):
        assert len(Layout(tmp_path / "l", name).tags()) == 8
    assert fsck(tmp_path / "l").problems == []


def test_publishers_of_one_image_and_tag_leave_nothing_behind(
    tmp_path: Path, make_image: MakeImage
) -> None:
    context = multiprocessing.get_context("fork")
    image = make_image(weights=os.urandom(100_000))
    workers = [
        context.Process(target=_push, args=(tmp_path / "l", image, "iris", 10)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    layout = Layout(tmp_path / "l", "iris")
    assert {layout.resolve(tag).digest for tag in layout.tags()} == {image.digest}
    found = fsck(tmp_path / "l")
    assert (found.tags, found.problems, found.orphans) == (10, [], [])
    assert list(tmp_path.rglob(".tmp-*")) == []


def test_a_kill_at_any_moment_leaves_a_whole_layout(tmp_path: Path, make_image: MakeImage) -> None:
    images = [make_image(str(number), weights=os.urandom(200_000)) for number in range(12)]
    layout = Layout(tmp_path / "l", "iris")
    layout.push(images[0], ["first"])
    for number, image in enumerate(images):
        context = multiprocessing.get_context("fork")
        worker = context.Process(target=_push, args=(tmp_path / "l", image, "iris", 20))
        worker.start()
        time.sleep(number / 400)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert fsck(layout.directory).problems == []
        for tag in layout.tags():
            assert layout.resolve(tag).digest in {item.digest for item in images}
    layout.push(images[-1], ["latest"])  # and goes on
    assert layout.resolve("latest").digest == images[-1].digest


@pytest.mark.skopeo
def test_skopeo_reads_a_layout(tmp_path: Path, make_image: MakeImage) -> None:
    image = make_image()
    Layout(tmp_path / "l", "iris").push(image, ["v1"])
    inspected = subprocess.run(
        ["skopeo", "inspect", f"oci:{tmp_path}/l:iris:v1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    value = json.loads(inspected.stdout)
    assert value["Digest"] == image.digest
    assert value["Labels"] == image.labels
    subprocess.run(
        ["skopeo", "copy", f"oci:{tmp_path}/l:iris:v1", f"oci:{tmp_path}/copy:x"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert Layout(tmp_path / "copy").resolve("x").digest == image.digest
    assert fsck(tmp_path / "copy").problems == []
