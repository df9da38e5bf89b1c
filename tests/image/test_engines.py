"""Every engine takes the image, however it comes: folder, registry or archive; gzip or zstd."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.image.base import Base
from jupyter_mlops.image.compression import BY_NAME, CompressionName
from jupyter_mlops.image.debian import build_base
from jupyter_mlops.image.docker import archive
from jupyter_mlops.image.layer import Entry, Link, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image
from jupyter_mlops.image.platforms import host_platform
from jupyter_mlops.image.weights import weights_layers
from jupyter_mlops.registry.client import RemoteRepository
from tests.fixtures_registry import RunningRegistry
from tests.image import engines
from tests.image.engines import USERS, Containerd, Docker, Podman, call
from tests.image.test_base import distribution_python

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.docker,
    pytest.mark.registry,
    pytest.mark.skopeo,
    pytest.mark.engines,
]

COMPRESSIONS: list[CompressionName] = ["gzip", "zstd"]
#: What a container says of itself: who it is, what it holds, and that it cannot change it.
SAYS = """
import hashlib, os
weights = open('/opt/mlops/weights/w.bin', 'rb').read()
print(os.getuid(), os.getgid(), open('/opt/mlops/link').read(), hashlib.sha256(weights).hexdigest(),
      os.access('/opt/mlops', os.W_OK), os.access('/', os.W_OK), os.access('/tmp', os.W_OK))
"""
COMMAND = ["python3", "-c", SAYS]
TAG = "lab/matrix:v1"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication's folder with a file that no compression makes smaller."""
    root = tmp_path_factory.mktemp("publication")
    (root / "weights").mkdir()
    (root / "weights" / "w.bin").write_bytes(os.urandom(65 << 20))
    return root


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    store = tmp_path_factory.mktemp("base-store")
    return build_base(python=distribution_python(), platform=host_platform(), store=store)


