"""What is read of a base's layers, the loader's cache, and where packages come from."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import apt_sources, installed
from jupyter_mlops.image.apt_sources import sources_for
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.blob import LAYER_GZIP, Descriptor, FileBlob, digest_of
from jupyter_mlops.image.installed import Installed, read_installed
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.loader_cache import FLAGS, read_cache, write_cache

RELEASE = b'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
STATUS = b"Package: libc6\nStatus: install ok installed\nVersion: 2\n\n"


def layer(folder: Path, files: dict[str, bytes | str], cut: int | None = None) -> Layer:
    """Return a layer; a text is the target of a link, None would be no file at all."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    data = gzip.compress(buffer.getvalue(), mtime=0)[:cut]
    path = folder / digest_of(data).removeprefix("sha256:")
    path.write_bytes(data)
    described = Descriptor(media_type=LAYER_GZIP, digest=digest_of(data), size=len(data))
    return Layer(FileBlob(path, described), digest_of(buffer.getvalue()), "base", "")


def base(*layers: Layer, env: list[str] | None = None) -> Base:
    return Base("example.org/base:1", "sha256:0", layers, {"config": {"Env": env or []}}, "3.11")


def test_libraries_programs_and_packages_of_a_base(tmp_path: Path) -> None:
    found = read_installed(
        base(
            layer(
                tmp_path,
                {
                    "etc/os-release": "../usr/lib/os-release",
                    "usr/lib/os-release": RELEASE,
                    "bin": "usr/bin",
                    "lib": "usr/lib",
                    "./usr/bin/ls": b"x",
                    "usr/bin/sh": "dash",
                    "usr/lib/x86_64-linux-gnu/libc.so.6": b"x",
                    "usr/lib/x86_64-linux-gnu/libz.so.1": "libz.so.1.2",
                    "usr/lib/x86_64-linux-gnu/private/libp.so.1": b"x",
                    "usr/local/lib/libpython3.11.so.1.0": b"x",
                    "etc/ld.so.conf.d/own.conf": b"# own\n/opt/own/lib\n",
                    "opt/own/lib/libown.so.2": b"x",
                    "cuda/lib64/libcudart.so.12": b"x",
                    "opt/tool/tool": b"x",
                    "var/lib/dpkg/status": STATUS,
                    "usr/local/include/python3.11/Python.h": b"x",
                    "etc/ld.so.cache": write_cache({"libc.so.6": "/lib/libc.so.6"}, 0x303),
                },
            ),
            env=["LD_LIBRARY_PATH=/cuda/lib64:", "PATH=/usr/bin:/opt/tool"],
        ),
        tmp_path / "store",
    )
    assert (found.system, found.release, found.codename) == ("debian", "12", "bookworm")
    assert found.libraries == {
        "libc.so.6", "libz.so.1", "libpython3.11.so.1.0", "libown.so.2", "libcudart.so.12",
    }  # fmt: skip
    assert found.programs == {"ls", "sh", "tool"}
    assert found.is_debian and found.headers and "Package: libc6" in found.status
    assert found.place("lib/x/libc.so.6") == "usr/lib/x/libc.so.6"
    assert found.place("usr/x") == "usr/x" and found.place("library") == "library"
    assert read_cache(found.loader_cache, 0x303) == {"libc.so.6": "/lib/libc.so.6"}


def test_upper_layers_take_away_and_replace(tmp_path: Path) -> None:
    first = layer(
        tmp_path,
        {
            "usr/lib/libold.so.1": b"x",
            "usr/lib/libkept.so.1": b"x",
            "usr/local/lib/liba.so.1": b"x",
            "usr/bin/old": b"x",
            "etc/os-release": RELEASE,
        },
    )
    second = layer(
        tmp_path,
        {
            "usr/lib/.wh.libold.so.1": b"",
            "usr/local/lib/.wh..wh..opq": b"",
            "usr/local/lib/libb.so.1": b"x",
            "usr/bin/.wh.old": b"",
            "etc/os-release": b"ID=alpine\n",
        },
    )
    found = read_installed(base(first, second), tmp_path / "store")
    assert found.libraries == {"libkept.so.1", "libb.so.1"}
    assert found.programs == frozenset()
    assert found.system == "alpine" and not found.is_debian and not found.links


def test_a_base_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = base(layer(tmp_path, {"etc/os-release": RELEASE}))
    found = read_installed(made, tmp_path / "store")
    monkeypatch.setattr(installed, "_apply", lambda *_: pytest.fail("read again"))
    assert read_installed(made, tmp_path / "store") == found


