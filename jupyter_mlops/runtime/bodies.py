"""Reads request bodies with limits of size and time, and sends whole answers."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE",
    429: "TOO_MANY_REQUESTS",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
JSON = (b"content-type", b"application/json")


class Refused(Exception):
    """A request that is not answered as asked: status, one sentence, and why it is counted."""

    def __init__(self, status: int, message: str, reason: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Gone(Exception):
    """The caller went away before the body was there."""


def header(scope: Scope, name: bytes) -> str:
    """Return a header's text; empty where it is not sent."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def read(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes:
    """Return a request's body; raises ``Refused`` beyond ``limit`` bytes or ``seconds``."""
    announced = header(scope, b"content-length")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _all(receive, limit)
    except TimeoutError:
        raise Refused(
            408, f"The body did not arrive within {seconds:g} s.", "slow", connection="close"
        ) from None


async def _all(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return b"".join([*parts, part]) if parts else part
        parts.append(part)


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The body is larger than {limit} bytes.", "size", connection="close")


async def send_json(
    send: Send, status: int, value: Any, headers: dict[str, str] | None = None
) -> None:
    """Send a whole answer in JSON."""
    body = msgspec.json.encode(value)
    sent = [JSON, (b"content-length", b"%d" % len(body))]
    if headers:
        sent += [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
