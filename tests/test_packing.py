"""The packages of a lock are packed beside the verified run; what that comes to is the same."""

from __future__ import annotations

import base64
import hashlib
import shutil
import threading
from pathlib import Path

import pytest

from jupyter_mlops import packing
from jupyter_mlops.environment.models import Lock, Package
from jupyter_mlops.environment.verify import Environment
from jupyter_mlops.errors import ImageError
from jupyter_mlops.packing import Packed, Packing


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    root = tmp_path / "environment"
    site = root / "lib" / "python3.11" / "site-packages"
    files = {
        "demo/__init__.py": b"x = 1\n",
        "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    rows = ["demo-1.0.dist-info/RECORD,,"]
    for path, data in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}")
    (site / "demo-1.0.dist-info" / "RECORD").write_text("\n".join(rows) + "\n")
    (root / "pyvenv.cfg").write_text("version = 3.11.9\n")
    return Environment(root)


def lock(sha256: str = "1" * 64) -> Lock:
    package = Package(name="demo", version="1.0", wheels={"demo-1.0-py3-none-any.whl": "a" * 64})
    return Lock(text="", sha256=sha256, python="3.11", platform="linux/amd64", packages=[package])


def digests(packed: Packed) -> list[str]:
    return [layer.blob.descriptor.digest for layer in packed[0]]


def test_what_was_begun_is_what_comes_out(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = Packing()
    begun.begin(environment, lock())
    begun._begun[lock().sha256].thread.join(30)
    for info in environment.site_packages.glob("*.dist-info"):  # it is read no more
        shutil.rmtree(info)
    ahead = digests(begun.packages(environment, lock()))
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "other"))
    assert not digests(Packing().packages(environment, lock()))  # and that would show
    assert len(ahead) == 1


def test_another_lock_after_all_is_packed_by_itself(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = Packing()
    go_on = threading.Event()
    pack = packing.site_layers

    def slow(*given: object, key: str, **named: object) -> Packed:
        if key.startswith("1"):
            assert go_on.wait(30)
        return pack(*given, key=key, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(packing, "site_layers", slow)
    begun.begin(environment, lock())
    other = digests(begun.packages(environment, lock("2" * 64)))  # does not wait for the first
    go_on.set()
    assert other == digests(begun.packages(environment, lock()))


def test_what_fails_ahead_is_told_where_it_is_needed(environment: Environment) -> None:
    (environment.site_packages / "demo-1.0.dist-info" / "METADATA").unlink()
    begun = Packing()
    begun.begin(environment, lock())
    with pytest.raises(ImageError) as alone:
        Packing().packages(environment, lock())
    with pytest.raises(ImageError) as told:
        begun.packages(environment, lock())
    assert str(told.value) == str(alone.value)