def test_a_damaged_layer_is_a_sentence(tmp_path: Path) -> None:
    made = base(layer(tmp_path, {"usr/bin/x": b"x" * 100_000}, cut=60))
    with pytest.raises(ImageError, match="A layer of the base is damaged"):
        read_installed(made, tmp_path / "store")


def test_small_images_list_packages_in_files_without_what_only_installing_needs(
    tmp_path: Path,
) -> None:
    one = b"Package: libone\nVersion: 1\nDepends: libtwo (>= 1), debconf | debconf-2.0, virtual\n"
    two = b"Package: libtwo\nVersion: 2\nPre-Depends: dpkg (>= 1.15)\nProvides: virtual (= 1)\n"
    files: dict[str, bytes | str] = {
        "etc/os-release": RELEASE,
        "var/lib/dpkg/status.d/libone": one,
        "var/lib/dpkg/status.d/libtwo": two,
        "var/lib/dpkg/status.d/libone.md5sums": b"0 usr/lib/libone.so\n",
    }
    found = read_installed(base(layer(tmp_path, files)), tmp_path / "store")
    assert found.status == (
        "Package: libone\nStatus: install ok installed\nVersion: 1\n"
        "Depends: libtwo (>= 1), virtual\n\n"
        "Package: libtwo\nStatus: install ok installed\nVersion: 2\nProvides: virtual (= 1)\n"
    )


def test_the_loaders_cache_is_as_ldconfig_reads_it(tmp_path: Path) -> None:
    names = ["libz.so.1", "libz.so.10", "libz.so.2", "libzz.so", "liba-2.0.so.0", "liba.so", "lib"]
    libraries = {name: f"/lib/{name}" for name in names}
    data = write_cache(libraries, FLAGS["amd64"])
    assert read_cache(data, FLAGS["amd64"]) == libraries
    assert read_cache(data, FLAGS["arm64"]) == {}
    assert write_cache(dict(reversed(libraries.items())), FLAGS["amd64"]) == data
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    if not Path(ldconfig).exists():
        pytest.skip("needs ldconfig")
    (tmp_path / "cache").write_bytes(data)
    done = subprocess.run(
        [ldconfig, "-p", "-C", tmp_path / "cache"], capture_output=True, text=True, check=True
    )
    listed = [line.split()[0] for line in done.stdout.splitlines() if "=>" in line]
    # What the loader's binary search wants: numbers by value, the last name first.
    assert listed == [
        "libzz.so", "libz.so.10", "libz.so.2", "libz.so.1", "liba.so", "liba-2.0.so.0", "lib",
    ]  # fmt: skip


@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="needs a loader's cache")
def test_this_machines_cache_is_read_whole() -> None:
    done = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    data = Path("/etc/ld.so.cache").read_bytes()
    flags = FLAGS["amd64"] if "x86-64" in done.stdout else FLAGS["arm64"]
    mark = "(libc6,x86-64)" if flags == FLAGS["amd64"] else "(libc6,AArch64)"
    listed = [line.split(" (")[0].strip() for line in done.stdout.splitlines() if mark in line]
    assert list(read_cache(data, flags)) == list(dict.fromkeys(listed))


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 120))
def test_a_damaged_cache_is_none(noise: bytes, at: int) -> None:
    data = bytearray(write_cache({"liba.so.1": "/lib/liba.so.1"}, 0x303))
    data[at : at + len(noise)] = noise
    assert isinstance(read_cache(bytes(data), 0x303), dict)


def test_packages_come_from_this_systems_sources_or_debians(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    monkeypatch.setattr(apt_sources, "_OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(apt_sources, "KEYRING", tmp_path / "keyring.gpg")
    monkeypatch.setattr(
        apt_sources, "_mirrors", lambda: ("http://m.example/debian", "http://m.example/security")
    )
    bookworm = Installed(system="debian", codename="bookworm", status="x")
    trixie = Installed(system="debian", codename="trixie", status="x")
    assert sources_for(bookworm, "b") == ""
    with pytest.raises(ImageError, match="debian-archive-keyring"):
        sources_for(trixie, "b")
    (tmp_path / "keyring.gpg").touch()
    text = sources_for(trixie, "b")
    signed = f"deb [signed-by={tmp_path}/keyring.gpg]"
    assert text.splitlines() == [
        f"{signed} http://m.example/debian trixie main",
        f"{signed} http://m.example/security trixie-security main",
    ]
    with pytest.raises(ImageError, match="whose packages do not fit"):
        sources_for(Installed(system="ubuntu", codename="noble", status="x"), "b")
    with pytest.raises(ImageError, match="made of alpine") as caught:
        sources_for(Installed(system="alpine"), "alpine:3")
    assert "Choose a base of Debian" in str(caught.value)
    with pytest.raises(ImageError, match="an unknown system"):
        sources_for(Installed(), "scratch")
