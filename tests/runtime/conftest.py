"""Publications built by code, and services that really run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nbformat
import pytest

from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureReport, CaptureRequest
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.runtime.publication import Publication, Step, encode

REPOSITORY = Path(__file__).parents[2]
PARAMETERS = [
    Parameter(
        name="alpha", type="float", default=1.0, minimum=0, maximum=100, description="how <much>"
    ),
    Parameter(name="mode", type="str", default="fast", choices=["fast", "slow", "hang", "fail"]),
]
CELLS = [
    "alpha = 1.0\nmode = 'fast'",
    "import json, os, time\n"
    "def log(**values):\n"
    "    with open(os.environ['MLOPS_JOURNAL'], 'a') as file:\n"
    "        file.write(json.dumps({'time': 0, 'values': values}) + '\\n')\n",
    "print('alpha is', alpha)\nlog(double=alpha * 2)",
    "if mode == 'hang':\n"
    "    open(os.environ['PID_FILE'], 'w').write(str(os.getpid()))\n"
    "    time.sleep(600)\n"
    "if mode == 'fail':\n"
    "    raise ValueError('\\x1b[31mno\\x1b[0m')",
]


def make_notebook(*cells: str, tags: dict[int, list[str]] | None = None) -> nbformat.NotebookNode:
    tags = {0: ["parameters"], **(tags or {})}
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A title")])
    for number, source in enumerate(cells):
        metadata = {"tags": tags[number]} if number in tags else {}
        made.cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    # The kernel it names does not exist: the runner's own interpreter runs it.
    made.metadata.kernelspec = {"name": "gone", "display_name": "Gone", "language": "python"}
    return made


def environment(**more: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MLOPS_")}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), **more}


def write_publication(
    root: Path, report: CaptureReport, service: str | None = None, **more: Any
) -> Path:
    (root / "pipeline").mkdir(parents=True, exist_ok=True)
    nbformat.write(make_notebook(*CELLS), root / "pipeline" / "main.ipynb")
    (root / "pipeline" / "beside.txt").write_text("found")
    publication = Publication(
        name="lab/iris",
        title="Iris <b>model</b>",
        description="First.\n\nSecond & last.",
        notebook_sha256="1" * 64,
        lock_sha256="2" * 64,
        python="3.11",
        platform="linux/amd64",
        parameters=PARAMETERS,
        steps=[Step(name="main", notebook="pipeline/main.ipynb")],
        metrics={"accuracy": 0.97},
        captures=report.captures,
        predictor=report.predictor,
        signature=report.signature,
        verified="full",
        **more,
    )
    (root / "publication.json").write_bytes(encode(publication))
    (root / "golden.json").write_bytes(msgspec.json.encode(report.golden))
    if service is not None:
        (root / "service.py").write_text(service)
    return root


@pytest.fixture(scope="session")
def iris() -> Any:
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="session")
def forest_root(tmp_path_factory: pytest.TempPathFactory, iris: Any) -> Path:
    """A publication of a random forest that was fitted on a frame."""
    from sklearn.ensemble import RandomForestClassifier

    root = tmp_path_factory.mktemp("forest")
    X, y = iris
    forest = RandomForestClassifier(12, random_state=0, n_jobs=2).fit(X, y)
    report = collect({"X": X, "forest": forest}, CaptureRequest(), root)
    assert not report.problems
    return write_publication(root, report)


@pytest.fixture(scope="session")
def function_root(tmp_path_factory: pytest.TempPathFactory, iris: Any) -> Path:
    """A publication of a function that reads an array and a plain value."""
    import numpy as np

    root = tmp_path_factory.mktemp("function")
    X, y = iris
    source = (
        "import time\n"
        "def predict(rows):\n"
        "    if rows.iloc[0, 0] > 999:\n"
        "        time.sleep(1.5)\n"
        "    if rows.iloc[0, 0] < -999:\n"
        "        raise RuntimeError('secret ' + str(rows.iloc[0, 0]))\n"
        "    return [names[i] for i in (rows.to_numpy() @ weights).argmax(axis=1)]\n"
    )
    namespace: dict[str, Any] = {
        "X": X,
        "weights": np.linalg.lstsq(X.to_numpy(), np.eye(3)[y], rcond=None)[0],
        "names": ("setosa", "versicolor", "virginica"),
    }
    exec(source, namespace)
    request = CaptureRequest(names=["weights", "names"], predict="predict")
    report = collect(namespace, request, root)
    assert not report.problems
    return write_publication(root, report, source)


@pytest.fixture
def rounded_root(tmp_path: Path) -> Path:
    """A publication whose verified run gave numbers that are one bit away from those here."""
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"a": [0.5, 1.5, 2.5, 3.5, 4.5], "b": [1.0, 0.5, 0.25, 0.125, 2.0]})
    namespace: dict[str, Any] = {"weights": np.array([0.3, 0.7]), "table": table}
    source = "def predict(rows):\n    return rows.to_numpy() @ weights\n"
    exec(source, namespace)
    root = tmp_path / "rounded"
    report = collect(namespace, CaptureRequest(predict="predict", names=["weights"]), root)
    assert not report.problems and report.golden is not None
    outputs = [float(np.nextafter(answer, 9)) for answer in report.golden.outputs]
    golden = msgspec.structs.replace(report.golden, outputs=outputs, tolerance=0.0)
    return write_publication(root, msgspec.structs.replace(report, golden=golden), source)


@pytest.fixture(scope="session")
def plain_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication without any model."""
    root = tmp_path_factory.mktemp("plain")
    report = collect({"x": 1}, CaptureRequest(), root)
    return write_publication(root, report)


class Service:
    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.client.get("/health/ready").json()["status"] != "starting":
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def serving(
    root: Path, folder: Path, *, host: str = "127.0.0.1", **variables: str
) -> Iterator[Service]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "service.log"
    command = [sys.executable, "-m", "jupyter_mlops.runtime", "serve", "--root", str(root)]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--host", host, "--port", str(port)],
            env={**environment(), **variables},
            stderr=stderr,
            cwd=folder,
        )
    service = Service(process, f"http://127.0.0.1:{port}", log)
    try:
        service.wait_ready()
        yield service
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        service.client.close()


@pytest.fixture(scope="session")
def forest_service(
    forest_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    variables = {"MLOPS_IMAGE_DIGEST": "sha256:abc", "PID_FILE": str(folder / "kernel.pid")}
    with serving(forest_root, folder, MLOPS_MAX_BODY="100000", **variables) as service:
        yield service


@pytest.fixture(scope="session")
def function_service(
    function_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with serving(function_root, tmp_path_factory.mktemp("service")) as service:
        yield service


Runner = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Runs a notebook by the real command; returns its exit code and its events."""

    def run(made: nbformat.NotebookNode, *options: str) -> tuple[int, list[dict[str, Any]]]:
        nbformat.write(made, tmp_path / "in.ipynb")
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "run", "--events", "-"]
        command += ["--notebook", "in.ipynb", "--output", str(tmp_path / "out.ipynb"), *options]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, check=False
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return run
