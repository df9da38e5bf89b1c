"""What all tests of the registry room share: no credentials of the person, no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.registry.transport import Transport
from tests.registry.faulty import FaultyRegistry


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home of its own, so that no real login is used or shown."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "mlops"))
    for name in (
        "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
        "JUPYTER_MLOPS_CA", "JUPYTER_MLOPS_INSECURE_REGISTRIES", "HTTPS_PROXY", "HTTP_PROXY",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Do not sleep before retries; return the seconds that would have been slept."""
    slept: list[float] = []
    monkeypatch.setattr(Transport, "sleep", staticmethod(slept.append))
    return slept


@pytest.fixture
def faulty(waits: list[float]) -> Iterator[FaultyRegistry]:
    """A registry in memory that fails on demand."""
    with FaultyRegistry() as server:
        yield server


@pytest.fixture(params=["directory", pytest.param("registry", marks=pytest.mark.registry)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for one repository: ``oci:DIRECTORY:iris:``, or one of a real registry."""
    if request.param == "directory":
        return f"oci:{tmp_path}/layout:iris:"
    url = request.getfixturevalue("docker_registry").url
    return f"{url}/catalog/{tmp_path.name.replace('_', '-').lower()}"
