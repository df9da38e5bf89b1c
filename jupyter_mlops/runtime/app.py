"""The service's application: a list of routes, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from jupyter_mlops.runtime import answers, health, invocations, openapi, page, run_routes
from jupyter_mlops.runtime.guard import Guard, Measure
from jupyter_mlops.runtime.served import Served

ROUTES = [
    *page.routes,
    *invocations.routes,
    *run_routes.routes,
    *health.routes,
    *openapi.routes,
]


def make(served: Served) -> Starlette:
    """Make the application of one service."""

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
        middleware=[
            Middleware(Measure, served=served),
            Middleware(Guard, token=served.settings.token),
        ],
        exception_handlers={
            HTTPException: answers.of_http,
            answers.TooLarge: answers.of_too_large,
            Exception: answers.of_error,
        },
        lifespan=lifespan,
    )
    app.state.served = served
    return app
