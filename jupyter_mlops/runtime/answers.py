"""Answers in JSON, and errors in the shape of MLflow's scoring protocol."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE",
    429: "TOO_MANY_REQUESTS",
    503: "UNAVAILABLE",
}


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def problem(
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    problems: list[str] | None = None,
) -> Response:
    """Return an error; it never holds a traceback or what the caller sent."""
    value: dict[str, Any] = {"error_code": CODES.get(status, "INTERNAL_ERROR"), "message": message}
    if problems is not None:
        value["problems"] = problems
    return json(value, status, headers)


async def of_http(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses, such as an unknown path."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, f"{error.detail}.", headers)


async def of_error(request: Request, error: Exception) -> Response:
    """Answer a mistake of ours; Starlette logs its traceback."""
    return problem(500, "The service failed; its log says why.")


class TooLarge(Exception):
    """A body beyond the limit."""


async def body(request: Request, limit: int) -> bytes:
    """Read a body of at most ``limit`` bytes; raises ``TooLarge``."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


async def of_too_large(request: Request, error: Exception) -> Response:
    """Answer a body beyond the limit."""
    limit = request.app.state.served.settings.body
    return problem(413, f"The body is larger than {limit} bytes.", {"Connection": "close"})
