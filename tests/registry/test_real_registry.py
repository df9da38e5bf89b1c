"""Against a real registry: open, with a login, with TLS; and another client reads what we wrote."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.errors import NotFoundError, RegistryError
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import stored_image
from jupyter_mlops.registry.catalog import list_publications, next_version
from jupyter_mlops.registry.client import RemoteRepository
from jupyter_mlops.registry.open import open_repository
from tests.fixtures_registry import MakeImage, RunningRegistry, TlsRegistry

pytestmark = pytest.mark.registry


def log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, pair: str) -> None:
    value = {"auths": {url: {"auth": base64.b64encode(pair.encode()).decode()}}}
    (tmp_path / "config.json").write_text(json.dumps(value))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def test_push_and_read_back(docker_registry: RunningRegistry, make_image: MakeImage) -> None:
    image = make_image(weights=b"w" * 2_000_000)
    repository = open_repository(f"{docker_registry.url}/real/iris")
    assert repository.tags() == []
    pushed = repository.push(image, ["v1", "latest"])
    assert (pushed.digest, pushed.mounted, pushed.skipped) == (image.digest, 0, 0)
    assert repository.tags() == ["latest", "v1"]
    descriptor, manifest = repository.manifest("latest")
    assert (descriptor.digest, manifest) == (image.digest, json.loads(image.manifest))
    assert repository.resolve("v1") == repository.resolve(image.digest) == descriptor
    assert repository.manifest_bytes("v1") == image.manifest
    for blob in image.blobs():
        with repository.blob(blob.descriptor.digest) as there, blob.open() as here:
            assert b"".join(there) == b"".join(here)


def test_the_second_push_sends_kilobytes(
    docker_registry: RunningRegistry, make_image: MakeImage
) -> None:
    weights = b"w" * 2_000_000
    repository = open_repository(f"{docker_registry.url}/real/second")
    repository.push(make_image("1", weights=weights), ["latest"])
    again = repository.push(make_image("1", weights=weights), ["latest"])
    assert again.skipped == 4
    changed = repository.push(make_image("2", weights=weights), ["latest"])
    assert changed.skipped == 2 and changed.pushed_bytes < 12_000


def test_another_repository_mounts(docker_registry: RunningRegistry, make_image: MakeImage) -> None:
    image = make_image("mounted")
    open_repository(f"{docker_registry.url}/real/source").push(image, ["latest"])
    source = open_repository(f"{docker_registry.url}/real/source")
    target = open_repository(f"{docker_registry.url}/real/target")
    pushed = target.push(stored_image(source, "latest"), ["latest"])
    assert (pushed.mounted, pushed.skipped) == (3, 0)
    assert target.resolve("latest").digest == image.digest


def test_versions_count_up(docker_registry: RunningRegistry, make_image: MakeImage) -> None:
    repository = open_repository(f"{docker_registry.url}/real/versions")
    first, second = make_image("1"), make_image("2")
    assert next_version(repository, first.digest) == (1, False)
    repository.push(first, ["v1", "latest"])
    assert next_version(repository, first.digest) == (1, True)
    assert next_version(repository, second.digest) == (2, False)
    repository.push(second, ["v2", "latest"])
    assert next_version(repository, first.digest) == (1, True)
    found = list_publications(f"{docker_registry.url}/real/versions")
    assert [(item.version, item.tags) for item in found] == [(2, ["latest", "v2"]), (1, ["v1"])]
    assert found[0].reference == f"{docker_registry.url}/real/versions:v2"
    assert found[0].labels == second.labels
    assert found[0].size == second.size


def test_a_whole_registry_and_a_prefix_are_listed(
    docker_registry: RunningRegistry, make_image: MakeImage
) -> None:
    for name in ("listing/a", "listing/b/c", "elsewhere"):
        open_repository(f"{docker_registry.url}/{name}").push(make_image(name), ["v1"])
    below = list_publications(f"{docker_registry.url}/listing")
    assert [item.repository for item in below] == ["listing/a", "listing/b/c"]
    everything = {item.repository for item in list_publications(docker_registry.url)}
    assert {"listing/a", "listing/b/c", "elsewhere"} <= everything


def test_tags_can_often_not_be_deleted(
    docker_registry: RunningRegistry, make_image: MakeImage
) -> None:
    repository = open_repository(f"{docker_registry.url}/real/delete")
    repository.push(make_image(), ["v1"])
    with pytest.raises(RegistryError):  # docker-registry 2.8 deletes by digest only
        repository.delete_tag("v1")
    with pytest.raises(NotFoundError):
        repository.delete_tag("v2")
    assert repository.tags() == ["v1"]


def test_a_login_is_needed_and_used(
    private_registry: RunningRegistry,
    make_image: MakeImage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = private_registry.url
    repository = RemoteRepository(url, "team/iris")
    with pytest.raises(RegistryError, match=f"docker login {url}"):
        repository.push(make_image(), ["latest"])
    log_in(tmp_path, monkeypatch, url, "scientist:wrong")
    with pytest.raises(RegistryError, match=f"docker login {url}") as caught:
        repository.push(make_image(), ["latest"])
    assert "wrong" not in str(caught.value)
    pair = f"{private_registry.user}:{private_registry.password}"
    log_in(tmp_path, monkeypatch, url, pair)
    assert repository.push(make_image(), ["latest"]).digest == make_image().digest
    assert [item.repository for item in list_publications(url)] == ["team/iris"]


def test_tls_under_a_private_authority(
    tls_registry: TlsRegistry, make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RegistryError, match="JUPYTER_MLOPS_CA"):
        open_repository(f"{tls_registry.url}/team/iris").push(make_image(), ["latest"])
    monkeypatch.setenv("JUPYTER_MLOPS_CA", str(tls_registry.root / "nothing"))
    with pytest.raises(RegistryError, match="cannot be read"):
        open_repository(f"{tls_registry.url}/team/iris")
    monkeypatch.setenv("JUPYTER_MLOPS_CA", str(tls_registry.authority))
    repository = open_repository(f"{tls_registry.url}/team/iris")
    repository.push(make_image(), ["latest"])
    assert repository.resolve("latest").digest == make_image().digest


@pytest.mark.skopeo
def test_skopeo_reads_what_we_pushed_and_we_what_it_copied(
    docker_registry: RunningRegistry, make_image: MakeImage, tmp_path: Path
) -> None:
    image, name = make_image("skopeo"), f"{docker_registry.url}/real/skopeo"
    open_repository(name).push(image, ["v1"])
    inspected = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", f"docker://{name}:v1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    value = json.loads(inspected.stdout)
    assert (value["Digest"], value["Labels"]) == (image.digest, image.labels)
    subprocess.run(
        ["skopeo", "copy", "--src-tls-verify=false", f"docker://{name}:v1", f"oci:{tmp_path}/l:x"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert Layout(tmp_path / "l").resolve("x").digest == image.digest
    subprocess.run(
        ["skopeo", "copy", "--dest-tls-verify=false", f"oci:{tmp_path}/l:x", f"docker://{name}-copy:v1"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert open_repository(f"{name}-copy").resolve("v1").digest == image.digest
