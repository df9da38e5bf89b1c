"""The OpenAPI description of one service, from its signature and its parameters."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jupyter_mlops.capture.models import Column, Golden, Signature
from jupyter_mlops.runtime import answers, openapi_inference
from jupyter_mlops.runtime.bodies import CODES
from jupyter_mlops.runtime.parameters import json_schema
from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.served import Served

ERROR = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {
        "error_code": {"type": "string"},
        "message": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "string"}},
    },
}


async def document(request: Request) -> Response:
    """Return the description as JSON."""
    served: Served = request.app.state.served
    described = describe(served.publication, served.golden, bool(served.settings.token))
    return answers.json(described)


def describe(publication: Publication, golden: Golden | None, token: bool) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a service."""
    paths = {**_run_paths(publication), **_status_paths()}
    if publication.predictor.kind != "none":
        predict = {"/invocations": _invocations(publication.signature, golden)}
        paths = {**predict, **openapi_inference.paths(publication), **paths}
    schemes = {"token": {"type": "http", "scheme": "bearer"}} if token else {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": publication.title or publication.name,
            "description": publication.description,
            "version": publication.notebook_sha256[:12],
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Error": ERROR,
                "Run": _run_schema(),
                "Parameters": json_schema(publication.parameters),
            },
            "securitySchemes": schemes,
        },
        "security": [{"token": []}] if token else [],
    }


def _invocations(signature: Signature | None, golden: Golden | None) -> dict[str, Any]:
    known = signature is not None and bool(signature.inputs)
    row = row_schema(signature.inputs) if known and signature is not None else {"type": "object"}
    values: dict[str, Any] = {"type": "array"}
    if known and signature is not None:
        values["prefixItems"] = [column_schema(column) for column in signature.inputs]
    forms = {
        "dataframe_records": {"type": "array", "items": row},
        "dataframe_split": {
            "type": "object",
            "required": ["columns", "data"],
            "properties": {
                "columns": {"type": "array", "items": {"type": "string"}},
                "index": {"type": "array"},
                "data": {"type": "array", "items": values},
            },
        },
        "instances": {"type": "array", "items": {"anyOf": [row, values, {}]}},
        "inputs": {"type": ["object", "array"]},
    }
    params = {"params": {"type": "object", "description": "Further arguments of the function."}}
    one_of = [
        {"type": "object", "required": [key], "properties": {key: schema, **params}}
        for key, schema in forms.items()
    ]
    body: dict[str, Any] = {"schema": {"oneOf": one_of}}
    sample = sample_request(signature, golden)
    if sample is not None:
        body["example"] = sample
    item = column_schema(signature.outputs[0]) if signature and signature.outputs else {}
    many = signature is not None and len(signature.outputs) > 1
    answer = {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array", "items": {} if many else item}},
    }
    return {
        "post": {
            "summary": "Predict rows",
            "description": "MLflow's scoring protocol. Rows in messages count from 1.",
            "operationId": "invoke",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": body,
                    "text/csv": {"schema": {"type": "string"}},
                    "application/vnd.apache.parquet": {},
                },
            },
            "responses": {
                "200": _json("Predictions", answer),
                **_errors(400, 408, 413, 415, 503, 504),
            },
        }
    }


def sample_request(signature: Signature | None, golden: Golden | None) -> dict[str, Any] | None:
    """Return a body of one golden row that the service accepts, if there is one."""
    if signature is None or golden is None or not golden.inputs:
        return None
    if signature.rows == "any" and len(signature.inputs) == 1:
        return {"instances": [golden.inputs[0][0]]}
    if signature.rows == "array":
        return {"instances": [golden.inputs[0]]}
    names = [column.name for column in signature.inputs]
    return {"dataframe_records": [dict(zip(names, golden.inputs[0], strict=True))]}


def row_schema(columns: list[Column]) -> dict[str, Any]:
    """Return the JSON Schema of one row as an object."""
    return {
        "type": "object",
        "required": [column.name for column in columns if column.required],
        "properties": {column.name: column_schema(column) for column in columns},
        "additionalProperties": False,
    }


