"""The layer of system packages: from an archive in a folder, by the real apt and dpkg."""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops import events
from jupyter_mlops.environment.models import SystemNeed
from jupyter_mlops.environment.system import layer as layers
from jupyter_mlops.environment.system import lookup
from jupyter_mlops.environment.system.layer import Added, add
from jupyter_mlops.environment.system.prepare import prepare
from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.installed import Installed, read_installed
from jupyter_mlops.image.layer import Entry, Link, build_layer
from jupyter_mlops.image.loader_cache import FLAGS, read_cache, write_cache
from jupyter_mlops.image.platforms import host_platform
from tests.environment.system.elf_files import shared_object

PLATFORM = host_platform()
ARCHITECTURE = PLATFORM.partition("/")[2]
MULTIARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}.get(ARCHITECTURE, "")
LIB = f"usr/lib/{MULTIARCH}"
pytestmark = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb") and MULTIARCH),
    reason="needs apt-get and dpkg-deb",
)
STATUS = """\
Package: libbase1
Status: install ok installed
Architecture: {architecture}
Maintainer: m <m@x.y>
Version: 2.0
Description: d
"""


class Archive:
    """A folder of packages with the list that apt wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._fields: list[str] = []

    def package(
        self, name: str, files: dict[str, bytes], *, version: str = "1.0", depends: str = "",
        postinst: str = "", links: dict[str, str] | None = None, hard: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        root = self.folder / "root"
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
            (root / path).chmod(0o755 if "bin/" in path else 0o644)
        for path, target in (links or {}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(target)
        for path, target in (hard or {}).items():
            (root / path).hardlink_to(root / target)
        control = root / "DEBIAN"
        control.mkdir(parents=True)
        fields = (
            f"Package: {name}\nVersion: {version}\nArchitecture: {ARCHITECTURE}\n"
            "Maintainer: m <m@x.y>\n"
        ) + (f"Depends: {depends}\n" if depends else "")
        (control / "control").write_text(f"{fields}Description: d\n")
        if postinst:
            (control / "postinst").write_text(f"#!/bin/sh\n{postinst}\n")
            (control / "postinst").chmod(0o755)
        file = self.folder / f"{name}_{version}_{ARCHITECTURE}.deb"
        build = ["dpkg-deb", "--root-owner-group", "--build", root, file]
        subprocess.run(build, capture_output=True, check=True)
        shutil.rmtree(root)
        data = file.read_bytes()
        self._fields.append(
            f"{fields}Filename: ./{file.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\nDescription: d\n"
        )
        (self.folder / "Packages").write_text("\n".join(self._fields))

    @property
    def sources(self) -> str:
        return f"deb [trusted=yes] copy:{self.folder} ./\n"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive with what packages of Debian have: links, alternatives, dependencies."""
    made = Archive(tmp_path / "archive")
    made.package(
        "libpaint1",
        {
            f"{LIB}/libpaint.so.1.2": shared_object("libbase.so.1", "libdeep.so.3",
                                                    soname="libpaint.so.1"),
            f"{LIB}/dri/one.so": b"driver",
            "usr/share/man/man3/paint.3.gz": b"page",
            "usr/share/doc/libpaint1/copyright": b"license",
        },
        depends="libbase1 (>= 1.0), libdeep3",
        links={f"{LIB}/libpaint.so.1": "libpaint.so.1.2"},
        hard={f"{LIB}/dri/two.so": f"{LIB}/dri/one.so"},
    )  # fmt: skip
    made.package(
        "libdeep3",
        {f"{LIB}/deep/libdeep.so.3": shared_object(soname="libdeep.so.3")},
        depends="debconf",
        postinst=f"update-alternatives --install /{LIB}/libalt.so.3 \\\n  libalt.so.3-x "
        f"/{LIB}/deep/libdeep.so.3 10 \\\n --slave /usr/bin/$x x /usr/bin/y",
    )
    made.package("libbase1", {f"{LIB}/libbase.so.1": b"new"}, version="2.0")
    made.package("debconf", {"usr/sbin/debconf": b"perl"})
    made.package(
        "paint-tools",
        {"bin/paint-tiny": b"#!/bin/sh\n", "bin/draw.tiny": b"#!/bin/sh\n"},
        postinst="update-alternatives --install /usr/bin/paint paint /bin/paint-tiny 10",
    )
    made.package("libc-bin", {"usr/bin/getconf": b"x"})
    monkeypatch.setattr(layers, "sources_for", lambda *_: made.sources)
    monkeypatch.setattr(lookup, "sources_for", lambda *_: made.sources)
    return made


