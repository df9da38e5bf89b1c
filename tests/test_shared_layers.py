"""Layers shared by way of the registry: found, mounted, and believed only when they are signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops import settings
from jupyter_mlops.attest.keys import private
from jupyter_mlops.errors import UsageError
from jupyter_mlops.events import Event, Log
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import FileBlob, RemoteBlob
from jupyter_mlops.image.layer import Entry, Layer, build_layer
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.registry.tags import is_of_shared_layer
from jupyter_mlops.shared_layers import STATEMENT, SharedLayers, beside
from tests.fixtures_keys import Keys
from tests.fixtures_registry import RunningRegistry
from tests.notebooks import make
from tests.registry.faulty import FaultyRegistry, status, times

BYTES = bytes(range(256)) * 2000


@pytest.fixture
def faulty() -> Iterator[FaultyRegistry]:
    with FaultyRegistry() as running:
        yield running


class User:
    """Somebody with a home of their own who publishes one package to ``team/NAME``."""

    def __init__(self, url: str, home: Path, key: Path | None = None) -> None:
        self.url, self.home, self.key = url, home, key
        self.said: list[Event] = []

    def publish(self, name: str, package: str = "numpy", content: bytes = BYTES) -> Image:
        """Build as a publish does, push, and offer what was built."""
        place = Reference.parse(f"{self.url}/team/{name}:latest")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JUPYTER_MLOPS_HOME", str(self.home))
            signer = private(self.key) if self.key else None
            shelf = beside(place, signer, self.said.append)
            assert shelf is not None
            self.layer = packed(package, content, shelf)
            code = build_layer(
                [Entry("code", name.encode())], kind="code", title="code", store=settings.store()
            )
            image = build_image(Base("b", "", (), {}), [self.layer, code], ImageConfig())
            self.pushed = open_repository(place).push(image, ["latest"])
            shelf.tell()
        return image

    @property
    def heard(self) -> str:
        """What was logged."""
        return "\n".join(event.text for event in self.said if isinstance(event, Log))


def packed(package: str, content: bytes, shelf: SharedLayers) -> Layer:
    """Return the layer of a package, built or found."""
    return build_layer(
        [Entry(f"site/{package}", content)],
        kind="wheel", title=package, store=settings.store(), key=f"site:{package}", shelf=shelf,
    )  # fmt: skip


def entries(faulty: FaultyRegistry) -> dict[str, tuple[str, bytes]]:
    """Return the entries of a registry by their tag."""
    return {
        tag: found
        for (name, tag), found in faulty.manifests.items()
        if name == "team/layers" and tag.startswith("layer-")
    }


def test_who_trusts_the_key_packs_and_sends_nothing(
    faulty: FaultyRegistry, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        User(faulty.url, tmp_path / "a", keys.private),
        User(faulty.url, tmp_path / "b"),
    )
    made = first.publish("iris")
    monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(keys.public))
    before = faulty.received
    image = second.publish("wine")
    assert isinstance(second.layer.blob, RemoteBlob)
    assert image.layers[0].descriptor == made.layers[0].descriptor
    assert second.pushed.mounted == 1 and faulty.received - before < 5000
    blobs = [item for item in (tmp_path / "b").rglob("blobs/**/*") if item.is_file()]
    assert [item.stat().st_size < 500 for item in blobs] == [True], "its own code and no more"
    assert faulty.holds("team/wine", second.layer.blob.descriptor.digest)
    assert faulty.count("GET", "/blobs/") == 0, "nothing was downloaded"


@pytest.mark.parametrize("signed", [True, False])
def test_who_trusts_nobody_packs_and_mounts(
    faulty: FaultyRegistry, tmp_path: Path, keys: Keys, signed: bool
) -> None:
    User(faulty.url, tmp_path / "a", keys.private if signed else None).publish("iris")
    second = User(faulty.url, tmp_path / "b")
    before = faulty.received
    second.publish("wine")
    assert isinstance(second.layer.blob, FileBlob)
    assert second.pushed.mounted == 1 and faulty.received - before < 5000


def test_a_home_tells_once_and_asks_for_nothing_it_has(
    faulty: FaultyRegistry, tmp_path: Path
) -> None:
    user = User(faulty.url, tmp_path)
    user.publish("iris")
    assert len(entries(faulty)) == 1
    faulty.requests.clear()
    user.publish("iris2")
    assert not [path for _, path in faulty.requests if "team/layers/" in path]


def change(faulty: FaultyRegistry, what: str, keys: Keys) -> None:
    """Spoil the only entry of a registry."""
    [(tag, (kind, data))] = entries(faulty).items()
    value = json.loads(data)
    statement = json.loads(value["annotations"][STATEMENT])
    layer = value["layers"][0]
    if what == "blob gone":
        del faulty.blobs["team/layers", layer["digest"]]
    elif what == "other bytes":
        faulty.blobs["team/layers", layer["digest"]] = b"another length"
    elif what == "no statement":
        value["annotations"] = {}
    elif what == "no text":
        value["annotations"] = [1]
    elif what == "no envelope":
        value["annotations"][STATEMENT] = '{"payload": 3}'
    elif what == "deep":
        value["annotations"][STATEMENT] = "[" * 100_000
    elif what == "no signature":
        value["annotations"][STATEMENT] = json.dumps({**statement, "signatures": []})
    elif what == "signature of something else":
        statement["signatures"][0]["sig"] = "MEUCIQ=="
        value["annotations"][STATEMENT] = json.dumps(statement)
    faulty.manifests["team/layers", tag] = (kind, json.dumps(value).encode())


SPOILT = [
    "blob gone", "other bytes", "no statement", "no text", "no envelope", "deep", "no signature",
    "signature of something else",
]  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_entry_costs_time_and_nothing_else(
    faulty: FaultyRegistry, tmp_path: Path, keys: Keys, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = User(faulty.url, tmp_path / "a", keys.private).publish("iris")
    change(faulty, what, keys)
    monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(keys.public))
    second = User(faulty.url, tmp_path / "b")
    image = second.publish("wine")
    assert isinstance(second.layer.blob, FileBlob), "it was packed here"
    assert image.layers[0].descriptor == made.layers[0].descriptor
    held = faulty.blobs["team/wine", second.layer.blob.descriptor.digest]
    assert what == "other bytes" or held == b"".join(read(second.layer))


def read(layer: Layer) -> Iterator[bytes]:
    """Yield the bytes of a layer."""
    with layer.blob.open() as pieces:
        yield from pieces


def test_a_poisoner_is_not_believed(
    faulty: FaultyRegistry, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with a key that nobody trusts puts other bytes under the key of a wheel."""
    User(faulty.url, tmp_path / "evil", keys.other).publish("iris", content=b"import os" * 9999)
    monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(keys.public))
    second = User(faulty.url, tmp_path / "b")
    second.publish("wine")
    assert isinstance(second.layer.blob, FileBlob) and second.pushed.mounted == 0
    honest = User(faulty.url, tmp_path / "c", keys.private)
    honest.publish("beer")
    third = User(faulty.url, tmp_path / "d")
    third.publish("gin")
    assert third.layer.descriptor == second.layer.descriptor


