"""The part of a service's OpenAPI description that is the Open Inference Protocol."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.runtime.publication import Publication
from jupyter_mlops.runtime.tensors import DATATYPES

_TEXT = {"type": "string"}
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": _TEXT,
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"enum": list(DATATYPES)},
        "parameters": {"type": "object"},
        "data": {"type": "array"},
    },
}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": _TEXT}}
_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": _TEXT,
        "parameters": {"type": "object"},
        "inputs": {"type": "array", "items": _TENSOR},
        "outputs": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": {"name": _TEXT}},
        },
    },
}
_ANSWER = {
    "type": "object",
    "required": ["model_name", "outputs"],
    "properties": {
        "model_name": _TEXT,
        "model_version": _TEXT,
        "id": _TEXT,
        "outputs": {"type": "array", "items": _TENSOR},
    },
}


def paths(publication: Publication) -> dict[str, Any]:
    """Return the paths of ``/v2`` for this publication's model."""
    model = f"/v2/models/{publication.name.rpartition('/')[2]}"
    errors = {str(code): _json("Why not", _ERROR) for code in (400, 404, 408, 413, 503, 504)}
    told = {
        "/v2": "What serves",
        "/v2/health/live": "Whether the process answers",
        "/v2/health/ready": "Whether the model is loaded and checked",
        model: "The model's inputs and outputs",
        f"{model}/ready": "Whether the model is ready",
    }
    infer = {
        "summary": "Predict tensors",
        "description": "The Open Inference Protocol: one tensor [rows, columns], or one of each "
        "column.",
        "operationId": "infer",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST}}},
        "responses": {"200": _json("Predictions", _ANSWER), **errors},
    }
    status = {
        path: {"get": {"summary": text, "responses": {"200": {"description": text}}}}
        for path, text in told.items()
    }
    return {f"{model}/infer": {"post": infer}, **status}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
