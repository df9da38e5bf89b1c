"""Fixtures for all rooms, and the rule for tools that are not there.

A test that needs a tool is skipped where the tool is missing, with a line that says what to
install. With ``CI=true`` such a skip is a failure.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest_plugins = [
    "pytest_jupyter.jupyter_server",
    "tests.fixtures_registry",
    "tests.fixtures_keys",
]

EXAMPLES = Path(__file__).parent.parent / "examples"


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@functools.cache
def _docker() -> str:
    found = _succeeds("docker", "info")
    return "" if found else "a running Docker engine: apt install docker.io, then start dockerd"


@functools.cache
def _registry() -> str:
    if shutil.which("docker-registry") and shutil.which("htpasswd"):
        return ""
    return "a registry: apt install docker-registry apache2-utils"


@functools.cache
def _skopeo() -> str:
    return "" if shutil.which("skopeo") else "skopeo: apt install skopeo"


@functools.cache
def _faketime() -> str:
    return "" if shutil.which("faketime") else "faketime: apt install faketime"


@functools.cache
def _engines() -> str:
    missing = [tool for tool in ("podman", "umoci", "ctr", "runc") if not shutil.which(tool)]
    return f"{', '.join(missing)}: apt install podman umoci containerd runc" if missing else ""


@functools.cache
def _network() -> str:
    import uv

    command = [uv.find_uv_bin(), "pip", "compile", "--no-cache", "-q", "-"]
    done = subprocess.run(command, input="six", text=True, capture_output=True)
    return "" if done.returncode == 0 else "a package index: check the network and uv's settings"


NEEDS: dict[str, Callable[[], str]] = {
    "docker": _docker,
    "registry": _registry,
    "skopeo": _skopeo,
    "faketime": _faketime,
    "engines": _engines,
    "network": _network,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, missing in NEEDS.items():
        if item.get_closest_marker(marker) and missing():
            text = f"needs {missing()}"
            if os.environ.get("CI") == "true":
                pytest.fail(text, pytrace=False)
            pytest.skip(text)


@pytest.fixture(scope="session", autouse=True)
def mlops_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep all state of the session in one folder of its own: environments are shared."""
    home = tmp_path_factory.mktemp("mlops-home")
    patch = pytest.MonkeyPatch()
    patch.setenv("JUPYTER_MLOPS_HOME", str(home))
    patch.setenv("JUPYTER_MLOPS_AUDIT", "none")  # nobody outside is asked
    for name in ("JUPYTER_MLOPS_REGISTRY", "JUPYTER_MLOPS_BASE", "MLOPS_JOURNAL"):
        patch.delenv(name, raising=False)
    yield home
    patch.undo()
