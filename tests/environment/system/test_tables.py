"""The tables of packages, and what is decided by them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from jupyter_mlops.environment.models import SystemNeed
from jupyter_mlops.environment.system import tables
from jupyter_mlops.environment.system.needs import needs, settle
from jupyter_mlops.environment.system.tables import Packages, library, program
from jupyter_mlops.image.installed import Installed
from tests.environment.system.elf_files import shared_object

OLD = Installed(system="debian", release="12", codename="bookworm", status="Package: x\n")
NEW = Installed(system="debian", release="13", codename="trixie", status="Package: x\n")
SID = Installed(system="debian", status="Package: x\n")
JAMMY = Installed(system="ubuntu", release="22.04", codename="jammy", status="Package: x\n")
NOBLE = Installed(system="ubuntu", release="24.04", codename="noble", status="Package: x\n")
ALPINE = Installed(system="alpine", release="3.20")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("libGL.so.1", "libgl1", "libgl1"),
        ("libglib-2.0.so.0", "libglib2.0-0", "libglib2.0-0t64"),
        ("libgthread-2.0.so.0", "libglib2.0-0", "libglib2.0-0t64"),
        ("libSM.so.6", "libsm6", "libsm6"),
        ("libXext.so.6", "libxext6", "libxext6"),
        ("libXrender.so.1", "libxrender1", "libxrender1"),
        ("libgomp.so.1", "libgomp1", "libgomp1"),
        ("libsndfile.so.1", "libsndfile1", "libsndfile1"),
        ("libportaudio.so.2", "libportaudio2", "libportaudio2"),
        ("libzbar.so.0", "libzbar0", "libzbar0t64"),
        ("libmagic.so.1", "libmagic1", "libmagic1t64"),
        ("libgeos_c.so.1", "libgeos-c1v5", "libgeos-c1t64"),
        ("libodbc.so.2", "libodbc2", "libodbc2"),
        ("libpq.so.5", "libpq5", "libpq5"),
        ("libxml2.so.2", "libxml2", "libxml2"),
        ("libcairo.so.2", "libcairo2", "libcairo2"),
        ("libasound.so.2", "libasound2", "libasound2t64"),
        ("libopenblas.so.0", "libopenblas0-pthread", "libopenblas0-pthread"),
        ("libstdc++.so.6", "libstdc++6", "libstdc++6"),
        ("libgdal.so.32", "libgdal32", ""),
        ("libgdal.so.36", "", "libgdal36"),
        ("libnothing.so.1", "", ""),
    ],
)
def test_the_package_of_a_library_depends_on_the_release(name: str, old: str, new: str) -> None:
    def names(text: str) -> tuple[str, ...]:
        return (text,) if text else ()

    assert library(name, OLD).names == library(name, JAMMY).names == names(old)
    assert library(name, NEW).names == library(name, NOBLE).names == names(new)
    assert library(name, SID).names == names(new)


def test_the_packages_of_programs() -> None:
    assert program("dot", OLD) == Packages(("graphviz",))
    assert program("gcc", OLD) == Packages(("gcc", "libc6-dev"))
    assert program("blastn", OLD) == Packages(("ncbi-blast+",))
    assert program("7z", OLD).names == ("p7zip-full",)
    assert program("7z", NEW).names == ("7zip",)
    assert program("latex", NEW).scripts
    assert program("Python.h", NEW, "3.13").names == ("libpython3.13-dev",)
    assert not program("magick", OLD) and program("magick", NEW)
    assert not program("nobody-knows", OLD)


@pytest.mark.parametrize("file", ["sonames.txt", "programs.txt"])
def test_rows_are_well_formed_and_stand_once(file: str) -> None:
    rows = [line.split() for line in tables.lines(file)]
    names = [row[0] for row in rows]
    assert len(names) == len(set(names))
    assert all(2 <= len(row) <= 3 for row in rows)
    name = re.compile(r"-|!?[a-z0-9][a-z0-9+.{}-]+")
    assert all(name.fullmatch(text) for row in rows for text in row[1:])


def site(tmp_path: Path, *needed: str) -> Path:
    folder = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    info = folder / "opencv_python-4.10.0.dist-info"
    info.mkdir(parents=True)
    (folder / "cv2").mkdir()
    (folder / "cv2" / "cv2.abi3.so").write_bytes(shared_object(*needed))
    (info / "RECORD").write_text("cv2/cv2.abi3.so,,\n")
    scripts = tmp_path / "env" / "bin"
    scripts.mkdir()
    (scripts / "spacy").touch()
    return folder


def cells(*sources: str) -> list[tuple[int, str, ast.Module]]:
    return [(number, source, ast.parse("")) for number, source in enumerate(sources, 1)]


def test_needs_are_what_base_and_packages_lack(tmp_path: Path) -> None:
    base = Installed(
        system="debian", release="13", status="x", libraries=frozenset({"libc.so.6"}),
        programs=frozenset({"ls", "bash"}),
    )  # fmt: skip
    given = cells("!ls; dot x; spacy y; own-tool z", "%%bash\ndot y", "import magic", "%%cython\n1")
    found = needs(
        site(tmp_path, "libGL.so.1", "libc.so.6"), base, given, python="3.13",
        look_up=lambda names: {name: "found-it" for name in names if name == "own-tool"},
    )  # fmt: skip
    assert [(need.kind, need.name, need.needed_by, need.package) for need in found] == [
        ("library", "libGL.so.1", "opencv-python 4.10.0", "libgl1"),
        ("library", "libmagic.so.1", "magic in cell 3", "libmagic1t64"),
        ("executable", "Python.h", "cython in cell 4", "libpython3.13-dev"),
        ("executable", "dot", "cells 1, 2", "graphviz"),
        ("executable", "gcc", "cython in cell 4", "gcc+libc6-dev"),
        ("executable", "own-tool", "cell 1", "found-it"),
    ]


NEEDS = [
    SystemNeed(kind="library", name="libGL.so.1", needed_by="opencv-python 4.10", package="libgl1"),
    SystemNeed(kind="executable", name="sox", needed_by="cell 2", package="sox", sure=False),
    SystemNeed(
        kind="executable", name="latex", needed_by="cell 3", package="texlive", scripts=True
    ),
    SystemNeed(kind="executable", name="own", needed_by="cell 4"),
    SystemNeed(kind="library", name="libown.so", needed_by="own 1.0"),
]


def test_asking_stops_for_what_is_sure_and_tells_the_rest() -> None:
    settled = settle(NEEDS, "ask", "python:3.11-slim", True)
    assert settled.add == []
    texts = [problem.sentence() for problem in settled.problems]
    assert [re.findall(r"lacks ([\w.]+)", text) for text in texts] == [
        ["libGL.so.1"], ["latex"], ["libown.so"],
    ]  # fmt: skip
    assert "Debian package libgl1" in texts[0] and "--system-packages auto" in texts[0]
    assert "opencv-python-headless" in texts[0]
    assert "scripts" in texts[1] and "--system-packages auto" not in texts[1]
    assert "no package is known" in texts[2]
    assert [re.findall(r"lacks (\w+)", note) for note in settled.notes] == [["sox"], ["own"]]
    assert "perhaps needed by cell 2" in settled.notes[0]


def test_auto_adds_what_it_can_and_still_stops_for_the_rest() -> None:
    settled = settle(NEEDS, "auto", "python:3.11-slim", True)
    assert [need.name for need in settled.add] == ["libGL.so.1", "sox"]
    assert len(settled.problems) == 2 and len(settled.notes) == 1


def test_nothing_is_added_to_a_base_that_is_not_debian() -> None:
    settled = settle(NEEDS[:1], "auto", "alpine:3", ALPINE.is_debian)
    (problem,) = settled.problems
    assert "only be added to a base of Debian or Ubuntu" in problem.why
    assert "--system-packages auto" not in problem.remedy


def test_needs_of_one_package_are_one_problem() -> None:
    first = NEEDS[0]
    second = SystemNeed(kind="library", name="libGLX.so.0", needed_by="vtk 9", package="libgl1")
    settled = settle([first, second], "ask", "b", True)
    (problem,) = settled.problems
    assert "libGL.so.1 and libGLX.so.0, needed by opencv-python 4.10, vtk 9" in problem.problem
