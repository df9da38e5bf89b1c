"""Environments are kept and shared; the oldest go, and never one that somebody uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.environment import lock, prune, verify
from tests.environment.conftest import MakeKernel, needs
from tests.environment.loopback import Index, wheel

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, pathlib
from jupyter_mlops.environment import prune
prune.hold(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "home"))


def made(name: str, used: float, size: int = 1000) -> Path:
    root = settings.environments() / f"{name}-py3.11"
    root.mkdir(parents=True)
    (root / "content").write_bytes(b"x" * (size - 2))
    (root / prune.READY).write_text("{}")
    os.utime(root / prune.READY, (used, used))
    return root


def test_the_ones_used_last_stay() -> None:
    for number in range(5):
        made(f"e{number}", used=1000 + number)
    pruned = prune.prune(keep=2)
    assert pruned.kept == ["e4-py3.11", "e3-py3.11"]
    assert pruned.removed == ["e2-py3.11", "e1-py3.11", "e0-py3.11"]
    assert (pruned.freed, pruned.size) == (3000, 2000)
    left = {path.name for path in settings.environments().glob("*-py*") if path.is_dir()}
    assert left == set(pruned.kept)


def test_size_counts_as_well_as_number() -> None:
    made("big", used=3, size=5000)
    made("small", used=2)
    made("old", used=1)
    assert prune.prune(at_most=6000).removed == ["old-py3.11"]


def test_bare_interpreters_and_half_made_ones_stay() -> None:
    made("bare", used=1)
    half = settings.environments() / "half-py3.11"
    half.mkdir()
    assert prune.prune(keep=0).removed == []
    assert half.is_dir()


def test_none_that_this_process_uses_goes_whatever_it_costs() -> None:
    root = made("mine", used=1)
    prune.hold(root)
    assert prune.prune(keep=0, at_most=0).kept == ["mine-py3.11"]


def test_none_that_another_process_uses_goes_until_it_ends() -> None:
    root = made("theirs", used=1)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout and holder.stdin
    assert holder.stdout.readline() == b"held\n"
    assert prune.prune(keep=0).kept == ["theirs-py3.11"]
    holder.stdin.close()
    holder.wait()
    assert prune.prune(keep=0).removed == ["theirs-py3.11"]


def test_a_process_number_that_was_given_again_holds_nothing() -> None:
    root = made("stale", used=1)
    prune.hold(root)
    mark = root / prune.IN_USE / str(os.getpid())
    noted = json.loads(mark.read_text())
    mark.write_text(json.dumps({**noted, "started": noted["started"] - 500}))
    assert not prune.in_use(root)
    assert not mark.exists()


@pytest.mark.parametrize(("days", "used"), [(1, True), (8, False)])
def test_a_mark_of_another_machine_counts_for_a_week(days: int, used: bool) -> None:
    root = made("shared", used=1)
    (root / prune.IN_USE).mkdir()
    mark = root / prune.IN_USE / "1"
    mark.write_text(json.dumps({"host": "elsewhere", "started": 1.0}))
    then = time.time() - days * 24 * 3600
    os.utime(mark, (then, then))
    assert prune.in_use(root) is used


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": 1}', '{"host": "x", "started": "y"}'])
def test_a_broken_mark_holds_nothing(text: str) -> None:
    root = made("broken", used=1)
    (root / prune.IN_USE).mkdir()
    (root / prune.IN_USE / "1").write_text(text)
    assert not prune.in_use(root)


def test_one_that_is_being_made_again_stays() -> None:
    root = made("locked", used=1)
    with FileLock(f"{root}.lock"):
        done: list[prune.Pruned] = []
        other = threading.Thread(target=lambda: done.append(prune.prune(keep=0)))
        other.start()
        other.join()
    assert done[0].kept == ["locked-py3.11"]


def test_a_removal_that_was_interrupted_is_finished() -> None:
    left = settings.environments() / f"{prune.ASIDE}abc"
    left.mkdir(parents=True)
    prune.prune()
    assert not left.exists()


USER = """
import os, pathlib, subprocess, sys
from jupyter_mlops.environment import lock, prune, verify
text = pathlib.Path(sys.argv[1]).read_text()
found = lock.parse(text, sys.argv[2], "linux/amd64")
for _ in range(6):
    made = verify.create(found, sys.executable)
    prune.prune(keep=0, at_most=0)
    done = subprocess.run([made.python, "-c", "import alpha"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
"""


def test_environments_in_use_survive_others_that_prune_all_the_time(
    index: Index, kernel_with: MakeKernel, tmp_path: Path
) -> None:
    """Processes that make, use and prune three environments at once, one of them twice."""
    texts = []
    for number in range(3):
        index.add(wheel("alpha", f"{number}.0"))
        found = lock.lock([needs("alpha", f"{number}.0")], kernel_with())
        texts.append(tmp_path / f"lock-{number}.toml")
        texts[-1].write_text(found.text)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(text), found.python],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for text in [*texts, texts[0]]
    ]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert prune.prune(keep=0).kept == []


def test_an_environment_is_made_once_for_the_same_lock(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0"))
    found = lock.lock([needs("alpha")], kernel_with())
    first = verify.create(found, sys.executable)
    assert prune.in_use(first.root)
    index.asked.clear()
    assert verify.create(found, "/no/such/python").root == first.root
    assert index.asked == []
