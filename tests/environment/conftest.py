"""Fixtures for locking: a package index on the loopback, and a kernel that has what a test says."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlops.environment import uv
from jupyter_mlops.environment.asking import CAPTURE, RUNTIME
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.models import Dependency
from tests.environment.loopback import Index, served, wheel

MakeKernel = Callable[..., Interpreter]


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine where neither uv nor pip is configured, with an empty cache and no pauses."""
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_")) and name != "UV_LINK_MODE":
            monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("NETRC", str(tmp_path / "user" / "netrc"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(uv, "PAUSES", (0.0, 0.0))


@pytest.fixture
def index(unconfigured: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that has what the image itself needs, and is the only one configured."""
    made = Index()
    captured = (name for names in CAPTURE.values() for name in names)
    made.add(*(wheel(name, "1.0") for name in [*RUNTIME, *captured]))
    with served(made):
        monkeypatch.setenv("UV_DEFAULT_INDEX", made.url)
        yield made


@pytest.fixture
def kernel_with() -> MakeKernel:
    """Make a kernel on this machine that has distributions: ``kernel_with(alpha="1.0")``."""

    def make(*, python: str = platform.python_version(), **versions: str) -> Interpreter:
        named = {name.replace("_", "-"): version for name, version in versions.items()}
        return Interpreter(
            python=python,
            system="Linux",
            machine=platform.machine(),
            stdlib=frozenset(),
            versions=named,
            origins={},
        )

    return make


def needs(name: str, version: str = "", cell: int = 2, **more: object) -> Dependency:
    """Return what a cell imports."""
    return Dependency(
        name=name,
        version=version,
        modules=[name.replace("-", "_")],
        cells=[cell],
        **more,  # type: ignore[arg-type]
    )
