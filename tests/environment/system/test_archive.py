"""The tables held against the archive of this machine's release, and a publish that needs one."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import uv

from jupyter_mlops.catalog import describe
from jupyter_mlops.environment.models import SystemNeed
from jupyter_mlops.environment.system import tables
from jupyter_mlops.environment.system.layer import add
from jupyter_mlops.environment.system.lookup import look_up
from jupyter_mlops.environment.system.prepare import find
from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.debian import build_base
from jupyter_mlops.image.docker import load
from jupyter_mlops.image.installed import Installed, read_installed
from jupyter_mlops.image.manifest import Image, ImageConfig, build_image, stored_image
from jupyter_mlops.image.platforms import host_platform
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.settings import store

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt-get"),
]
PLATFORM = host_platform()
OPENCV = "opencv-python==4.10.0.84"


@pytest.fixture(scope="module")
def base() -> Base:
    """A base made of the distribution's packages, in the store that publishes of tests share."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return build_base(python=python, platform=PLATFORM, store=store())


@pytest.mark.parametrize(("file", "most_unknown"), [("sonames.txt", 0), ("programs.txt", 60)])
def test_the_tables_say_what_the_archive_says(base: Base, file: str, most_unknown: int) -> None:
    found = read_installed(base, store())
    expected = {}
    for line in tables.lines(file):
        name = line.split()[0]
        row = tables.library(name, found) if ".so" in name else tables.program(name, found)
        expected |= {name: row.names} if row else {}
    archive = _owners(list(expected), found)
    both = {name: (row, archive[name]) for name, row in expected.items() if name in archive}
    wrong = {name: pair for name, pair in both.items() if not set(pair[0]) & set(pair[1])}
    # Part of what is meant, and something else of the same name.
    assert set(wrong) <= {"perl", "parallel"}, wrong
    # Links that scripts make, and packages for all architectures, are in no such list.
    assert len(expected) - len(both) <= most_unknown


def _owners(names: list[str], base: Installed) -> dict[str, list[str]]:
    from jupyter_mlops.environment.system.lookup import _paths
    from jupyter_mlops.image.apt import Apt
    from jupyter_mlops.image.apt_sources import sources_for

    architecture = PLATFORM.partition("/")[2]
    folder = store() / "debian" / f"contents-{base.system}-{base.codename}"
    lists = Apt(folder, architecture, sources=sources_for(base, "base"))
    owners: dict[str, list[str]] = {}
    for path, packages in lists.having(_paths(names)).items():
        owners.setdefault(path.rpartition("/")[2], []).extend(packages)
    return owners


def test_what_no_table_has_is_looked_up(base: Base) -> None:
    found = read_installed(base, store())
    names = ["cmatrix", "libgsl.so.27", "libgsl.so.28", "nobody-has-this"]
    architecture = PLATFORM.partition("/")[2]
    packages = look_up(names, found, name="base", architecture=architecture, store=store())
    assert packages["cmatrix"] == "cmatrix"
    assert set(packages.values()) & {"libgsl27", "libgsl28"}
    assert "nobody-has-this" not in packages


@pytest.fixture
def tag() -> Iterator[str]:
    """A name of an image in the engine, which is removed in the end."""
    name = f"jupyter-mlops-test:{uuid.uuid4().hex[:12]}"
    yield name
    subprocess.run(["docker", "image", "rm", "-f", name], capture_output=True)


