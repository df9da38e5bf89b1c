"""A publish for two platforms: one is run, the other has the same versions and says it was not."""

from __future__ import annotations

import json
import platform as host
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from jupyter_mlops import audits, cli
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import ImageError, LockError, MlopsError, UsageError
from jupyter_mlops.events import Event, Log, Stage
from jupyter_mlops.image.base import PYTHON_LABEL, Base
from jupyter_mlops.image.blob import INDEX, MANIFEST
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layer import Entry, Layer, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image, stored_image
from jupyter_mlops.image.reading import Reader, uncompressed
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.rerun import rerun
from jupyter_mlops.runtime.publication import Publication, decode
from jupyter_mlops.verify import verify
from tests.environment.loopback import wheel
from tests.fixtures_keys import Keys
from tests.fixtures_registry import machines
from tests.notebooks import make

pytestmark = [pytest.mark.network, pytest.mark.slow]

OWN, OTHER = (f"linux/{machine}" for machine in machines())
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
ELF = {"linux/amd64": 62, "linux/arm64": 183}
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0",
             "libdl.so.2", "librt.so.1", "libutil.so.1", "libz.so.1")  # fmt: skip
CELLS = [
    "import numpy as np",
    ("parameters", "slope: float = 2.0"),
    "weights = np.linspace(0, slope, 500)",
    ("predict", "def predict(rows):\n    return rows.to_numpy() @ weights[1:2]"),
    "import pandas as pd\npredict(pd.DataFrame({'x': [1.0, 2.0]}))",
]


def base_of(folder: Path, name: str, machine: str, libraries: tuple[str, ...]) -> Image:
    """Return a base of names only: nothing here runs it."""
    entries = [Entry("etc/os-release", b"ID=debian\n"), Entry("machine", name.encode())]
    entries += [Entry(f"usr/lib/{library}", b"") for library in libraries]
    layer = build_layer(entries, kind="base", title=name, store=folder / "store")
    config = {"os": "linux", "architecture": machine.partition("/")[2]}
    return build_image(Base("", "", (), config), [layer], ImageConfig(labels={PYTHON_LABEL: MINOR}))


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A layout of bases: ``both`` for two platforms; in ``poor`` the other one lacks a library."""
    folder = tmp_path_factory.mktemp("bases")
    layout = Layout(folder / "layout")
    own, other = (base_of(folder, each, each, LIBRARIES) for each in (OWN, OTHER))
    layout.push(Index((own, other)), ["both"])
    layout.push(Index((own, base_of(folder, "poor", OTHER, LIBRARIES[1:]))), ["poor"])
    layout.push(own, ["single"])
    return f"oci:{layout.directory}"


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Wheels that no index has: for any platform, for this machine's only, with other needs."""
    folder = tmp_path_factory.mktemp("links")
    here = f"platform_machine == '{host.machine()}'"
    tag = f"py3-none-manylinux_2_17_{host.machine()}"
    for name, data in (
        wheel("our-homemade", "1.0"),
        wheel("our-lonely", "1.0", tag=tag),
        wheel("our-lonelier", "1.0", tag=tag),
        wheel("our-marked", "1.0", [f"our-own; {here}", f"our-other; {here.replace('==', '!=')}"]),
        wheel("our-own", "1.0"),
        wheel("our-other", "1.0"),
    ):
        (folder / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_FIND_LINKS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("user") / "line.ipynb", CELLS)


@pytest.fixture(scope="module")
def both(
    notebook: Path,
    bases: str,
    links: Path,
    keys: Keys,
    tmp_path_factory: pytest.TempPathFactory,
) -> Published:
    registry = tmp_path_factory.mktemp("registry")
    return publish(
        notebook,
        f"oci:{registry}:line:best",
        base=f"{bases}:both",
        environment=LockOptions(additions=["our-homemade==1.0"]),
        key=keys.private,
        platforms=[OTHER, OWN],
    )


def layout_of(done: Published) -> Layout:
    _, directory, repository, _ = done.reference.split(":")
    return Layout(directory, repository)


def image_of(done: Published, platform: str) -> Image:
    return stored_image(layout_of(done), done.digest, platform)


def root_of(done: Published, platform: str, folder: Path) -> Path:
    return unpack(layout_of(done), image_of(done, platform).digest, folder)


def record_of(image: Image) -> Publication:
    text = image.labels["io.jupyter-mlops.publication"]
    return msgspec.json.decode(text, type=Publication)


def own_layers(image: Image) -> dict[str, Layer]:
    """Return the layers above the base by kind and title."""
    return {f"{each.kind} {each.title}": each for each in image.layers if each.kind != "base"}


def machines_of(image: Image) -> dict[str, set[int]]:
    """Return for which machines the image's shared objects are, by their paths."""
    found: dict[str, set[int]] = {}
    for layer in image.layers:
        with layer.blob.open() as packed:
            media_type = layer.blob.descriptor.media_type
            with tarfile.open(fileobj=Reader(uncompressed(packed, media_type)), mode="r|") as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isreg() else None
                    head = file.read(20) if file else b""
                    if head[:4] == b"\x7fELF":
                        machine = int.from_bytes(head[18:20], "little")
                        found.setdefault(member.name, set()).add(machine)
    return found


