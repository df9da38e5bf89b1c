"""What the tests of this room share: places to publish to, keys made by openssl, a small image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_mlops.attest import attached, provenance, sbom, signature
from jupyter_mlops.attest.keys import private
from jupyter_mlops.attest.models import Contents, Data, Wheel
from jupyter_mlops.attest.provenance import Build
from jupyter_mlops.image.blob import BytesBlob
from jupyter_mlops.image.manifest import Image
from jupyter_mlops.image.repository import Repository
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.fixtures_registry import MakeImage

CONTENTS = Contents(
    name="iris",
    generator="jupyter-mlops 1.2.3",
    created="1970-01-01T00:00:00Z",
    platform="linux/amd64",
    base_name="docker.io/library/python:3.11-slim",
    base_digest=f"sha256:{'b' * 64}",
    wheels=[
        Wheel(name="numpy", version="2.1.0", sha256=["1" * 64], expression="BSD-3-Clause"),
        Wheel(name="torch", version="2.5.1+cpu", sha256=["2" * 64], licenses=["BSD", "Other"]),
    ],
    system="debian-12",
    system_packages={"libgl1": "1.6.0-1", "libstdc++6": "1:12.2.0-14"},
    captures=[Data(name="model", sha256="3" * 64, size=12, kind="model")],
)
BUILD = Build(
    notebook_sha256="4" * 64,
    lock_sha256="5" * 64,
    external={"notebook": "iris", "parameters": {"rate": 0.5}},
    internal={"allowedSecrets": ["f" * 16]},
    inputs=[Data(name="data/train.csv", sha256="6" * 64, size=7)],
)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home of its own, without the person's logins and passphrases."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-logins"))
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "mlops"))
    for name in ("REGISTRY_AUTH_FILE", "MLOPS_KEY_PASSWORD", "COSIGN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["directory", pytest.param("registry", marks=pytest.mark.registry)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for one repository: ``oci:DIRECTORY:iris``, or one of a real registry."""
    if request.param == "directory":
        return f"oci:{tmp_path}/layout:iris:"
    url = request.getfixturevalue("docker_registry").url
    return f"{url}/attest/{tmp_path.name.replace('_', '-').lower()}"


def named(place: str, version: str) -> str:
    """Return the reference of a tag at a place."""
    return str(Reference.parse(place).with_tag(version))


def papers(image: Image) -> tuple[BytesBlob, BytesBlob]:
    """Return SBOM and provenance of an image."""
    listed = sbom.write(CONTENTS)
    return listed, provenance.write(image.digest, CONTENTS, BUILD, listed)


@dataclass(frozen=True)
class Placed:
    """An image that was published with its papers."""

    reference: str
    repository: Repository
    image: Image


Publish = Callable[..., Placed]


@pytest.fixture
def publish(place: str, make_image: MakeImage) -> Publish:
    """Return a publisher: ``publish("text", key=FILE)``; tags ``v1`` and ``latest`` come last."""

    def run(text: str = "print(1)", key: Path | None = None) -> Placed:
        image, reference = make_image(text), Reference.parse(place)
        repository, signer = open_repository(reference), private(key) if key else None
        artifacts = attached.artifacts(image.descriptor, *papers(image), CONTENTS.created, signer)

        def vouch() -> None:
            repository.attach(artifacts)
            if signer:
                signature.attach(repository, image.digest, reference.public_name, signer)

        repository.push(image, ["v1", "latest"], before_tags=vouch)
        return Placed(named(place, "latest"), repository, image)

    return run
