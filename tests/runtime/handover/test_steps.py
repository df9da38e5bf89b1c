"""The step server with kernels that are really forked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import psutil
import pytest

from jupyter_mlops.runtime.handover.models import Committed, Definition, Session, StepSpec
from jupyter_mlops.runtime.handover.store import read_manifest

pytestmark = pytest.mark.slow  # real kernels


class Steps:
    """A step server, and the steps that were asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before: list[str] = []
        self.events: list[dict[str, Any]] = []
        (folder / "beside").mkdir()
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "steps", "--parallel", "2"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, name: str, *cells: str, tags: list[str] | None = None, **more: Any) -> None:
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        if tags:
            made.cells[0].metadata["tags"] = tags
        nbformat.write(made, self.folder / f"{name}.ipynb")
        asked = {key: more.pop(key) for key in ("parameters", "timeout") if key in more}
        spec = StepSpec(name=name, position=len(self.before), cells=[len(self.before) + 1], **more)
        session = Session(
            spec=spec,
            before=list(self.before),
            out=str(self.folder / name),
            beside=str(self.folder / "beside"),
        )
        path = self.folder / f"{name}.session.json"
        path.write_bytes(msgspec.json.encode(session))
        paths = {"session": str(path), "notebook": str(self.folder / f"{name}.ipynb")}
        output = str(self.folder / f"{name}.out.ipynb")
        self.say({"id": name, **paths, "output": output, **asked})

    def say(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def event(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        self.events.append(json.loads(self.process.stdout.readline()))
        return self.events[-1]

    def result(self) -> dict[str, Any]:
        while True:
            event = self.event()
            if event["type"] == "result":
                value: dict[str, Any] = event["value"]
                if value["committed"]:
                    self.before.append(str(Path(value["committed"]).parent))
                return {"id": event["id"], **value}

    def run(self, name: str, *cells: str, **more: Any) -> dict[str, Any]:
        self.ask(name, *cells, **more)
        return self.result()

    def committed(self) -> Committed:
        return read_manifest(Path(self.before[-1]))

    def executed(self, name: str) -> Any:
        made = nbformat.read(self.folder / f"{name}.out.ipynb", as_version=4)
        nbformat.validate(made)
        return made


@pytest.fixture
def steps(tmp_path: Path) -> Iterator[Steps]:
    made = Steps(tmp_path)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.terminate()
            made.process.wait(30)


def test_a_pipeline_of_three_steps(steps: Steps) -> None:
    definitions = [
        Definition(cell=1, names=[], source="%matplotlib inline"),
        Definition(cell=1, names=["np"], source="import numpy as np"),
        Definition(cell=1, names=["double"], source="def double(x):\n    return 2 * x"),
    ]
    first = steps.run(
        "one",
        "alpha = 1",
        "import random\nrandom.seed(1)\nnp.random.seed(1)\nnp.set_printoptions(precision=2)\n"
        "a = [alpha]\nb = a\nopen('out.txt', 'w').write('x')\nprint('alpha', alpha)",
        tags=["parameters"],
        parameters={"alpha": 5},
        wanted=["a", "b"],
        definitions=definitions,
    )
    assert first["state"] == "succeeded", first
    assert {"type": "log", "level": "info", "text": "alpha 5", "id": "one"} in steps.events
    assert "mlops" not in (steps.folder / "one.out.ipynb").read_text()
    second = steps.run(
        "two",
        "b.append(double(random.random()))\nnp.array([0.12345])",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nopen('out.txt').read()",
        reads=["b"],
        wanted=["a", "b"],
        files_read=["out.txt"],
        definitions=[*definitions, Definition(cell=1, names=["random"], source="import random")],
    )
    assert second["state"] == "succeeded", second
    made = steps.executed("two")
    assert [cell.execution_count for cell in made.cells] == [1, 2]
    assert made.cells[0].outputs[0].data["text/plain"] == "array([0.12])"
    assert any("image/png" in output.get("data", {}) for output in made.cells[1].outputs)
    assert steps.committed().loaded == {"a": 0, "b": 0}
    third = steps.run(
        "three",
        "print(a is b, a)\nprint(np.random.rand())\n"
        "import inspect\nprint(inspect.getsource(double))",
        reads=["a", "b"],
        definitions=definitions,
    )
    assert third["state"] == "succeeded", third
    text = "".join(steps.executed("three").cells[0].outputs[0].text)
    import random

    number = 2 * random.Random(1).random()
    assert text.startswith(f"True [5, {number}]\n0.417022004702574\ndef double(x):")


def test_what_fails_is_told_and_nothing_is_committed(steps: Steps) -> None:
    (steps.folder / "beside" / "in.csv").write_text("1")
    failed = steps.run("file", "x = 1", "open('in.csv')")
    assert failed["error"]["ename"] == "FileNotFoundError"
    assert failed["error"]["cell"] == 2
    assert failed["undeclared"] == ["<file:in.csv>"]
    assert failed["committed"] is None and not (steps.folder / "file").exists()
    missing = steps.run("missing", "x", reads=["x"])
    assert missing["error"]["stage"] == "begin"
    assert missing["error"]["evalue"] == "x is needed here, but no earlier step made it."
    wrong = steps.run("wrong", "1", definitions=[Definition(cell=4, names=["f"], source="1 / 0")])
    assert "f of cell 4 cannot be defined in this step: ZeroDivision" in wrong["error"]["evalue"]
    dead = steps.run("dead", "import os\nos._exit(3)")
    assert dead["error"]["ename"] == "DeadKernelError"
    assert dead["error"]["evalue"] == "The kernel ended with exit code 3."
    slow = steps.run("slow", "import time\ntime.sleep(60)", timeout=1.0)
    assert slow["error"]["ename"] == "CellTimeoutError"
    stuck = steps.run(
        "stuck",
        "1",
        timeout=1.0,
        definitions=[Definition(cell=1, names=[], source="import time\ntime.sleep(60)")],
    )
    assert (stuck["error"]["ename"], stuck["error"]["stage"]) == ("CellTimeoutError", "begin")
    steps.say({"id": "odd"})
    assert "A line is no request" in steps.result()["error"]["evalue"]
    fine = steps.run("fine", "1")
    assert fine["state"] == "succeeded", fine


def test_two_steps_at_once(steps: Steps) -> None:
    steps.run("warm", "1")
    started = time.monotonic()
    for name in ("a", "b"):
        steps.ask(name, "import time\ntime.sleep(2)")
    assert {steps.result()["id"], steps.result()["id"]} == {"a", "b"}
    assert time.monotonic() - started < 3.8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_server(steps: Steps, number: int) -> None:
    pids = steps.folder / "pids"
    steps.ask(
        "long",
        "import os, subprocess, time\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\ntime.sleep(600)",
    )
    deadline = time.monotonic() + 60
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family = [*map(int, pids.read_text().split())]
    family += [each.pid for each in psutil.Process(steps.process.pid).children(recursive=True)]
    steps.process.send_signal(number)
    steps.process.wait(30)
    deadline = time.monotonic() + 10
    while any(_runs(pid) for pid in family):
        assert time.monotonic() < deadline, [pid for pid in family if _runs(pid)]
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_end_of_input_ends_the_server(steps: Steps) -> None:
    steps.run("one", "1")
    assert steps.process.stdin is not None
    steps.process.stdin.close()
    assert steps.process.wait(30) == 0
    assert os.path.exists(steps.folder / "one")  # noqa: PTH110