def test_it_is_an_index_of_both(both: Published) -> None:
    descriptor, value = layout_of(both).manifest("best")
    assert (descriptor.digest, descriptor.media_type) == (both.digest, INDEX)
    assert [item["platform"]["architecture"] for item in value["manifests"]] == ["amd64", "arm64"]
    assert both.platforms == [OWN, OTHER] and both.verified == "full"
    assert layout_of(both).tags()[0] == "best" and "v1" in layout_of(both).tags()


def test_the_records_say_where_it_was_run(both: Published, tmp_path: Path) -> None:
    own, other = (record_of(image_of(both, each)) for each in (OWN, OTHER))
    assert (own.platform, own.verified, own.run_on) == (OWN, "full", msgspec.UNSET)
    assert (other.platform, other.verified, other.run_on) == (OTHER, "elsewhere", OWN)
    assert own.captures == other.captures and own.notebook_sha256 == other.notebook_sha256
    assert own.direct == other.direct and own.base != other.base
    for platform, told in ((OWN, own), (OTHER, other)):
        root = root_of(both, platform, tmp_path)
        assert decode((root / "publication.json").read_bytes()) == told


def test_the_versions_are_those_that_were_run(both: Published, tmp_path: Path) -> None:
    locks = []
    for each in (OWN, OTHER):
        lock = tomllib.loads((root_of(both, each, tmp_path) / "pylock.toml").read_text())
        locks.append({package["name"]: package["version"] for package in lock["packages"]})
    assert locks[0] == locks[1] and locks[0]["our-homemade"] == "1.0"
    assert "numpy" in locks[0]


def test_what_is_the_same_is_the_same_layer(both: Published) -> None:
    own, other = (own_layers(image_of(both, each)) for each in (OWN, OTHER))
    same = {
        name for name, layer in own.items()
        if name in other and layer.blob.descriptor.digest == other[name].blob.descriptor.digest
    }  # fmt: skip
    assert {"weights weights", "library library", "styles styles"} <= same
    assert [name for name in same if " jedi==" in name], "packages without machine code"
    assert not [name for name in same if "numpy==" in name]


def test_all_machine_code_is_for_the_platform(both: Published) -> None:
    # debugpy's own wheel for any platform brings these, for whatever process it is attached to.
    for each in (OWN, OTHER):
        found = {
            path: machine
            for path, machine in machines_of(image_of(both, each)).items()
            if "/attach_" not in path
        }
        assert any("/numpy/" in path for path in found)
        assert set().union(*found.values()) == {ELF[each]}, found


def test_bytecode_is_there_for_both(both: Published) -> None:
    counts = []
    for each in (OWN, OTHER):
        layer = own_layers(image_of(both, each))["pyc compiled modules"]
        with layer.blob.open() as packed:
            media_type = layer.blob.descriptor.media_type
            with tarfile.open(fileobj=Reader(uncompressed(packed, media_type)), mode="r|") as tar:
                counts.append(sum(member.isreg() for member in tar))
    assert counts[0] > 100 and abs(counts[0] - counts[1]) < 20, "some modules are one machine's"


def test_one_platform_alone_is_the_very_same_image(
    both: Published, notebook: Path, bases: str, links: Path, tmp_path: Path
) -> None:
    for platforms in ([], [OWN]):
        alone = publish(
            notebook,
            f"oci:{tmp_path}/{len(platforms)}:line:best",
            base=f"{bases}:both",
            environment=LockOptions(additions=["our-homemade==1.0"]),
            platforms=platforms,
        )
        assert alone.digest == image_of(both, OWN).digest and alone.platforms == [OWN]
        assert layout_of(alone).resolve("best").media_type == MANIFEST


def test_it_is_the_same_again_and_in_another_home(
    both: Published,
    notebook: Path,
    bases: str,
    links: Path,
    keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Any] = {
        "base": f"{bases}:both",
        "environment": LockOptions(additions=["our-homemade==1.0"]),
        "key": keys.private,
    }
    again = publish(notebook, both.reference, platforms=[OWN, OTHER], **asked)
    assert (again.digest, again.version) == (both.digest, 1)
    assert again.pushed_bytes < 20_000
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))
    shutil.copy(notebook, tmp_path)
    there = publish(
        tmp_path / notebook.name, f"oci:{tmp_path}/r:line:x", platforms=[OWN, OTHER, OWN], **asked
    )
    assert there.digest == both.digest


def test_it_runs_here_and_its_papers_hold(both: Published, keys: Keys, tmp_path: Path) -> None:
    ran = rerun(both.reference, {"slope": 3.0}, output=tmp_path / "out.ipynb")
    assert ran.state == "succeeded"
    found = verify(both.reference, keys.public)
    assert found.ok and len(found.checks) == 7, found.checks
    statements = {}
    for each in (OWN, OTHER):
        told = _provenance(both, image_of(both, each).digest)
        statements[each] = told["predicate"]["buildDefinition"]["externalParameters"]
    assert statements[OWN]["verified"] == "full" and "runOn" not in statements[OWN]
    assert statements[OTHER]["verified"] == "elsewhere" and statements[OTHER]["runOn"] == OWN
    assert statements[OTHER]["target"]["platform"] == OTHER


