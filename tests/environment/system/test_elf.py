"""What is read of ELF files: real ones of this machine, made ones, damaged ones."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.environment.system import elf
from jupyter_mlops.environment.system.elf import Elf
from tests.environment.system.elf_files import shared_object


def real_files() -> list[Path]:
    """Return shared objects of this machine: of the interpreter, and of installed packages."""
    folders = [sysconfig.get_path("platlib"), sysconfig.get_config_var("DESTSHARED") or ""]
    found = [path for folder in folders if folder for path in Path(folder).rglob("*.so*")]
    named = [path for path in found if re.search(r"\.so(\.\d+)*$", path.name)]
    return sorted(named)[::7][:80]


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs readelf: apt install binutils")
def test_real_files_are_read_as_readelf_reads_them() -> None:
    files = [path for path in real_files() if path.is_file()]
    assert len(files) >= 10
    for path in [*files, Path(sys.executable).resolve()]:
        done = subprocess.run(["readelf", "-dW", path], capture_output=True, text=True, check=True)
        found = elf.read(path)
        assert found is not None, path
        assert list(found.needed) == re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout), path
        assert [found.soname] == (re.findall(r"\(SONAME\).*\[(.*)\]", done.stdout) or [""])
        folders = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", done.stdout)
        assert list(found.search) == ":".join(folders).split(":" if folders else None)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_widths_and_orders(tmp_path: Path, wide: bool, order: str) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(
        shared_object("liba.so.1", "libb.so", soname="libc.so.2", runpath="$ORIGIN/x:/y", wide=wide,
                      order=order)
    )  # fmt: skip
    assert elf.read(path) == Elf(("liba.so.1", "libb.so"), "libc.so.2", ("$ORIGIN/x", "/y"))


def test_a_runpath_wins_over_an_rpath(tmp_path: Path) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(shared_object("l.so", rpath="/old"))
    assert elf.read(path) == Elf(("l.so",), "", ("/old",))
    path.write_bytes(shared_object("l.so", rpath="/old", runpath="/new"))
    assert elf.read(path) == Elf(("l.so",), "", ("/new",))


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"text", b"\x7fELF" + b"\xff" * 200, b"\x7fELF\2\1" + b"\0" * 100]
)
def test_what_is_no_elf_file_is_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(data)
    assert elf.read(path) is None


def test_a_folder_and_a_pipe_are_none_and_nothing_waits(tmp_path: Path) -> None:
    assert elf.read(tmp_path) is None
    os.mkfifo(tmp_path / "pipe.so")
    assert elf.read(tmp_path / "pipe.so") is None
    with pytest.raises(OSError, match="No such file"):
        elf.read(tmp_path / "nothing.so")


@pytest.mark.parametrize("length", range(0, 360, 3))
def test_cut_files_end_in_a_result(tmp_path: Path, length: int) -> None:
    whole = shared_object("liba.so.1", "libb.so.2", soname="libc.so.3", runpath="$ORIGIN")
    path = tmp_path / "a.so"
    path.write_bytes(whole[:length])
    found = elf.read(path)
    assert found is None or set(found.needed) <= {"liba.so.1", "libb.so.2"}


def test_damaged_real_files_end_in_a_result(tmp_path: Path) -> None:
    chance = random.Random(4)
    whole = Path(sys.executable).resolve().read_bytes()[: 1 << 16]
    whole += shared_object("liba.so.1")
    path = tmp_path / "a.so"
    read = 0
    for _ in range(400):
        data = bytearray(whole[: chance.choice([64, 200, 1000, len(whole)])])
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(4, min(len(data), 1000))] = chance.randrange(256)
        path.write_bytes(data)
        found = elf.read(path)
        read += found is not None
        assert found is None or all(len(name) < 4096 for name in found.needed)
    assert read < 400


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=400), at=st.integers(0, 300))
def test_noise_in_a_file_ends_in_a_result(noise: bytes, at: int) -> None:
    whole = bytearray(shared_object("liba.so.1", soname="libb.so.1", runpath="$ORIGIN/../x"))
    whole[at : at + len(noise)] = noise
    path = Path(os.environ["JUPYTER_MLOPS_HOME"]) / "noise.so"
    path.write_bytes(whole)
    found = elf.read(path)
    assert found is None or isinstance(found.needed, tuple)
