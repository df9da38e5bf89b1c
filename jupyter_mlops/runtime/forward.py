"""``/v1/runs`` in a worker: passed on to the supervisor, which keeps the runs of all workers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jupyter_mlops.runtime import answers, bodies
from jupyter_mlops.runtime.link import Broken, Caller
from jupyter_mlops.runtime.served import Served

#: More than parameters need, whatever a prediction's body may be.
MAX_BODY = 16 * 1024**2
#: What the answer depends on.
PASSED = (b"content-type", b"idempotency-key")


async def pass_on(request: Request) -> Response:
    """Have the supervisor answer."""
    served: Served = request.app.state.served
    caller: Caller = request.app.state.runs
    limit = min(MAX_BODY, served.settings.body)
    body = await bodies.read(request.scope, request.receive, limit, served.settings.sending)
    headers = [(name, value) for name, value in request.scope["headers"] if name in PASSED]
    try:
        reply = await caller.call(
            request.method, request.scope["path"], request.scope["query_string"], headers, body
        )
    except Broken:
        return answers.problem(503, "The service is about to end.", {"Retry-After": "1"})
    response = Response(reply.body, reply.status)
    response.raw_headers = list(reply.headers)
    return response


_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]
routes = [
    Route("/v1/runs", pass_on, methods=_METHODS),
    Route("/v1/runs/{rest:path}", pass_on, methods=_METHODS),
]
