"""What users get wrong: one clear sentence, an exit code, nothing pushed, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import cli, settings
from tests.notebooks import make


@pytest.fixture
def attempt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call the command line; return what it said, after checking that it left nothing."""

    def attempt(*arguments: str, code: int) -> str:
        before = set(tmp_path.rglob("*"))
        assert cli.main(list(arguments)) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        assert {
            path for path in set(tmp_path.rglob("*")) - before if "registry" in str(path)
        } == set()
        work = settings.home() / "work"
        assert not work.exists() or not list(work.iterdir())
        return captured.err

    return attempt


def target(tmp_path: Path) -> str:
    return f"oci:{tmp_path}/registry:latest"


def test_not_a_notebook(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text("hello")
    assert "not a notebook" in attempt("publish", str(path), target(tmp_path), code=3)


def test_an_old_format(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "nbformat_minor": 0, "worksheets": []}))
    said = attempt("publish", str(path), target(tmp_path), code=3)
    assert "format 3" in said and "jupyter nbconvert" in said


def test_an_unknown_kernel(tmp_path: Path, attempt: Callable[..., str]) -> None:
    spec = {"kernelspec": {"name": "lost-env", "display_name": "Lost"}}
    path = make(tmp_path / "n.ipynb", ["1"], metadata=spec)
    said = attempt("publish", str(path), target(tmp_path), code=5)
    assert "lost-env" in said and "python3" in said


def test_a_syntax_error_names_the_cell(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = make(tmp_path / "n.ipynb", ["1", "def f(:"])
    assert "cell 2" in attempt("publish", str(path), target(tmp_path), code=3)


def test_an_import_that_nobody_provides(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = make(tmp_path / "n.ipynb", ["import no_such_module_at_all_1"])
    said = attempt("publish", str(path), target(tmp_path), code=5)
    assert "no_such_module_at_all_1" in said and "cell 1" in said


@pytest.mark.network
def test_a_cell_that_raises(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = make(tmp_path / "n.ipynb", ["a = 1", "values = {}\nvalues['missing']"])
    said = attempt("publish", str(path), target(tmp_path), code=6)
    assert "cell 2: KeyError" in said and "values['missing']" in said


@pytest.mark.network
def test_a_cell_that_ends_the_kernel(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = make(tmp_path / "n.ipynb", ["import os\nos.kill(os.getpid(), 9)"])
    said = attempt("publish", str(path), target(tmp_path), code=6)
    assert "cell 1" in said


@pytest.mark.network
def test_several_models_are_a_question(tmp_path: Path, attempt: Callable[..., str]) -> None:
    source = (
        "from sklearn.linear_model import Ridge\n"
        "a = Ridge().fit([[1.0], [2.0]], [1.0, 2.0])\nb = Ridge().fit([[1.0], [2.0]], [3.0, 4.0])"
    )
    path = make(tmp_path / "n.ipynb", [source])
    said = attempt("publish", str(path), target(tmp_path), code=7)
    assert "a, b" in said and "--model" in said


def test_bad_parameters_all_at_once(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = make(tmp_path / "n.ipynb", [("parameters", "n = 1\nrate = 0.5"), "print(n)"])
    said = attempt(
        "publish",
        str(path),
        target(tmp_path),
        "-p",
        "n=many",
        "-p",
        "x=1",
        "-p",
        "rate=0.1",
        code=4,
    )
    assert "n: 'many' is not a whole number" in said and "no such parameter" in said
    assert "'novalue' is not a parameter" in attempt("publish", str(path), "-p", "novalue", code=2)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("127.0.0.1:9/lab/x", "127.0.0.1:9"),
        ("localhost:9/lab/x", "localhost:9"),
    ],
)
def test_a_registry_that_is_not_there(
    tmp_path: Path, attempt: Callable[..., str], reference: str, said: str
) -> None:
    path = make(tmp_path / "n.ipynb", ["1"])
    assert said in attempt("publish", str(path), reference, code=9)


@pytest.mark.parametrize("reference", ["Iris", "host.example/UPPER", "oci:", "127.0.0.1:5000/"])
def test_a_reference_that_is_none(
    tmp_path: Path, attempt: Callable[..., str], reference: str
) -> None:
    path = make(tmp_path / "n.ipynb", ["1"])
    assert "is not an image reference" in attempt("publish", str(path), reference, code=2)


def test_a_base_that_is_not_there(tmp_path: Path, attempt: Callable[..., str]) -> None:
    path = make(tmp_path / "n.ipynb", ["1"])
    base = f"oci:{tmp_path}/no-base"
    said = attempt("publish", str(path), target(tmp_path), "--base", base, code=9)
    assert "no-base" in said


@pytest.mark.registry
def test_a_wrong_password_and_no_password(
    tmp_path: Path,
    attempt: Callable[..., str],
    private_registry: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = make(tmp_path / "n.ipynb", ["1"])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    reference = f"{private_registry.url}/lab/x"
    said = attempt("publish", str(path), reference, code=9)
    assert "login" in said and private_registry.url in said


def test_nothing_there_to_show_run_serve_or_stop(
    tmp_path: Path, attempt: Callable[..., str]
) -> None:
    missing = f"oci:{tmp_path}/none:x"
    for command in ("show", "run", "serve"):
        assert "none" in attempt(command, missing, code=9)
    assert "no service" in attempt("stop", "abc", code=9)


def test_errors_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["analyze", str(tmp_path / "none.ipynb"), "--json"]) == 3
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert set(problem) == {"problem", "why", "remedy", "where", "fingerprint"}
