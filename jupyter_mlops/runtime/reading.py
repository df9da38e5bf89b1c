"""Reads the bodies of MLflow's scoring protocol and checks them against the signature."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from jupyter_mlops.capture.models import Signature
from jupyter_mlops.runtime import parquet
from jupyter_mlops.runtime.columns import NOUNS, of_text, problems_of
from jupyter_mlops.runtime.predictor import Table
from jupyter_mlops.runtime.refusal import BadRequest

KEYS = ("dataframe_split", "dataframe_records", "instances", "inputs")
NO_PARAMS: Mapping[str, Any] = MappingProxyType({})


def read(
    content_type: str,
    body: bytes,
    signature: Signature | None,
    params: Mapping[str, Any] = NO_PARAMS,
    limit: int = 100 * 1024**2,
) -> Table:
    """Return the rows of a body, in the order of the signature; raises ``BadRequest``.

    ``params`` are what the predictor takes beside rows, with their defaults; ``limit`` is how many
    bytes a compressed body may unpack to.
    """
    media, _, options = content_type.partition(";")
    charset = options.strip().lower()
    if charset and charset.replace('"', "") not in ("charset=utf-8", "charset=utf8"):
        raise BadRequest(["Only the charset utf-8 is understood."], 415)
    match media.strip().lower():
        case "application/json":
            table = _read_json(body, params)
        case "text/csv":
            table = _read_csv(body, signature)
        case "application/vnd.apache.parquet" | "application/x-parquet":
            table = parquet.read(body, limit)
        case _:
            raise BadRequest(
                [
                    "The content type must be application/json, text/csv or "
                    "application/vnd.apache.parquet."
                ],
                415,
            )
    return checked(table, signature)


def checked(table: Table, signature: Signature | None, first: int = 1) -> Table:
    """Return rows in the order of the signature; raises ``BadRequest`` with all that is wrong.

    ``first`` is the number of the first row.
    """
    if signature is None or not signature.inputs:
        return table
    table = _ordered(table, signature)
    problems = problems_of(table.rows, signature, first)
    if problems:
        raise BadRequest(problems)
    return table


def _read_json(body: bytes, params: Mapping[str, Any]) -> Table:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest([f"The body is not JSON: {error}."]) from None
    except RecursionError:
        raise BadRequest(["The body is nested too deeply."]) from None
    if not isinstance(value, dict):
        raise BadRequest([f"The body must be an object with one of: {', '.join(KEYS)}."])
    unknown = [key for key in value if key not in KEYS and key != "params"]
    given = [key for key in KEYS if key in value]
    if unknown or len(given) != 1:
        raise BadRequest([f"The body must have exactly one of: {', '.join(KEYS)}."])
    further = _params(value.get("params"), params)
    readers = {
        "dataframe_split": _split,
        "dataframe_records": _records,
        "instances": _instances,
        "inputs": _inputs,
    }
    table = readers[given[0]](value[given[0]])
    return msgspec.structs.replace(table, params=further) if further else table


def _params(given: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the params that are given; each has the type of its default."""
    if not given:
        return {}
    if not isinstance(given, dict):
        raise BadRequest(["params must be an object."])
    if not known:
        raise BadRequest(["This predictor takes no params."])
    if len(given.keys() - known.keys()):
        raise BadRequest([f"Unknown params. The params are: {', '.join(known)}."])
    problems = []
    for name, value in given.items():
        kind = type(known[name])
        if kind is float and type(value) is int:
            continue
        if type(value) is not kind:
            problems.append(f"params.{name}: {NOUNS[kind]} is expected.")
    if problems:
        raise BadRequest(problems)
    return given


def _split(value: Any) -> Table:
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        raise BadRequest(["dataframe_split must be an object with columns and data."])
    columns, data = value.get("columns"), value["data"]
    if set(value) - {"columns", "data", "index"}:
        raise BadRequest(["dataframe_split knows only columns, data and index."])
    if columns is None:
        return _rectangular(data, None, "dataframe_split.data")
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise BadRequest(["dataframe_split.columns must be a list of names."])
    return _rectangular(data, columns, "dataframe_split.data")


