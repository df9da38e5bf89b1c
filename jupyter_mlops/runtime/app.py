"""The service's application: what is measured and asked for its token, and where it goes.

Predictions do not go through Starlette: they are most of the requests, and a routing table, a
request object and two middlewares cost more than a small model.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from jupyter_mlops.runtime import (
    answers,
    bodies,
    forward,
    health,
    inference,
    invocations,
    openapi,
    page,
)
from jupyter_mlops.runtime.bodies import Gone, Refused
from jupyter_mlops.runtime.exposition import CODES, ENDPOINTS
from jupyter_mlops.runtime.guard import Guard
from jupyter_mlops.runtime.link import Caller
from jupyter_mlops.runtime.served import Served

ROUTES = [
    *page.routes,
    *forward.routes,
    *health.routes,
    *inference.routes,
    *openapi.routes,
]
Predict = Callable[[Served, Scope, Receive], Awaitable[dict[str, Any]]]
INFER = "/v2/models/infer"
logger = logging.getLogger("mlops")


class Application:
    """What uvicorn calls for every request."""

    def __init__(self, served: Served, runs: Caller) -> None:
        self.served = served
        self._metrics = served.metrics
        self._guard = Guard(served.settings.token)
        self._rest = _rest(served, runs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        endpoint = endpoint_of(scope["path"])
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        self._metrics.in_progress.add(1)
        try:
            await self._answer(endpoint, scope, receive, watched)
        finally:
            self._metrics.in_progress.add(-1)
            code = str(status)
            self._metrics.duration.observe(
                time.perf_counter() - start, endpoint, code if code in CODES else "other"
            )

    async def _answer(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._guard.admits(scope):
            self._metrics.rejected.add(1, "token")
            await self._guard.refusal(scope)(scope, receive, send)
        elif endpoint == "/invocations":
            await self._predict(invocations.invoke, answers.error, scope, receive, send)
        elif endpoint == INFER:
            await self._predict(inference.infer, _error, scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _predict(
        self,
        predict: Predict,
        told: Callable[[int, str], dict[str, str]],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Send what was predicted, or why not, in the words of the protocol."""
        headers: dict[str, str] | None = None
        try:
            if scope["method"] != "POST":
                raise Refused(405, "Method Not Allowed.", Allow="POST")
            status, value = 200, await predict(self.served, scope, receive)
        except Refused as error:
            if error.reason:
                self._metrics.rejected.add(1, error.reason)
            status, headers = error.status, error.headers
            value = told(status, error.message)
        except Gone:
            return
        except Exception:
            logger.exception("The service failed.")
            status, value = 500, told(500, "The service failed; its log says why.")
        await bodies.send_json(send, status, value, headers)


def _error(status: int, message: str) -> dict[str, str]:
    return {"error": message}


def endpoint_of(path: str) -> str:
    """Return a label from a small fixed set: callers must not make new series."""
    if path in ENDPOINTS:
        return path
    if path.startswith("/v1/runs"):
        return "/v1/runs"
    if path.startswith("/v2"):
        return INFER if path.startswith(inference.PREFIX) and path.endswith("/infer") else "/v2"
    return "other"


def _rest(served: Served, runs: Caller) -> Starlette:
    """Make the application of everything but predictions."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        starting = asyncio.create_task(served.start())
        try:
            yield
        finally:
            starting.cancel()
            await served.stop()

    app = Starlette(
        routes=ROUTES,
        exception_handlers={
            HTTPException: answers.of_http,
            Refused: answers.of_refused,
            Exception: answers.of_error,
        },
        lifespan=lifespan,
    )
    app.state.served = served
    app.state.runs = runs
    return app
