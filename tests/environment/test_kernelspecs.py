"""From a kernelspec to the Python behind it: other environments, wrappers, other languages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jupyter_mlops.environment import kernel
from jupyter_mlops.errors import LockError
from tests.environment.inference.fake_kernel import FakeKernel

PYTHON = "python -m ipykernel_launcher -f {connection_file}".split()


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    for name in ("CONDA_PREFIX", "CONDA_EXE", "MAMBA_ROOT_PREFIX", "CONDA_ENVS_PATH"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "share" / "kernels"


def write(specs: Path, name: str, argv: list[str], **more: object) -> None:
    (specs / name).mkdir(parents=True)
    spec = {"argv": argv, "display_name": name.title(), "language": "python", **more}
    (specs / name / "kernel.json").write_text(json.dumps(spec))


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def conda_environment(prefix: Path) -> Path:
    (prefix / "conda-meta").mkdir(parents=True)
    script(prefix / "bin" / "python", "")
    (prefix / "share" / "jupyter" / "kernels" / "python3").mkdir(parents=True)
    return prefix


def test_bare_names_are_our_own_python(specs: Path) -> None:
    for name, argv in (("a", PYTHON), ("b", ["python3", *PYTHON[1:]])):
        write(specs, name, argv)
        assert kernel.find(name, "").executable == sys.executable


def test_another_environment_without_our_package(specs: Path, tmp_path: Path) -> None:
    fake = FakeKernel(tmp_path / "other")
    fake.add("thing", "1.0", ["thing.py"])
    python = str(fake.root / "bin" / "python")
    write(specs, "other", [python, *PYTHON[1:]])
    found = kernel.find("other", "")
    assert (found.executable, found.command) == (python, ())
    assert kernel.probe(found).versions == {"thing": "1.0"}


def test_variables_of_the_kernelspec_count(specs: Path, tmp_path: Path) -> None:
    fake = FakeKernel(tmp_path / "other")
    for name in ("one", "two"):
        info = tmp_path / name / f"{name}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
        (info / "RECORD").write_text(f"{name}.py,,\n")
    python = str(fake.root / "bin" / "python")
    write(specs, "a", [python, *PYTHON[1:]], env={"PYTHONPATH": str(tmp_path / "one")})
    argv = ["/usr/bin/env", "-u", "X", f"PYTHONPATH={tmp_path / 'two'}", python, *PYTHON[1:]]
    write(specs, "b", argv)
    assert kernel.probe(kernel.find("a", "")).versions == {"one": "1"}
    assert kernel.probe(kernel.find("b", "")).versions == {"two": "1"}


def test_the_prefix_of_the_server(specs: Path) -> None:
    write(specs, "a", ["{prefix}/bin/python", *PYTHON[1:]])
    assert kernel.find("a", "").executable == str(Path(sys.prefix) / "bin" / "python")


def test_conda_run_by_name_and_by_folder(specs: Path, tmp_path: Path) -> None:
    conda = script(tmp_path / "conda" / "bin" / "conda", "exit 9")
    prefix = conda_environment(tmp_path / "conda" / "envs" / "science")
    elsewhere = conda_environment(tmp_path / "elsewhere" / "mine")
    listed = tmp_path / "home" / ".conda" / "environments.txt"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text(f"{elsewhere}\n")
    run = [str(conda), "run", "--no-capture-output"]
    write(specs, "a", [*run, "-n", "science", *PYTHON])
    write(specs, "b", [*run, f"--prefix={prefix}", *PYTHON])
    write(specs, "c", [*run, "--name", "mine", *PYTHON])
    write(specs, "d", [*run, "-n", "gone", *PYTHON])
    assert kernel.find("a", "").executable == str(prefix / "bin" / "python")
    assert kernel.find("b", "").executable == str(prefix / "bin" / "python")
    assert kernel.find("c", "").executable == str(elsewhere / "bin" / "python")
    with pytest.raises(LockError, match="is gone") as caught:
        kernel.find("d", "")
    assert "there is no conda environment 'gone'" in str(caught.value)


def test_kernels_that_nb_conda_kernels_makes_up(
    specs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "conda"
    (root / "condabin").mkdir(parents=True)
    conda_environment(root)
    science = conda_environment(root / "envs" / "Science 2")
    monkeypatch.setenv("CONDA_PREFIX", str(root))
    assert kernel.find("conda-env-science_2-py", "").executable == str(science / "bin" / "python")
    assert kernel.find("conda-root-py", "").executable == str(root / "bin" / "python")
    with pytest.raises(LockError, match="not installed here"):
        kernel.find("conda-env-other-py", "")


def test_wrappers_that_choose_the_environment_themselves(specs: Path, tmp_path: Path) -> None:
    fake = FakeKernel(tmp_path / "ephemeral")
    fake.add("thing", "1.0", ["thing.py"])
    wrapper = script(tmp_path / "bin" / "uv", f'shift 4\nexec {fake.root / "bin" / "python"} "$@"')
    write(specs, "a", [str(wrapper), "run", "--with", "ipykernel", *PYTHON])
    found = kernel.find("a", "", tmp_path)
    assert found.executable == str(fake.root / "bin" / "python")
    assert found.command == (str(wrapper), "run", "--with", "ipykernel", "python")
    assert kernel.probe(found).versions == {"thing": "1.0"}
    broken = script(tmp_path / "bin" / "poetry", "echo 'No pyproject.toml' >&2; exit 1")
    write(specs, "b", [str(broken), "run", *PYTHON])
    with pytest.raises(LockError, match="No pyproject") as caught:
        kernel.find("b", "", tmp_path)
    assert caught.value.problems[0].remedy


def test_xeus_has_its_python_beside_it(specs: Path, tmp_path: Path) -> None:
    embedding = script(tmp_path / "x" / "bin" / "xpython", "")
    python = script(tmp_path / "x" / "bin" / "python", "")
    write(specs, "xpython", [str(embedding), "-f", "{connection_file}"])
    assert kernel.find("xpython", "").executable == str(python)


def test_what_cannot_be_followed(specs: Path) -> None:
    write(specs, "gone", ["/no/such/python", *PYTHON[1:]])
    write(specs, "shell", ["/bin/sh", "-c", "exec something"])
    write(specs, "empty", [])
    for name, said in (("gone", "does not exist"), ("shell", "no Python"), ("empty", "nothing")):
        with pytest.raises(LockError, match=said) as caught:
            kernel.find(name, "n.ipynb")
        assert f"kernel '{name}' is gone" in str(caught.value)
        assert caught.value.problems[0].remedy


def test_unknown_kernels_name_the_known_ones(specs: Path) -> None:
    with pytest.raises(LockError) as caught:
        kernel.find("my-env", "n.ipynb")
    assert "my-env" in str(caught.value) and "python3" in str(caught.value)


def test_other_languages_are_refused(specs: Path) -> None:
    write(specs, "mine", ["/bin/R"], language="R")
    for name, language in (("mine", "R"), ("ir", "R"), ("julia-1.10", "Julia")):
        with pytest.raises(LockError, match=f"written in {language}") as caught:
            kernel.find(name, "n.ipynb")
        assert "only Python notebooks" in str(caught.value)
