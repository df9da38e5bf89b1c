"""What has no wheel: built from source where that is possible, else one clear error."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops import settings
from jupyter_mlops.environment import lock, verify
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Event
from tests.environment.conftest import MakeKernel, needs
from tests.environment.loopback import Index, sdist, source_files, wheel, write

pytestmark = pytest.mark.slow  # each starts uv several times


def wheel_of(found: lock.Lock, name: str) -> tuple[str, str]:
    [package] = [package for package in found.packages if package.name == name]
    [(file, sha256)] = package.wheels.items()
    return file, sha256


def source_tree(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(parents=True)
    for path, text in source_files(name, version).items():
        (folder / path).write_text(text)
    return folder


def test_a_source_distribution_is_built_once_and_locked_by_its_hash(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(sdist("src-only", "1.0"))
    events: list[Event] = []
    found = lock.lock([needs("src-only", "1.0")], kernel_with(), on_event=events.append)
    file, sha256 = wheel_of(found, "src-only")
    kept = settings.wheels() / sha256 / file
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == sha256
    assert [getattr(event, "text", "") for event in events] == [
        "src-only 1.0 has no wheel; it is built from its source"
    ]
    index.asked.clear()
    again = lock.lock([needs("src-only", "1.0")], kernel_with())
    assert again.text == found.text
    assert not [path for path in index.asked if path.endswith(".tar.gz")]
    made = verify.create(found, sys.executable)
    code = "import src_only; print(src_only.built)"
    done = subprocess.run([made.python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    assert not list(made.site_packages.rglob("direct_url.json"))
    assert verify.installed_hashes(made, found)["src-only"] == sha256


def test_a_kept_wheel_is_unpacked_once_for_all_environments(
    index: Index, kernel_with: MakeKernel, tmp_path: Path
) -> None:
    index.add(sdist("src-only", "1.0"), wheel("other", "1.0"))
    both = [needs("src-only", "1.0"), needs("other", "1.0")]
    locks = [lock.lock(both[:count], kernel_with()) for count in (1, 2)]
    shutil.rmtree(tmp_path / "cache")
    roots = {verify.create(found, sys.executable).root for found in locks}
    assert len(roots) == 2
    assert all([*root.glob("lib/*/site-packages/src_only*")] for root in roots)
    assert len([*(tmp_path / "cache" / "archive-v0").glob("*/src_only.py")]) == 1


def test_what_was_unpacked_before_is_not_fetched_again(
    index: Index, kernel_with: MakeKernel, tmp_path: Path
) -> None:
    index.add(wheel("alpha", "1.0"))  # this index allows nobody to keep anything
    found = lock.lock([needs("alpha", "1.0")], kernel_with())
    made = verify.create(found, sys.executable)
    index.asked.clear()
    shutil.rmtree(made.root)
    made = verify.create(found, sys.executable)
    assert (made.site_packages / "alpha.py").is_file()
    assert not [path for path in index.asked if path.endswith(".whl")]
    assert len([*(tmp_path / "cache" / "archive-v0").glob("*/alpha.py")]) == 1
    _, sha256 = wheel_of(found, "alpha")
    other = lock.parse(found.text.replace(sha256, "0" * 64), found.python, found.platform)
    with pytest.raises(LockError, match="cannot be installed"):
        verify.create(other, sys.executable)


def test_the_source_of_a_dependency_keeps_the_kernel_s_version(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0", ["src-only>=1"]))
    index.add(sdist("src-only", "1.0"), sdist("src-only", "1.1"))
    kernel = kernel_with(alpha="1.0", src_only="1.0")
    found = lock.lock([needs("alpha", "1.0")], kernel)
    assert {p.name: p.version for p in found.packages}["src-only"] == "1.0"


def test_a_source_is_built_below_a_date_too(index: Index, kernel_with: MakeKernel) -> None:
    index.add(sdist("src-only", "1.0"))
    found = lock.lock(
        [needs("src-only")], kernel_with(), options=LockOptions(exclude_newer="2023-06-01")
    )
    assert wheel_of(found, "src-only")[0] == "src_only-1.0-py3-none-any.whl"


def test_a_build_that_fails_is_one_error(index: Index, kernel_with: MakeKernel) -> None:
    index.add(sdist("src-only", "1.0", broken=True))
    with pytest.raises(LockError) as caught:
        lock.lock([needs("src-only", "1.0", cell=3)], kernel_with())
    said = str(caught.value)
    assert said.startswith("cell 3: 'src-only' has no wheel for the image's platform, and building")
    assert "no compiler here" in said
    assert not list(settings.wheels().glob(".build-*"))


def test_a_kernel_s_version_that_cannot_be_built_gives_way(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0", ["src-only"]), wheel("src-only", "2.0"))
    index.add(sdist("src-only", "1.0", broken=True))
    events: list[Event] = []
    kernel = kernel_with(alpha="1.0", src_only="1.0")
    found = lock.lock([needs("alpha", "1.0")], kernel, on_event=events.append)
    assert {p.name: p.version for p in found.packages}["src-only"] == "2.0"
    assert "do not keep their version: src-only" in str(events)


def test_another_platform_gets_no_wheel_that_is_built_here(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(sdist("src-only", "1.0"))
    other = {"x86_64": "linux/arm64"}.get(kernel_with().machine, "linux/amd64")
    with pytest.raises(LockError) as caught:
        lock.lock(
            [needs("src-only", "1.0", cell=3)], kernel_with(), options=LockOptions(platform=other)
        )
    assert str(caught.value).startswith("cell 3: 'src-only' has no wheel for the image's platform")
    assert not list(settings.wheels().rglob("*.whl"))


def test_wheels_that_are_given_are_taken(
    index: Index, kernel_with: MakeKernel, tmp_path: Path
) -> None:
    index.add(wheel("alpha", "1.0"), wheel("beta", "1.0"))
    made = wheel("alpha", "1.0", ["beta"], files={"ours.py": ""})
    write(tmp_path / "made", made)
    found = lock.lock(
        [needs("alpha", "1.0")], kernel_with(), extra_wheels=[tmp_path / "made" / made[0]]
    )
    assert wheel_of(found, "alpha") == (made[0], hashlib.sha256(made[1]).hexdigest())
    assert wheel_of(found, "beta")
    (tmp_path / "made" / made[0]).unlink()
    assert (verify.create(found, sys.executable).site_packages / "ours.py").is_file()


def test_a_folder_is_built_each_time(index: Index, kernel_with: MakeKernel, tmp_path: Path) -> None:
    folder = source_tree(tmp_path / "my package", "mine", "1.0")
    wanted = [needs("mine", "1.0", url=folder.as_uri())]
    found = lock.lock(wanted, kernel_with())
    assert str(tmp_path) not in found.text and "my package" not in found.text
    assert lock.lock(wanted, kernel_with()).text == found.text
    backend = (folder / "backend.py").read_text()
    (folder / "backend.py").write_text(backend.replace("built = True", "built = 2"))
    assert lock.lock(wanted, kernel_with()).text != found.text


def test_a_commit_of_a_repository_is_built(
    index: Index, kernel_with: MakeKernel, tmp_path: Path
) -> None:
    folder = source_tree(tmp_path / "repository", "mine", "1.0")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(folder)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    commit = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    url = f"git+{folder.as_uri()}@{commit}"
    found = lock.lock([needs("mine", "1.0", url=url)], kernel_with())
    assert wheel_of(found, "mine")[0] == "mine-1.0-py3-none-any.whl"
    assert "git+" not in found.text
    added = lock.lock([], kernel_with(), options=LockOptions(additions=[f"mine @ {url}"]))
    assert added.text == found.text


def test_an_address_of_a_wheel_is_locked_without_its_token(
    index: Index, kernel_with: MakeKernel
) -> None:
    index.add(wheel("alpha", "1.0"))
    url = f"http://{index.host}/files/alpha-1.0-py3-none-any.whl?token=verysecret"
    found = lock.lock([needs("alpha", "1.0", url=url)], kernel_with())
    assert wheel_of(found, "alpha")[0] == "alpha-1.0-py3-none-any.whl"
    assert "verysecret" not in found.text
    assert (verify.create(found, sys.executable).site_packages / "alpha.py").is_file()