def test_an_audit_of_the_reference_is_of_all_platforms(
    both: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Lock] = []
    monkeypatch.setenv("JUPYTER_MLOPS_AUDIT", "none")
    monkeypatch.setattr(audits, "switched_off", lambda locks, _: seen.extend(locks))
    audits.audit(both.reference)
    assert {lock.platform for lock in seen} == {OWN, OTHER}
    assert len({lock.sha256 for lock in seen}) == 2


def _provenance(done: Published, digest: str) -> dict[str, Any]:
    from jupyter_mlops.attest import attached

    (text,) = attached.statements(layout_of(done), digest)
    return cast(dict[str, Any], json.loads(text))


def refused(notebook: Path, tmp_path: Path, **asked: Any) -> tuple[MlopsError, list[Event]]:
    """Return why a publish for both is refused: nothing is written, and nothing was run."""
    events: list[Event] = []
    with pytest.raises(MlopsError) as caught:
        publish(notebook, f"oci:{tmp_path}/none:line:x", on_event=events.append, **asked)
    assert not (tmp_path / "none").exists()
    assert not [each for each in events if isinstance(each, Stage) and each.name == "run"]
    return caught.value, events


def test_packages_without_a_wheel_there_are_all_named_before_anything_is_run(
    notebook: Path, bases: str, links: Path, tmp_path: Path
) -> None:
    options = LockOptions(additions=["our-lonely==1.0", "our-lonelier==1.0", "our-homemade==1.0"])
    error, _ = refused(
        notebook, tmp_path, base=f"{bases}:both", environment=options, platforms=[OWN, OTHER]
    )
    assert isinstance(error, LockError) and len(error.problems) == 2
    for name, problem in zip(("our-lonelier", "our-lonely"), error.problems, strict=True):
        said = problem.sentence()
        assert said.startswith(f"{OTHER}: '{name}' has no wheel for the image's platform. ")
        assert f"{name} 1.0 has none for Python {MINOR} on {OTHER}" in said


def test_what_the_other_base_lacks_is_told_of_that_platform(
    notebook: Path, bases: str, tmp_path: Path
) -> None:
    error, _ = refused(notebook, tmp_path, base=f"{bases}:poor", platforms=[OWN, OTHER])
    assert isinstance(error, ImageError)
    (problem,) = error.problems
    assert problem.where == OTHER and "The image lacks libstdc++.so.6" in problem.sentence()


def test_a_base_of_one_platform_is_refused(notebook: Path, bases: str, tmp_path: Path) -> None:
    error, _ = refused(notebook, tmp_path, base=f"{bases}:single", platforms=[OWN, OTHER])
    assert str(error).startswith(f"{OTHER}: Base {bases}:single is for {OWN}, not for {OTHER}")


def test_the_kernels_own_platform_must_be_among_them(notebook: Path, tmp_path: Path) -> None:
    error, _ = refused(notebook, tmp_path, platforms=[OTHER])
    assert isinstance(error, UsageError)
    assert f"--platform {OWN} --platform {OTHER}" in str(error)
    error, _ = refused(notebook, tmp_path, platforms=[OWN, "linux/s390x"])
    assert isinstance(error, UsageError) and "'linux/s390x' is no platform" in str(error)


def test_without_a_run_no_image_claims_one(
    notebook: Path, bases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["publish", str(notebook), f"oci:{tmp_path}/r:line:x", "--base", f"{bases}:both"]
    both = ["--platform", OWN, "--platform", OTHER]
    assert cli.main([*command, *both, "--verify", "none", "--json"]) == 0
    done = msgspec.convert(json.loads(capsys.readouterr().out), Published)
    for each in (OWN, OTHER):
        told = record_of(image_of(done, each))
        assert (told.verified, told.run_on) == ("none", msgspec.UNSET)
    assert cli.main(["show", done.reference]) == 0
    assert capsys.readouterr().out.count("verified: none") == 3


def test_a_lock_is_for_one_platform(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lock", str(notebook), "--platform", OWN, "--platform", OTHER]) == 2
    assert "one platform" in capsys.readouterr().err


def test_what_only_the_other_platform_needs_is_told(
    notebook: Path, bases: str, links: Path, tmp_path: Path
) -> None:
    events: list[Event] = []
    publish(
        notebook,
        f"oci:{tmp_path}/r:line:x",
        base=f"{bases}:both",
        environment=LockOptions(additions=["our-marked==1.0"]),
        verify="none",
        platforms=[OWN, OTHER],
        on_event=events.append,
    )
    told = [each.text for each in events if isinstance(each, Log)]
    beside = "needs our-other beside what was run: nothing proves these versions"
    assert f"{OTHER}: {beside}" in told
    assert f"{OTHER}: does not need our-own" in told
