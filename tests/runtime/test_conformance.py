"""MLflow's own scoring server and ours, side by side: the same requests, the same answers.

Where they differ on purpose stands in ``DEVIATIONS``, with the reason, and in
``docs/users/services.md``.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.deploy.ready import free_port

from .conftest import environment

pytestmark = [pytest.mark.network, pytest.mark.slow]

PACKAGES = ["mlflow>=3.4,<4", "scikit-learn>=1.5", "skops>=0.11", "msgspec", "starlette", "uvicorn"]
PACKAGES += ["httptools", "uvloop", "tritonclient[http]"]
PEER = Path(__file__).with_name("mlflow_peer.py")
QUIET = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}

JSON = "application/json"
ROW = {"a": 0.5, "b": 1.0, "n": 3, "ok": True, "word": "red"}
NAMES, VALUES = list(ROW), list(ROW.values())
CSV = b"a,b,n,ok,word\n0.5,1,3,True,red\n"


def records(**changed: Any) -> dict[str, Any]:
    return {"dataframe_records": [{**ROW, **changed}]}


def split(names: list[str], *rows: list[Any], **more: Any) -> dict[str, Any]:
    return {"dataframe_split": {"columns": names, "data": list(rows), **more}}


CASES: dict[str, tuple[str | None, Any]] = {
    "split": (JSON, split(NAMES, VALUES, VALUES)),
    "split with an index": (JSON, split(NAMES, VALUES, index=[3])),
    "split in another order": (JSON, split(NAMES[::-1], VALUES[::-1])),
    "split without columns": (JSON, {"dataframe_split": {"data": [VALUES]}}),
    "split that is no object": (JSON, {"dataframe_split": [VALUES]}),
    "split with a short row": (JSON, split(NAMES, VALUES[:3])),
    "records": (JSON, {"dataframe_records": [ROW, ROW]}),
    "records that are no list": (JSON, {"dataframe_records": ROW}),
    "no records": (JSON, {"dataframe_records": []}),
    "instances of objects": (JSON, {"instances": [ROW, ROW]}),
    "instances of lists": (JSON, {"instances": [VALUES, VALUES]}),
    "inputs of columns": (JSON, {"inputs": {name: [value] * 2 for name, value in ROW.items()}}),
    "inputs of one row": (JSON, {"inputs": ROW}),
    "inputs of objects": (JSON, {"inputs": [ROW, ROW]}),
    "inputs of lists": (JSON, {"inputs": [VALUES]}),
    "inputs of unequal columns": (JSON, {"inputs": {**{n: [v] for n, v in ROW.items()}, "a": []}}),
    "a bare list": (JSON, [ROW]),
    "a text": (JSON, "rows"),
    "nothing": (JSON, {}),
    "two forms": (JSON, {**records(), "instances": [ROW]}),
    "another key": (JSON, {**records(), "more": 1}),
    "only another key": (JSON, {"more": 1}),
    "no params": (JSON, {**records(), "params": {}}),
    "params that are not known": (JSON, {**records(), "params": {"a": 1}}),
    "a missing column": (JSON, {"dataframe_records": [{"a": 1, "b": 1, "n": 1, "ok": True}]}),
    "a further column": (JSON, records(more=1)),
    "a text for a number": (JSON, records(a="x")),
    "a number in a text": (JSON, records(a="1.5")),
    "a whole number for a number": (JSON, records(a=1)),
    "a truth for a number": (JSON, records(a=True)),
    "a list for a number": (JSON, records(a=[1])),
    "null for a number": (JSON, records(a=None)),
    "a fraction for a whole number": (JSON, records(n=1.5)),
    "3.0 for a whole number": (JSON, records(n=3.0)),
    "a text for a whole number": (JSON, records(n="x")),
    "null for a whole number": (JSON, records(n=None)),
    "too large a whole number": (JSON, records(n=2**70)),
    "a number for a truth": (JSON, records(ok=1)),
    "a text for a truth": (JSON, records(ok="true")),
    "a number for a text": (JSON, records(word=1)),
    "a text that the model never saw": (JSON, records(word="pink")),
    "no JSON": (JSON, b"{"),
    "NaN": (JSON, json.dumps(records(a=float("nan"))).encode()),
    "no UTF-8": (JSON, b'{"dataframe_records": [{"a": "\xff"}]}'),
    "utf-8": (f"{JSON}; charset=utf-8", records()),
    "UTF-8": (f"{JSON};charset=UTF-8", records()),
    "latin-1": (f"{JSON}; charset=latin-1", records()),
    "another parameter": (f"{JSON}; version=1", records()),
    "another type": ("text/plain", b"x"),
    "no type": (None, b"{}"),
    "csv": ("text/csv", CSV),
    "csv in another order": ("text/csv", b"word,b,n,ok,a\nred,1,3,True,0.5\n"),
    "csv without a column": ("text/csv", b"a,b,n,ok\n0.5,1,3,True\n"),
    "csv with a further column": ("text/csv", b"a,b,n,ok,word,z\n0.5,1,3,True,red,9\n"),
    "csv with a short row": ("text/csv", b"a,b,n,ok,word\n0.5,1,3\n"),
    "csv with a wrong value": ("text/csv", b"a,b,n,ok,word\nx,1,3,True,red\n"),
    "empty csv": ("text/csv", b""),
    "csv without rows": ("text/csv", b"a,b,n,ok,word\n"),
    "csv that is no UTF-8": ("text/csv", CSV.replace(b"red", b"\xff")),
    "parquet": ("application/vnd.apache.parquet", Path("rows.parquet")),
    "broken parquet": ("application/vnd.apache.parquet", b"PAR1x"),
}
ORDER = "Values without names are taken in the order of the signature."
TYPO = "What is not known is refused: it may be a misspelt name."
CONVERTED = "A value of another type is refused; MLflow changes it (1.5 becomes 1)."
NO_ROWS = "No rows have no predictions."
DEVIATIONS = {
    "split without columns": (400, 200, ORDER),
    "instances of lists": (400, 200, ORDER),
    "inputs of lists": (400, 200, ORDER),
    "another key": (200, 400, TYPO),
    "params that are not known": (200, 400, TYPO),
    "a further column": (200, 400, TYPO),
    "csv with a further column": (200, 400, TYPO),
    "a number in a text": (200, 400, CONVERTED),
    "a fraction for a whole number": (200, 400, CONVERTED),
    "a truth for a number": (200, 400, CONVERTED),
    "a number for a truth": (200, 400, CONVERTED),
    "a text for a truth": (200, 400, CONVERTED),
    "no records": (400, 200, NO_ROWS),
    "csv without rows": (400, 200, NO_ROWS),
    "no type": (500, 415, "MLflow fails on a request without a content type."),
}


@pytest.fixture(scope="session")
def peer() -> Path:
    """Return the Python of an environment with MLflow; it is made once and kept."""
    key = hashlib.sha256("\n".join([sys.version, *PACKAGES]).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "jupyter-mlops-tests" / f"mlflow-{key}"
    done = place / "complete"
    if not done.exists():
        uv = [sys.executable, "-m", "uv"]
        made = [*uv, "venv", "-q", "--clear", "--python", sys.executable, str(place)]
        subprocess.run(made, check=True)
        python = place / "bin" / "python"
        install = [*uv, "pip", "install", "-q", "--python", str(python), *PACKAGES]
        subprocess.run(install, check=True)
        done.touch()
    return place / "bin" / "python"


class Pair:
    """Both servers of one model."""

    def __init__(self, python: Path, folder: Path, name: str) -> None:
        self.python, self.folder, self.root = python, folder, folder / name
        self.ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = environment(PATH=path, **QUIET)
        theirs = [str(python), "-m", "mlflow", "models", "serve", "-m", str(self.root / "mlflow")]
        theirs += ["-p", str(self.ports[0]), "-h", "127.0.0.1", "--env-manager", "local"]
        ours = [str(python), "-m", "jupyter_mlops.runtime", "serve", "--host", "127.0.0.1"]
        ours += ["--root", str(self.root / "ours"), "--port", str(self.ports[1])]
        self.processes = [self._start(theirs), self._start(ours)]

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        log = (self.root / f"{Path(command[2]).name}.log").open("wb")
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.folder,
            stdout=log,
            stderr=log,
            # MLflow's command leaves its server behind when it is told to end.
            start_new_session=True,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + 120
        for url in self.urls:
            while True:
                try:
                    if httpx.get(f"{url}/ping", trust_env=False).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                assert time.monotonic() < deadline, [p.read_text() for p in self.root.glob("*.log")]
                time.sleep(0.2)

    def ask(self, kind: str | None, body: Any) -> list[httpx.Response]:
        if isinstance(body, Path):
            body = (self.folder / body).read_bytes()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": kind} if kind else {}
        return [
            httpx.post(
                f"{url}/invocations", content=content, headers=headers, timeout=60, trust_env=False
            )
            for url in self.urls
        ]


@pytest.fixture(scope="session")
def pair(peer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("conformance")
    make = [str(peer), str(PEER), "make", str(folder)]
    subprocess.run(make, check=True, env=environment(**QUIET), cwd=folder)
    both = Pair(peer, folder, "mixed")
    try:
        both.wait()
        yield both
    finally:
        for process in both.processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in both.processes:
            process.wait(30)


@pytest.mark.parametrize("name", CASES)
def test_the_same_status_and_predictions(pair: Pair, name: str) -> None:
    theirs, ours = pair.ask(*CASES[name])
    expected = DEVIATIONS.get(name)
    if expected is not None:
        assert (theirs.status_code, ours.status_code) == expected[:2], (theirs.text, ours.text)
        return
    assert ours.status_code == theirs.status_code, (theirs.text, ours.text)
    if theirs.status_code == 200:
        assert ours.json() == theirs.json()
        assert ours.headers["content-type"] == theirs.headers["content-type"]
    else:
        assert "message" in ours.json()
        assert "Traceback" not in ours.text


def test_every_documented_deviation_is_a_case() -> None:
    assert set(DEVIATIONS) <= set(CASES)
    page = (Path(__file__).parents[2] / "docs" / "users" / "services.md").read_text()
    for _, _, reason in DEVIATIONS.values():
        assert reason in page


def test_the_other_paths(pair: Pair) -> None:
    for method, path in (
        *(("GET", "/ping"), ("GET", "/health"), ("GET", "/version"), ("GET", "/invocations")),
        *(("PUT", "/invocations"), ("POST", "/ping"), ("GET", "/nothing")),
    ):
        theirs, ours = (httpx.request(method, url + path, trust_env=False) for url in pair.urls)
        assert ours.status_code == theirs.status_code, path
        if method == "GET" and path in ("/ping", "/health"):
            assert ours.text == theirs.text


def test_its_own_client_cannot_tell_them_apart(pair: Pair) -> None:
    command = [str(pair.python), str(PEER), "call", *map(str, pair.ports)]
    done = subprocess.run(command, env=pair.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs, ours = json.loads(done.stdout.splitlines()[-1])
    assert ours == theirs
    (answers,) = ours["frame"].values()
    assert len(answers) == 20 and ours["missing"] == "Exception"


def test_a_client_of_the_open_inference_protocol(pair: Pair) -> None:
    command = [str(pair.python), str(PEER), "infer", str(pair.ports[1])]
    done = subprocess.run(command, env=pair.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["live"] and told["ready"] and told["model_ready"]
    assert [column["name"] for column in told["metadata"]["inputs"]] == NAMES
    expected = pair.ask("application/vnd.apache.parquet", Path("rows.parquet"))[0].json()
    assert told["columns"] == expected["predictions"]
    assert told["id"] == "42"
    assert "no such model" in told["error"]
