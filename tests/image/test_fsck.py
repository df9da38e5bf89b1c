"""The check of a registry directory names every damage, and mends what a publish cannot."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.image import store
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image
from tests.fixtures_registry import MakeImage


@pytest.fixture
def image(make_image: MakeImage) -> Image:
    return make_image(weights=b"w" * 100_000)


@pytest.fixture
def layout(tmp_path: Path, image: Image) -> Layout:
    found = Layout(tmp_path / "layout", "iris")
    found.push(image, ["v1", "latest"])
    return found


def blob(layout: Layout, digest: str) -> Path:
    return layout.directory / "blobs/sha256" / digest.removeprefix("sha256:")


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    data = path.read_bytes()
    path.unlink()  # the store's file may be the same one
    path.write_bytes(change(data))


def index(layout: Layout, change: Callable[[list[dict[str, object]]], None]) -> None:
    path = layout.directory / "index.json"
    value = json.loads(path.read_bytes())
    change(value["manifests"])
    path.write_text(json.dumps(value))


def test_a_whole_layout(layout: Layout, image: Image) -> None:
    found = fsck(layout.directory)
    assert (found.problems, found.orphans, found.leftovers) == ([], [], [])
    assert (found.tags, found.blobs) == (2, len(image.blobs()) + 1)
    assert found.size == image.size + len(image.manifest)


def test_what_belongs_to_no_tag_is_no_damage(layout: Layout, make_image: MakeImage) -> None:
    other = make_image("other")
    layout.push(other, ["v2"])
    layout.delete_tag("v2")
    found = fsck(layout.directory)
    assert found.problems == [] and found.tags == 2
    gone = other.layers[-1].descriptor.size + len(other.config) + len(other.manifest)
    assert (len(found.orphans), found.orphaned) == (3, gone)


def test_a_first_publish_that_was_stopped_is_no_damage(layout: Layout, image: Image) -> None:
    (layout.directory / "index.json").unlink()
    found = fsck(layout.directory)
    assert (found.problems, found.tags) == ([], 0)
    assert len(found.orphans) == len(image.blobs()) + 1


def flipped(layout: Layout, image: Image) -> None:
    rewrite(blob(layout, image.layers[1].descriptor.digest), lambda data: data[:-1] + b"?")


def cut(layout: Layout, image: Image) -> None:
    rewrite(blob(layout, image.layers[1].descriptor.digest), lambda data: data[:-1])


def missing(layout: Layout, image: Image) -> None:
    blob(layout, image.layers[1].descriptor.digest).unlink()


def no_config(layout: Layout, image: Image) -> None:
    digest = json.loads(image.manifest)["config"]["digest"]
    blob(layout, digest).unlink()


def no_manifest(layout: Layout, image: Image) -> None:
    blob(layout, image.digest).unlink()


def other_manifest(layout: Layout, image: Image) -> None:
    rewrite(blob(layout, image.digest), lambda _: b"[]")


def stranger(layout: Layout, image: Image) -> None:
    blob(layout, "sha256:hello").write_text("")


def no_version(layout: Layout, image: Image) -> None:
    (layout.directory / "oci-layout").unlink()


def twice(layout: Layout, image: Image) -> None:
    index(layout, lambda entries: entries.append(entries[0]))


def wrong_size(layout: Layout, image: Image) -> None:
    index(layout, lambda entries: entries[0].update(size=7))


def no_digest(layout: Layout, image: Image) -> None:
    index(layout, lambda entries: entries[0].update(digest="sha512:12"))


def no_json(layout: Layout, image: Image) -> None:
    (layout.directory / "index.json").write_text("[1,")


DAMAGE = {
    flipped: "has another content",
    cut: "has another content",
    missing: "iris:v1: blob sha256:[0-9a-f]{64} is missing",
    no_config: "is missing",
    no_manifest: "is missing",
    other_manifest: "has another content",
    stranger: "hello is no blob",
    no_version: "oci-layout is missing",
    twice: "iris:(v1|latest) is in the index twice",
    wrong_size: "has another size",
    no_digest: "an entry cannot be read",
    no_json: "index.json cannot be read",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_every_damage_is_named(
    layout: Layout, image: Image, damage: Callable[[Layout, Image], None],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    damage(layout, image)
    problems = fsck(layout.directory).problems
    assert any(re.search(DAMAGE[damage], problem.problem) for problem in problems)
    assert all(problem.remedy and problem.where for problem in problems)
    assert main(["fsck", f"oci:{layout.directory}"]) != 0
    assert re.search(DAMAGE[damage], capsys.readouterr().err)


@pytest.mark.parametrize("damage", [flipped, other_manifest, cut, missing, no_manifest, no_version])
def test_repair_and_another_publish_make_it_whole(
    layout: Layout, image: Image, damage: Callable[[Layout, Image], None]
) -> None:
    damage(layout, image)
    fsck(layout.directory, repair=True)
    layout.push(image, ["v1", "latest"])
    assert fsck(layout.directory).problems == []


def test_what_dead_writers_left(layout: Layout, tmp_path: Path) -> None:
    folder = layout.directory / "blobs/sha256"
    with store.writing(folder) as (file, alive):
        file.write(b"not yet all")
        left = [folder / ".tmp-1-dead", layout.directory / ".tmp-1-dead"]
        for path in left:
            path.write_text("x")
        found = fsck(layout.directory)
        assert sorted(found.leftovers) == sorted(map(str, left))
        assert found.problems == []
        assert fsck(layout.directory, repair=True).removed == sorted(map(str, left))
        assert alive.exists()  # who still writes is left alone
    assert fsck(layout.directory).leftovers == []


def test_locks_that_the_file_system_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, age decides: a day."""

    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(store.fcntl, "flock", unknown)
    for name, age in (("old", 90_000), ("new", 10)):
        (tmp_path / f".tmp-{name}").write_text("")
        then = (tmp_path / f".tmp-{name}").stat().st_mtime - age
        os.utime(tmp_path / f".tmp-{name}", (then, then))
    with store.writing(tmp_path) as (file, temporary):
        store.replace(file, temporary, tmp_path / "done")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tmp-new", "done"]


def test_the_command(layout: Layout, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["fsck", f"oci:{layout.directory}"]) == 0
    assert f"{layout.directory} is whole: 2 tags, 5 blobs" in capsys.readouterr().out
    assert main(["fsck", f"oci:{layout.directory}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tags"] == 2
    assert main(["fsck", "registry.example.org"]) == 2
    assert "Write oci:DIRECTORY" in capsys.readouterr().err
    assert main(["fsck", f"oci:{tmp_path}/nothing"]) != 0
    assert "There is no registry directory" in capsys.readouterr().err
    with pytest.raises(NotFoundError):
        fsck(tmp_path / "nothing")
