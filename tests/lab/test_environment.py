"""The environment of a notebook over HTTP: by path, and with a person's edits and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import locking
from jupyter_mlops.errors import LockError
from tests.lab.conftest import Ask


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, jp_root_dir: Path) -> list[tuple[Any, ...]]:
    (jp_root_dir / "a.ipynb").touch()
    calls: list[tuple[Any, ...]] = []

    def describe(path: Path, options: Any = None, **more: Any) -> dict[str, str]:
        calls.append((path, options, more))
        return {"sha256": "abc"}

    monkeypatch.setattr(locking, "describe_environment", describe)
    return calls


async def test_by_path(
    jp_serverapp: Any, ask: Ask, asked: list[tuple[Any, ...]], jp_root_dir: Path
) -> None:
    assert await ask("environment", path="a.ipynb") == (200, {"sha256": "abc"})
    assert asked == [(jp_root_dir / "a.ipynb", None, {})]


async def test_with_edits(
    jp_serverapp: Any, ask: Ask, asked: list[tuple[Any, ...]], jp_root_dir: Path
) -> None:
    body = {
        "path": "a.ipynb",
        "options": {"overrides": {"numpy": "2.0"}, "additions": ["x"], "removals": ["y"]},
        "answers": {"cv2": "opencv-python-headless"},
    }
    assert (await ask("environment", method="POST", body=body))[0] == 200
    [(path, options, more)] = asked
    assert path == jp_root_dir / "a.ipynb"
    assert options == locking.LockOptions(
        overrides={"numpy": "2.0"}, additions=["x"], removals=["y"]
    )
    assert more == {"answers": {"cv2": "opencv-python-headless"}, "system": False}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"path": "a.ipynb", "colour": 1}, 400),
        ({"path": "a.ipynb", "options": {"overrides": ["numpy"]}}, 400),
        ({"path": "../a.ipynb"}, 400),
        ({"path": "b.ipynb"}, 404),
    ],
)
async def test_bad_bodies(
    jp_serverapp: Any, ask: Ask, asked: list[tuple[Any, ...]], body: Any, status: int
) -> None:
    got, answer = await ask("environment", method="POST", body=body)
    assert (got, asked) == (status, [])
    assert answer["problems"][0]["problem"]


async def test_a_kernel_that_cannot_be_read_is_a_sentence(
    jp_serverapp: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch, jp_root_dir: Path
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise LockError("The notebook is written in R", remedy="Choose a Python kernel")

    (jp_root_dir / "a.ipynb").touch()
    monkeypatch.setattr(locking, "describe_environment", refuse)
    status, answer = await ask("environment", path="a.ipynb")
    assert status == 400
    assert answer["problems"][0]["problem"] == "The notebook is written in R"


async def test_reading_is_not_writing(
    jp_serverapp: Any, ask: Ask, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_authorized(handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read" and resource == "mlops"

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    assert (await ask("environment", path="a.ipynb"))[0] == 200
    status, _ = await ask("environment", method="POST", body={"path": "a.ipynb"})
    assert status == 403 and len(asked) == 1
