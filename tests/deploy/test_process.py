from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops import cli
from jupyter_mlops.deploy import models, process, ready
from jupyter_mlops.deploy.models import Service
from jupyter_mlops.errors import NotFoundError, ServiceError

# Plays the runtime: `python -m jupyter_mlops.runtime serve --root R --host H --port P`.
SERVER = """
import http.server, signal, sys
if "FAIL" in sys.argv[3]:
    sys.exit("the weights are damaged")
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *a): pass
if "DEAF" in sys.argv[3]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1])), Ready).serve_forever()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path))
    return tmp_path


def service(home: Path, port: int) -> Service:
    return Service(
        id="abc123",
        reference="oci:x",
        digest="sha256:0",
        name="x",
        url=f"http://127.0.0.1:{port}",
        with_="process",
        state="starting",
        started="2026-01-01T00:00:00+00:00",
        log=str(home / "services" / "abc123.log"),
    )


def start(home: Path, root: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    script = home / "server.py"
    script.write_text(SERVER)
    folder = home / root
    folder.mkdir(exist_ok=True)
    real = process.command

    def command(python: Path, root: Path, port: int) -> list[str]:
        head, _, _, *rest = real(python, root, port)
        return [head, str(script), *rest]

    monkeypatch.setattr(process, "command", command)
    port = ready.free_port()
    made = service(home, port)
    pid, born = process.start(made, Path(sys.executable), folder, {}, port)
    return msgspec.structs.replace(made, pid=pid, born=born, state="ready")


def test_a_service_starts_is_known_and_stops(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = start(home, "good", monkeypatch)
    models.save(running)
    assert models.load_all() == [running]
    assert process.alive(running)
    assert (home / "services" / "abc123.json").stat().st_mode & 0o777 == 0o600
    process.stop(running)
    assert not process.alive(running)


def test_a_deaf_one_is_killed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS", 0.3)
    running = start(home, "DEAF", monkeypatch)
    process.stop(running)
    deadline = time.monotonic() + 5
    while process.alive(running) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not process.alive(running)


def test_another_process_with_the_same_pid_is_left_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start(home, "good", monkeypatch)
    impostor = msgspec.structs.replace(running, born=(running.born or 0) - 1)
    assert not process.alive(impostor)
    process.stop(impostor)
    assert process.alive(running)
    process.stop(running)


def test_one_that_ends_says_its_last_lines(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServiceError, match="the weights are damaged"):
        start(home, "FAIL", monkeypatch)
    assert models.load_all() == []


def test_a_port_in_use(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {port} cannot be used"):
            ready.check_free(port)


@pytest.mark.parametrize("name", ["nothere", "../../etc/passwd", ""])
def test_records_that_are_not_there(home: Path, name: str) -> None:
    with pytest.raises(NotFoundError):
        models.load(name)


def test_what_a_service_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = service(home, 1)
    models.save(made)
    Path(made.log).write_text(
        "".join(f"line {number}\n" for number in range(300)) + "\x1b[31mred\n"
    )
    assert cli.main(["logs", made.id, "--lines", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["line 298", "line 299"]
    assert cli.main(["logs", made.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["log"].count("\n") == 100
    Path(made.log).unlink()
    assert cli.main(["logs", made.id]) == ServiceError.exit_code
    assert cli.main(["logs", "gone"]) == NotFoundError.exit_code
