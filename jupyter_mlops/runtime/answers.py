"""Answers in JSON, and errors in the shape of MLflow's scoring protocol."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jupyter_mlops.runtime.bodies import CODES, Refused


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
    value: dict[str, Any] = error(status, message)
    if problems is not None:
        value["problems"] = problems
    return json(value, status, headers)


def error(status: int, message: str) -> dict[str, Any]:
    """Return an error's JSON in the shape of MLflow's scoring protocol."""
    return {"error_code": CODES.get(status, "INTERNAL_ERROR"), "message": message}


async def of_http(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses, such as an unknown path."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, f"{error.detail}.", headers)


async def of_error(request: Request, error: Exception) -> Response:
    """Answer a mistake of ours; Starlette logs its traceback."""
    return problem(500, "The service failed; its log says why.")


async def of_refused(request: Request, error: Exception) -> Response:
    """Answer a request that is refused before it reaches its endpoint's own words."""
    assert isinstance(error, Refused)
    return problem(error.status, error.message, error.headers)
