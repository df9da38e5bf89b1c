"""Several processes behind one port: one truth, no lost requests but those of a killed worker."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from .conftest import Service, environment, serving

ROW = [5.1, 3.5, 1.4, 0.2]
GOOD = {"instances": [ROW]}


def workers(service: Service) -> list[psutil.Process]:
    found = psutil.Process(service.process.pid).children()
    return [each for each in found if "worker" in each.cmdline()]


def value(service: Service, name: str) -> float:
    try:
        text = service.client.get("/metrics").text
    except httpx.TransportError:  # this connection was to the worker that was killed
        text = service.client.get("/metrics").text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


ANSWERED = 'mlops_request_duration_seconds_count{endpoint="/invocations",code="200"}'


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_nothing_is_forgotten(
    function_root: Path, tmp_path: Path
) -> None:
    with serving(function_root, tmp_path, MLOPS_WORKERS="2") as service:
        assert len(workers(service)) == 2
        codes: list[int] = []
        lost: list[Exception] = []
        stop = threading.Event()

        def call() -> None:
            with httpx.Client(base_url=service.url, trust_env=False) as client:
                while not stop.is_set():
                    try:
                        codes.append(client.post("/invocations", json=GOOD).status_code)
                    except httpx.TransportError as error:
                        lost.append(error)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        wait_until(lambda: len(codes) > 50)
        victim = workers(service)[0]
        victim.kill()
        wait_until(lambda: value(service, "mlops_worker_deaths_total") == 1)
        wait_until(lambda: value(service, "mlops_workers") == 2)
        more = len(codes)
        wait_until(lambda: len(codes) > more + 50)
        stop.set()
        for caller in callers:
            caller.join()
        # Each caller had one request under way at most.
        assert set(codes) == {200} and len(lost) <= len(callers)
        assert victim.pid not in [each.pid for each in workers(service)]
        assert value(service, "mlops_worker_deaths_total") == 1
        # What the dead one had answered is still counted; what it was answering may be missing.
        assert len(codes) - 4 <= value(service, ANSWERED) <= len(codes) + 4
        assert value(service, "mlops_requests_in_progress") == 1
        assert value(service, "process_cpu_seconds_total") > 0
        assert service.client.get("/health/ready").json()["workers"] == 2
        assert "was killed by SIGKILL" in (tmp_path / "service.log").read_text()
        assert service.stop() == 0


def test_one_exposition_whoever_answers(forest_root: Path, tmp_path: Path) -> None:
    with serving(forest_root, tmp_path, MLOPS_WORKERS="3") as service:
        for _ in range(30):  # a connection each, so that all workers have some
            assert httpx.post(f"{service.url}/invocations", json=GOOD, trust_env=False).is_success
        for _ in range(5):
            text = httpx.get(f"{service.url}/metrics", trust_env=False).text
            assert f"{ANSWERED} 30\n" in text
            assert "mlops_rows_total 30\n" in text
            assert "mlops_workers 3\n" in text
            assert "mlops_predict_duration_seconds_count 30\n" in text
            assert "mlops_batch_rows_sum 30\n" in text
            assert "mlops_queue_wait_seconds_count 30\n" in text
        run = service.client.post("/v1/runs", json={"parameters": {"mode": "fast"}}).json()["id"]
        for _ in range(6):  # a run is known to all workers
            answer = httpx.get(f"{service.url}/v1/runs/{run}", trust_env=False)
            assert answer.json()["id"] == run
        service.client.delete(f"/v1/runs/{run}")


def test_a_worker_with_too_many_connections_waits_for_some_to_end(
    plain_root: Path, tmp_path: Path
) -> None:
    with serving(plain_root, tmp_path) as service:
        (worker,) = workers(service)
        _, hard = worker.rlimit(psutil.RLIMIT_NOFILE)
        worker.rlimit(psutil.RLIMIT_NOFILE, (worker.num_fds() + 10, hard))
        before = sum(worker.cpu_times()[:2])
        address = ("127.0.0.1", int(service.url.rpartition(":")[2]))
        held = [socket.create_connection(address) for _ in range(30)]
        time.sleep(3)
        assert sum(worker.cpu_times()[:2]) - before < 1, "it does not try all the time"
        for each in held:
            each.close()
        wait_until(lambda: httpx.get(f"{service.url}/health/live", trust_env=False).is_success)
        log = (tmp_path / "service.log").read_text()
        assert log.count("Connections are not accepted for now: Too many open files") == 1
        assert service.stop() == 0


def test_workers_end_with_their_supervisor(plain_root: Path, tmp_path: Path) -> None:
    with serving(plain_root, tmp_path) as service:
        (worker,) = workers(service)  # without a model one is enough
        service.process.kill()
        service.process.wait()
        worker.wait(20)
        assert not psutil.pid_exists(worker.pid)


def test_a_service_whose_workers_only_die_ends(plain_root: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "if 'worker' in sys.argv or 'worker' in sys.orig_argv:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"
    with pytest.raises(AssertionError), serving(plain_root, tmp_path, PYTHONPATH=path):
        pass
    assert "5 workers died before one was ready" in (tmp_path / "service.log").read_text()


def send(service: Service, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send raw bytes and return the whole answer."""
    with socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2]))) as sock:
        sock.settimeout(20)
        answer = b""
        try:
            for part in parts:
                sock.sendall(part)
                time.sleep(pause)
            while part := sock.recv(65536):
                answer += part
        except ConnectionError:
            pass
        return answer


