"""A model behind our service, MLflow's, BentoML and LitServe: requests a second and latency.

The same models (a random forest of 100 trees on 30 columns, a logistic regression on 20), the same
row, the same client (``wrk``) on the same machine, in turn, all servers running in each round. The
client takes its share of the cores. Each server is started by its own command with its defaults;
MLflow a second time with as many workers as there are cores, which is the default of ours.

Ours and MLflow read ``dataframe_split`` with names, and check them; BentoML and LitServe read a
bare list of numbers, and check nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.table import Grid, Tables
from jupyter_mlops.deploy.ready import free_port

PEERS = Path(__file__).parent / "peers"
MODELS = tuple(os.environ.get("MLOPS_BENCH_MODELS", "forest regression").split())
CONNECTIONS = (1, 8, 64)
SECONDS = int(os.environ.get("MLOPS_BENCH_SECONDS", "5"))
READY_SECONDS = 180
OURS, MLFLOW = "ours", "mlflow"
VERSIONS = {
    "mlflow": ["mlflow>=3.4,<4", "msgspec", "starlette", "httptools", "uvloop", "skops"],
    "bentoml": ["bentoml>=1.4,<1.5", "pandas"],
    "litserve": ["litserve>=0.2,<0.3", "pandas"],
}
SKLEARN = "scikit-learn==1.9.1"
LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[{body}]==]
"""


@dataclass(frozen=True)
class Server:
    """A server of one model that runs: where it is asked, and with what."""

    name: str
    url: str
    script: Path


@dataclass(frozen=True)
class Figures:
    """What one run of the client gave; seconds."""

    rate: float
    p50: float
    p99: float