def _records(value: Any) -> Table:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise BadRequest(["dataframe_records must be a list of objects."])
    columns = list(dict.fromkeys(name for row in value for name in row))
    # A column that some rows lack is null there, as it is for pandas.
    return Table(rows=[[row.get(name) for name in columns] for row in value], columns=columns)


def _instances(value: Any, where: str = "instances") -> Table:
    if not isinstance(value, list):
        raise BadRequest([f"{where} must be a list of rows."])
    if value and all(isinstance(row, dict) for row in value):
        return _records(value)
    if any(isinstance(row, dict) for row in value):
        raise BadRequest([f"{where} must be all lists or all objects."])
    return _rectangular(value, None, where)


def _inputs(value: Any) -> Table:
    if isinstance(value, list):
        return _instances(value, "inputs")
    if not isinstance(value, dict):
        raise BadRequest(["inputs must be an object of columns, or a list of rows."])
    if not all(isinstance(column, list) for column in value.values()):
        # One row, given as plain values.
        if any(isinstance(column, list | dict) for column in value.values()):
            raise BadRequest(["inputs must give a list of values for each column."])
        return Table(rows=[list(value.values())], columns=list(value))
    if len({len(column) for column in value.values()}) > 1:
        raise BadRequest(["The columns of inputs must have the same number of values."])
    rows = [list(row) for row in zip(*value.values(), strict=True)]
    return Table(rows=rows, columns=list(value))


def _rectangular(value: list[Any], columns: list[str] | None, where: str) -> Table:
    if not value:
        return Table(rows=[], columns=columns)
    if not any(isinstance(row, list) for row in value):
        if columns is not None and len(columns) != 1:
            raise BadRequest([f"Every row of {where} must be a list."])
        if any(isinstance(row, dict) for row in value):
            raise BadRequest([f"Every row of {where} must be a list."])
        return Table(rows=[[row] for row in value], columns=columns)
    width = len(columns) if columns is not None else None
    problems = []
    for number, row in enumerate(value, start=1):
        if not isinstance(row, list):
            problems.append(f"Row {number} of {where} is not a list.")
            continue
        width = len(row) if width is None else width
        if len(row) != width:
            problems.append(f"Row {number} of {where} has {len(row)} values, not {width}.")
    if problems:
        raise BadRequest(problems)
    return Table(rows=value, columns=columns)


def _read_csv(body: bytes, signature: Signature | None) -> Table:
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequest([f"The body is not CSV in UTF-8: {type(error).__name__}."]) from None
    lines = [line for line in lines if line]
    if not lines:
        raise BadRequest(["The CSV has no header line."])
    table = _rectangular(lines[1:], lines[0], "the CSV")
    kinds = {c.name: c.dtype for c in signature.inputs} if signature else {}
    columns = table.columns or []
    dtypes = [kinds.get(name, "") for name in columns]
    rows = [
        [of_text(text, dtype) for text, dtype in zip(row, dtypes, strict=True)]
        for row in table.rows
    ]
    return Table(rows=rows, columns=columns)


def _ordered(table: Table, signature: Signature) -> Table:
    """Put the columns into the order of the signature; those not required may be absent."""
    names = [column.name for column in signature.inputs]
    if table.columns is None:
        if table.rows and len(table.rows[0]) != len(names):
            raise BadRequest(
                [f"A row has {len(table.rows[0])} values, but there are {len(names)} columns."]
            )
        return Table(rows=table.rows, columns=names, params=table.params)
    given = {name: position for position, name in enumerate(table.columns)}
    problems = []
    if len(given) != len(table.columns):
        problems.append("A column is given twice.")
    missing = [c.name for c in signature.inputs if c.required and c.name not in given]
    if missing and (table.rows or table.columns):
        problems.append(f"Missing columns: {', '.join(missing)}.")
    unknown = len(set(given) - set(names))
    if unknown:
        # Their names are the caller's data: they are counted, not repeated.
        problems.append(f"Unknown columns: {unknown}. The columns are: {', '.join(names)}.")
    if problems:
        raise BadRequest(problems)
    places = [given.get(name) for name in names]
    rows = [[None if at is None else row[at] for at in places] for row in table.rows]
    return Table(rows=rows, columns=names, params=table.params)
