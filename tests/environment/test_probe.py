"""What the probe finds in environments made by hand: variants, broken metadata, conda."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.environment import interpreter, kernel
from jupyter_mlops.errors import LockError
from tests.environment.inference.fake_kernel import FakeKernel


@pytest.fixture
def fake(tmp_path: Path) -> FakeKernel:
    return FakeKernel(tmp_path / "environment")


def test_our_own_interpreter() -> None:
    found = kernel.probe(kernel.find("python3", "n.ipynb"))
    assert found.holders("sklearn.ensemble") == ["scikit-learn"]
    assert found.holders("matplotlib.pyplot") == found.holders("mpl_toolkits") == ["matplotlib"]
    assert found.holders("no.such") == []
    assert found.versions["scikit-learn"] and {"os", "sys"} <= found.stdlib
    assert found.sources["jupyter_mlops"].kind == "editable"
    assert found.holders("jupyter_mlops.cli") == ["jupyter_mlops"]


def test_a_part_of_another_package_is_told_from_it(fake: FakeKernel) -> None:
    fake.add("base", "1", ["base/__init__.py", "base/core.py"])
    fake.add("base-extra", "1", ["base/extra/__init__.py"])
    found = fake.probe()
    assert found.holders("base") == found.holders("base.core") == ["base"]
    assert found.holders("base.extra.deep") == ["base-extra"]


def test_which_variant_wrote_the_files_last(fake: FakeKernel) -> None:
    fake.add("opencv-python", "4.9", texts={"cv2/__init__.py": "", "cv2/cv2.abi3.so": "12345"})
    fake.add("opencv-python-headless", "4.9", texts={"cv2/__init__.py": "", "cv2/cv2.abi3.so": "1"})
    assert fake.probe().holders("cv2") == ["opencv-python-headless"]
    (fake.site / "cv2" / "cv2.abi3.so").write_text("neither")
    (fake.site / "touched.py").touch()
    assert fake.probe().holders("cv2") == ["opencv-python", "opencv-python-headless"]


def test_broken_metadata_is_told_and_survived(fake: FakeKernel) -> None:
    fake.add("nameless", "1.0", ["nameless.py"], metadata="Metadata-Version: 2.1\nVersion: 1.0\n")
    fake.add("empty", "2.0", ["empty.py"], metadata="")
    fake.add("garbage", "3.0", ["garbage.py"], metadata="\0\0\nName: ???\n<<<<<<<\n")
    fake.add("unlisted", "4.0", ["unlisted.py"], record=False)
    fake.add("whole", "5.0", ["whole.py"], direct_url=["not", "an", "object"])
    (fake.site / "whole-5.0.dist-info" / "direct_url.json").write_text("{")
    quoted = fake.add("quoted", "6.0", ["quoted.py"])
    (quoted / "RECORD").write_text('"quoted.py",,\n"a, b.txt",,\n')
    (fake.site / "~oken-1.0.dist-info").mkdir()
    (fake.site / "leftover-1.0.dist-info").touch()
    found = fake.probe()
    assert found.versions["nameless"] == "1.0" and "has no name" in found.notes["nameless"][0]
    assert found.versions["empty"] == "2.0" and "has no name" in found.notes["empty"][0]
    assert found.versions["garbage"] == "3.0" and "has no name" in found.notes["garbage"][0]
    assert found.holders("nameless") == ["nameless"] and found.holders("garbage") == ["garbage"]
    assert found.versions["unlisted"] == "4.0" and found.loose == {"unlisted": str(fake.site)}
    assert found.holders("whole") == ["whole"] and found.holders("quoted") == ["quoted"]
    assert not any(name.startswith("~") for name in found.versions)


def test_what_an_interrupted_upgrade_leaves(fake: FakeKernel) -> None:
    old = fake.add("thing", "1.0", ["thing.py"])
    fake.add("thing", "2.0", ["thing.py"])
    os.utime(old, (1, 1))
    found = fake.probe()
    assert found.versions["thing"] == "2.0"
    assert "several versions of it are recorded: 1.0, 2.0" in found.notes["thing"][0]


def test_eggs_and_system_packages(fake: FakeKernel) -> None:
    listed = fake.site / "listed-1.0.egg-info"
    listed.mkdir()
    (listed / "PKG-INFO").write_text("Name: listed\nVersion: 1.0\n")
    (listed / "installed-files.txt").write_text("../listed/__init__.py\nPKG-INFO\n")
    named = fake.site / "python_named-2.0.egg-info"
    named.mkdir()
    (named / "PKG-INFO").write_text("Name: python-named\nVersion: 2.0\n")
    (named / "top_level.txt").write_text("named\n")
    (fake.site / "flat-3.0.egg-info").write_text("Name: flat\nVersion: 3.0\n")
    found = fake.probe()
    assert found.holders("listed") == ["listed"] and found.holders("named") == ["python-named"]
    assert found.versions["flat"] == "3.0" and found.holders("flat") == []


def test_projects_in_editable_mode(fake: FakeKernel, tmp_path: Path) -> None:
    for name in ("by_path", "by_finder", "by_develop"):
        folder = tmp_path / name / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (tmp_path / name / "setup.py").touch()
    (tmp_path / "by_path" / "README").touch()

    def add(name: str, texts: dict[str, str]) -> None:
        url = {"url": (tmp_path / name).as_uri(), "dir_info": {"editable": True}}
        fake.add(name, "1", texts=texts, direct_url=url)

    add("by_path", {"by_path.pth": f"{tmp_path / 'by_path'}\n"})
    mapping = {"by_finder": str(tmp_path / "by_finder" / "by_finder")}
    finder = f"MAPPING: dict[str, str] = {mapping!r}\nNAMESPACES = {{}}\n"
    add("by_finder", {"__editable___by_finder_finder.py": finder})
    egg = tmp_path / "by_develop" / "by_develop.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: by-develop\nVersion: 1\n")
    (fake.site / "easy-install.pth").write_text(f"{tmp_path / 'by_develop'}\n")
    found = fake.probe()
    assert found.holders("by_path") == ["by_path"] and found.holders("README") == []
    assert found.holders("by_finder.deep") == ["by_finder"]
    assert found.holders("by_develop") == ["by-develop"]
    assert {each.kind for each in found.sources.values()} == {"editable"}


def test_addresses_lose_their_credentials(fake: FakeKernel) -> None:
    for name, url in (
        ("a", "https://me:pw@example.org/a.git"),
        ("b", "ssh://git@example.org/b.git"),
        ("c", "https://token@example.org/c.git"),
    ):
        vcs = {"vcs": "git", "commit_id": "c" * 40}
        direct = {"url": url, "vcs_info": vcs, "subdirectory": "python"}
        fake.add(name, "1", [f"{name}.py"], direct_url=direct)
    found = fake.probe().sources
    tail = f"@{'c' * 40}#subdirectory=python"
    assert found["a"].requirement == f"git+https://example.org/a.git{tail}"
    assert found["b"].requirement == f"git+ssh://git@example.org/b.git{tail}"
    assert found["c"].requirement == f"git+https://example.org/c.git{tail}"
    kept = (interpreter.settings.home() / "kernels").glob("*.json")
    assert not any("pw@" in file.read_text() or "token@" in file.read_text() for file in kept)


def test_conda_packages_without_python_metadata(fake: FakeKernel) -> None:
    for file in ("cv2/__init__.py", "other.py"):
        (fake.site / file).parent.mkdir(exist_ok=True)
        (fake.site / file).touch()
    folder = fake.root / "conda-meta"
    folder.mkdir()
    files = ["lib/python3.11/site-packages/cv2/__init__.py", "share/other.py"]
    package = {"name": "py-opencv", "version": "4.9.0", "files": files}
    (folder / "py-opencv-4.9.0-0.json").write_text(json.dumps(package))
    (folder / "broken.json").write_text("[")
    (folder / "odd.json").write_text('["not an object"]')
    found = fake.probe()
    assert found.conda == {"cv2": ["py-opencv", "4.9.0"]}
    assert set(found.loose) == {"cv2", "other"}


def test_an_earlier_folder_of_the_path_hides_later_ones(
    fake: FakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.add("later", "1", ["thing/__init__.py", "thing/more.py", "spread/one.py"])
    info = tmp_path / "first" / "earlier-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: earlier\nVersion: 1\n")
    (info / "RECORD").write_text("thing/__init__.py,,\nspread/two.py,,\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "first"))
    found = fake.probe()
    assert found.holders("thing.more") == ["earlier"]
    assert found.holders("spread.one") == ["later"] and found.holders("spread.two") == ["earlier"]


def test_the_answer_is_kept_until_something_changes(
    fake: FakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    run = subprocess.run
    monkeypatch.setattr(
        interpreter.subprocess, "run", lambda *a, **k: (started.append(a), run(*a, **k))[1]
    )
    fake.add("thing", "1", ["thing.py"])
    first = fake.probe()
    assert fake.probe() == first and len(started) == 1
    assert fake.probe().digest == first.digest
    fake.add("other", "1", ["other.py"])
    second = fake.probe()
    assert second.holders("other") == ["other"] and len(started) == 2
    assert second.digest != first.digest


def test_what_a_site_prints_is_no_answer(fake: FakeKernel) -> None:
    fake.add("thing", "1", ["thing.py"], texts={"sitecustomize.py": "print('{}')\n"})
    assert fake.probe().holders("thing") == ["thing"]


def test_an_interpreter_that_fails_is_one_sentence(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'cannot open shared object' >&2\nexit 127\n")
    script.chmod(0o755)
    with pytest.raises(LockError, match="cannot be read") as caught:
        kernel.probe(kernel.Kernel("x", "Mine", str(script)))
    assert "cannot open shared object" in str(caught.value)


def test_the_probe_needs_nothing_but_python() -> None:
    done = subprocess.run(
        ["python3", "-S", "-E", str(interpreter.PROBE)], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout.rpartition(interpreter.MARK)[2])
    assert "os" in answer["stdlib"]


def test_the_probe_is_written_for_old_pythons() -> None:
    ast.parse(interpreter.PROBE.read_text(), feature_version=(3, 8))
