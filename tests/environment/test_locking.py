"""``jupyter mlops lock`` and ``environment``, and a kernel that is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest
import uv as uv_package

from jupyter_mlops import cli, locking
from jupyter_mlops.environment import era, sizes
from jupyter_mlops.environment.asking import RUNTIME
from jupyter_mlops.environment.lockfile import parse
from jupyter_mlops.environment.models import Package
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import LockError, MlopsError, UsageError
from tests import notebooks
from tests.environment.loopback import Index, wheel, write

pytestmark = pytest.mark.slow  # each starts uv several times

NUMPY = version("numpy")
GONE = {
    "kernelspec": {"name": "old-project", "display_name": "Old", "language": "python"},
    "language_info": {"name": "python", "version": f"3.{sys.version_info[1]}.2"},
}
Run = Callable[..., tuple[int, dict[str, object], str]]


@pytest.fixture
def notebook(index: Index, tmp_path: Path) -> Path:
    index.add(wheel("numpy", NUMPY, ["small"]), wheel("small", "1.0", files={"s.py": "#" * 9000}))
    return notebooks.make(tmp_path / "model.ipynb", ["x = 1", "import numpy as np"])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with --json; return its exit code, its JSON and its messages."""

    def call(*arguments: str) -> tuple[int, dict[str, object], str]:
        code = cli.main([*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return call


def test_lock_writes_a_file_that_uv_installs(notebook: Path, run: Run, tmp_path: Path) -> None:
    code, answer, _ = run("lock", str(notebook))
    assert code == 0
    output = tmp_path / "pylock.toml"
    assert answer["output"] == str(output)
    assert answer["text"] == output.read_text()
    names = {package["name"] for package in tomllib.loads(output.read_text())["packages"]}
    assert names == {"numpy", "small", *RUNTIME}
    target = tmp_path / "target"
    command = [uv_package.find_uv_bin(), "pip", "install", "--target", str(target), "-r"]
    subprocess.run([*command, str(output)], check=True, capture_output=True)
    assert (target / "small.py").is_file()


def test_wheels_that_no_index_has_lie_beside_the_lock(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = wheel("local-thing", "1.0")
    write(tmp_path / "mine", made)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "mine"))
    place = tmp_path / "out" / "pylock.mine.toml"
    place.parent.mkdir()
    locking.lock_notebook(notebook, place, LockOptions(additions=["local-thing"]))
    assert (place.parent / "wheels" / made[0]).read_bytes() == made[1]
    monkeypatch.delenv("UV_FIND_LINKS")
    command = [uv_package.find_uv_bin(), "pip", "install", "--target", str(tmp_path / "t"), "-r"]
    subprocess.run([*command, str(place)], check=True, capture_output=True)
    assert (tmp_path / "t" / "local_thing.py").is_file()


def test_lock_takes_target_date_and_edits(notebook: Path, run: Run, index: Index) -> None:
    index.add(wheel("numpy", "0.1"), wheel("extra", "2.0"))
    code, answer, _ = run(
        *("lock", str(notebook), "--platform", "linux/arm64", "--python", "3.12"),
        *("--exclude-newer", "2023-02-01", "--pin", "numpy==0.1", "--add", "extra>1"),
        *("--remove", "nothing", "--accelerator", "index"),
    )
    assert code == 0
    assert (answer["platform"], answer["python"]) == ("linux/arm64", "3.12")
    found = parse(str(answer["text"]), "3.12", "linux/arm64")
    versions = {package.name: package.version for package in found.packages}
    assert (versions["numpy"], versions["extra"]) == ("0.1", "2.0")


@pytest.mark.parametrize("text", ["numpy", "==1.0", ""])
def test_a_pin_that_pins_nothing(notebook: Path, run: Run, text: str) -> None:
    code, answer, said = run("lock", str(notebook), "--pin", text)
    assert code == UsageError.exit_code
    assert "pins nothing" in str(answer["problems"]) and "pins nothing" in said


@pytest.mark.parametrize(
    ("output", "says"), [("x.toml", "cannot be called"), ("no/pylock.toml", "cannot be written")]
)
def test_a_place_that_a_lock_cannot_have(notebook: Path, output: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        locking.lock_notebook(notebook, notebook.parent / output)


def test_nothing_is_written_when_something_is_in_the_way(index: Index, tmp_path: Path) -> None:
    path = notebooks.make(tmp_path / "a.ipynb", ["import no_such_module_at_all"])
    with pytest.raises(LockError, match="no_such_module_at_all"):
        locking.lock_notebook(path)
    assert not (tmp_path / "pylock.toml").exists()


def test_environment_says_what_why_and_how_large(notebook: Path, run: Run, index: Index) -> None:
    code, answer, _ = run("environment", str(notebook))
    assert code == 0
    report = msgspec.convert(answer, locking.EnvironmentReport)
    [direct] = report.direct
    assert (direct.name, direct.version, direct.modules) == ("numpy", NUMPY, ["numpy"])
    assert "cell 2" in direct.why
    locked = {item.name: item for item in report.locked}
    [file] = index.projects["numpy"]
    assert (locked["numpy"].size, locked["numpy"].direct) == (len(file.content), True)
    assert not locked["small"].direct
    assert report.size == sum(item.size or 0 for item in report.locked)
    assert (report.system, report.questions, report.problems) == (None, [], [])


def test_environment_reads_well_for_a_person(
    notebook: Path, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["environment", str(notebook)]) == 0
    said = capsys.readouterr().out
    assert f"numpy {NUMPY}, " in said and "cell 2 imports numpy" in said
    assert "9 packages" in said and "small 1.0" in said
    assert "note       The kernel's packages do not agree" in said


def test_environment_tells_problems_and_what_it_knows(index: Index, tmp_path: Path) -> None:
    path = notebooks.make(tmp_path / "a.ipynb", ["import numpy", "import no_such_module_at_all"])
    report = locking.describe_environment(path)
    assert [item.name for item in report.direct] == ["numpy"]
    assert [question.module for question in report.questions] == ["no_such_module_at_all"]
    assert "no distribution 'numpy'" in str(report.problems)
    assert report.locked == [] and report.sha256 == ""


def test_an_answer_to_a_question_counts(index: Index, tmp_path: Path) -> None:
    index.add(wheel("answer", "1.0"))
    path = notebooks.make(tmp_path / "a.ipynb", ["import no_such_module_at_all"])
    report = locking.describe_environment(path, answers={"no_such_module_at_all": "answer"})
    assert report.questions == [] and "answer" in {item.name for item in report.locked}


def test_what_another_platform_lacks_cannot_be_seen_here(notebook: Path) -> None:
    report = locking.describe_environment(
        notebook, LockOptions(platform="linux/arm64", python="3.12"), system=True
    )
    assert report.locked and "cannot be seen here" in str(report.problems)


# A kernel that is gone


def gone(tmp_path: Path, run_at: str = "2023-03-01T10:00:00Z", **metadata: object) -> Path:
    path = notebooks.make(tmp_path / "old.ipynb", ["import yaml"], metadata={**GONE, **metadata})
    content = json.loads(path.read_text())
    content["cells"][0]["metadata"]["execution"] = {"shell.execute_reply": run_at}
    path.write_text(json.dumps(content))
    return path


def test_a_kernel_that_is_gone_is_replaced_by_its_era(index: Index, tmp_path: Path) -> None:
    index.add(wheel("pyyaml", "1.0"), uploaded="2023-02-28T00:00:00Z")
    index.add(wheel("pyyaml", "2.0"), uploaded="2023-03-02T00:00:00Z")
    events: list[object] = []
    found = locking.lock_notebook(gone(tmp_path), on_event=events.append)
    assert 'name = "pyyaml"\nversion = "1.0"' in found.text
    [note] = [text for text in found.notes if "is gone" in text]
    assert "'old-project'" in note and "2023-03-01 (its cells were last run then)" in note
    assert note in str(events)


def test_an_era_that_has_no_such_package_says_the_date(index: Index, tmp_path: Path) -> None:
    index.add(wheel("pyyaml", "2.0"), uploaded="2024-01-01T00:00:00Z")
    with pytest.raises(LockError) as caught:
        locking.lock_notebook(gone(tmp_path))
    assert "'pyyaml 2.0' is newer than the date of the lock" in str(caught.value)
    assert "2023-03-02T00:00:00Z" in str(caught.value)


def test_a_date_that_is_asked_for_wins_over_the_era(index: Index, tmp_path: Path) -> None:
    index.add(wheel("pyyaml", "2.0"), uploaded="2024-01-01T00:00:00Z")
    options = LockOptions(exclude_newer="2024-02-01")
    found = locking.lock_notebook(gone(tmp_path), options=options)
    assert 'version = "2.0"' in found.text and "2024-02-01 (as it was asked for)" in found.notes[0]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("3.6.1", "older than what images run"),
        ("3.99.0", "is not installed here"),
        ("", "does not tell its own"),
        (f"3.{sys.version_info[1]}.0", "(its own)"),
    ],
)
def test_the_python_of_an_era_is_said(index: Index, tmp_path: Path, told: str, says: str) -> None:
    from jupyter_mlops.notebook import read

    instead = era.stand_in(read(gone(tmp_path, language_info={"name": "python", "version": told})))
    assert says in instead.note
    assert instead.interpreter.minor in instead.note
    done = subprocess.check_output([instead.kernel.executable, "-V"], text=True)
    assert done.startswith(f"Python {instead.interpreter.minor}.")