def test_a_true_statement_about_another_key_is_not_taken(
    faulty: FaultyRegistry, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = User(faulty.url, tmp_path / "a", keys.private)
    first.publish("iris", "numpy")
    [numpy] = entries(faulty)
    first.publish("iris", "scipy", b"scipy" * 5000)
    [scipy] = set(entries(faulty)) - {numpy}
    faulty.manifests["team/layers", numpy] = faulty.manifests["team/layers", scipy]
    monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(keys.public))
    second = User(faulty.url, tmp_path / "b")
    second.publish("wine", "numpy")
    assert isinstance(second.layer.blob, FileBlob)


def test_two_who_built_the_same_both_sign(
    faulty: FaultyRegistry, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    for home, key in (("a", None), ("b", keys.private), ("c", keys.other), ("d", keys.private)):
        User(faulty.url, tmp_path / home, key).publish("iris")
    [(_, data)] = entries(faulty).values()
    statement = json.loads(json.loads(data)["annotations"][STATEMENT])
    assert len(statement["signatures"]) == 2
    for trusted in (keys.public, keys.other_public):
        monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(trusted))
        user = User(faulty.url, tmp_path / trusted.name)
        user.publish("wine")
        assert isinstance(user.layer.blob, RemoteBlob)


@pytest.mark.parametrize("code", [401, 403, 404, 405, 500])
def test_a_registry_that_lets_nobody_write_there_costs_nothing(
    faulty: FaultyRegistry, tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_mlops.registry.transport.Transport.sleep", lambda *_: None)
    faulty.rules.append(times(10_000, "POST", "team/layers/", status(code)))
    user = User(faulty.url, tmp_path)
    image = user.publish("iris")
    assert faulty.tags("team/iris") == {"latest": image.digest}
    assert "not shared" in user.heard
    faulty.requests.clear()
    user.publish("iris")
    assert faulty.count("POST", "team/layers") == 0, "it is not tried at each publish"


def test_a_registry_that_does_not_answer_is_asked_once(
    faulty: FaultyRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_mlops.registry.transport.Transport.sleep", lambda *_: None)
    faulty.rules.append(times(10_000, "GET", "team/layers/", status(500)))
    user = User(faulty.url, tmp_path)
    user.publish("iris")
    assert "not looked for" in user.heard and "not shared" not in user.heard


def test_where_nothing_is_shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert beside(Reference.parse(f"oci:{tmp_path}:iris:v1"), None) is None
    assert beside(Reference.parse("localhost:1/team/layers:v1"), None) is None
    shared = beside(Reference.parse("localhost:1/iris:v1"), None)
    assert shared is not None and shared._repository.name == "localhost:1/layers"
    monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(tmp_path / "no.pub"))
    with pytest.raises(UsageError, match=r"no\.pub: The key cannot be read"):
        beside(Reference.parse("localhost:1/iris:v1"), None)
    monkeypatch.setenv("JUPYTER_MLOPS_SHARED_LAYERS", "off")
    assert beside(Reference.parse("localhost:1/iris:v1"), None) is None


CELLS = [
    "import numpy as np",
    ("parameters", "slope: float = 2.0"),
    "weights = np.linspace(0, slope, 5)\n%load_ext jupyter_mlops\n%mlops_log total=1.0",
]


@pytest.mark.registry
@pytest.mark.slow
@pytest.mark.network
def test_the_second_user_moves_no_bytes_of_wheels(
    docker_registry: RunningRegistry,
    tmp_path: Path,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two homes, two notebooks, one real registry: the whole road."""
    prefix = f"{docker_registry.url}/shared"
    done = []
    monkeypatch.setenv("JUPYTER_MLOPS_TRUSTED_KEYS", str(keys.public))
    for name, key in (("one", keys.private), ("two", None)):
        monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / f"home-{name}"))
        notebook = make(tmp_path / f"{name}.ipynb", [*CELLS, f"print('{name}')"])
        done.append(publish(notebook, f"{prefix}/{name}:latest", key=key))
    first, second = done
    assert first.pushed_bytes > 20_000_000 and second.pushed_bytes < 400_000
    kept = [f for f in (tmp_path / "home-two" / "store" / "blobs").rglob("*") if f.is_file()]
    assert max(file.stat().st_size for file in kept) > 1_000_000, "the base, which is made here"
    images = [RemoteRepository(docker_registry.url, f"shared/{n}") for n in ("one", "two")]
    manifests = [image.manifest("latest")[1]["layers"] for image in images]
    assert manifests[0][:-1] == manifests[1][:-1], "all but the code"
    listed = RemoteRepository(docker_registry.url, "shared/layers").tags()
    assert listed and all(is_of_shared_layer(tag) for tag in listed)
