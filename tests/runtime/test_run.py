"""The runner as a real process with real kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from jupyter_mlops.capture.models import CaptureReport, CaptureRequest
from jupyter_mlops.runtime import failure

from .conftest import CELLS, REPOSITORY, Runner, environment, make_notebook
from .test_service_runs import gone, wait_for

pytestmark = pytest.mark.slow  # real kernels


def executed(folder: Path) -> Any:
    made = nbformat.read(folder / "out.ipynb", as_version=4)
    nbformat.validate(made)
    assert not list(folder.glob(".out.ipynb*"))
    return made


def statuses(made: Any) -> list[str]:
    return [c.metadata.papermill.status for c in made.cells if "papermill" in c.metadata]


def test_parameters_metrics_progress_and_capture(runner: Runner, tmp_path: Path) -> None:
    request = CaptureRequest(names=["kept"], predict="predict", cells={"kept": 3})
    (tmp_path / "request.json").write_bytes(msgspec.json.encode(request))
    fit = "kept = {'alpha': (alpha, 0.1 + 0.2)}\ndef predict(rows):\n    return kept['alpha'][0]"
    options = ["--parameters", '{"alpha": 3.5}', "--capture-request", "request.json"]
    code, events = runner(make_notebook(*CELLS[:3], fit), *options, "--capture-dir", "captured")
    assert code == 0, events
    assert events[-1]["value"] == {
        "state": "succeeded",
        "parameters": {"alpha": 3.5},
        "metrics": {"double": 7.0},
    }
    progress = [(e["done"], e["total"]) for e in events if e["type"] == "progress"]
    assert progress == [(done, 5) for done in range(6)]
    assert {"type": "log", "level": "info", "text": "alpha is 3.5"} in events
    made = executed(tmp_path)
    assert len(made.cells) == 6
    assert "capture" not in made.cells[-1].source
    assert set(statuses(made)) == {"completed"}
    assert "mlops_index" not in (tmp_path / "out.ipynb").read_text()
    assert str(tmp_path) not in (tmp_path / "out.ipynb").read_text()
    report = msgspec.json.decode(
        (tmp_path / "captured" / "captures.json").read_bytes(), type=CaptureReport
    )
    assert [(c.name, c.kind, c.cell) for c in report.captures] == [("kept", "value", 3)]
    assert (tmp_path / "captured" / report.captures[0].file).exists()


def test_a_failing_cell(runner: Runner, tmp_path: Path) -> None:
    code, events = runner(
        make_notebook("a = 1", "def f():\n    1/0", "f()", "c = 3"), "--parameters", '{"a": 2}'
    )
    error = events[-1]["value"]["error"]
    assert (code, events[-1]["value"]["state"]) == (1, "failed")
    assert (error["cell"], error["index"], error["stage"]) == (3, 3, "run")
    assert (error["ename"], error["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert error["traceback_tail"][-1] == "ZeroDivisionError: division by zero"
    assert not any("\x1b" in line for line in error["traceback_tail"])
    made = executed(tmp_path)
    assert statuses(made)[-2:] == ["failed", "pending"]
    assert made.metadata.papermill.exception is True


@pytest.mark.parametrize(
    ("source", "ename", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "DeadKernelError", "SIGKILL (9)"),
        ("import sys; sys.exit(0)", "SystemExit", "sys.exit(0)"),
    ],
)
def test_a_kernel_that_ends(
    runner: Runner, tmp_path: Path, source: str, ename: str, words: str
) -> None:
    code, events = runner(make_notebook("a = 1", source, "b = 2"))
    assert code == 1
    error = events[-1]["value"]["error"]
    assert (error["ename"], error["cell"], error["index"]) == (ename, 2, 2)
    assert words in error["evalue"]
    made = executed(tmp_path)
    assert statuses(made)[-2:] == ["failed", "pending"]
    assert made.metadata.papermill.exception is True
    failed = made.cells[-2]
    assert [output.ename for output in failed.outputs if output.output_type == "error"] == [ename]


def test_words_for_a_dead_kernel() -> None:
    assert failure.of_dead_kernel(3).evalue == "The kernel ended with exit code 3."
    assert "SIGSEGV (11)" in failure.of_dead_kernel(-11).evalue
    assert "stopped answering" in failure.of_dead_kernel(None).evalue


def test_the_time_limit_and_meant_exceptions(runner: Runner, tmp_path: Path) -> None:
    code, events = runner(make_notebook("import time; time.sleep(60)"), "--timeout", "4")
    assert code == 1
    assert events[-1]["value"]["error"]["ename"] == "CellTimeoutError"
    assert "4 s" in events[-1]["value"]["error"]["evalue"]
    assert statuses(executed(tmp_path))[-1] == "failed"
    code, events = runner(make_notebook("a = 1", "1/0", "b = 2", tags={1: ["raises-exception"]}))
    assert (code, events[-1]["value"]["state"]) == (0, "succeeded")
    assert [cell.cell_type for cell in executed(tmp_path).cells] == ["markdown"] + ["code"] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_orphans(tmp_path: Path, number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    source = (
        f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )
    nbformat.write(make_notebook("a = 1", source, "b = 1"), tmp_path / "in.ipynb")
    command = [sys.executable, "-m", "jupyter_mlops.runtime", "run", "--notebook", "in.ipynb"]
    process = subprocess.Popen(
        [*command, "--output", "out.ipynb", "--events", "events.jsonl"],
        cwd=tmp_path,
        env=environment(),
    )
    kernel = int(wait_for(pid_file))
    process.send_signal(number)
    code = process.wait(30)
    assert gone(kernel)
    if number == signal.SIGKILL:
        assert not (tmp_path / "out.ipynb").exists()
        return
    assert code == 1
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["value"]["state"] == "cancelled"
    assert statuses(executed(tmp_path))[-2:] == ["failed", "pending"]


def test_wrong_input_is_refused_before_anything_runs(
    runner: Runner, tmp_path: Path, plain_root: Path
) -> None:
    options = ["--publication", str(plain_root / "publication.json")]
    code, events = runner(make_notebook("a = 1"), "--parameters", '{"alpha": -1}', *options)
    assert code == 1
    error = events[-1]["value"]["error"]
    assert error["ename"] == "ParameterProblems"
    assert "minimum" in error["evalue"]
    assert not (tmp_path / "out.ipynb").exists()
    for text in ("{", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'):
        (tmp_path / "wrong.ipynb").write_text(text)
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "run", "--events", "-"]
        done = subprocess.run(
            [*command, "--notebook", str(tmp_path / "wrong.ipynb"), "--output", "out.ipynb"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert json.loads(done.stdout)["value"]["error"]["evalue"].startswith("wrong.ipynb is not")
        assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_written_to(runner: Runner, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    source = (
        "import os, tempfile\n"
        "print(os.getcwd(), os.environ['HOME'], os.environ['IPYTHONDIR'], tempfile.gettempdir())"
    )
    before = os.environ.get("HOME", "")
    os.environ["HOME"] = "/nonexistent"
    try:
        code, events = runner(make_notebook(source), "--cwd", str(work))
    finally:
        os.environ["HOME"] = before
    assert code == 0, events
    text = next(event["text"] for event in events if event["type"] == "log")
    cwd, home, ipython, temporary = text.split()
    assert cwd == str(work)
    assert home != "/nonexistent"
    assert ipython.startswith(home)
    assert temporary == home
    assert not Path(home).exists()


def test_check(forest_root: Path, function_root: Path, plain_root: Path, tmp_path: Path) -> None:
    def check(root: Path) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "check", "--root", str(root)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, check=False
        )
        return done.returncode, json.loads(done.stdout)

    for root in (forest_root, function_root):
        code, found = check(root)
        assert (code, found["ok"], found["compared"], found["mismatches"]) == (0, True, 5, [])
        assert str(REPOSITORY / "jupyter_mlops" / "runtime" / "check.py") in found["modules"]
        assert any("packages/sklearn" in file for file in found["modules"]) == (root == forest_root)
    assert check(plain_root)[1]["compared"] == 0
    code, found = check(tmp_path)
    assert code == 1
    assert "publication.json" in found["mismatches"][0]