def test_a_kernel_of_another_language_has_no_era(index: Index, tmp_path: Path) -> None:
    spec = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    path = notebooks.make(tmp_path / "r.ipynb", ["x <- 1"], metadata=spec)
    with pytest.raises(MlopsError, match="written in R"):
        locking.lock_notebook(path)


# Sizes


def test_sizes_are_asked_for_where_the_index_does_not_tell(
    notebook: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.user, index.password = "me", "secret-word"
    index.html = True
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url_with_credentials)
    report = locking.describe_environment(notebook)
    [file] = index.projects["numpy"]
    assert {item.size for item in report.locked if item.name == "numpy"} == {len(file.content)}
    monkeypatch.setattr(sizes, "_head", None)
    assert locking.describe_environment(notebook).locked == report.locked


def test_a_size_that_nobody_tells_is_none(notebook: Path, index: Index) -> None:
    index.html = True
    lock = parse(locking.lock_notebook(notebook).text, "3.12", "linux/amd64")
    index.user = "somebody else"
    assert set(sizes.of(lock).values()) == {None}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"], 1),
        (["cp39-abi3-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64"], 1),
        (["cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_5_x86_64"], 0),
        (["cp312-cp312-manylinux_2_28_x86_64", "py2.py3-none-any"], 1),
        (["cp311-cp311-manylinux_2_28_aarch64", "cp311-cp311-manylinux2014_x86_64"], 1),
        (["cp311-cp311-manylinux_2_34_x86_64", "py3-none-any"], 1),
        (["odd", "py3-none-any"], 1),
    ],
)
def test_the_wheel_that_is_installed_is_the_one_measured(names: list[str], chosen: int) -> None:
    wheels = {f"a-1-{tag}.whl": "0" for tag in names}
    lock = parse("", "3.11", "linux/amd64")
    assert sizes.best(Package(name="a", version="1", wheels=wheels), lock) == list(wheels)[chosen]


def test_prune_by_command(run: Run, notebook: Path) -> None:
    code, answer, _ = run("prune", "--keep", "0", "--layers", "1")
    assert (code, answer["environments"]["removed"], answer["layers"]["removed"]) == (0, [], [])
