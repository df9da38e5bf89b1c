"""pandas frames and series: a zip of ``frame.json`` and one ``.npy`` for each column.

It needs nothing but pandas and numpy. What was written is read again at once and compared:
a frame that does not come back exactly as it was is refused.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import archive
from jupyter_mlops.capture.columns import Reader, Writer
from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, WithoutInputs

LAYOUT = "frame.json"


class FrameFormat(WithoutInputs):
    """A frame or a series, with dtypes, index, names and ``attrs`` left empty."""

    name: ClassVar[str] = "frame"
    kind: ClassVar[Kind] = "frame"
    extension: ClassVar[str] = "frame"

    def matches(self, value: Any) -> bool:
        """Match frames and series, not what is derived from their classes."""
        pd = sys.modules.get("pandas")
        # ``DataFrame`` is absent while pandas is imported by another thread.
        return hasattr(pd, "DataFrame") and type(value) in (
            getattr(pd, "DataFrame", None),
            getattr(pd, "Series", None),
        )

    def save(self, value: Any, path: Path) -> None:
        """Write the frame and compare what is read again."""
        import pandas as pd

        writer = Writer()
        series = isinstance(value, pd.Series)
        columns = [value] if series else [value.iloc[:, i] for i in range(value.shape[1])]
        layout = {
            "series": series,
            "name": writer.label(value.name) if series else None,
            "columns": None if series else writer.index(value.columns),
            "index": writer.index(value.index),
            "data": [writer.column(column, _label(column)) for column in columns],
        }
        text = json.dumps(layout, allow_nan=False).encode()
        archive.write(path, [(LAYOUT, text), *writer.members.items()])
        self._compare(value, path)

    def _compare(self, value: Any, path: Path) -> None:
        import pandas as pd

        try:
            again = self.load(path)
            if isinstance(value, pd.Series):
                pd.testing.assert_series_equal(value, again, check_exact=True)
            else:
                pd.testing.assert_frame_equal(value, again, check_exact=True)
        except (AssertionError, CannotLoad, TypeError, ValueError) as error:
            raise CannotSave(
                "The frame does not come back exactly as it was.",
                why=str(error).strip().splitlines()[0] if str(error).strip() else "",
                remedy="Use plain dtypes: numbers, text, dates, categories.",
            ) from None

    def load(self, path: Path) -> Any:
        """Read the frame."""
        import pandas as pd

        members = archive.read(path)
        try:
            layout = json.loads(members[LAYOUT])
            reader = Reader(members)
            index = reader.index(layout["index"])
            arrays = [reader.array(column) for column in layout["data"]]
            if layout["series"]:
                name = reader.label(layout["name"])
                return pd.Series(arrays[0], index=index, name=name, dtype=arrays[0].dtype)
            # With its dtype, or a column of objects that are all texts becomes one of texts.
            columns = [pd.Series(each, index=index, dtype=each.dtype) for each in arrays]
            frame = pd.DataFrame(dict(enumerate(columns)), index=index)
            frame.columns = reader.index(layout["columns"])
            return frame
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise CannotLoad(f"{path.name} does not hold a frame: {error}.") from None

    def describe(self, value: Any) -> Description:
        """Tell shape and, for a series, dtype."""
        dtype = getattr(value, "dtype", "")
        return Description(
            shape=[int(length) for length in value.shape],
            dtype=str(dtype),
            modules=["numpy", "pandas"],
        )


def _label(column: Any) -> str:
    return f"Column {column.name!r}" if column.name is not None else "The series"
