"""Tables of polars and pyarrow, and frames of pandas with columns of Arrow, as parquet.

Plain frames of pandas go by ``frames``, which needs neither and keeps their index exactly.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, WithoutInputs

MAGIC = b"PAR1"
MAX_FOOTER = 64 * 1024**2
#: The key in the file's metadata that says which library's table it was.
KEY = b"jupyter_mlops"
#: A column of one value takes no room in a file, but in memory: so many cells are believed.
MAX_CELLS = 2 * 1024**3


class ParquetFormat(WithoutInputs):
    """A parquet file that comes back equal, column for column."""

    name: ClassVar[str] = "parquet"
    kind: ClassVar[Kind] = "frame"
    extension: ClassVar[str] = "parquet"

    def matches(self, value: Any) -> bool:
        """Match the tables of polars and pyarrow, and pandas' frames with Arrow's types."""
        return _library(value) != ""

    def save(self, value: Any, path: Path) -> None:
        """Write the table and compare what is read again."""
        library = _library(value)
        try:
            _write(value, library, path)
            again = self.load(path)
        except (CannotLoad, ImportError, ValueError, TypeError, OSError) as error:
            raise CannotSave(f"It cannot be written as parquet: {error}".splitlines()[0]) from None
        except Exception as error:
            # polars' and pyarrow's own errors, which have no class in common.
            raise CannotSave(f"It cannot be written as parquet: {error!r}"[:300]) from None
        if not (_same(again, value) if library == "pyarrow" else again.equals(value)):
            raise CannotSave(
                "The table does not come back exactly as it was.",
                remedy="Use plain types of columns: numbers, text, dates.",
            )

    def load(self, path: Path) -> Any:
        """Read the table; what its footer announces is held against the file's size first."""
        library = _look(path)
        try:
            if library == "polars":
                import polars

                return polars.read_parquet(path)
            import pyarrow.parquet as pq

            table = pq.read_table(path)
            if library == "pandas":
                return table.to_pandas()
            kept = {k: v for k, v in (table.schema.metadata or {}).items() if k != KEY}
            return table.replace_schema_metadata(kept or None)
        except Exception as error:
            raise CannotLoad(f"{path.name} cannot be read as parquet: {error!r}"[:300]) from None

    def describe(self, value: Any) -> Description:
        """Tell the shape."""
        library = _library(value)
        modules = {"pandas": ["pandas", "pyarrow"]}.get(library, [library])
        return Description(shape=[int(length) for length in value.shape], modules=modules)


def _library(value: Any) -> str:
    polars, arrow = sys.modules.get("polars"), sys.modules.get("pyarrow")
    if polars is not None and type(value) is getattr(polars, "DataFrame", None):
        return "polars"
    if arrow is not None and type(value) is getattr(arrow, "Table", None):
        return "pyarrow"
    pandas = sys.modules.get("pandas")
    if pandas is None or type(value) is not getattr(pandas, "DataFrame", None):
        return ""
    return "pandas" if any(isinstance(d, pandas.ArrowDtype) for d in value.dtypes) else ""


def _same(again: Any, value: Any) -> bool:
    """Compare tables of pyarrow, for which a NaN is no other NaN: those by their bits."""
    import pyarrow as pa

    if not again.schema.equals(value.schema) or again.num_rows != value.num_rows:
        return False
    whole = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
    for left, right in zip(again.columns, value.columns, strict=True):
        pair = [each.combine_chunks() for each in (left, right)]
        if pa.types.is_floating(left.type):
            pair = [each.view(whole[left.type.bit_width]) for each in pair]
        if not pair[0].equals(pair[1]):
            return False
    return True


def _write(value: Any, library: str, path: Path) -> None:
    if library == "polars":
        about = {KEY.decode(): library}
        value.write_parquet(path, compression="uncompressed", metadata=about)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(value) if library == "pandas" else value
    metadata = {**(table.schema.metadata or {}), KEY: library.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="none")


def _look(path: Path) -> str:
    """Return which library's table it is, after a look at its ends and its footer."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, size - 8))
        length, tail = int.from_bytes(file.read(4), "little"), file.read(4)
    if (head, tail) != (MAGIC, MAGIC) or not 0 < length <= min(MAX_FOOTER, size - 12):
        raise CannotLoad(f"{path.name} is not a parquet file.")
    try:
        library, cells = _told(path)
    except Exception as error:
        raise CannotLoad(f"The footer of {path.name} cannot be read: {error!r}"[:300]) from None
    if library not in ("pandas", "polars", "pyarrow"):
        raise CannotLoad(f"{path.name} does not say whose table it is.")
    if cells > MAX_CELLS:
        raise CannotLoad(f"{path.name} unpacks to more than is believable.")
    return library


def _told(path: Path) -> tuple[str, int]:
    if find_spec("pyarrow") is not None:
        import pyarrow.parquet as pq

        found = pq.read_metadata(path)
        library = (found.metadata or {}).get(KEY, b"").decode()
        return library, found.num_rows * found.num_columns
    import polars

    lazy = polars.scan_parquet(path)
    rows = int(lazy.select(polars.len()).collect().item())
    library = polars.read_parquet_metadata(path).get(KEY.decode(), "")
    return library, rows * len(lazy.collect_schema())
