"""What never leaves, by its name: in packages beside the notebook, and in wheels built here."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jupyter_mlops.environment import lock, private, verify
from jupyter_mlops.environment.imports import Imports, find
from jupyter_mlops.environment.models import Dependency
from jupyter_mlops.events import Event
from jupyter_mlops.parsed import of
from tests.environment.conftest import MakeKernel
from tests.environment.loopback import Index, wheel

# Each with a file of Python in it, or by its side, that would be shipped if its name were another.
FOLDERS = [
    ".git", ".hg", ".svn", ".aws", ".azure", ".config", ".docker", ".gnupg", ".kube", ".ssh",
    ".terraform", ".streamlit", ".kaggle", ".jupyter", ".ipython",
]  # fmt: skip
FILES = [
    ".env", ".env.local", ".env.production.py", ".ENV", ".envrc", ".netrc", "_netrc", ".pypirc",
    ".npmrc", ".condarc", ".dockercfg", ".git-credentials", ".htpasswd", ".my.cnf", ".pgpass",
    ".s3cfg", ".boto", ".bash_history", ".python_history", "id_rsa", "id_dsa", "id_ecdsa",
    "id_ed25519", "credentials.json", "kaggle.json", "server.pem", "server.key", "Server.PEM",
    "a.ppk", "a.kdbx", "a.jks", "a.keystore", "a.p12", "a.pfx", "terraform.tfstate",
]  # fmt: skip
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


def package(folder: Path) -> Path:
    made = folder / "pkg"
    made.mkdir()
    (made / "__init__.py").write_text("")
    (made / "core.py").write_text("x = 1\n")
    return made


def imports(folder: Path, source: str = "import pkg") -> Imports:
    return find([(1, source, of(source)[1])], folder)


def shipped(found: Imports) -> list[str]:
    return [path.as_posix() for path in found.local]


def told(found: Imports) -> str:
    (warning,) = found.warnings
    return warning.sentence()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_never_leaves(tmp_path: Path, name: str) -> None:
    inside = package(tmp_path) / "deep" / name / "more"
    inside.mkdir(parents=True)
    (inside / "hook.py").write_text("password = 'a'")
    found = imports(tmp_path)
    assert shipped(found) == ["pkg/__init__.py", "pkg/core.py"]
    assert told(found) == f"Not shipped: pkg/deep/{name}. {private.WHY}."


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_never_leaves(tmp_path: Path, name: str) -> None:
    (package(tmp_path) / name).write_text("password = 'a'")
    found = imports(tmp_path)
    assert shipped(found) == ["pkg/__init__.py", "pkg/core.py"]
    assert told(found) == f"Not shipped: pkg/{name}. {private.WHY}."


@pytest.mark.parametrize("name", sorted(private.CACHES))
def test_what_tools_leave_is_not_shipped_and_not_worth_a_word(tmp_path: Path, name: str) -> None:
    inside = package(tmp_path) / name
    inside.mkdir()
    (inside / "core-checkpoint.py").write_text("")
    found = imports(tmp_path)
    assert shipped(found) == ["pkg/__init__.py", "pkg/core.py"] and found.warnings == []


@pytest.mark.parametrize("name", ["environment.py", "env.py", "git.py", "id_rsa_test.py", "key.py"])
def test_what_only_looks_like_it_is_shipped(tmp_path: Path, name: str) -> None:
    (package(tmp_path) / name).write_text("")
    found = imports(tmp_path)
    assert f"pkg/{name}" in shipped(found) and found.warnings == []


@pytest.mark.parametrize("name", private.MEANT)
def test_examples_for_others_are_no_secrets(name: str) -> None:
    assert not private.is_private(name) and private.is_private(f"{name}.local")


def test_a_link_to_what_never_leaves(tmp_path: Path) -> None:
    home, folder = tmp_path / "home" / ".ssh", tmp_path / "work"
    home.mkdir(parents=True)
    folder.mkdir()
    (home / "id_rsa").write_text("x = 1")
    (home / "plain.py").write_text("x = 1")
    made = package(folder)
    (made / "by_name.py").symlink_to(home / "id_rsa")
    (made / "by_folder.py").symlink_to(home / "plain.py")
    (folder / "direct.py").symlink_to(home / "plain.py")
    found = imports(folder, "import pkg, direct")
    assert shipped(found) == ["pkg/__init__.py", "pkg/core.py"]
    assert told(found).startswith("Not shipped: pkg/by_folder.py, pkg/by_name.py.")
    (problem,) = found.problems
    assert problem.where == "cell 1" and "'direct.py' is used" in problem.problem


@pytest.mark.parametrize("source", ["%run .aws/tool.py", "!python .aws/tool.py"])
def test_what_a_cell_runs_there_stops_it(tmp_path: Path, source: str) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "tool.py").write_text("")
    found = imports(tmp_path, source)
    assert found.local == [] and "'.aws/tool.py' is used" in found.problems[0].problem


def test_a_notebook_may_itself_lie_in_such_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "work"
    folder.mkdir(parents=True)
    package(folder)
    assert shipped(imports(folder)) == ["pkg/__init__.py", "pkg/core.py"]


def test_of_very_many_some_are_named(tmp_path: Path) -> None:
    made = package(tmp_path)
    for number in range(25):
        (made / f"{number:02}.pem").write_text("")
    assert "pkg/09.pem and 15 more" in told(imports(tmp_path))


def wheel_with(folder: Path, files: dict[str, str]) -> Path:
    name, content = wheel("ours", "1.0", files=files)
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", [*FILES, *(f"{name}/x" for name in (*FOLDERS, *private.CACHES))])
def test_it_is_taken_out_of_a_wheel(tmp_path: Path, name: str) -> None:
    path = wheel_with(tmp_path, {f"ours/{name}": KEY, "ours/data.csv": "1"})
    assert private.strip(path) == [f"ours/{name}"]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        record = archive.read("ours-1.0.dist-info/RECORD").decode()
        assert archive.namelist() == [line.split(",")[0] for line in record.splitlines()]
        assert f"ours/{name}" not in archive.namelist() and "ours/data.csv" in archive.namelist()


def test_the_same_wheel_gives_the_same_bytes(tmp_path: Path) -> None:
    first = wheel_with(tmp_path, {"ours/.env": "A=1"})
    private.strip(first)
    before = first.read_bytes()
    second = wheel_with(tmp_path, {"ours/.env": "A=1"})
    private.strip(second)
    assert second.read_bytes() == before


def test_a_wheel_without_any_stays_as_it_is(tmp_path: Path) -> None:
    files = {"ours/ca.pem": "-----BEGIN CERTIFICATE-----", "ours/.env.example": "A=", "b.py": ""}
    path = wheel_with(tmp_path, files)
    before = path.read_bytes()
    assert private.strip(path) == [] and path.read_bytes() == before


# A backend that packs its whole folder, as many do unless they are told otherwise.
BACKEND = """
import os, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "ours-1.0.dist-info"
    files = {f"{info}/METADATA": b"Metadata-Version: 2.1\\nName: ours\\nVersion: 1.0\\n",
             f"{info}/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    for place, _, names in os.walk("ours"):
        for name in names:
            path = os.path.join(place, name)
            files[path] = open(path, "rb").read()
    files[f"{info}/RECORD"] = "".join(f"{p},,\\n" for p in [*files, f"{info}/RECORD"]).encode()
    wheel = "ours-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content)
    return wheel
"""


@pytest.mark.slow
def test_a_local_package_is_shipped_without_it(
    index: Index, kernel_with: MakeKernel, tmp_path: Path
) -> None:
    root = tmp_path / "ours-project"
    (root / "ours" / ".aws").mkdir(parents=True)
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    for name in ("__init__.py", "data.csv", ".env", "id_rsa", ".aws/credentials"):
        (root / "ours" / name).write_text("")
    needed = Dependency(name="ours", version="1.0", modules=["ours"], cells=[1], url=root.as_uri())
    events: list[Event] = []
    found = lock.lock([needed], kernel_with(), on_event=events.append)
    said = [getattr(event, "text", "") for event in events]
    assert (
        f"ours is shipped without ours/.aws/credentials, ours/.env, ours/id_rsa. {private.WHY}"
        in said
    )
    made = verify.create(found, sys.executable)
    subprocess.run([made.python, "-c", "import ours"], check=True)
    there = {path.name for path in (made.site_packages / "ours").iterdir() if path.is_file()}
    assert there == {"__init__.py", "data.csv"}
    assert not (made.site_packages / "ours" / ".aws").exists()
