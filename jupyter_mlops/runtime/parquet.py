"""Reads rows from Parquet, where the image has pyarrow."""

from __future__ import annotations

import datetime
import decimal
import math
from typing import Any

from jupyter_mlops.runtime.predictor import Table
from jupyter_mlops.runtime.refusal import BadRequest


def read(body: bytes, limit: int) -> Table:
    """Return the rows of a Parquet file; raises ``BadRequest``, also beyond ``limit`` bytes."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise BadRequest(
            ["This service cannot read Parquet: its image has no pyarrow. Send JSON or CSV."], 415
        ) from None
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        metadata = file.metadata
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        # A small file can say that it unpacks to anything.
        cells = metadata.num_rows * metadata.num_columns
        if max(sum(group.total_byte_size for group in groups), cells * 8) > limit:
            raise BadRequest([f"The rows unpack to more than {limit} bytes."], 413)
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BadRequest):
            raise
        raise BadRequest([f"The body is not Parquet: {type(error).__name__}."]) from None
    # What pandas keeps beside the columns: an index has no place in a signature.
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    columns = [[_plain(value) for value in table.column(name).to_pylist()] for name in names]
    return Table(rows=[list(row) for row in zip(*columns, strict=True)], columns=names)


def _plain(value: Any) -> Any:
    """Return a value as JSON would have brought it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value
