"""``/v1/runs``: the notebook run with parameters, inside of the service."""

from __future__ import annotations

import os
import time
from pathlib import Path

import nbformat
import pytest

from .conftest import Service, serving

pytestmark = pytest.mark.slow  # real kernels


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} did not appear")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_a_run_with_parameters(forest_service: Service) -> None:
    client = forest_service.client
    headers = {"Idempotency-Key": "once"}
    body = {"parameters": {"alpha": 21}}
    created = client.post("/v1/runs", json=body, headers=headers)
    assert created.status_code == 202
    run = created.json()
    assert run["state"] in ("queued", "running")
    assert run["parameters"] == {"alpha": 21.0, "mode": "fast"}
    location = created.headers["location"]
    assert client.get(f"{location}/notebook").status_code == 404
    ended = client.get(location, params={"wait": 60}).json()
    assert ended["state"] == "succeeded", ended
    assert ended["metrics"] == {"double": 42.0}
    assert ended["error"] is None
    assert ended["cells"]["done"] == ended["cells"]["total"]
    executed = nbformat.reads(client.get(ended["notebook"]).text, as_version=4)
    assert any("alpha is 21.0" in str(cell.get("outputs")) for cell in executed.cells)
    again = client.post("/v1/runs", json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (200, run["id"])
    other = client.post("/v1/runs", json={"parameters": {"alpha": 2}}, headers=headers)
    assert other.status_code == 409
    assert run["id"] in [each["id"] for each in client.get("/v1/runs").json()["runs"]]
    assert client.delete(location).status_code == 204
    assert client.get(location).status_code == 404


def test_a_failing_run_says_where(forest_service: Service) -> None:
    answer = forest_service.client.post("/v1/runs?wait=60", json={"parameters": {"mode": "fail"}})
    assert answer.status_code == 200
    run = answer.json()
    assert run["state"] == "failed"
    assert (run["error"]["cell"], run["error"]["index"]) == (4, 4)
    assert (run["error"]["ename"], run["error"]["evalue"]) == ("ValueError", "no")
    assert run["notebook"] is not None


def test_all_wrong_parameters_at_once(forest_service: Service) -> None:
    wrong = {"alpha": 101, "mode": "loud", "beta": 1}
    answer = forest_service.client.post("/v1/runs", json={"parameters": wrong})
    assert answer.status_code == 422
    told = answer.json()
    assert told["error_code"] == "UNPROCESSABLE"
    assert len(told["problems"]) == 3
    assert "alpha, mode" in " ".join(told["problems"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"parameters": []}', "application/json", 400),
        (b'{"timeout_s": -1}', "application/json", 422),
        (b"{}", "text/plain", 415),
    ],
)
def test_bodies_that_are_no_run(
    forest_service: Service, content: bytes, kind: str, status: int
) -> None:
    headers = {"content-type": kind}
    answer = forest_service.client.post("/v1/runs", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert forest_service.client.post("/v1/runs?wait=x", json={}).status_code == 400


def test_cancel_queue_and_shutdown(plain_root: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "kernel.pid"
    hang = {"parameters": {"mode": "hang"}}
    variables = {"PID_FILE": str(pid_file), "MLOPS_RUNS_QUEUE": "1"}
    with serving(plain_root, tmp_path, **variables) as service:
        client = service.client
        first = client.post("/v1/runs", json=hang).json()["id"]
        kernel = int(wait_for(pid_file))
        second = client.post("/v1/runs", json={}).json()
        assert second["state"] == "queued"
        full = client.post("/v1/runs", json={})
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) > 0
        cancelled = client.delete(f"/v1/runs/{second['id']}").json()
        assert cancelled["state"] == "cancelled"
        assert client.get(f"/v1/runs/{first}").json()["cells"]["done"] == 4
        cancelled = client.delete(f"/v1/runs/{first}").json()
        assert cancelled["state"] == "cancelled"
        assert gone(kernel)
        pid_file.unlink()
        client.post("/v1/runs", json=hang)
        kernel = int(wait_for(pid_file))
        assert service.stop() == 0
        assert gone(kernel)
