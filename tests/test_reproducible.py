"""The same notebook is the same image: another day, user, umask, language, folder, cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.image.layout import Layout
from tests.image.difference import difference
from tests.notebooks import make

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.faketime]

CELLS = [
    "%load_ext jupyter_mlops\nimport numpy as np\nimport häufig",
    ("parameters", "slope: float = 2.0  # Größe → m"),
    "weights = np.linspace(0, slope, 5)\n%mlops_log total=float(weights.sum())",
    ("predict", "def predict(rows):\n    return häufig.twice(rows.to_numpy()) @ weights[:1]"),
    "import pandas as pd\npredict(pd.DataFrame({'größe': [1.0, 2.0]}))",
    "print({'a', 'b', 'c', 'd'} == set('abcd'), sorted({'x': 1, 'y': 2}))",
]
ANOTHER = ["--reuid", "1000", "--regid", "1000", "--clear-groups"]
#: Root's own folders are closed to others: this one may read whatever root may, and write nothing.
READS = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]


def notebook(folder: Path) -> Path:
    """Write the notebook and the module beside it."""
    folder.mkdir(parents=True)
    (folder / "häufig.py").write_text("def twice(x):\n    return 2 * x\n", encoding="utf-8")
    return make(folder / "modell.ipynb", [("markdown", "# Größen\nEin Modell."), *CELLS])


def published(folder: Path, *command: str, umask: int = 0o022, **changed: str) -> tuple[Path, str]:
    """Publish in a process of its own; return the layout and the digest."""
    registry = folder.parent / f"registry-{folder.name}"
    registry.mkdir(parents=True)
    environment = {**os.environ, "JUPYTER_MLOPS_HOME": str(folder.parent / f"home-{folder.name}")}
    path = notebook(folder)
    if os.geteuid() == 0 and "setpriv" in command:
        for place in (folder.parent, folder, registry, path):
            os.chown(place, 1000, 1000)
    done = subprocess.run(
        [*command, sys.executable, "-m", "jupyter_mlops.cli", "publish", str(path),
         f"oci:{registry}/modell", "--json"],
        env={**environment, **changed}, cwd=folder, umask=umask, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["verified"] == "full"
    return registry / "modell", answer["digest"]


def same(one: tuple[Path, str], other: tuple[Path, str]) -> None:
    """Hold that two images are the same to the byte, or say in what they differ."""
    said = difference(one, other)
    assert not said, said
    assert one[1] == other[1]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cache of uv's that is empty for the first publish and filled for those after it."""
    return {"UV_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, cache: dict[str, str]) -> tuple[Path, str]:
    return published(tmp_path_factory.mktemp("usual") / "a", **cache)


def test_another_day_umask_language_and_folder(
    usual: tuple[Path, str], cache: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "another folder" / "b"
    changed = {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "USER": "anna"}
    other = published(folder, "faketime", "-f", "+3d", umask=0o077, **changed, **cache)
    same(usual, other)


def test_another_user_with_nothing_cached(usual: tuple[Path, str], tmp_path: Path) -> None:
    """Everything is fetched anew; root hands over to another user, anybody else stays who he is."""
    tmp_path.chmod(0o755)
    own = tmp_path / "cache"
    changed = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(own), "UV_CACHE_DIR": str(own)}
    changed["XDG_CONFIG_HOME"] = str(Path.home() / ".config")  # the same indexes are configured
    prefix = ["setpriv", *ANOTHER, *READS] if os.geteuid() == 0 else []
    other = published(tmp_path / "c", *prefix, umask=0o027, LANG="de_DE.UTF-8", **changed)
    shutil.rmtree(own)
    same(usual, other)


def test_the_day_that_is_asked_for_and_nothing_else(
    usual: tuple[Path, str], cache: dict[str, str], tmp_path: Path
) -> None:
    """Also: a difference is told, the fields and the files."""
    other = published(tmp_path / "d", SOURCE_DATE_EPOCH="1700000000", **cache)
    said = difference(usual, other)
    assert '-  "org.opencontainers.image.created": "1970-01-01T00:00:00Z"' in said
    assert '+  "org.opencontainers.image.created": "2023-11-14T22:13:20Z"' in said
    files = [line for line in said.splitlines() if line.startswith("[code] ")]
    assert any("opt/mlops/notebook.ipynb" in line and " 1700000000, " in line for line in files)
    _, manifest = Layout(other[0]).manifest(other[1])
    assert manifest["annotations"]["org.opencontainers.image.created"] == "2023-11-14T22:13:20Z"
