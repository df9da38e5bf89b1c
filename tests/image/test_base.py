"""Which base an image gets, and what is said when there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import events
from jupyter_mlops.errors import ImageError, NotFoundError, RegistryError
from jupyter_mlops.image import base as base_module
from jupyter_mlops.image import debian
from jupyter_mlops.image.base import Base, resolve_base, version_of
from jupyter_mlops.image.blob import DOCKER_MANIFEST, RemoteBlob
from jupyter_mlops.image.debian import build_base
from jupyter_mlops.image.docker import load
from jupyter_mlops.image.index import Index
from jupyter_mlops.image.layer import Entry, Link, build_layer
from jupyter_mlops.image.layout import Layout
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image, canonical
from jupyter_mlops.image.packages import merged, unpack
from jupyter_mlops.image.platforms import host_platform


def python_image(store: Path, python: str = "3.11.9", architecture: str = "amd64") -> Image:
    """Return an image as the official ones of Python are."""
    layer = build_layer([Entry("usr/bin/python3", b"")], kind="", title="", store=store)
    env = [f"PYTHON_VERSION={python}", "PATH=/bin"] if python else ["PATH=/bin"]
    config = {"architecture": architecture, "os": "linux", "config": {"Env": env}}
    empty = Base("", "", (), config)
    return build_image(empty, [layer], ImageConfig(user="root"))


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Layout]:
    """Return a function that puts a Python image into the layout that tests resolve from."""

    def run(python: str = "3.11.9", tag: str = "3.11-slim", architecture: str = "amd64") -> Layout:
        layout = Layout(tmp_path / "mirror", "python")
        layout.push(python_image(tmp_path / "made", python, architecture), [tag])
        return layout

    return run


def resolve(tmp_path: Path, spec: str, opener: Callable[[str], Any], **options: Any) -> Base:
    return resolve_base(
        spec, python="3.11", store=tmp_path / "store", open_repository=opener, **options
    )


@pytest.fixture(autouse=True)
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test makes a base of packages unless it says so."""

    def refuse(**_: Any) -> Base:
        raise ImageError("apt-get is not there")

    monkeypatch.setattr(debian, "build_base", refuse)


def nobody(_: str) -> Any:
    raise RegistryError("registry docker.io is not known")


