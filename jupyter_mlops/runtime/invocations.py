"""MLflow's scoring protocol: ``POST /invocations``.

Source of the protocol: ``mlflow/pyfunc/scoring_server`` of MLflow 3. Unlike there, an error
tells neither tracebacks nor the data that was sent.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jupyter_mlops.runtime import answers
from jupyter_mlops.runtime.reading import BadRequest, read
from jupyter_mlops.runtime.served import Busy, Served

logger = logging.getLogger("mlops")


async def invoke(request: Request) -> Response:
    """Predict rows."""
    served: Served = request.app.state.served
    if not served.predicts:
        return answers.problem(
            404, "This publication has no predictor; run its notebook at /v1/runs."
        )
    if served.state != "ready":
        return answers.problem(503, served.message, {"Retry-After": "1"})
    body = await answers.body(request, served.settings.body)
    signature = served.publication.signature
    try:
        table = read(request.headers.get("content-type", ""), body, signature)
    except BadRequest as error:
        return answers.problem(error.status, str(error))
    try:
        predictions = await served.predict(table)
    except Busy:
        return answers.problem(503, "Too many predictions are waiting.", {"Retry-After": "1"})
    except MemoryError:
        return answers.problem(503, "There is not enough memory for these rows.")
    except Exception as error:
        # The notebook's function may raise anything; what it says may hold the caller's data.
        logger.exception("The predictor failed.")
        return answers.problem(
            422, f"The predictor does not take these rows: it raised {type(error).__name__}."
        )
    return answers.json({"predictions": predictions})


routes = [Route("/invocations", invoke, methods=["POST"])]
