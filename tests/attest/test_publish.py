"""A real publish, from notebook to verified image: papers attached, nothing private told."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import logging
import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import cli, settings
from jupyter_mlops.attest.models import BUNDLE, CYCLONEDX, ENVELOPE, IN_TOTO
from jupyter_mlops.catalog import list_publications
from jupyter_mlops.errors import UsageError
from jupyter_mlops.events import Event
from jupyter_mlops.image.repository import Repository, read_blob
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.verify import verify
from tests.conftest import EXAMPLES
from tests.fixtures_keys import PASSPHRASE, Keys
from tests.fixtures_registry import RunningRegistry

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.registry]


@dataclass(frozen=True)
class Done:
    """A publish with a key, and everything that it said on its way."""

    published: Published
    said: str
    folder: Path


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory,
    docker_registry: RunningRegistry,
    keys: Keys,
    mlops_home: Path,
) -> Done:
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copy(EXAMPLES / "iris_classifier.ipynb", folder)
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    def listen(event: Event) -> None:
        lines.append(repr(event))

    patch = pytest.MonkeyPatch()
    patch.setenv("JUPYTER_MLOPS_HOME", str(mlops_home))
    patch.setenv("MLOPS_KEY_PASSWORD", PASSPHRASE)
    try:
        published = publish(
            folder / "iris_classifier.ipynb",
            f"{docker_registry.url}/attest/whole/iris:stable",
            key=keys.locked,
            on_event=listen,
        )
    finally:
        patch.undo()
        root.removeHandler(handler)
        root.setLevel(level)
    return Done(published, "\n".join(lines), folder)


@pytest.fixture(autouse=True)
def home(alone: None, mlops_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Share environments and layers with the rest of the session."""
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(mlops_home))


def papers(repository: Repository, digest: str) -> dict[str, tuple[str, bytes]]:
    """Return media type and bytes of what is attached, by its kind."""
    found = {}
    for item in repository.referrers(digest):
        layer = repository.manifest(item.manifest.digest)[1]["layers"][0]
        found[item.artifact_type] = (layer["mediaType"], read_blob(repository, layer["digest"]))
    return found


def statement(repository: Repository, digest: str) -> dict[str, Any]:
    media_type, data = papers(repository, digest)[IN_TOTO]
    if media_type == ENVELOPE:
        data = base64.b64decode(json.loads(data)["payload"])
    return dict(json.loads(data))


def test_it_verifies(done: Done, keys: Keys) -> None:
    found = verify(done.published.reference, keys.public)
    assert found.ok, found.checks
    assert found.digest == done.published.digest
    assert done.published.signed_by == found.key
    assert not verify(done.published.reference, keys.other_public).ok


def test_the_papers_are_about_what_was_published(done: Done) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    reference = Reference.parse(done.published.reference)
    repository = open_repository(reference)
    found = papers(repository, done.published.digest)
    assert set(found) == {CYCLONEDX, IN_TOTO, BUNDLE}
    listed = json.loads(found[CYCLONEDX][1])
    assert (
        JsonStrictValidator(SchemaVersion.V1_6).validate_str(found[CYCLONEDX][1].decode()) is None
    )
    by_name = {item["name"]: item for item in listed["components"]}
    model = done.published.captures[0]
    assert by_name["model"]["hashes"][0]["content"] == model.sha256
    assert by_name["scikit-learn"]["licenses"]
    wheels = [item for item in listed["components"] if item["bom-ref"].startswith("pkg:pypi/")]
    shipped = [item for item in wheels if not item["bom-ref"].endswith("#shipped")]
    assert len(shipped) > 20 and all(len(item["hashes"]) == 1 for item in shipped)
    said = statement(repository, done.published.digest)
    assert said["subject"][0]["digest"]["sha256"] == done.published.digest[7:]
    definition = said["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["parameters"]["n_trees"] == 100
    made = {item["name"]: item for item in said["predicate"]["runDetails"]["byproducts"]}
    named = hashlib.sha256(found[CYCLONEDX][1]).hexdigest()
    assert made["sbom"]["digest"]["sha256"] == named, "which names each wheel"


def test_nothing_private_is_told(done: Done, docker_registry: RunningRegistry) -> None:
    repository = open_repository(Reference.parse(done.published.reference))
    texts = [data for _, data in papers(repository, done.published.digest).values()]
    texts.append(json.dumps(statement(repository, done.published.digest)).encode())
    # As a word: a short name can stand within a signature by chance.
    host = re.compile(rb"(?<![\w+/=])" + re.escape(socket.gethostname().encode()) + rb"(?![\w+/=])")
    assert not any(host.search(text) for text in texts)
    private = [
        str(done.folder), str(settings.home()), docker_registry.url, str(Path.home()),
        f"/{getpass.getuser()}/", PASSPHRASE, "PRIVATE KEY",
    ]  # fmt: skip
    for word in private:
        assert not any(word.encode() in text for text in texts), word
    assert PASSPHRASE not in done.said and "PRIVATE KEY" not in done.said
    assert "started" in done.said, "what was said was heard"


def test_the_same_again_is_the_same_bytes_anywhere(done: Done, keys: Keys, tmp_path: Path) -> None:
    """Another folder, and a directory instead of a registry."""
    notebook = shutil.copy(done.folder / "iris_classifier.ipynb", tmp_path)
    again = publish(notebook, f"oci:{tmp_path}/registry:iris:x", key=keys.private)
    assert again.digest == done.published.digest
    here = open_repository(f"oci:{tmp_path}/registry:iris:")
    there = open_repository(Reference.parse(done.published.reference))
    assert papers(here, again.digest) == papers(there, again.digest)
    assert verify(again.reference, keys.public).ok
    assert [item.tags for item in list_publications(f"oci:{tmp_path}/registry")] == [["v1", "x"]]
    unchanged = publish(notebook, f"oci:{tmp_path}/registry:iris:x", key=keys.private)
    assert len(here.referrers(again.digest)) == 3
    assert unchanged.pushed_bytes < 20_000


def test_a_key_that_does_not_open_stops_before_anything_runs(
    done: Done, keys: Keys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook, target = done.folder / "iris_classifier.ipynb", f"oci:{tmp_path}/registry:iris:x"
    with pytest.raises(UsageError, match="no passphrase"):
        publish(notebook, target, key=keys.locked)
    assert not (tmp_path / "registry").exists()
    command = ["publish", str(notebook), target, "--key", str(keys.locked), "--json"]
    assert cli.main(command) == 2
    said = capsys.readouterr()
    assert "MLOPS_KEY_PASSWORD" in said.err and "run" not in said.err.split("error:")[0]