def test_auto_is_the_slim_image_of_the_mirror(
    tmp_path: Path, put: Callable[..., Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    layout = put()

    def opener(text: str) -> Layout:
        asked.append(text)
        return layout

    found = resolve(tmp_path, "auto", opener)
    assert asked == ["docker.io/library/python:3.11-slim"]
    assert (found.name, found.python) == (asked[0], "3.11")
    assert found.digest == layout.resolve("3.11-slim").digest
    assert [layer.kind for layer in found.layers] == ["base"]
    assert isinstance(found.layers[0].blob, RemoteBlob)
    monkeypatch.setenv("JUPYTER_MLOPS_MIRROR", "mirror.example.org/hub/")
    resolve(tmp_path, "auto", opener)
    assert asked[-1] == "mirror.example.org/hub/python:3.11-slim"


def test_auto_stays_with_what_it_was_when_the_registry_is_away(
    tmp_path: Path, put: Callable[..., Layout]
) -> None:
    layout = put()
    found = resolve(tmp_path, "auto", lambda _: layout)
    shutil.rmtree(tmp_path / "mirror")
    again = resolve(tmp_path, "auto", lambda _: layout)
    assert (again.digest, again.name) == (found.digest, found.name)
    assert [layer.diff_id for layer in again.layers] == [layer.diff_id for layer in found.layers]


def test_auto_without_registry_or_packages_names_three_ways(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        resolve(tmp_path, "auto", nobody)
    text = str(caught.value)
    for way in ("JUPYTER_MLOPS_MIRROR", "--base registry/repository:tag", "--base oci:DIRECTORY"):
        assert way in text
    assert "apt-get is not there" in text


def test_a_silent_registry_is_not_waited_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_module, "ANSWER_WITHIN", 0.05)
    end, asked = threading.Event(), list[str]()

    def silent(text: str) -> Any:
        asked.append(text)
        end.wait(20)
        raise RegistryError("too late")

    made = Base("packages", "sha256:1", (), {}, "3.11")
    monkeypatch.setattr(debian, "build_base", lambda **_: made)
    said: list[events.Event] = []
    assert resolve(tmp_path, "auto", silent, on_event=said.append) is made
    assert resolve(tmp_path, "auto", silent, on_event=said.append) is made
    end.set()
    assert len(asked) == 1
    assert len(said) == 1 and "no answer within" in str(said[0])


def test_a_named_base_is_checked(tmp_path: Path, put: Callable[..., Layout]) -> None:
    layout = put()
    found = resolve(tmp_path, "r.org/python:3.11-slim", lambda _: layout)
    assert found.config["config"]["User"] == "root"
    with pytest.raises(NotFoundError):
        resolve(tmp_path, "r.org/python:3.12-slim", lambda _: layout)
    put("3.12.1", "other")
    with pytest.raises(ImageError, match=r"has Python 3\.12, the notebook needs 3\.11"):
        resolve(tmp_path, "r.org/python:other", lambda _: layout)
    put("", "unknown")
    said: list[events.Event] = []
    assert resolve(tmp_path, "r.org/p:unknown", lambda _: layout, on_event=said.append).python == ""
    assert "does not tell its Python version" in str(said[0])
    put(architecture="arm64", tag="arm")
    with pytest.raises(ImageError, match="is for linux/arm64, not for linux/amd64"):
        resolve(tmp_path, "r.org/p:arm", lambda _: layout)


def test_a_layout_with_one_image_needs_no_tag(tmp_path: Path, put: Callable[..., Layout]) -> None:
    layout = put()
    found = resolve(tmp_path, f"oci:{tmp_path}/mirror", lambda _: layout)
    assert found.digest == layout.resolve("3.11-slim").digest


def test_dockers_media_types_become_ocis(tmp_path: Path, put: Callable[..., Layout]) -> None:
    image = python_image(tmp_path / "made")
    value = json.loads(image.manifest)
    value["mediaType"] = DOCKER_MANIFEST
    value["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
    for item in value["layers"]:
        item["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    old = Image(canonical(value), image.config, image.layers, DOCKER_MANIFEST)
    layout = Layout(tmp_path / "mirror", "python")
    layout.push(old, ["old"])
    found = resolve(tmp_path, "r.org/python:old", lambda _: layout)
    built = json.loads(build_image(found, [], ImageConfig()).manifest)
    assert built["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"


def test_the_platform_is_chosen_from_an_index(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "mirror", "python")
    arm, amd = (
        python_image(tmp_path / "made", architecture=architecture)
        for architecture in ("arm64", "amd64")
    )
    layout.push(Index((arm, amd)), ["3.11"])
    found = resolve(tmp_path, "r.org/python:3.11", lambda _: layout)
    assert found.digest == amd.digest
    other = resolve(tmp_path, "r.org/python:3.11", lambda _: layout, platform="linux/arm64")
    assert other.digest == arm.digest
    with pytest.raises(NotFoundError, match="not there for linux/s390x"):
        resolve(tmp_path, "r.org/python:3.11", lambda _: layout, platform="linux/s390x")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("r.org/a", "latest"),
        ("r.org:5000/a", "latest"),
        ("r.org:5000/a:v1", "v1"),
        ("r.org/a:v1@sha256:" + "a" * 64, "sha256:" + "a" * 64),
        ("oci:d", "latest"),
        ("oci:/d/e:v1", "v1"),
        ("oci:d:python:3.11", "3.11"),
    ],
)
def test_the_version_that_a_reference_names(spec: str, expected: str) -> None:
    assert version_of(spec) == expected


def test_usr_is_merged() -> None:
    assert merged("lib/x86_64-linux-gnu/libc.so.6") == "usr/lib/x86_64-linux-gnu/libc.so.6"
    assert merged("lib64/ld.so") == "usr/lib64/ld.so"
    assert merged("library/x") == "library/x"
    assert merged("bin") == "bin"


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_packages_are_unpacked_into_a_merged_usr(tmp_path: Path) -> None:
    root = tmp_path / "package"
    files = {
        "lib/x86/libx.so.1": "elf",
        "usr/share/doc/x/copyright": "license",
        "usr/share/doc/x/changelog.gz": "long",
        "usr/share/man/man1/x.1.gz": "page",
        "usr/share/ca-certificates/mozilla/B.crt": "B\n",
        "usr/share/ca-certificates/mozilla/A.crt": "A",
        "bin/x": "program",
        "DEBIAN/control": "Package: x\nVersion: 1\nArchitecture: amd64\nMaintainer: m <m@x.y>\n"
        "Description: d\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "bin/x").chmod(0o755)
    (root / "lib/x86/libx.so").symlink_to("libx.so.1")
    (root / "lib/x86/up").symlink_to("../../usr/share/doc")
    (root / "bin/same").hardlink_to(root / "bin/x")
    package = tmp_path / "x_1_amd64.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", root, package],
        capture_output=True, check=True,
    )  # fmt: skip
    staging = tmp_path / "staging"
    staging.mkdir()
    found = {member.path: member for member in unpack([package], staging, "3.11")}
    library = found["usr/lib/x86/libx.so.1"]
    assert isinstance(library, Entry) and isinstance(library.source, Path)
    assert library.source.read_text() == "elf"
    assert found["usr/lib/x86/libx.so"] == Link("usr/lib/x86/libx.so", "/lib/x86/libx.so.1")
    assert found["usr/lib/x86/up"] == Link("usr/lib/x86/up", "/usr/share/doc")
    for name in ("usr/bin/x", "usr/bin/same"):
        program = found[name]
        assert isinstance(program, Entry) and program.executable
    assert "usr/share/doc/x/copyright" in found
    assert not [path for path in found if "changelog" in path or "/man" in path]
    bundle = found["etc/ssl/certs/ca-certificates.crt"]
    assert isinstance(bundle, Entry) and bundle.source == b"A\nB\n"
    assert found["lib"] == Link("lib", "usr/lib")
    control = found["var/lib/dpkg/status.d/x"]
    assert isinstance(control, Entry) and isinstance(control.source, bytes)
    assert b"Package: x" in control.source
    package.write_bytes(package.read_bytes()[:200])
    (tmp_path / "again").mkdir()
    with pytest.raises(ImageError, match="damaged"):
        unpack([package], tmp_path / "again", "3.11")


def test_without_apt_no_base_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match="apt-get is not there"):
        build_base(python="3.11", platform="linux/amd64", store=tmp_path)
    with pytest.raises(ImageError, match="No base can be made here for linux/s390x"):
        build_base(python="3.11", platform="linux/s390x", store=tmp_path)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A base made of the distribution's packages."""
    if shutil.which("apt-get") is None:
        pytest.skip("needs a distribution with apt-get")
    store = tmp_path_factory.mktemp("packages")
    return build_base(python=distribution_python(), platform=host(), store=store)


def host() -> str:
    return host_platform()


def distribution_python() -> str:
    """Return the minor version of Python that the distribution has."""
    done = subprocess.run(
        ["apt-cache", "depends", "python3"], capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        name = line.strip().removeprefix("Depends: ")
        if name.startswith("python3.") and name[8:].isdecimal():
            return name.removeprefix("python")
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.network
@pytest.mark.slow
def test_a_base_of_packages_is_small_and_known_the_next_time(packages: Base) -> None:
    (layer,) = packages.layers
    assert isinstance(packages.layers[0].blob.descriptor.size, int)
    assert layer.kind == "base"
    assert layer.descriptor.size < 40 << 20
    assert packages.python == distribution_python()
    assert packages.config["config"]["Labels"] == {"io.jupyter-mlops.python": packages.python}


@pytest.mark.network
@pytest.mark.slow
def test_a_python_that_the_distribution_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="apt-get cannot get the packages"):
        build_base(python="3.2", platform=host(), store=tmp_path)


@pytest.mark.network
@pytest.mark.docker
@pytest.mark.slow
def test_a_container_of_the_base_runs_python_as_nobody_special(packages: Base) -> None:
    check = (
        "import ssl,sqlite3,ctypes,lzma,bz2,uuid,zoneinfo,os,sys;"
        "zoneinfo.ZoneInfo('Europe/Berlin');"
        "print(len(ssl.create_default_context().get_ca_certs())>50, os.getuid(), os.getgid(),"
        "os.access('/usr',os.W_OK), os.access('/tmp',os.W_OK), sys.getfilesystemencoding())"
    )
    image = build_image(
        packages, [], ImageConfig(entrypoint=["python3", "-c", check], workdir="/tmp")
    )
    tag = f"jupyter-mlops-test:{uuid.uuid4().hex[:12]}"
    try:
        load(image, tag)
        for user in ("1000:0", "123456:0"):
            done = subprocess.run(
                ["docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--user", user, tag],
                capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            uid = user.partition(":")[0]
            assert done.stdout.split() == ["True", uid, "0", "False", "True", "utf-8"], done.stderr
    finally:
        subprocess.run(["docker", "image", "rm", "-f", tag], capture_output=True)