@pytest.fixture
def base(tmp_path: Path) -> Base:
    """A base with a list of packages, libraries and a merged /usr."""
    members = [
        Entry("usr/lib/os-release", b"ID=debian\nVERSION_ID=12\nVERSION_CODENAME=none\n"),
        Entry(f"{LIB}/libbase.so.1", b"x"),
        Entry(f"{LIB}/libc.so.6", b"x"),
        Entry("var/lib/dpkg/status", STATUS.format(architecture=ARCHITECTURE).encode()),
        Entry("etc/ld.so.cache", write_cache({"libc.so.6": "/c"}, FLAGS[ARCHITECTURE])),
        *(Link(name, f"usr/{name}") for name in ("bin", "lib")),
    ]
    made = build_layer(members, kind="base", title="", store=tmp_path / "base")
    return Base("example.org/base:1", "sha256:0", (made,), {}, "3.11")


def need(name: str, package: str) -> SystemNeed:
    kind = "library" if ".so" in name else "executable"
    return msgspec.convert(
        {"kind": kind, "name": name, "needed_by": "cell 1", "package": package}, SystemNeed
    )


PAINT = [need("libpaint.so.1", "libpaint1"), need("paint", "paint-tools")]


def made(base: Base, store: Path, *needs: SystemNeed, **options: events.OnEvent) -> Added:
    return add(needs, base, read_installed(base, store), platform=PLATFORM, store=store, **options)


def content(added: Added) -> dict[str, tarfile.TarInfo]:
    with added.layer.blob.open() as chunks:
        data = gzip.decompress(b"".join(chunks))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive.getmembers() if not member.isdir()}


def read(added: Added, path: str) -> bytes:
    with added.layer.blob.open() as chunks:
        data = gzip.decompress(b"".join(chunks))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        file = archive.extractfile(path)
        assert file is not None
        return file.read()


def test_packages_and_what_they_need_beside_the_base(
    archive: Archive, base: Base, tmp_path: Path
) -> None:
    said: list[events.Event] = []
    added = made(base, tmp_path / "store", *PAINT, on_event=said.append)
    assert added.packages == {"libpaint1": "1.0", "paint-tools": "1.0"}
    also = {"libdeep3": "1.0", "libc-bin": "1.0"}
    assert added.shipped == added.packages | also and added.system == "debian-12"
    assert added.layer.kind == "system"
    assert added.layer.title == "system packages: libpaint1, paint-tools"
    files = content(added)
    assert f"{LIB}/libpaint.so.1.2" in files and f"{LIB}/deep/libdeep.so.3" in files
    assert f"{LIB}/libbase.so.1" not in files  # the base has it
    assert not [name for name in files if "debconf" in name or "/man/" in name]
    assert "usr/share/doc/libpaint1/copyright" in files
    assert files["usr/bin/paint-tiny"].mode == 0o755  # /bin is a link in the base
    assert "var/lib/dpkg/status.d/libdeep3" in files
    assert "usr/bin/getconf" in files  # libc-bin, which has ldconfig
    assert not [event for event in said if getattr(event, "level", "") == "warning"]


def test_links_that_scripts_would_make(archive: Archive, base: Base, tmp_path: Path) -> None:
    files = content(made(base, tmp_path / "store", *PAINT))
    assert files["usr/bin/paint"].linkname == "/bin/paint-tiny"
    assert files["usr/bin/draw"].linkname == "/usr/bin/draw.tiny"
    assert files[f"{LIB}/libalt.so.3"].linkname == f"/{LIB}/deep/libdeep.so.3"
    assert files[f"{LIB}/libdeep.so.3"].linkname == f"/{LIB}/deep/libdeep.so.3"
    assert files[f"{LIB}/dri/two.so"].linkname == f"/{LIB}/dri/one.so"
    assert not [name for name in files if "$" in name]


def test_the_loader_finds_what_was_there_and_what_came(
    archive: Archive, base: Base, tmp_path: Path
) -> None:
    cache = read_cache(
        read(made(base, tmp_path / "store", *PAINT), "etc/ld.so.cache"), FLAGS[ARCHITECTURE]
    )
    assert cache == {
        "libc.so.6": "/c",
        "libpaint.so.1": f"/{LIB}/libpaint.so.1",
        "libalt.so.3": f"/{LIB}/libalt.so.3",
        "libdeep.so.3": f"/{LIB}/libdeep.so.3",
    }


