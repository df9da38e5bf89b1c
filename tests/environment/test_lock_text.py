"""The lock's text: complete, hashed, the same bytes for the same input, portable."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jupyter_mlops import settings
from jupyter_mlops.environment import lock, lockfile, sizes
from jupyter_mlops.environment.asking import RUNTIME
from jupyter_mlops.environment.options import LockOptions, moment
from jupyter_mlops.errors import UsageError
from jupyter_mlops.events import Event
from tests.environment.conftest import MakeKernel, needs
from tests.environment.loopback import Index, wheel, write

pytestmark = pytest.mark.slow  # each starts uv several times

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _packages(index: Index) -> None:
    index.add(wheel("alpha", "1.0", ["beta>=1"]), wheel("alpha", "2.0", ["beta>=1"]))
    index.add(wheel("beta", "1.0"), wheel("beta", "1.5"), wheel("beta", "2.0"))
    index.add(wheel("gamma", "3.0", extras={"fast": ["beta"]}), wheel("gamma", "4.0"))


def versions(found: lock.Lock) -> dict[str, str]:
    return {p.name: p.version for p in found.packages if p.name not in RUNTIME}


def test_the_kernels_versions_and_their_closure_with_hashes(
    index: Index, kernel_with: MakeKernel
) -> None:
    found = lock.lock([needs("alpha", "1.0")], kernel_with(alpha="1.0", beta="1.5"))
    assert versions(found) == {"alpha": "1.0", "beta": "1.5"}
    for package in found.packages:
        [file] = [f for f in index.projects[package.name] if f.name in package.wheels]
        assert package.wheels == {file.name: file.sha256}
        assert not package.sizes, "uv tells them in one run and not in the next"
        assert sizes.of(found)[package.name] == len(file.content)
    assert lockfile.to_install(found, "") == found.text
    named = tomllib.loads(lockfile.to_install(found, index.url))["packages"]
    assert {package["index"] for package in named} == {index.url}


def test_extras_specifiers_and_edits(kernel_with: MakeKernel) -> None:
    kernel = kernel_with(gamma="3.0", beta="1.0", alpha="1.0")
    wanted = [needs("gamma", "3.0", extras=["fast"]), needs("alpha", specifier="<2")]
    assert versions(lock.lock(wanted, kernel)) == {"gamma": "3.0", "beta": "1.0", "alpha": "1.0"}
    events: list[Event] = []
    edited = LockOptions(
        overrides={"Gamma": "4.0", "beta": ">1,<2"}, additions=["alpha>1"], removals=["alpha"]
    )
    found = lock.lock(wanted, kernel_with(gamma="3.0"), options=edited, on_event=events.append)
    assert versions(found) == {"gamma": "4.0", "beta": "1.5", "alpha": "2.0"}


def test_what_is_removed_goes_or_the_reason_is_told(kernel_with: MakeKernel) -> None:
    wanted = [needs("alpha", "1.0"), needs("beta", "1.5"), needs("gamma", "4.0")]
    events: list[Event] = []
    found = lock.lock(
        wanted,
        kernel_with(),
        options=LockOptions(removals=["Beta", "gamma"]),
        on_event=events.append,
    )
    assert versions(found) == {"alpha": "1.0", "beta": "2.0"}
    assert [e.text for e in events if "stays" in getattr(e, "text", "")] == [  # type: ignore[union-attr]
        "'beta' was removed, and stays: another package needs it"
    ]


def test_a_bound_set_by_hand_never_gives_way(kernel_with: MakeKernel) -> None:
    wanted = LockOptions(overrides={"beta": "1.0"})
    found = lock.lock([needs("alpha", "1.0")], kernel_with(beta="1.5"), options=wanted)
    assert versions(found) == {"alpha": "1.0", "beta": "1.0"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (LockOptions(platform="darwin/arm64"), "no platform that images are made for"),
        (LockOptions(python="three"), "not a Python version"),
        (LockOptions(accelerator="gpu"), "no variant of PyTorch"),
        (LockOptions(exclude_newer="yesterday"), "not a date"),
        (LockOptions(additions=["a b"]), "'a b' is not a requirement"),
        (LockOptions(overrides={"a": "new"}), "neither a version nor bounds for a"),
    ],
)
def test_options_that_make_no_sense(
    kernel_with: MakeKernel, options: LockOptions, says: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        lock.lock([], kernel_with(), options=options)


def test_all_that_is_wrong_with_options_is_said_at_once(kernel_with: MakeKernel) -> None:
    with pytest.raises(UsageError) as caught:
        lock.lock([], kernel_with(), options=LockOptions(platform="x", python="y"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("2024-02-29", "2024-03-01T00:00:00Z"),
        ("2024-02-29T12:00:00", "2024-02-29T12:00:00Z"),
        ("2024-02-29T12:00:00+02:00", "2024-02-29T10:00:00Z"),
    ],
)
def test_a_date_is_one_moment_wherever_it_is_read(given: str, means: str) -> None:
    assert moment(given) == means


CODE = """
import os, sys, platform
os.umask(int(sys.argv[1], 8))
from jupyter_mlops.environment import lock
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.environment.models import Dependency
kernel = Interpreter(platform.python_version(), "Linux", platform.machine(), frozenset(),
                     {"beta": "1.5"}, {})
