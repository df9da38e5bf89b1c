"""MLflow's scoring protocol: ``POST /invocations``.

Source of the protocol: ``mlflow/pyfunc/scoring_server`` of MLflow 3. Unlike there, an error
tells neither tracebacks nor the data that was sent.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope

from jupyter_mlops.runtime import bodies, predictions
from jupyter_mlops.runtime.batcher import Work
from jupyter_mlops.runtime.quick import Numbers
from jupyter_mlops.runtime.reading import read
from jupyter_mlops.runtime.refusal import BadRequest
from jupyter_mlops.runtime.served import Served

_JSON = "application/json"
PLAIN_JSON = (_JSON, f"{_JSON}; charset=utf-8", f"{_JSON};charset=utf-8")


async def invoke(served: Served, scope: Scope, receive: Receive) -> dict[str, Any]:
    """Predict rows; raises ``bodies.Refused``."""
    predictions.check_ready(served)
    seconds = predictions.seconds_of(served, scope)
    settings = served.settings
    body = await bodies.read(scope, receive, settings.body, settings.sending)
    kind = bodies.header(scope, b"content-type")
    try:
        if len(body) > predictions.LARGE:
            work = await asyncio.to_thread(_read, served, kind, body)
        else:
            work = _read(served, kind, body)
    except BadRequest as error:
        raise predictions.refused(error) from None
    return {"predictions": await predictions.predict(served, work, seconds)}


def _read(served: Served, kind: str, body: bytes) -> Work:
    reader = served.reader
    if reader is not None and kind.lower() in PLAIN_JSON:
        array = reader.read(body)
        if array is not None:
            return Numbers(array, reader.names)
    signature = served.publication.signature
    table = read(kind, body, signature, served.params, served.settings.body)
    return predictions.work_of(served, table)