def test_the_same_packages_give_the_same_bytes(
    archive: Archive, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(base, tmp_path / "store", *PAINT)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C")
    second = made(base, tmp_path / "another" / "store", *reversed(PAINT))
    assert first.layer.descriptor == second.layer.descriptor
    assert first.packages == second.packages


def test_a_layer_is_built_once_and_stays_when_the_archive_is_away(
    archive: Archive, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    first = made(base, store, *PAINT)
    archive.folder.rename(tmp_path / "gone")
    monkeypatch.setattr(layers, "FRESH", -1.0)  # as if a week had gone by
    assert made(base, store, *PAINT).layer.descriptor == first.layer.descriptor


def test_a_renamed_package_is_found(archive: Archive, base: Base, tmp_path: Path) -> None:
    archive.package(
        "libnew1t64", {f"{LIB}/libnew.so.1": shared_object("libc.so.6", soname="libnew.so.1")}
    )
    added = made(base, tmp_path / "store", need("libnew.so.1", "libnew1"))
    assert added.packages == {"libnew1t64": "1.0"}


def test_packages_that_are_not_there_are_said(archive: Archive, base: Base, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no package nothing and nowhere"):
        made(base, tmp_path / "store", need("a", "nothing"), need("b", "nowhere"))


def test_a_package_that_only_its_scripts_set_up_is_refused(
    archive: Archive, base: Base, tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match="paint-tools does not bring brush"):
        made(base, tmp_path / "store", need("brush", "paint-tools"))


def test_a_library_that_the_packages_lack_themselves_is_told(
    archive: Archive, base: Base, tmp_path: Path
) -> None:
    archive.package("odd", {f"{LIB}/libodd.so.1": shared_object("libfar.so.7", soname="x.so.1")})
    said: list[events.Event] = []
    made(base, tmp_path / "store", need("libodd.so.1", "odd"), on_event=said.append)
    assert [str(event) for event in said if "libfar.so.7, which is not in the image" in str(event)]


def test_an_archive_that_does_not_answer_is_a_sentence(
    archive: Archive, base: Base, tmp_path: Path
) -> None:
    shutil.rmtree(archive.folder)
    with pytest.raises(ImageError, match="apt-get cannot get the packages"):
        made(base, tmp_path / "store", *PAINT)


Prepare = Callable[..., Added | None]


@pytest.fixture
def ready(archive: Archive, base: Base, tmp_path: Path) -> Prepare:
    """Return what a publish calls, for an environment whose package needs libGL."""
    archive.package("libgl1", {f"{LIB}/libGL.so.1": shared_object(soname="libGL.so.1")})
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (site / "cv2.abi3.so").write_bytes(shared_object("libGL.so.1", "libc.so.6"))

    def run(mode: str, *sources: str, on: Base = base, **options: events.OnEvent) -> Added | None:
        cells = [(number, text, ast.parse("")) for number, text in enumerate(sources, 1)]
        return prepare(cells, site, on, mode, platform=PLATFORM, store=tmp_path / "store",
                       **options)  # type: ignore[arg-type]  # fmt: skip

    return run


def test_asking_names_all_that_is_missing_at_once(ready: Prepare) -> None:
    with pytest.raises(ImageError) as caught:
        ready("ask", "!dot x")
    assert [problem.problem for problem in caught.value.problems] == [
        "The image lacks libGL.so.1, needed by cv2",
        "The image lacks dot, needed by cell 1",
    ]


def test_auto_adds_and_none_does_not_look(ready: Prepare) -> None:
    added = ready("auto")
    assert added is not None and added.packages == {"libgl1": "1.0"}
    assert ready("none", "!dot x") is None


def test_a_program_that_nobody_knows_is_told_and_stops_nothing(ready: Prepare) -> None:
    said: list[events.Event] = []
    assert ready("auto", "!own-tool x", on_event=said.append)
    assert [event for event in said if "lacks own-tool, needed by cell 1" in str(event)]


def test_a_base_that_cannot_be_read_is_told(ready: Prepare, base: Base, tmp_path: Path) -> None:
    (path,) = (tmp_path / "base" / "blobs" / "sha256").iterdir()
    path.write_bytes(b"damaged")
    said: list[events.Event] = []
    assert ready("ask", on_event=said.append) is None
    assert "is not known" in str(said[-1]) and "damaged" in str(said[-1])


def test_a_base_is_not_read_where_nothing_is_needed(ready: Prepare, tmp_path: Path) -> None:
    (tmp_path / "lib" / "python3.11" / "site-packages" / "cv2.abi3.so").unlink()
    nowhere = Base("example.org/none:1", "sha256:0", (), {}, "3.11")
    assert ready("ask", "!ls", "x = 1", on=nowhere) is None
    assert not (tmp_path / "store" / "bases").exists()


def test_an_archive_without_contents_lists_knows_nothing_more(
    tmp_path: Path, archive: Archive
) -> None:
    base = Installed(system="debian", codename="none", status="x")
    assert lookup.look_up(["x"], base, name="b", architecture=ARCHITECTURE, store=tmp_path) == {}