def column_schema(column: Column) -> dict[str, Any]:
    """Return the JSON Schema of one value."""
    if column.dtype == "category" and column.categories is not None:
        values = list(column.categories)
        return {"enum": values if column.required else [*values, None]}
    kinds = (
        ("float", "number"),
        ("int", "integer"),
        ("uint", "integer"),
        ("bool", "boolean"),
        ("str", "string"),
        ("datetime", "string"),
    )
    kind = next((kind for start, kind in kinds if column.dtype.lower().startswith(start)), None)
    if kind is None:
        return {}
    return {"type": kind if column.required else [kind, "null"]}


def _run_paths(publication: Publication) -> dict[str, Any]:
    run = {"$ref": "#/components/schemas/Run"}
    identifier = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    wait = {
        "name": "wait",
        "in": "query",
        "description": "Seconds to wait for the run's end.",
        "schema": {"type": "number", "minimum": 0, "maximum": 300, "default": 0},
    }
    body = {
        "type": "object",
        "properties": {
            "parameters": {"$ref": "#/components/schemas/Parameters"},
            "idempotency_key": {"type": ["string", "null"]},
            "timeout_s": {"type": ["number", "null"], "exclusiveMinimum": 0},
        },
        "additionalProperties": False,
    }
    listed = {"type": "object", "properties": {"runs": {"type": "array", "items": run}}}
    return {
        "/v1/runs": {
            "post": {
                "summary": "Run the notebook with parameters",
                "operationId": "createRun",
                "parameters": [wait],
                "requestBody": {"content": {"application/json": {"schema": body}}},
                "responses": {
                    "202": _json("The run is queued; its location is in the headers", run),
                    "200": _json("The run ended while the caller waited", run),
                    **_errors(400, 409, 413, 415, 422, 429),
                },
            },
            "get": {
                "summary": "List the runs",
                "operationId": "listRuns",
                "responses": {"200": _json("The runs, newest first", listed)},
            },
        },
        "/v1/runs/{id}": {
            "parameters": identifier,
            "get": {
                "summary": "Describe a run",
                "operationId": "describeRun",
                "parameters": [wait],
                "responses": {"200": _json("The run", run), **_errors(404)},
            },
            "delete": {
                "summary": "Cancel a run, or forget an ended one",
                "operationId": "deleteRun",
                "responses": {
                    "200": _json("The cancelled run", run),
                    "204": {"description": "The run is forgotten"},
                    **_errors(404),
                },
            },
        },
        "/v1/runs/{id}/notebook": {
            "parameters": identifier,
            "get": {
                "summary": "The executed notebook",
                "operationId": "runNotebook",
                "responses": {
                    "200": {
                        "description": "The notebook",
                        "content": {"application/x-ipynb+json": {"schema": {"type": "object"}}},
                    },
                    **_errors(404),
                },
            },
        },
    }


def _run_schema() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "state": {"enum": ["queued", "running", "succeeded", "failed", "cancelled"]},
            "parameters": {"type": "object"},
            "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
            "error": {"type": ["object", "null"]},
            "cells": {"type": "object"},
            "created": text,
            "started": text,
            "ended": text,
            "notebook": text,
        },
    }


def _status_paths() -> dict[str, Any]:
    told = {
        "/ping": "Whether the model is ready",
        "/health/live": "Whether the process answers",
        "/health/ready": "Whether the model is loaded and checked",
        "/version": "What is served",
        "/metrics": "Metrics for Prometheus",
    }
    return {
        path: {"get": {"summary": text, "responses": {"200": {"description": text}}}}
        for path, text in told.items()
    }


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(*codes: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    names = {code: CODES[code].replace("_", " ").capitalize() for code in codes}
    return {str(code): _json(name, schema) for code, name in names.items()}


routes = [Route("/openapi.json", document)]