@pytest.mark.slow
def test_limits_of_time_and_size(forest_root: Path, tmp_path: Path) -> None:
    limits = {"MLOPS_HEAD_SECONDS": "1", "MLOPS_BODY_SECONDS": "1", "MLOPS_IDLE_SECONDS": "1"}
    with serving(forest_root, tmp_path, **limits) as service:
        head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        assert send(service).startswith(b"HTTP/1.1 408 ")
        assert send(service, head).startswith(b"HTTP/1.1 408 ")
        late = send(service, head + b"content-length: 100\r\n\r\n{")
        assert late.startswith(b"HTTP/1.1 408 ") and b"did not arrive within 1 s" in late
        large = [b"x-%d: " % i + b"a" * 9000 + b"\r\n" for i in range(8)]
        assert send(service, head, *large).startswith(b"HTTP/1.1 431 ")
        assert send(service, head + b"x: " + b"a" * 100_000).startswith(b"HTTP/1.1 431 ")
        assert send(service, b"\x00\x01\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        text = service.client.get("/metrics").text
        assert 'mlops_rejected_total{reason="slow"} 1\n' in text
        # Two requests on one connection, one of them in pieces, are answered as ever.
        body = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
        whole = head + b"content-length: %d\r\n\r\n" % len(body) + body
        closing = whole.replace(b"host: x", b"connection: close\r\nhost: x")
        both = send(service, whole[:60], whole[60:] + closing, pause=0.1)
        assert both.count(b'{"predictions":[0]}') == 2


def test_deadlines_and_a_full_queue(function_root: Path, tmp_path: Path) -> None:
    limits = {"MLOPS_WORKERS": "1", "MLOPS_MAX_WAITING": "1"}
    with serving(function_root, tmp_path, **limits) as service:
        slow = {"instances": [[1000, 1, 1, 1]]}
        asked = {"X-Request-Timeout-Ms": "100"}
        answer = service.client.post("/invocations", json=slow, headers=asked)
        assert (answer.status_code, answer.json()["error_code"]) == (504, "DEADLINE_EXCEEDED")
        answer = service.client.post("/v2/models/iris/infer", json={"inputs": []}, headers=asked)
        assert answer.status_code == 400
        asked = {"X-Request-Timeout-Ms": "-1"}
        assert service.client.post("/invocations", json=slow, headers=asked).status_code == 400
        codes: list[int] = []

        def call() -> None:
            answer = httpx.post(f"{service.url}/invocations", json=slow, trust_env=False)
            codes.append(answer.status_code)
            if answer.status_code == 503:
                assert answer.headers["retry-after"] == "1"

        callers = [threading.Thread(target=call) for _ in range(6)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert set(codes) == {200, 503}
        text = service.client.get("/metrics").text
        assert 'mlops_rejected_total{reason="deadline"} 1\n' in text
        assert f'mlops_rejected_total{{reason="queue"}} {codes.count(503)}\n' in text


def test_a_token_beyond_loopback(plain_root: Path, tmp_path: Path) -> None:
    with serving(plain_root, tmp_path, host="0.0.0.0") as service:
        token = re.search(r"token of this service is (\S+)", service.log.read_text())
        assert token is not None
        get = service.client.get
        assert get("/version").status_code == 401
        assert get("/version", headers={"Authorization": f"bearer {token[1]}"}).is_success
        asked = get("/", headers={"Accept": "text/html"})
        assert asked.status_code == 401 and "<form" in asked.text
        assert get("/?token=wrong", headers={"Accept": "text/html"}).status_code == 401
        entered = get("/", params={"token": token[1]})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert get("/version").is_success  # the client remembers it
    with serving(plain_root, tmp_path, host="0.0.0.0", MLOPS_OPEN="1") as service:
        assert service.client.get("/version").is_success


def test_a_port_in_use_is_told(plain_root: Path, tmp_path: Path) -> None:
    with serving(plain_root, tmp_path) as service:
        port = service.url.rpartition(":")[2]
        command = [sys.executable, "-m", "jupyter_mlops.runtime", "serve", "--host", "127.0.0.1"]
        done = subprocess.run(
            [*command, "--port", port, "--root", str(plain_root)],
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 1 and f"Port {port} of 127.0.0.1 cannot be used" in done.stderr


def test_sigint_drains_too(plain_root: Path, tmp_path: Path) -> None:
    with serving(plain_root, tmp_path) as service:
        service.client.close()
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(20) == 0
