"""Tensors of the Open Inference Protocol: rows from them, and answers as them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import prod
from typing import Any

import msgspec

from jupyter_mlops.capture.models import Column, Signature
from jupyter_mlops.runtime.predictor import Table
from jupyter_mlops.runtime.refusal import BadRequest

WHOLE = {f"{sign}INT{bits}": (sign, bits) for sign in ("", "U") for bits in (8, 16, 32, 64)}
PACKED = {"FP16": "e", "FP32": "f", "FP64": "d"}
DATATYPES = ("BOOL", *WHOLE, *PACKED, "BYTES")
_OF_DTYPE = {
    **{name.lower(): name for name in WHOLE},
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "bool": "BOOL",
}
MAX_DEPTH = 8


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a request."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] | None = None
    data: list[Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One output that a request asks for."""

    name: str
    parameters: dict[str, Any] | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an inference request."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Wanted] | None = None


def datatype(column: Column) -> str:
    """Return the datatype that tells a column's values."""
    return _OF_DTYPE.get(column.dtype.lower(), "BYTES")


def table_of(inputs: Sequence[Tensor], signature: Signature | None) -> Table:
    """Return the rows of a request: of one tensor ``[N, F]``, or of one for each column.

    Raises ``BadRequest``.
    """
    if not inputs:
        raise BadRequest(["inputs must hold at least one tensor."])
    names = [column.name for column in signature.inputs] if signature is not None else []
    given = [tensor.name for tensor in inputs]
    if len(set(given)) != len(given):
        raise BadRequest(["Two inputs have the same name."])
    known = set(names)
    if len(inputs) == 1 and (len(inputs[0].shape) == 2 or given[0] not in known):
        return _rows(inputs[0], names)
    columns = [_column(number, tensor) for number, tensor in enumerate(inputs, start=1)]
    if len({len(column) for column in columns}) > 1:
        raise BadRequest(
            ["The inputs must have the same number of rows (the first number of their shapes)."]
        )
    return Table(rows=[list(row) for row in zip(*columns, strict=True)], columns=given)


def _rows(tensor: Tensor, names: list[str]) -> Table:
    values = _values(1, tensor)
    shape = tensor.shape
    if len(shape) == 1:
        # A list of values is one column, or one row of all columns where there are several.
        width = 1 if len(names) <= 1 else len(names)
        if len(values) != width and width > 1:
            raise BadRequest([f"The shape must be [rows, {width}], or one input for each column."])
        shape = [len(values) // width, width]
    if len(shape) != 2:
        raise BadRequest(["The shape of a single input must be [rows, columns]."])
    count, width = shape
    if names and width != len(names):
        raise BadRequest([f"The shape has {width} columns, but there are {len(names)}."])
    rows = [values[at * width : (at + 1) * width] for at in range(count)]
    single = len(names) == 1 and tensor.name == names[0]
    return Table(rows=rows, columns=names or None if not single else names)


def _column(number: int, tensor: Tensor) -> list[Any]:
    shape = tensor.shape
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):
        raise BadRequest([f"Input {number}: the shape of a column must be [rows] or [rows, 1]."])
    return _values(number, tensor)


def _values(number: int, tensor: Tensor) -> list[Any]:
    """Return the values of a tensor, row after row, as its datatype has them."""
    where = f"Input {number}"
    if tensor.parameters and "binary_data_size" in tensor.parameters:
        raise BadRequest([f"{where}: binary data is not understood; send data as JSON."])
    if tensor.datatype not in DATATYPES:
        raise BadRequest([f"{where}: the datatype must be one of {', '.join(DATATYPES)}."])
    if any(length < 0 for length in tensor.shape) or not tensor.shape:
        raise BadRequest([f"{where}: the shape must be a list of numbers from 0 on."])
    flat = _flat(tensor.data, where)
    if len(flat) != prod(tensor.shape):
        raise BadRequest(
            [f"{where}: there are {len(flat)} values, but the shape tells {prod(tensor.shape)}."]
        )
    width = prod(tensor.shape[1:]) or 1
    converted, problems = [], []
    for at, value in enumerate(flat):
        told, problem = _value(value, tensor.datatype)
        if problem:
            row, column = at // width + 1, at % width + 1
            problems.append(f"{where}, row {row}, column {column}: {problem} is expected.")
        converted.append(told)
    if problems:
        raise BadRequest(problems)
    return converted


def _flat(data: list[Any], where: str, depth: int = 0) -> list[Any]:
    """Return nested lists as one."""
    if not any(isinstance(item, list) for item in data):
        return data
    if depth == MAX_DEPTH:
        raise BadRequest([f"{where}: the data is nested too deeply."])
    flat: list[Any] = []
    for item in data:
        if not isinstance(item, list):
            raise BadRequest([f"{where}: the data must be all lists or all values."])
        flat += _flat(item, where, depth + 1)
    return flat


def _value(value: Any, kind: str) -> tuple[Any, str]:
    """Return a value as its datatype has it, and what is expected where it is none of it."""
    if value is None:
        return None, ""  # whether it may be missing is the signature's affair
    if kind == "BOOL":
        return value, "" if isinstance(value, bool) else "true or false"
    if kind == "BYTES":
        return value, "" if isinstance(value, str) else "a text"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, f"a number ({kind})"
    if kind in PACKED:
        try:
            packed: float = struct.unpack(PACKED[kind], struct.pack(PACKED[kind], value))[0]
        except OverflowError:
            return None, f"a number ({kind})"
        return packed, ""
    sign, bits = WHOLE[kind]
    low, high = (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    whole = isinstance(value, int) and low <= value <= high
    return value, "" if whole else f"a whole number ({kind})"


def outputs(answers: Sequence[Any], columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return predictions as tensors: one, or one for each column of a frame."""
    if answers and all(isinstance(answer, dict) for answer in answers):
        names = list(answers[0])
        if all(list(answer) == names for answer in answers):
            kinds = {column.name: column for column in columns}
            return [
                _tensor(name, [answer[name] for answer in answers], kinds.get(name))
                for name in names
            ]
    name = columns[0].name if len(columns) == 1 else "predictions"
    return [_tensor(name, list(answers), columns[0] if columns else None)]


def _tensor(name: str, values: list[Any], column: Column | None) -> dict[str, Any]:
    shape = [len(values)]
    widths = {len(value) if isinstance(value, list) else None for value in values}
    width = widths.pop() if len(widths) == 1 else None
    if width:
        shape.append(width)
        values = [item for value in values for item in value]
    kind = datatype(column) if column is not None else ""
    found = _kind(values)
    if not _fits(found, kind):
        kind = found
    told: dict[str, Any] = {"name": name, "shape": shape, "datatype": kind}
    if kind == "BYTES" and not all(isinstance(value, str) for value in values):
        # Objects, and what is missing: the protocol has no word for them.
        told["parameters"] = {"content_type": "json"}
        values = [msgspec.json.encode(value).decode() for value in values]
    return {**told, "data": values}


def _kind(values: list[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds and kinds <= {int, float} else "BYTES"


def _fits(found: str, told: str) -> bool:
    """Tell whether the signature's datatype can hold what was answered."""
    if found == "INT64":
        return told in WHOLE or told in PACKED
    if found == "FP64":
        return told in PACKED
    return found == told