@pytest.fixture(scope="module", params=COMPRESSIONS)
def image(
    request: pytest.FixtureRequest,
    base: Base,
    weights: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Image:
    """An image of several layers, one of them not compressed at all."""
    store, compression = tmp_path_factory.mktemp("store"), BY_NAME[request.param]
    code = [Entry("opt/mlops/text", b"hello"), Link("opt/mlops/link", "text")]
    layers = [
        *weights_layers(weights, store=store, compression=compression),
        build_layer(code, kind="code", title="code", store=store, compression=compression),
    ]
    made = build_image(base, layers, ImageConfig(entrypoint=["python3"], workdir="/tmp"))
    kinds = [layer.descriptor.media_type.rpartition(".")[2] for layer in made.layers]
    assert kinds == ["tar+gzip", "tar", f"tar+{request.param}"]
    return made


@pytest.fixture
def expected(weights: Path) -> str:
    digest = call("sha256sum", weights / "weights" / "w.bin").split()[0]
    return f"hello {digest} False False True"


@pytest.fixture
def layout(image: Image, tmp_path: Path) -> str:
    """The image in a folder: PATH:TAG, as tools write it."""
    Layout(tmp_path / "layout").push(image, ["v1"])
    return f"{tmp_path}/layout:v1"


@pytest.fixture
def pushed(image: Image, docker_registry: RunningRegistry) -> str:
    """The image in a registry."""
    RemoteRepository(docker_registry.url, TAG.partition(":")[0]).push(image, ["v1"])
    return f"{docker_registry.url}/{TAG}"


@pytest.fixture
def archived(image: Image, tmp_path: Path) -> Path:
    """The image as an archive for ``docker load``."""
    path = tmp_path / "image.tar"
    with path.open("wb") as file:
        file.writelines(archive(image, TAG))
    return path


@pytest.fixture
def podman() -> Iterator[Podman]:
    with tempfile.TemporaryDirectory(prefix="pod") as short:  # podman takes 50 characters
        found = Podman(Path(short))
        try:
            yield found
        finally:
            found.close()


@pytest.fixture
def containerd(tmp_path: Path) -> Iterator[Containerd]:
    folder = tmp_path / "containerd"
    folder.mkdir()
    with engines.containerd(folder) as found:
        yield found


def runs(engine: Docker | Podman, name: str, expected: str) -> None:
    """Hold that an engine runs an image, as both users."""
    for user in USERS:
        assert engine.run(name, user, COMMAND).split() == [*user.split(":"), *expected.split()]


def test_skopeo_reads_it_everywhere(
    image: Image, layout: str, pushed: str, archived: Path, tmp_path: Path
) -> None:
    config = "sha256:" + json.loads(image.manifest)["config"]["digest"].partition(":")[2]
    for place in (f"oci:{layout}", f"docker://{pushed}"):
        raw = call("skopeo", "inspect", "--tls-verify=false", "--raw", place)
        assert json.loads(raw)["config"]["digest"] == config
        copy = tmp_path / f"copy-{place.partition(':')[0]}"
        call(
            "skopeo",
            "copy",
            "--preserve-digests",
            "--src-tls-verify=false",
            place,
            f"oci:{copy}:v1",
        )
        assert Layout(copy).resolve("v1").digest == image.digest
    said = json.loads(call("skopeo", "inspect", f"docker-archive:{archived}"))
    assert len(said["Layers"]) == len(image.layers)


def test_docker_loads_the_archive_and_runs_it(archived: Path, image: Image, expected: str) -> None:
    docker = Docker()
    name = docker.load(archived)
    try:
        runs(docker, name, expected)
        shown = json.loads(call("docker", "image", "inspect", name))[0]["Id"]
        assert shown == json.loads(image.manifest)["config"]["digest"]
    finally:
        docker.remove(name)


def test_docker_pulls_it(pushed: str, image: Image, expected: str) -> None:
    docker = Docker()
    version = call("docker", "version", "--format", "{{.Server.Version}}")
    if "zstd" in str(image.manifest) and int(version.partition(".")[0]) < 23:
        done = subprocess.run(["docker", "pull", pushed], capture_output=True, text=True)
        assert done.returncode != 0, "engines before 23 read no zstd: the docs say so"
        return
    name = docker.pull(pushed)
    try:
        runs(docker, name, expected)
    finally:
        docker.remove(name)


@pytest.mark.parametrize("way", ["layout", "push", "archive"])
def test_podman(
    way: str, layout: str, pushed: str, archived: Path, podman: Podman, expected: str
) -> None:
    places = {"layout": f"oci:{layout}", "push": pushed, "archive": f"docker-archive:{archived}"}
    runs(podman, podman.pull(places[way]), expected)


@pytest.mark.parametrize("way", ["layout", "push", "archive"])
def test_containerd(
    way: str,
    layout: str,
    pushed: str,
    archived: Path,
    containerd: Containerd,
    expected: str,
    tmp_path: Path,
) -> None:
    if way == "push":
        name = containerd.pull(pushed)
    elif way == "archive":
        name = containerd.load(archived)
    else:  # ctr imports a folder as the tar of it
        packed = tmp_path / "layout.tar"
        folder = layout.rpartition(":")[0]
        call("tar", "-C", folder, "-cf", packed, *sorted(os.listdir(folder)))  # noqa: PTH208
        name = containerd.load(packed)
    assert containerd.run(name, COMMAND).split() == ["1000", "0", *expected.split()]


def test_containerd_as_any_user(
    image: Image, base: Base, containerd: Containerd, expected: str, tmp_path: Path
) -> None:
    """Its ``ctr`` takes the user from the image."""
    config = ImageConfig(user=USERS[1], workdir="/tmp")
    other = build_image(base, image.layers[len(base.layers) :], config)
    path = tmp_path / "image.tar"
    with path.open("wb") as file:
        file.writelines(archive(other, TAG))
    name = containerd.load(path)
    assert containerd.run(name, COMMAND).split() == [*USERS[1].split(":"), *expected.split()]


@pytest.mark.parametrize("image", ["gzip"], indirect=True)  # umoci 0.4 reads no zstd
def test_umoci_unpacks_it(layout: str, tmp_path: Path, weights: Path) -> None:
    call("umoci", "unpack", "--rootless", "--image", layout, tmp_path / "bundle")
    root = tmp_path / "bundle" / "rootfs"
    held = (root / "opt/mlops/weights/w.bin").read_bytes()
    assert held == (weights / "weights" / "w.bin").read_bytes()
    assert (root / "opt/mlops/link").read_text() == "hello"
    shutil.rmtree(root)


def test_gzip_and_zstd_are_the_same_image(base: Base, weights: Path, tmp_path: Path) -> None:
    """The id that engines give it does not depend on the compression."""
    made = {}
    for name in COMPRESSIONS:
        code = build_layer(
            [Entry("a", b"text" * 99)], kind="code", title="", store=tmp_path,
            compression=BY_NAME[name],
        )  # fmt: skip
        made[name] = build_image(base, [code], ImageConfig())
    assert made["gzip"].config == made["zstd"].config
    assert made["gzip"].digest != made["zstd"].digest
