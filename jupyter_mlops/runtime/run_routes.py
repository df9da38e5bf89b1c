"""Running the notebook with parameters: ``/v1/runs``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from jupyter_mlops.runtime import answers
from jupyter_mlops.runtime.parameters import ParameterProblems
from jupyter_mlops.runtime.runs import ENDED, KeyTaken, QueueFull, Run

if TYPE_CHECKING:
    from jupyter_mlops.runtime.keeper import Keeper

MAX_WAIT = 300.0
NOT_FOUND = "There is no such run; the service may have forgotten it."


class RunBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/runs``; ``timeout_s`` is in seconds for the whole run."""

    parameters: dict[str, Any] = {}
    idempotency_key: str | None = None
    timeout_s: float | None = None


async def create(request: Request) -> Response:
    """Queue a run: 202 and its location; with ``?wait=SECONDS`` the answer comes when it ended."""
    keeper: Keeper = request.app.state.keeper
    # A form of another site can post texts, but not this type.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return answers.problem(415, "The content type must be application/json.")
    wait = _wait(request)
    if wait is None:
        return answers.problem(400, f"wait must be a number of seconds from 0 to {MAX_WAIT:g}.")
    body = await request.body()
    try:
        asked = msgspec.json.decode(body or b"{}", type=RunBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return answers.problem(400, f"The body cannot be read: {error}.")
    except RecursionError:
        return answers.problem(400, "The body is nested too deeply.")
    if asked.timeout_s is not None and not asked.timeout_s > 0:
        return answers.problem(422, "timeout_s must be more than 0.")
    key = request.headers.get("idempotency-key") or asked.idempotency_key
    try:
        run = keeper.runs.create(asked.parameters, key, asked.timeout_s)
    except ParameterProblems as error:
        return answers.problem(422, str(error), problems=error.problems)
    except QueueFull:
        return answers.problem(429, "Too many runs are waiting.", {"Retry-After": "10"})
    except KeyTaken:
        return answers.problem(409, "The idempotency key belongs to other parameters.")
    return await _answer(keeper, run, wait, status=202)


async def show(request: Request) -> Response:
    """Return one run; ``?wait=SECONDS`` waits for its end."""
    keeper: Keeper = request.app.state.keeper
    run = keeper.runs.get(request.path_params["id"])
    if run is None:
        return answers.problem(404, NOT_FOUND)
    wait = _wait(request)
    if wait is None:
        return answers.problem(400, f"wait must be a number of seconds from 0 to {MAX_WAIT:g}.")
    return await _answer(keeper, run, wait, status=200)


async def _answer(keeper: Keeper, run: Run, wait: float, status: int) -> Response:
    if wait and run.state not in ENDED:
        await keeper.runs.wait(run.id, wait)
    location = f"/v1/runs/{run.id}"
    headers = {"Location": location} if status == 202 else {}
    if status == 202 and run.state in ENDED:
        status = 200
    return answers.json((keeper.runs.get(run.id) or run).shown(), status, headers)


async def every(request: Request) -> Response:
    """Return all runs that the service still knows, newest first."""
    keeper: Keeper = request.app.state.keeper
    return answers.json({"runs": [run.shown() for run in keeper.runs.list()]})


async def notebook(request: Request) -> Response:
    """Return the executed notebook."""
    keeper: Keeper = request.app.state.keeper
    run = keeper.runs.get(request.path_params["id"])
    if run is None:
        return answers.problem(404, NOT_FOUND)
    if not run.output.exists():
        return answers.problem(404, f"The run is {run.state}: it has no executed notebook.")
    name = f"{keeper.publication.name.rpartition('/')[2] or 'notebook'}-{run.id[:8]}.ipynb"
    return FileResponse(run.output, media_type="application/x-ipynb+json", filename=name)


async def delete(request: Request) -> Response:
    """Cancel a run that goes on; forget one that has ended."""
    keeper: Keeper = request.app.state.keeper
    run = keeper.runs.get(request.path_params["id"])
    if run is None:
        return answers.problem(404, NOT_FOUND)
    if run.state in ENDED:
        keeper.runs.forget(run)
        return Response(status_code=204)
    await keeper.runs.cancel(run)
    return answers.json(run.shown())


def _wait(request: Request) -> float | None:
    text = request.query_params.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, MAX_WAIT)


routes = [
    Route("/v1/runs", create, methods=["POST"]),
    Route("/v1/runs", every, methods=["GET"]),
    Route("/v1/runs/{id}", show, methods=["GET"]),
    Route("/v1/runs/{id}", delete, methods=["DELETE"]),
    Route("/v1/runs/{id}/notebook", notebook, methods=["GET"]),
]
