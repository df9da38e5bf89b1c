"""What both protocols of prediction share: from checked rows to answers, or one clear refusal."""

from __future__ import annotations

import logging
import math
from typing import Any

from starlette.types import Scope

from jupyter_mlops.runtime.batcher import Busy, Late, Work
from jupyter_mlops.runtime.bodies import Refused, header
from jupyter_mlops.runtime.predictor import Table
from jupyter_mlops.runtime.quick import Numbers, Rows
from jupyter_mlops.runtime.refusal import BadRequest
from jupyter_mlops.runtime.served import Served

logger = logging.getLogger("mlops")
#: Bodies beyond this are read in a thread, so that others are answered meanwhile.
LARGE = 256 * 1024
DEADLINE = b"x-request-timeout-ms"


def check_ready(served: Served) -> None:
    """Raise ``Refused`` where nothing can be predicted, now or at all."""
    if served.state == "ready" and served.predicts:
        return
    if not served.predicts:
        raise Refused(404, "This publication has no predictor; run its notebook at /v1/runs.")
    raise Refused(503, served.message, "starting", Retry_After="1")


def seconds_of(served: Served, scope: Scope) -> float:
    """Return how long the caller wants to wait at most, within the service's own limit."""
    text = header(scope, DEADLINE)
    if not text:
        return served.settings.deadline
    try:
        asked = float(text) / 1000
    except ValueError:
        asked = math.nan
    if not asked > 0:
        raise Refused(400, "X-Request-Timeout-Ms must be a number of milliseconds above 0.", "body")
    return min(asked, served.settings.deadline)


def refused(error: BadRequest) -> Refused:
    """Return what a caller is told of a body that cannot be predicted."""
    return Refused(error.status, str(error), "body")


def work_of(served: Served, table: Table) -> Work:
    """Return what is to be predicted; numbers go the quick way, whatever they came in."""
    reader = served.reader
    array = reader.of_table(table) if reader is not None else None
    if reader is None or array is None:
        return Rows(table)
    return Numbers(array, reader.names)


async def predict(served: Served, work: Work, seconds: float) -> list[Any]:
    """Return the answers to rows that have the right form; raises ``Refused``."""
    if not work.count:
        return []
    try:
        return await served.predict(work, seconds)
    except Busy:
        raise Refused(503, "Too many predictions are waiting.", "queue", Retry_After="1") from None
    except Late:
        raise Refused(504, f"There was no answer within {seconds:g} s.", "deadline") from None
    except MemoryError:
        raise Refused(503, "There is not enough memory for these rows.", "queue") from None
    except Exception as error:
        # The notebook's function may raise anything; what it says may hold the caller's data.
        logger.exception("The predictor failed.")
        raise Refused(
            400, f"The predictor does not take these rows: it raised {type(error).__name__}."
        ) from None
