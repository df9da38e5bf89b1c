"""kill -9 at random points of a publish: the tag always serves, and the next publish goes on.

``MLOPS_KILLS`` is the number of points (8; ``make soak`` takes 50), for a directory and for a
registry each. The moments follow from a seed and are spread over a whole publish.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.image.base import Base
from jupyter_mlops.image.fsck import fsck
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layer import Entry, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.registry import chunks
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.open import open_repository
from tests.fixtures_registry import RunningRegistry

KILLS = int(os.environ.get("MLOPS_KILLS", "8"))
SEED = 20261121
MEBIBYTE = 1 << 20

pytestmark = pytest.mark.slow


def build(number: int, store: Path) -> Image | Index:
    """Build the image of a number: a base that all share, two layers of weights, the code.

    Every other one is an index for two machines.
    """
    entries = [("base", b"base" * MEBIBYTE), ("code", f"print({number})".encode())]
    entries[1:1] = [
        (f"w{part}", random.Random(f"{number}-{part}").randbytes(MEBIBYTE)) for part in range(2)
    ]
    base, *layers = (
        build_layer([Entry(f"opt/mlops/{name}", data)], kind="code", title=name, store=store)
        for name, data in entries
    )
    made = []
    for machine in ("amd64", "arm64"):
        config = {"architecture": machine, "os": "linux", "config": {"Env": ["PATH=/bin"]}}
        below = Base("example.org/base:1", "sha256:" + "0" * 64, (base,), config)
        made.append(build_image(below, layers, ImageConfig()))
    return Index(tuple(made)) if number % 2 else made[0]


class Publisher:
    """Publishes in other processes, and measures how long building and pushing take."""

    def __init__(self, target: str, store: Path) -> None:
        self.target, self.store = target, store
        self._context = multiprocessing.get_context("fork")
        self._pushing = self._context.Event()
        self.seconds = [0.0, 0.0]

    def _publish(self, number: int) -> None:
        image = build(number, self.store)
        self._pushing.set()
        open_repository(self.target).push(image, [f"v{number}", "latest"])

    def publish(self, number: int) -> None:
        """Publish an image, and measure it."""
        begun, worker = time.monotonic(), self._begin(number)
        assert self._pushing.wait(120)
        built = time.monotonic()
        worker.join(120)
        assert worker.exitcode == 0
        self.seconds = [built - begun, time.monotonic() - built]

    def kill(self, number: int, phase: int, part: float) -> bool:
        """Publish, and kill it in that part of the building (0) or pushing (1)."""
        worker = self._begin(number)
        if phase:
            assert self._pushing.wait(120)
        time.sleep(self.seconds[phase] * part)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(120)
        return worker.exitcode == -signal.SIGKILL

    def _begin(self, number: int) -> Any:
        self._pushing.clear()
        worker = self._context.Process(target=self._publish, args=(number,))
        worker.start()
        return worker


def check_whole(repository: Layout | RemoteRepository, version: str) -> str:
    """Read all that a tag leads to, verified; return its digest."""
    descriptor, manifest = repository.manifest(version)
    for image in manifest.get("manifests", []):
        check_whole(repository, image["digest"])
    if "manifests" in manifest:
        return descriptor.digest
    for part in [manifest["config"], *manifest["layers"]]:
        with repository.blob(part["digest"]) as pieces:
            assert sum(map(len, pieces)) == part["size"]
    return descriptor.digest


def moments() -> Iterator[tuple[int, float]]:
    """Yield a phase and how much of it is over; most often the push, each stretch of it once."""
    order = random.Random(SEED)
    for _ in range(4):
        stretches = list(range(KILLS))
        order.shuffle(stretches)
        for stretch in stretches:
            yield int(order.random() < 0.8), (stretch + order.random()) / KILLS


def kill_and_go_on(target: str, folder: Path, record: Callable[[str, Any], None]) -> None:
    """Publish an image, then others over it: each is killed once, and then completed."""
    store = folder / "store"
    publisher = Publisher(target, store)
    publisher.publish(0)
    measured = []
    for number in range(1, 4):
        publisher.publish(number)
        measured.append(publisher.seconds)
    phases = [min(item[phase] for item in measured) for phase in (0, 1)]
    repository: Any = open_repository(target)
    before = check_whole(repository, "latest")
    killed = moved = 0
    for number, (phase, part) in enumerate(moments(), 4):
        publisher.seconds = phases
        killed += publisher.kill(number, phase, part)
        found = check_whole(repository, "latest")
        if found != before:
            moved += 1
            assert found == build(number, folder / "other").digest
        for tag in repository.tags():
            assert repository.manifest(tag)
        publisher.publish(number)
        before = check_whole(repository, "latest")
        assert before == check_whole(repository, f"v{number}")
        assert before == build(number, store).digest
        left = [path for path in folder.rglob(".tmp-*") if "other" not in path.parts]
        assert left == [], f"{left} after publish {number}"
        if killed == KILLS:
            break
    record("killed", killed)
    record("after the tag", moved)
    assert killed == KILLS


def test_a_directory_survives(tmp_path: Path, record_property: Any, alone: None) -> None:
    target = f"oci:{tmp_path}/layout:lab/iris:latest"
    kill_and_go_on(target, tmp_path, record_property)
    assert fsck(tmp_path / "layout").problems == []


@pytest.mark.registry
def test_a_registry_survives(
    docker_registry: RunningRegistry, tmp_path: Path,
    record_property: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(chunks, "THRESHOLD", MEBIBYTE // 2)  # the weights go in chunks
    monkeypatch.setattr(chunks, "CHUNK_SIZE", MEBIBYTE // 4)
    kill_and_go_on(f"{docker_registry.url}/killed/iris:latest", tmp_path, record_property)
