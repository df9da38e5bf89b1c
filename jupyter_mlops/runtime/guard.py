"""What stands before every endpoint: the token, and the metrics."""

from __future__ import annotations

import hmac
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jupyter_mlops.runtime import answers
from jupyter_mlops.runtime.served import Served

# What a probe must reach without a secret.
OPEN = ("/ping", "/health/live", "/health/ready")
NAMED = (
    "/",
    "/invocations",
    "/metrics",
    "/openapi.json",
    "/version",
    *OPEN,
)


class Guard:
    """Refuses requests without the token, where one is set."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self._expected = f"Bearer {token}".encode() if token else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] != "http" or not self._expected or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        given = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if hmac.compare_digest(given, self._expected):
            await self.app(scope, receive, send)
            return
        response = answers.problem(
            401,
            "Send the service's token: `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": "Bearer"},
        )
        await response(scope, receive, send)


class Measure:
    """Counts requests and how long they take."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self.app = app
        self.metrics = served.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and measure it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        code = "500"

        async def watch(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
            await send(message)

        start = time.perf_counter()
        self.metrics.in_progress.add(1)
        try:
            await self.app(scope, receive, watch)
        finally:
            self.metrics.in_progress.add(-1)
            seconds = time.perf_counter() - start
            self.metrics.duration.observe(seconds, endpoint=_endpoint(scope["path"]), code=code)


def _endpoint(path: str) -> str:
    """Return a label from a small fixed set: callers must not make new series."""
    if path in NAMED:
        return path
    return "/v1/runs" if path.startswith("/v1/runs") else "other"
