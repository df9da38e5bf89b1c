from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.environment import kernel, lock, uv, verify
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.models import Dependency
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Event


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return kernel.probe(kernel.find("python3", ""), [])


def dependency(name: str, version: str = "") -> Dependency:
    return Dependency(name=name, version=version, modules=[name], cells=[2])


@pytest.mark.network
def test_pins_are_what_the_kernel_has_and_every_wheel_has_a_hash(interpreter: Interpreter) -> None:
    version = interpreter.versions["numpy"]
    found = lock.lock([dependency("numpy", version)], interpreter)
    pinned = {package.name: package for package in found.packages}
    assert pinned["numpy"].version == version
    assert pinned["ipykernel"].version == interpreter.versions["ipykernel"]
    hashes = [sha256 for package in found.packages for sha256 in package.wheels.values()]
    assert len(hashes) >= len(found.packages) and all(len(sha256) == 64 for sha256 in hashes)
    assert set(lock.RUNTIME) <= set(pinned)
    again = lock.lock([dependency("numpy", version)], interpreter)
    assert again.text == found.text


@pytest.mark.network
def test_kernel_packages_that_disagree_are_said(interpreter: Interpreter) -> None:
    broken = Interpreter(
        python=interpreter.python,
        system=interpreter.system,
        machine=interpreter.machine,
        stdlib=frozenset(),
        versions={**interpreter.versions, "anyio": "0.0.1"},
        origins={},
    )
    events: list[Event] = []
    found = lock.lock([], broken, on_event=events.append)
    assert found.packages
    assert any("do not agree" in getattr(event, "text", "") for event in events)


@pytest.mark.network
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (dependency("pycrypto", "2.6.1"), "'pycrypto' has no wheel for the image's platform"),
        (dependency("jupyter-mlops-no-such-thing"), "has no distribution"),
    ],
)
def test_what_cannot_be_locked_is_one_sentence(
    interpreter: Interpreter, wanted: Dependency, said: str
) -> None:
    with pytest.raises(LockError) as caught:
        lock.lock([wanted], interpreter)
    assert said in str(caught.value)
    assert "cell 2" in str(caught.value)


def test_an_index_that_is_down(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:hunter2@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "2")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setattr(uv, "PAUSES", ())
    with pytest.raises(LockError) as caught:
        lock.lock([dependency("numpy")], interpreter)
    assert "cannot be reached" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_other_systems_are_refused_with_the_reason() -> None:
    mac = Interpreter("3.11.7", "Darwin", "arm64", frozenset(), {}, {})
    with pytest.raises(LockError, match="cannot prove a Linux image"):
        lock.platform_of(mac)


@pytest.mark.network
def test_the_environment_holds_the_lock_and_nothing_else(interpreter: Interpreter) -> None:
    found = lock.lock([], interpreter)
    made = verify.create(found, kernel.find("python3", "").executable)
    code = "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"
    done = subprocess.run(
        [str(made.python), "-I", "-c", code], capture_output=True, text=True, check=True
    )
    listed = {name.lower().replace("_", "-").replace(".", "-") for name in done.stdout.split()}
    assert listed == {package.name for package in found.packages}
    assert verify.create(found, "/no/such/python").root == made.root
    hashes = verify.installed_hashes(made, found)
    assert (
        hashes["wcwidth"] in next(p for p in found.packages if p.name == "wcwidth").wheels.values()
    )
    assert all(len(sha256) == 64 for sha256 in hashes.values())


@pytest.mark.network
def test_a_wheel_with_another_hash_is_refused(interpreter: Interpreter) -> None:
    found = lock.lock([], interpreter)
    first = next(iter(found.packages[0].wheels.values()))
    bad = lock.parse(found.text.replace(first, "0" * 64), found.python, found.platform)
    with pytest.raises(LockError, match="cannot be installed"):
        verify.create(bad, kernel.find("python3", "").executable)
    assert not list(Path(verify.settings.environments()).glob(f"{bad.sha256[:24]}*/ready.json"))


def test_no_such_python_names_the_remedy() -> None:
    with pytest.raises(LockError) as caught:
        verify.bare("3.4")
    assert "no Python 3.4" in str(caught.value) and "docker" in str(caught.value)
