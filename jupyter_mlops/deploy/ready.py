"""Wait until a service that was just started says that it is ready."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import httpx

from jupyter_mlops.errors import ServiceError

READY_SECONDS = 90.0


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_free(port: int) -> None:
    """Raise ``ServiceError`` when something listens on a port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServiceError(
                f"Port {port} cannot be used",
                why=error.strerror or str(error),
                remedy="Choose another one with --port, or leave it out",
            ) from None


def wait(url: str, alive: Callable[[], bool], log: Callable[[], str]) -> None:
    """Return once the service at ``url`` is ready.

    Raises ``ServiceError`` with the last lines of its log when it ends, or after 90 s.
    """
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while time.monotonic() < deadline:
            if not alive():
                raise _not_ready("It ended", log())
            try:
                answer = client.get(f"{url}/health/ready")
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return
            if answer is not None and (reason := _failed(answer)):
                raise _not_ready(reason, "")
            time.sleep(0.05)
    raise _not_ready(f"It did not answer within {READY_SECONDS:.0f} s", log())


def _failed(answer: httpx.Response) -> str:
    """Return why a service says that it will never be ready, or an empty string."""
    try:
        found = answer.json()
        return str(found.get("message") or "It failed") if found.get("status") == "failed" else ""
    except (ValueError, AttributeError):
        return ""


def _not_ready(why: str, log: str) -> ServiceError:
    tail = "\n".join(f"    {line}" for line in log.strip().splitlines()[-5:])
    return ServiceError(
        "The service did not become ready",
        why=f"{why}. Its last lines were:\n{tail}" if tail else why,
        remedy="Publish again, or look at its whole log",
    )
