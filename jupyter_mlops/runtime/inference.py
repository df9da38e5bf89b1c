"""The Open Inference Protocol, version 2 over REST: ``/v2``.

A model is called by the publication's name or the last part of it; its version is the start of
the notebook's SHA-256.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope

from jupyter_mlops.capture.models import Column
from jupyter_mlops.runtime import answers, bodies, predictions, tensors
from jupyter_mlops.runtime.batcher import Work
from jupyter_mlops.runtime.bodies import Refused
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.reading import checked
from jupyter_mlops.runtime.refusal import BadRequest
from jupyter_mlops.runtime.served import Served

PREFIX = "/v2/models/"
PLATFORM = "jupyter-mlops"
NO_MODEL = "There is no such model here; /v2 names the one that is."


def version_of(publication: Publication) -> str:
    """Return the version that the protocol tells."""
    return publication.notebook_sha256[:12]


def names_of(publication: Publication) -> tuple[str, str]:
    """Return the names of the model: short and whole."""
    return publication.name.rpartition("/")[2], publication.name


def verb(path: str, publication: Publication) -> str | None:
    """Return what a path asks of the model (empty: its metadata); None for another model."""
    rest = path.removeprefix(PREFIX)
    for name in names_of(publication):
        if rest != name and not rest.startswith(f"{name}/"):
            continue
        words = [word for word in rest.removeprefix(name).split("/") if word]
        if words[:1] == ["versions"]:
            if words[1:2] != [version_of(publication)]:
                continue
            words = words[2:]
        if len(words) <= 1:
            return words[0] if words else ""
    return None


async def infer(served: Served, scope: Scope, receive: Receive) -> dict[str, Any]:
    """Predict the rows of a request's tensors; raises ``bodies.Refused``."""
    if verb(scope["path"], served.publication) != "infer":
        raise Refused(404, NO_MODEL)
    predictions.check_ready(served)
    seconds = predictions.seconds_of(served, scope)
    settings = served.settings
    body = await bodies.read(scope, receive, settings.body, settings.sending)
    if bodies.header(scope, b"inference-header-content-length"):
        raise Refused(400, "Binary data is not understood; send data as JSON.", "body")
    kind = bodies.header(scope, b"content-type").partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise Refused(415, "The content type must be application/json.", "body")
    try:
        if len(body) > predictions.LARGE:
            asked, work = await asyncio.to_thread(_read, served, body)
        else:
            asked, work = _read(served, body)
    except BadRequest as error:
        raise predictions.refused(error) from None
    found = await predictions.predict(served, work, seconds)
    return _told(served.publication, asked, found)


def _read(served: Served, body: bytes) -> tuple[tensors.Request, Work]:
    try:
        asked = msgspec.json.decode(body, type=tensors.Request)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest([f"The body cannot be read: {error}."]) from None
    except RecursionError:
        raise BadRequest(["The body is nested too deeply."]) from None
    signature = served.publication.signature
    table = checked(tensors.table_of(asked.inputs, signature), signature)
    return asked, predictions.work_of(served, table)


def _told(publication: Publication, asked: tensors.Request, found: list[Any]) -> dict[str, Any]:
    columns = publication.signature.outputs if publication.signature is not None else []
    outputs = tensors.outputs(found, columns)
    if asked.outputs:
        by_name = {output["name"]: output for output in outputs}
        names = [wanted.name for wanted in asked.outputs]
        if not set(names) <= set(by_name):
            raise Refused(400, f"Unknown outputs. The outputs are: {', '.join(by_name)}.", "body")
        outputs = [by_name[name] for name in names]
    answer = {
        "model_name": names_of(publication)[0],
        "model_version": version_of(publication),
        "outputs": outputs,
    }
    return answer if asked.id is None else {**answer, "id": asked.id}


async def server(request: HttpRequest) -> Response:
    """Say what serves."""
    served: Served = request.app.state.served
    try:
        version = importlib.metadata.version("jupyter_mlops")
    except importlib.metadata.PackageNotFoundError:
        version = served.publication.generator.rpartition(" ")[2] or "unknown"
    return answers.json({"name": PLATFORM, "version": version, "extensions": []})


async def live(request: HttpRequest) -> Response:
    """Say that the process answers."""
    return answers.json({"live": True})


async def ready(request: HttpRequest) -> Response:
    """Say whether the service is ready: by the status, and in both words that clients look for."""
    is_ready = request.app.state.served.metrics.ready
    return answers.json({"live": True, "ready": is_ready}, 200 if is_ready else 503)


async def model(request: HttpRequest) -> Response:
    """Describe the model, or say whether it is ready."""
    served: Served = request.app.state.served
    publication = served.publication
    asked = verb(request.scope["path"], publication)
    if asked == "ready" and served.predicts:
        is_ready = served.metrics.ready
        value = {"name": names_of(publication)[0], "ready": is_ready}
        return answers.json(value, 200 if is_ready else 503)
    if asked != "" or not served.predicts:
        return answers.json({"error": NO_MODEL}, 404)
    signature = publication.signature
    inputs = signature.inputs if signature is not None else []
    outputs = signature.outputs if signature is not None else []
    return answers.json(
        {
            "name": names_of(publication)[0],
            "versions": [version_of(publication)],
            "platform": PLATFORM,
            "inputs": [_column(column) for column in inputs],
            "outputs": [_column(column) for column in outputs],
        }
    )


def _column(column: Column) -> dict[str, Any]:
    return {"name": column.name, "datatype": tensors.datatype(column), "shape": [-1]}


routes = [
    Route("/v2", server),
    Route("/v2/health/live", live),
    Route("/v2/health/ready", ready),
    Route("/v2/models/{rest:path}", model),
]
