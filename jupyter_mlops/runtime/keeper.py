"""The supervisor's part of the service: the runs, answered to workers that pass requests on."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import Message

from jupyter_mlops.runtime import answers, run_routes
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.link import Call, Reply
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.runs import Runs
from jupyter_mlops.runtime.settings import Settings

logger = logging.getLogger("mlops")


class Keeper:
    """All runs of a service, whichever worker was asked for them."""

    def __init__(
        self, root: Path, publication: Publication, settings: Settings, metrics: Metrics
    ) -> None:
        self.publication = publication
        self.settings = settings
        self.runs = Runs(
            root,
            publication,
            settings.runs,
            settings.queue,
            lambda state: metrics.runs.add(1, state),
        )
        handlers: Any = {HTTPException: answers.of_http, Exception: answers.of_error}
        self._app = Starlette(routes=run_routes.routes, exception_handlers=handlers)
        self._app.state.keeper = self

    async def answer(self, call: Call) -> Reply:
        """Answer one request."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": call.method,
            "path": call.path,
            "raw_path": call.path.encode(),
            "root_path": "",
            "query_string": call.query,
            "headers": call.headers,
        }
        status, headers, parts = 500, [], []

        messages: list[Message] = [{"type": "http.request", "body": call.body}]

        async def receive() -> Message:
            if not messages:
                # Nobody hangs up: the worker waits for the whole answer.
                await asyncio.Event().wait()
            return messages.pop()

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        try:
            await self._app(scope, receive, send)
        except Exception:
            # Starlette has answered, and raises so that servers log: the supervisor's log has it.
            logger.exception("%s of a run failed.", call.method)
        return Reply(call.number, status, headers, b"".join(parts))
