"""Whether the service lives and is ready, what it is, and its metrics."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jupyter_mlops.runtime import answers, exposition
from jupyter_mlops.runtime.exposition import CONTENT_TYPE
from jupyter_mlops.runtime.served import Served


async def ping(request: Request) -> Response:
    """Answer as MLflow does: 200 when the model is ready, else 503."""
    is_ready = request.app.state.served.metrics.ready
    return PlainTextResponse("\n", 200 if is_ready else 503)


async def live(request: Request) -> Response:
    """Say that the process answers."""
    return answers.json({"status": "live"})


async def ready(request: Request) -> Response:
    """Say whether every worker has its model and answered the golden rows as the notebook did."""
    served: Served = request.app.state.served
    metrics = served.metrics
    states = metrics.states()
    status, message = served.state, served.message
    if not metrics.ready and status == "ready":
        failed = exposition.FAILED in states
        status = "failed" if failed else "starting"
        message = f"Another worker {'has failed; the log says why' if failed else 'is starting'}."
    value = {
        "status": status,
        "message": message,
        "workers": states.count(exposition.READY),
        "predicts": served.proven,
    }
    return answers.json(value, 200 if metrics.ready else 503)


async def version(request: Request) -> Response:
    """Say what is served, down to the hashes of its weights."""
    served: Served = request.app.state.served
    publication = served.publication
    value: dict[str, Any] = {
        "name": publication.name,
        "title": publication.title,
        "predictor": publication.predictor,
        "models": {each.name: each.sha256 for each in publication.captures},
        "notebook_sha256": publication.notebook_sha256,
        "image_digest": served.settings.digest or None,
        "workers": served.settings.workers,
        "predicts": served.proven,
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
    Route("/health", ping),
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/version", version),
    Route("/metrics", metrics),
]