wanted = [Dependency(name=n, version=v, modules=[n], cells=[1])
          for n, v in [("alpha", "1.0"), ("gamma", "3.0"), ("local-thing", "1.0")]]
if sys.argv[2] == "turned":
    wanted.reverse()
options = LockOptions(exclude_newer="2024-01-01")
sys.stdout.buffer.write(lock.lock(wanted, kernel, options=options).text.encode())
"""


def test_the_same_input_is_the_same_bytes(index: Index, tmp_path: Path) -> None:
    """Whatever the folder, umask, locale, time zone, cache, home and order of the notebook."""
    texts = set()
    cases = [
        ("022", "", "C", "UTC", "a"),
        ("077", "turned", "C.UTF-8", "Asia/Tokyo", "b"),
        ("000", "", "tr_TR.UTF-8", "America/Los_Angeles", "a"),
    ]
    for number, (umask, order, locale, zone, cache) in enumerate(cases):
        folder = tmp_path / f"work {number}"
        links = tmp_path / f"wheels-{number}"
        folder.mkdir()
        write(links, wheel("local-thing", "1.0"))
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LC_ALL": locale,
            "TZ": zone,
            "TMPDIR": str(folder),
            "UV_CACHE_DIR": str(tmp_path / f"cache-{cache}"),
            "UV_FIND_LINKS": f"../{links.name}",
            "JUPYTER_MLOPS_HOME": str(tmp_path / f"home-{number}"),
        }
        done = subprocess.run(
            [sys.executable, "-c", CODE, umask, order],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=True,
        )
        texts.add(done.stdout)
        assert not list(folder.iterdir())
    [text] = texts
    assert b"local-thing" in text and str(tmp_path).encode() not in text


def test_a_lock_names_no_folder_of_this_machine_and_keeps_its_wheels(
    kernel_with: MakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = wheel("local-thing", "1.0")
    write(tmp_path / "mine", made)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "mine"))
    found = lock.lock([needs("local-thing")], kernel_with())
    assert str(tmp_path) not in found.text
    [package] = [p for p in found.packages if p.name == "local-thing"]
    [(name, sha256)] = package.wheels.items()
    assert (settings.wheels() / sha256 / name).read_bytes() == made[1]
    assert package.sizes == {name: len(made[1])}


def test_the_text_is_a_lock_of_pep_751(kernel_with: MakeKernel) -> None:
    found = lock.lock([needs("alpha", "1.0")], kernel_with())
    content = tomllib.loads(found.text)
    assert content["lock-version"] == "1.0" and content["created-by"] == "jupyter-mlops"
    names = [package["name"] for package in content["packages"]]
    assert names == sorted(names)
    assert content["requires-python"].startswith(">=3.")


def test_a_project_that_is_configured_otherwise_does_not_turn_the_lock(
    kernel_with: MakeKernel, tmp_path: Path
) -> None:
    plain = lock.lock([needs("alpha", "1.0")], kernel_with())
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "uv.toml").write_text(
        '[pip]\nuniversal = true\nno-deps = true\nno-header = false\noutput-file = "x.toml"\n'
        "generate-hashes = false\nno-strip-markers = true\n"
    )
    assert lock.lock([needs("alpha", "1.0")], kernel_with(), folder=folder).text == plain.text