def run(tag: str, *command: str) -> str:
    start = ["docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
    done = subprocess.run(
        [*start, "--entrypoint", command[0], tag, *command[1:]],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.docker
def test_programs_work_in_a_container_though_no_script_has_run(base: Base, tag: str) -> None:
    wanted = {"dot": "graphviz", "git": "git", "which": "debianutils", "libmagic.so.1": "libmagic1"}
    needs = [
        SystemNeed(
            kind="library" if ".so" in name else "executable",
            name=name, needed_by="cell 1", package=package,
        )
        for name, package in wanted.items()
    ]  # fmt: skip
    found = read_installed(base, store())
    added = add(needs, base, found, platform=PLATFORM, store=store())
    load(build_image(base, [added.layer], ImageConfig(user="1000:0", env={"HOME": "/tmp"})), tag)
    assert "<svg" in run(tag, "sh", "-c", "echo 'digraph {a -> b}' | dot -Tsvg")
    assert run(tag, "git", "--version").startswith("git version")
    assert run(tag, "which", "dot") == "/usr/bin/dot\n"
    library = "import ctypes.util as u, ctypes; ctypes.CDLL(u.find_library('magic')); print('ok')"
    assert run(tag, "python3", "-c", library) == "ok\n"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A notebook whose kernel has opencv-python, which needs libraries of a screen."""
    folder = tmp_path_factory.mktemp("opencv")
    environment = folder / "venv"
    tool = uv.find_uv_bin()
    python = environment / "bin" / "python"
    subprocess.run([tool, "venv", "-q", "--python", sys.executable, environment], check=True)
    subprocess.run([tool, "pip", "install", "-q", "--python", python, OPENCV], check=True)
    kernel = folder / "jupyter" / "kernels" / "opencv"
    kernel.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "opencv", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    node = nbformat.v4.new_notebook()
    node.metadata.kernelspec = {"name": "opencv", "display_name": "opencv", "language": "python"}
    node.cells = [
        nbformat.v4.new_code_cell("import cv2\nimport numpy as np"),
        nbformat.v4.new_code_cell(
            "image = np.zeros((32, 32), np.uint8)\nimage[8:24, 8:24] = 255\n"
            "edges = int((cv2.Canny(image, 50, 150) > 0).sum())\nprint(edges)"
        ),
    ]
    nbformat.write(node, folder / "edges.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        patch.setenv("JUPYTER_MLOPS_MIRROR", "127.0.0.1:9/library")  # no registry: packages
        yield folder / "edges.ipynb"


@pytest.mark.docker
def test_a_publish_that_needs_a_library_asks_for_it_and_adds_it(
    notebook: Path, tag: str, tmp_path: Path
) -> None:
    target = f"oci:{tmp_path}/registry:edges:latest"
    with pytest.raises(ImageError) as caught:
        publish(notebook, target, verify="none")
    text = str(caught.value)
    assert "The image lacks libGL.so.1, needed by opencv-python 4.10.0.84" in text
    assert "Debian package libgl1" in text
    assert "--system-packages auto" in text and "opencv-python-headless" in text
    assert not (tmp_path / "registry").exists()

    done = publish(notebook, target, verify="none", system_packages="auto")
    packages = describe(target)["system_packages"]
    assert packages["libgl1"] and len(packages) >= 2
    image = stored_image(open_repository(Reference.parse(target)), "latest")
    assert image.digest == done.digest
    assert [layer.kind for layer in image.layers].count("system") == 1
    load(image, tag)
    assert run(tag, "python3", "-c", "import cv2; print(cv2.__version__)") == "4.10.0\n"

    again = publish(notebook, target, verify="none", system_packages="auto")
    assert again.digest == done.digest
    without = publish(notebook, f"{target}-none", verify="none", system_packages="none")
    assert describe(without.versioned)["system_packages"] == {}


@pytest.mark.docker
def test_the_base_of_a_published_image_has_what_was_added(notebook: Path, tmp_path: Path) -> None:
    target = f"oci:{tmp_path}/registry:edges:latest"
    publish(notebook, target, verify="none", system_packages="auto")
    image: Image = stored_image(open_repository(Reference.parse(target)), "latest")
    config = json.loads(image.config)
    whole = Base("published", image.digest, image.layers, config, "3.11")
    cells = [(1, "import cv2", ast.parse("import cv2"))]
    empty = tmp_path / "lib" / "python3.11" / "site-packages"
    empty.mkdir(parents=True)
    found, _ = find(cells, empty, whole, platform=PLATFORM, store=tmp_path / "store")
    assert found == []
    installed = read_installed(whole, tmp_path / "store")
    assert {"libGL.so.1", "libc.so.6"} <= installed.libraries
    assert "Package: libgl1\n" in installed.status
