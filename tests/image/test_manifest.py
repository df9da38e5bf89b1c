"""Manifest and config: canonical, complete, and nothing of this machine in them."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import uuid
from pathlib import Path

import pytest

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.docker import archive, load
from jupyter_mlops.image.layer import Entry, build_layer
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image, canonical
from tests.fixtures_registry import MakeImage


def test_an_image_is_what_the_specification_says(make_image: MakeImage) -> None:
    image = make_image(weights=b"w")
    manifest, config = json.loads(image.manifest), json.loads(image.config)
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["config"] == {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": f"sha256:{hashlib.sha256(image.config).hexdigest()}",
        "size": len(image.config),
    }
    kinds = [item["annotations"]["io.jupyter-mlops.layer"] for item in manifest["layers"]]
    assert kinds == ["base", "weights", "code"]
    assert manifest["annotations"]["org.opencontainers.image.base.name"] == "example.org/base:1"
    assert config["rootfs"]["diff_ids"] == [layer.diff_id for layer in image.layers]
    assert len(config["history"]) == 3
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert config["config"]["Env"] == ["A=1", "B=2", "PATH=/bin"]
    assert config["config"]["ExposedPorts"] == {"8080/tcp": {}}
    assert config["config"]["User"] == "1000:0"
    assert config["config"]["StopSignal"] == "SIGTERM"
    assert image.labels == {"io.jupyter-mlops.publication": '{"name":"small"}'}
    assert len(image.blobs()) == 4
    assert image.size == sum(blob.descriptor.size for blob in image.blobs())


def test_two_builds_are_one_image(make_image: MakeImage) -> None:
    first, second = make_image(), make_image()
    assert (first.manifest, first.config) == (second.manifest, second.config)
    assert make_image("other").digest != first.digest


def test_nothing_of_this_machine_is_in_it(make_image: MakeImage, tmp_path: Path) -> None:
    image = make_image()
    text = image.manifest + image.config
    for word in (socket.gethostname(), str(tmp_path), os.environ.get("USER") or "no-such-user"):
        assert word.encode() not in text


def test_the_time_is_the_source_date_epoch(
    make_image: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert json.loads(make_image().config)["created"] == "2023-11-14T22:13:20Z"


def test_a_layer_that_comes_twice_is_transferred_once(tmp_path: Path) -> None:
    layer = build_layer([Entry("a", b"1")], kind="code", title="", store=tmp_path)
    image = build_image(Base("b", "", (), {}), [layer, layer], ImageConfig())
    assert len(json.loads(image.manifest)["layers"]) == 2
    assert len(image.blobs()) == 2


def test_a_manifest_that_registries_refuse_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="larger than registries accept"):
        build_image(Base("b", "", (), {}), [], ImageConfig(), {"a": "x" * (5 << 20)})


def test_the_bases_history_is_kept_when_it_fits(tmp_path: Path) -> None:
    layer = build_layer([Entry("a", b"1")], kind="base", title="", store=tmp_path)
    history = [{"created_by": "ADD"}, {"created_by": "ENV", "empty_layer": True}]
    kept = build_image(Base("b", "", (layer,), {"history": history}), [], ImageConfig())
    assert json.loads(kept.config)["history"] == history
    made = build_image(Base("b", "", (layer,), {"history": history[1:]}), [], ImageConfig())
    assert [item["created_by"] for item in json.loads(made.config)["history"]] == ["base b"]


def test_json_has_one_form() -> None:
    assert canonical({"b": [1, "ü"], "a": None}) == '{"a":null,"b":[1,"ü"]}'.encode()


def test_the_archive_for_docker_has_all_blobs(make_image: MakeImage, tmp_path: Path) -> None:
    import io
    import tarfile

    image = make_image()
    data = b"".join(archive(image, "demo:1"))
    with tarfile.open(fileobj=io.BytesIO(data)) as found:
        names = found.getnames()
        index_file = found.extractfile("manifest.json")
        assert index_file is not None
        (index,) = json.load(index_file)
        assert index["RepoTags"] == ["demo:1"]
        assert [index["Config"], *index["Layers"]] == [names[-2], *names[:-2]]
        for name in index["Layers"]:
            layer = found.extractfile(name)
            assert layer is not None
            assert hashlib.sha256(layer.read()).hexdigest() == name.removesuffix(".tar")


@pytest.mark.docker
def test_docker_loads_the_image_under_its_config_digest(make_image: MakeImage) -> None:
    image: Image = make_image()
    tag = f"jupyter-mlops-test:{uuid.uuid4().hex[:12]}"
    try:
        assert load(image, tag) == image_id(image)
        found = subprocess.run(
            ["docker", "image", "inspect", tag], capture_output=True, text=True, check=True
        )
        value = json.loads(found.stdout)[0]
        assert value["Config"]["Labels"] == image.labels
        assert value["RootFS"]["Layers"] == [layer.diff_id for layer in image.layers]
    finally:
        subprocess.run(["docker", "image", "rm", "-f", tag], capture_output=True)


def image_id(image: Image) -> str:
    return f"sha256:{hashlib.sha256(image.config).hexdigest()}"


def test_no_engine_is_a_sentence(make_image: MakeImage, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(ImageError, match="cannot be loaded into Docker"):
        load(make_image(), "x:1")
