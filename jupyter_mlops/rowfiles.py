"""Rows in files, a block at a time: CSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.capture.rows import plain
from jupyter_mlops.errors import UsageError

CSV, LINES, PARQUET = "CSV", "JSON lines", "Parquet"
KINDS = {
    ".csv": CSV, ".jsonl": LINES, ".ndjson": LINES, ".parquet": PARQUET, ".pq": PARQUET,
}  # fmt: skip
_PARQUET_TYPES = {"float64": "float64", "float32": "float32", "bool": "bool_", "str": "string"}


@dataclass(frozen=True)
class Rows:
    """Some rows of a file; ``texts``: every value is a text, as it stands in a CSV."""

    columns: list[str]
    rows: list[list[Any]]
    texts: bool = False


def kind_of(path: Path) -> str:
    """Return what a file is, by its name. Raises ``UsageError``; Parquet needs pyarrow."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{path.name} is none of the files that are understood",
            remedy=f"Its name must end with one of: {', '.join(KINDS)}",
        )
    if kind == PARQUET:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise UsageError(
                f"{path.name} cannot be used here",
                why="Parquet needs pyarrow, which is not installed",
                remedy="pip install 'jupyter_mlops[parquet]', or use .csv or .jsonl",
            ) from None
    return kind


def read(path: Path, size: int) -> Iterator[Rows]:
    """Yield the rows of a file in blocks of ``size``; all in one with 0.

    Raises ``UsageError`` for a file that is not what its name says, with the line.
    """
    readers = {CSV: _read_csv, LINES: _read_lines, PARQUET: _read_parquet}
    try:
        yield from readers[kind_of(path)](path, size)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "It is not UTF-8"
        raise UsageError(f"{path.name} cannot be read", why=str(why)) from None


def _read_csv(path: Path, size: int) -> Iterator[Rows]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            columns = next(lines, None)
            if columns is None:
                raise UsageError(f"{path.name} has no header line")
            rows: list[list[Any]] = []
            for line in lines:
                if not line:
                    continue
                if len(line) != len(columns):
                    text = f"it has {len(line)} values, not {len(columns)}"
                    raise UsageError(f"{path.name}, line {lines.line_num}: {text}")
                rows.append(line)
                if len(rows) == size:
                    yield Rows(columns, rows, texts=True)
                    rows = []
        except csv.Error as error:
            raise UsageError(f"{path.name}, line {lines.line_num}: {error}") from None
        if rows:
            yield Rows(columns, rows, texts=True)


def _read_lines(path: Path, size: int) -> Iterator[Rows]:
    found: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                text = f"{path.name}, line {number} is not JSON"
                raise UsageError(text, why=str(error)) from None
            if not isinstance(value, dict):
                raise UsageError(f"{path.name}, line {number} is not a JSON object")
            found.append(value)
            if len(found) == size:
                yield _of_records(found)
                found = []
    if found:
        yield _of_records(found)


def _of_records(found: Sequence[dict[str, Any]]) -> Rows:
    columns = list(dict.fromkeys(name for row in found for name in row))
    # An infinite number has no place in JSON: as a text it is refused, not taken for missing.
    return Rows(columns, [[plain(row.get(name)) for name in columns] for row in found])


def _read_parquet(path: Path, size: int) -> Iterator[Rows]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            wanted = size or max(1, file.metadata.num_rows)
            # An index that pandas kept is no column of the table.
            hidden = _index_columns(file)
            for batch in file.iter_batches(wanted):
                names = [name for name in batch.schema.names if name not in hidden]
                columns = [plain(batch.column(name).to_pylist()) for name in names]
                yield Rows(names, [list(row) for row in zip(*columns, strict=True)])
    except pa.ArrowException as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"{path.name} is not Parquet that can be read", why=why) from None
    except TypeError as error:
        raise UsageError(f"{path.name} holds what has no place in a row", why=str(error)) from None


def _index_columns(file: Any) -> set[str]:
    known = (file.schema_arrow.metadata or {}).get(b"pandas")
    kept = json.loads(known).get("index_columns", []) if known else []
    return {name for name in kept if isinstance(name, str)}


Writer = Callable[[Sequence[dict[str, Any]]], None]


@contextmanager
def writer(path: Path, kind: str, dtypes: dict[str, str]) -> Iterator[Writer]:
    """Yield what writes rows, each a mapping of the same columns, to a file of a kind.

    ``dtypes`` says of columns what they are, where that is known.
    """
    if kind == PARQUET:
        with _parquet_writer(path, dtypes) as write:
            yield write
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        begun: list[str] = []

        def write_csv(rows: Sequence[dict[str, Any]]) -> None:
            if rows and not begun:
                begun.extend(rows[0])
                lines.writerow(begun)
            lines.writerows([_cell(row[name]) for name in begun] for row in rows)

        def write_lines(rows: Sequence[dict[str, Any]]) -> None:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

        yield write_csv if kind == CSV else write_lines
        if kind == CSV and not begun:
            lines.writerow(dtypes)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


@contextmanager
def _parquet_writer(path: Path, dtypes: dict[str, str]) -> Iterator[Writer]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    opened: list[Any] = []

    def write(rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        try:
            if not opened:
                schema = pa.schema([(name, _arrow(dtypes, name, rows)) for name in rows[0]])
                opened.append(pq.ParquetWriter(path, schema))
            opened[0].write_table(pa.Table.from_pylist(list(rows), schema=opened[0].schema))
        except pa.ArrowException as error:
            raise UsageError(
                "The predictions do not fit into one table",
                why=str(error).splitlines()[0],
                remedy="Write them as JSON lines: --output predictions.jsonl",
            ) from None

    try:
        yield write
        if not opened:
            none = pa.schema([(name, _arrow(dtypes, name, ())) for name in dtypes])
            opened.append(pq.ParquetWriter(path, none))
    finally:
        for each in opened:
            each.close()


def _arrow(dtypes: dict[str, str], name: str, rows: Sequence[dict[str, Any]]) -> Any:
    import pyarrow as pa

    dtype = dtypes.get(name, "")
    known = _PARQUET_TYPES.get(dtype, dtype if dtype.startswith(("int", "uint")) else "")
    if known:
        return getattr(pa, known)()
    return pa.array([row[name] for row in rows]).type
