"""A directory is cleaned up while others publish, or is killed meanwhile: it stays whole."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_mlops.catalog import retain
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.referrers import EMPTY
from jupyter_mlops.image.repository import read_blob
from jupyter_mlops.registry import retention
from jupyter_mlops.registry.retention import Rule
from tests.fixtures_registry import MakeImage
from tests.registry.kept import assert_gone, assert_whole, staying
from tests.registry.places import paper, papers_of, versions

KEEP_2 = Rule(keep=2)


def test_space_is_given_back_and_what_others_use_stays(
    tmp_path: Path, make_image: MakeImage
) -> None:
    versions(f"oci:{tmp_path}:iris:", make_image, 5)
    wine = make_image("version 1")  # the same image in another repository
    Layout(tmp_path, "wine").push(wine, ["v1"])
    Layout(tmp_path, "wine").attach(papers_of(wine)[:1])
    found = retain(f"oci:{tmp_path}:iris", Rule(keep=1), dry_run=False)
    checked = fsck(tmp_path)
    assert (checked.problems, staying(found)) == ([], [5])
    assert Layout(tmp_path, "wine").manifest_bytes("v1") == wine.manifest
    for blob in wine.blobs():
        read_blob(Layout(tmp_path, "wine"), blob.descriptor.digest)
    assert len(Layout(tmp_path, "wine").referrers(wine.digest)) == 1
    # What lists of attachments were before they were written anew was nobody's already.
    left = {path.name for path in (tmp_path / "blobs/sha256").iterdir()}
    assert len(left & {item.digest[7:] for item in found.publications}) == 2


def test_a_publish_that_found_a_blob_which_then_goes_is_whole(
    tmp_path: Path, make_image: MakeImage
) -> None:
    """Its layers were there when it looked, and were freed before it wrote its tag."""
    place, weights = f"oci:{tmp_path}:iris:", os.urandom(50_000)
    layout = Layout(tmp_path, "iris")
    layout.push(make_image("old", weights=weights), ["v1"])
    layout.push(make_image("new"), ["v2"])
    image = make_image("newest", weights=weights)
    freed: list[int] = []
    pushed = layout.push(
        image, ["v3"],
        before_tags=lambda: freed.append(retain(place, Rule(keep=1), dry_run=False).freed),
    )  # fmt: skip
    assert pushed.skipped == 2 and freed[0] > len(weights)
    for blob in image.blobs():
        read_blob(layout, blob.descriptor.digest)
    assert fsck(tmp_path).problems == []


def test_an_attachment_whose_blob_then_goes_is_whole(
    tmp_path: Path, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, image = Layout(tmp_path, "iris"), make_image()
    layout.push(image, ["v1"])
    layout.attach([paper(image.descriptor, "before")])
    locked = Layout._locked

    def late(self: Layout) -> object:
        with suppress(FileNotFoundError):
            (tmp_path / "blobs/sha256" / EMPTY.descriptor.digest[7:]).unlink()
        return locked(self)

    monkeypatch.setattr(Layout, "_locked", late)
    layout.attach([paper(image.descriptor, "after")])
    monkeypatch.undo()
    assert fsck(tmp_path).problems == []


def test_a_tag_that_moves_under_the_lock_wins(
    tmp_path: Path, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"oci:{tmp_path}:iris:"
    images, layout = versions(place, make_image, 3), Layout(tmp_path, "iris")
    attached = retention._attached

    def moved(*arguments: object) -> dict[str, list[str]]:
        layout.tag(images[0].digest, "champion")
        return attached(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_attached", moved)
    found = retain(place, Rule(keep=1), dry_run=False)
    assert [(item.version, item.why) for item in found.publications if item.stays] == [
        (3, "the newest version; latest points to it"),
        (1, "champion points to it by now"),
    ]
    for image in (images[0], images[2]):
        assert_whole(layout, image)
    assert_gone(layout, images[1])


def _publish(directory: Path, name: str, images: list[Image]) -> None:
    layout = Layout(directory, name)
    for number, image in enumerate(images, 1):
        layout.push(image, [f"v{number}"])
        layout.attach(papers_of(image)[:1])


def _retain(directory: Path, name: str, until: str) -> None:
    while True:
        tags = Layout(directory, name).tags()
        if tags:
            retain(f"oci:{directory}:{name}", Rule(keep=1), dry_run=False)
        if until in tags:
            return


def test_publishers_and_who_cleans_up_at_the_same_time(
    tmp_path: Path, make_image: MakeImage
) -> None:
    """They share layers: each removal takes what another is about to need."""
    images = [make_image(str(number % 4), weights=b"w" * number) for number in range(16)]
    layout = tmp_path / "layout"
    context = multiprocessing.get_context("fork")
    workers = [
        *(context.Process(target=_publish, args=(layout, name, images)) for name in "ab"),
        *(context.Process(target=_retain, args=(layout, name, "v16")) for name in "ab"),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    assert fsck(layout).problems == []
    for name in "ab":
        _retain(layout, name, "v16")
        kept = Layout(layout, name)
        assert kept.resolve("v16").digest == images[-1].digest
        assert len(kept.referrers(images[-1].digest)) == 1
    assert fsck(layout).problems == []


def test_a_kill_at_any_moment_leaves_a_whole_directory(
    tmp_path: Path, make_image: MakeImage
) -> None:
    images = versions(f"oci:{tmp_path}:iris:", make_image, 12)
    context = multiprocessing.get_context("fork")
    for number in range(10):
        worker = context.Process(target=_retain, args=(tmp_path, "iris", "v12"))
        worker.start()
        time.sleep(number / 50)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert fsck(tmp_path).problems == []
    _retain(tmp_path, "iris", "v12")
    layout = Layout(tmp_path, "iris")
    assert_whole(layout, images[-1])
    assert [tag for tag in layout.tags() if "sha256-" not in tag] == ["latest", "v12"]
