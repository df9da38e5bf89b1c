"""Which libraries packages take from the system, in made site-packages folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.environment.system.scan import Missing, missing
from tests.environment.system.elf_files import shared_object

BASE = {"libc.so.6", "libstdc++.so.6"}
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Return an installer of packages made of shared objects."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)

    def run(name: str, files: dict[str, bytes], requires: str = "") -> Path:
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        for path, data in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(data)
        (info / "RECORD").write_text("".join(f"{path},sha256=x,1\n" for path in files))
        fields = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        fields += f"Requires-Dist: {requires} >=1 ; python_version>'3'\n" if requires else ""
        (info / "METADATA").write_text(f"{fields}\nRequires-Dist: not-a-field\n")
        return site

    return run


def test_what_neither_package_nor_base_has_is_missing(install: Install) -> None:
    site = install("big-plot", {"plot/core.abi3.so": shared_object("libGL.so.1", "libc.so.6")})
    assert missing(site, BASE) == [Missing("libGL.so.1", ("big-plot 1.0",), ("plot/core.abi3.so",))]
    assert missing(site, {*BASE, "libGL.so.1"}) == []


def test_bundled_libraries_are_found_by_their_search_paths(install: Install) -> None:
    site = install(
        "num",
        {
            "num/core.so": shared_object("libblas-1a2b.so.3", runpath="$ORIGIN/../num.libs"),
            "num/other.so": shared_object("libblas-1a2b.so.3", rpath="${ORIGIN}/../num.libs"),
            "num.libs/libblas-1a2b.so.3": shared_object("libgomp.so.1"),
        },
    )
    assert missing(site, BASE) == [
        Missing("libgomp.so.1", ("num 1.0",), ("num.libs/libblas-1a2b.so.3",))
    ]


def test_a_folder_of_the_building_machine_is_no_place(install: Install, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "libx.so.1").write_bytes(shared_object())
    site = install("x", {"x/a.so": shared_object("libx.so.1", runpath=f"{tmp_path}/elsewhere")})
    assert [item.name for item in missing(site, BASE)] == ["libx.so.1"]


def test_a_required_package_may_bring_it_and_another_may_not(install: Install) -> None:
    install("cuda-blas", {"nvidia/cublas/lib/libcublas.so.12": shared_object()})
    install("net", {"net/lib/libnet.so": shared_object("libcublas.so.12")}, "cuda_blas")
    site = install("stranger", {"stranger/a.so": shared_object("libcublas.so.12")})
    assert [item.owners for item in missing(site, BASE)] == [("stranger 1.0",)]


def test_the_driver_and_the_loader_belong_to_the_machine(install: Install) -> None:
    names = ("libcuda.so.1", "libnvidia-ml.so.1", "ld-linux-x86-64.so.2", "linux-vdso.so.1")
    site = install("net", {"net/a.so": shared_object(*names)})
    assert missing(site, BASE) == []


def test_plugins_and_what_only_they_load_are_left_out(install: Install) -> None:
    files = {
        "qt/plugins/platforms/libxcb.so": shared_object("libQtXcb.so", "libxcb-icccm.so.4"),
        "qt/lib/libQtXcb.so": shared_object("libSM.so.6", "libQtCore.so"),
        "qt/lib/libQtCore.so": shared_object("libglib-2.0.so.0"),
        "qt/core.abi3.so": shared_object("libQtCore.so"),
        "numba/np/ufunc/tbbpool.cpython-311-x86_64-linux-gnu.so": shared_object("libtbb.so.12"),
    }
    site = install("qt", files)
    assert [item.name for item in missing(site, BASE)] == ["libglib-2.0.so.0"]


def test_objects_that_load_each_other_count(install: Install) -> None:
    site = install(
        "ring",
        {
            "ring/liba.so": shared_object("libb.so"),
            "ring/libb.so": shared_object("liba.so", "libfar.so.9"),
        },
    )
    assert [item.name for item in missing(site, BASE)] == ["libfar.so.9"]


def test_where_a_run_is_known_only_what_it_loaded_counts(install: Install) -> None:
    site = install(
        "two",
        {
            "two/used.so": shared_object("libinner.so"),
            "two/libinner.so": shared_object("libneeded.so.1"),
            "two/unused.so": shared_object("libother.so.1"),
        },
    )
    assert [item.name for item in missing(site, BASE)] == ["libneeded.so.1", "libother.so.1"]
    loaded = [str(site / "two/used.so"), "/usr/lib/libc.so.6"]
    assert [item.name for item in missing(site, BASE, loaded)] == ["libneeded.so.1"]


def test_damaged_files_and_odd_metadata_are_passed_over(install: Install) -> None:
    site = install("odd", {"odd/a.so": b"\x7fELF\xff", "odd/b.so": b"", "odd/data.so.txt": b"text"})
    (site / "broken-1.dist-info").mkdir()
    (site / "odd_loop.so").symlink_to("odd_loop.so")
    (site / "loose.so").write_bytes(shared_object("libz9.so.1"))
    assert missing(site, BASE) == [Missing("libz9.so.1", ("loose",), ("loose.so",))]
