"""Whether the service lives and is ready, what it is, and its metrics."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jupyter_mlops.runtime import answers
from jupyter_mlops.runtime.exposition import CONTENT_TYPE
from jupyter_mlops.runtime.served import Served


async def ping(request: Request) -> Response:
    """Answer as MLflow does: 200 when the model is ready, else 503."""
    ready = request.app.state.served.state == "ready"
    return PlainTextResponse("\n", 200 if ready else 503)


async def live(request: Request) -> Response:
    """Say that the process answers."""
    return answers.json({"status": "live"})


async def ready(request: Request) -> Response:
    """Say whether the model is loaded and answered its golden rows exactly."""
    served: Served = request.app.state.served
    status = 200 if served.state == "ready" else 503
    return answers.json({"status": served.state, "message": served.message}, status)


async def version(request: Request) -> Response:
    """Say what is served, down to the hashes of its weights."""
    served: Served = request.app.state.served
    publication = served.publication
    value: dict[str, Any] = {
        "name": publication.name,
        "title": publication.title,
        "predictor": publication.predictor,
        "models": {each.name: each.sha256 for each in publication.captures},
        "image_digest": served.settings.digest or None,
        "verified": publication.verified,
        "generator": publication.generator,
    }
    return answers.json(value)


async def metrics(request: Request) -> Response:
    """Return the metrics for Prometheus."""
    text = request.app.state.served.metrics.text()
    return Response(text, media_type=CONTENT_TYPE)


routes = [
    Route("/ping", ping),
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/version", version),
    Route("/metrics", metrics),
]