def measure(rounds: int) -> Tables:
    """Measure every server of both models in turn."""
    if shutil.which("wrk") is None:
        raise SystemExit("The benchmark of services needs wrk: apt-get install wrk")
    rates = Grid("Service: requests a second")
    latencies = Grid("Service: milliseconds, p50 and p99")
    pythons = {name: _environment(name) for name in VERSIONS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(pythons["mlflow"], "make", str(folder))
        for model in MODELS:
            bare = float(_run(pythons["mlflow"], "bare", str(folder), model))
            print(f"{model}: the bare call {bare * 1000:.3f} ms", file=sys.stderr, flush=True)
            with _servers(folder / model, pythons) as servers:
                for _ in range(rounds):
                    _one_round(model, servers, rates, latencies)
            _compare(model, bare, rates, latencies)
    return Tables([rates, latencies])


def _one_round(model: str, servers: Sequence[Server], rates: Grid, latencies: Grid) -> None:
    for connections in CONNECTIONS:
        for server in servers:
            found = ask(server, connections)
            row = _row(model, connections)
            told = f"{found.rate:.0f}/s, p50 {found.p50 * 1000:.2f}, p99 {found.p99 * 1000:.2f} ms"
            print(f"{row}, {server.name}: {told}", file=sys.stderr, flush=True)
            rates.add(row, server.name, found.rate)
            latencies.add(f"{row}, p50", server.name, found.p50 * 1000)
            latencies.add(f"{row}, p99", server.name, found.p99 * 1000)


def _row(model: str, connections: int) -> str:
    return f"{model}, {connections} connections"


def _compare(model: str, bare: float, rates: Grid, latencies: Grid) -> None:
    """Say what the issue asks: ratios of medians, and what ours adds to the bare call."""
    for connections in CONNECTIONS:
        row = _row(model, connections)
        ours = median(rates.figures[row][OURS])
        for name, values in rates.figures[row].items():
            if name != OURS:
                rates.notes.append(f"{row}: {ours / median(values):.1f} x {name}")
        p99 = median(latencies.figures[f"{row}, p99"][OURS])
        p50 = median(latencies.figures[f"{row}, p50"][MLFLOW])
        latencies.notes.append(f"{row}: our p99 {p99:.2f} ms, the p50 of mlflow {p50:.2f} ms")
    one = median(latencies.figures[f"{_row(model, 1)}, p50"][OURS])
    latencies.notes.append(
        f"{model}: the bare call of the model {bare * 1000:.3f} ms, our p50 {one:.3f} ms"
    )


def ask(server: Server, connections: int) -> Figures:
    """Run the client once."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "30s", "--latency"]
    command += ["-s", str(server.script), server.url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{server.name} did not answer as it should:\n{text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate is not None, text
    return Figures(float(rate[1]), _seconds(text, "50%"), _seconds(text, "99%"))


def _seconds(text: str, name: str) -> float:
    found = re.search(rf"{name}\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[found[2]]


def _environment(name: str) -> Path:
    """Return the Python of a peer's environment; it is made once and kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "jupyter-mlops-benchmarks" / name
    python = place / "bin" / "python"
    if not (place / "complete").exists():
        uv = [sys.executable, "-m", "uv"]
        made = [*uv, "venv", "-q", "--clear", "--python", sys.executable, str(place)]
        subprocess.run(made, check=True)
        packages = [*VERSIONS[name], SKLEARN]
        subprocess.run(
            [*uv, "pip", "install", "-q", "--python", str(python), *packages], check=True
        )
        (place / "complete").touch()
    return python


def _variables(python: Path, **more: str) -> dict[str, str]:
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    quiet |= {"BENTOML_DO_NOT_TRACK": "true", "PYTHONPATH": str(PEERS.parent.parent)}
    return {**os.environ, **quiet, "PATH": path, **more}


def _run(python: Path, *arguments: str) -> str:
    command = [str(python), str(PEERS / "serve_models.py"), *arguments]
    done = subprocess.run(
        command,
        env=_variables(python),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return done.stdout.strip()


@contextmanager
def _servers(place: Path, pythons: dict[str, Path]) -> Iterator[list[Server]]:
    """Run every server of one model."""
    row: dict[str, Any] = json.loads((place / "row.json").read_text())
    named = _script(place / "named.lua", {"dataframe_split": row})
    bare = _script(place / "bare.lua", {"rows": row["data"]})
    python = str(pythons["mlflow"])
    model = str(place / "model.joblib")
    theirs = [python, "-m", "mlflow", "models", "serve", "-m", str(place / "mlflow")]
    theirs += ["--env-manager", "local", "-h", "127.0.0.1", "-p"]
    ours = [python, "-m", "jupyter_mlops.runtime", "serve", "--root", str(place / "ours")]
    bento = [str(pythons["bentoml"]), "-m", "bentoml", "serve", "serve_bentoml:Served"]
    lit = [str(pythons["litserve"]), str(PEERS / "serve_litserve.py")]
    with contextlib.ExitStack() as stack:

        def started(name: str, key: str, command: list[str], path: str, script: Path) -> Server:
            port = free_port()
            words = [word.replace("PORT", str(port)) for word in command]
            variables = _variables(pythons[key], MODEL=model)
            stack.enter_context(_process(words, variables, place / f"{name}.log"))
            return Server(name, f"http://127.0.0.1:{port}{path}", script)

        cores = str(os.cpu_count() or 1)
        yield [
            _ready(each)
            for each in [
                started(
                    OURS,
                    "mlflow",
                    [*ours, "--host", "127.0.0.1", "--port", "PORT"],
                    "/invocations",
                    named,
                ),
                started(MLFLOW, "mlflow", [*theirs, "PORT"], "/invocations", named),
                started(
                    f"{MLFLOW} -w {cores}",
                    "mlflow",
                    [*theirs, "PORT", "-w", cores],
                    "/invocations",
                    named,
                ),
                started(
                    "bentoml",
                    "bentoml",
                    [*bento, "--host", "127.0.0.1", "--port", "PORT", "--working-dir", str(PEERS)],
                    "/predict",
                    bare,
                ),
                started("litserve", "litserve", [*lit, "PORT"], "/predict", bare),
            ]
        ]


def _script(path: Path, body: dict[str, Any]) -> Path:
    path.write_text(LUA.replace("{body}", json.dumps(body)))
    return path


@contextmanager
def _process(command: list[str], variables: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=variables, stdout=out, stderr=out, cwd=log.parent, start_new_session=True
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _ready(server: Server) -> Server:
    """Wait until a server answers its row."""
    body = server.script.read_text().partition("[==[")[2].partition("]==]")[0]
    deadline = time.monotonic() + READY_SECONDS
    headers = {"content-type": "application/json"}
    while True:
        try:
            if httpx.post(server.url, content=body, headers=headers, trust_env=False).is_success:
                return server
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            log = server.script.with_name(f"{server.name}.log")
            raise SystemExit(f"{server.name} does not answer; see {log.read_text()[-2000:]}")
        time.sleep(0.2)
