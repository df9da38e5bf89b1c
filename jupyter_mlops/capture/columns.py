"""How the columns and indexes of a frame are written: by dtype, exactly, without pickle."""

from __future__ import annotations

import io
import math
from typing import Any

from jupyter_mlops.capture.archive import check_npy
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave

NUMPY_KINDS = "biufc"


class Writer:
    """Collects the arrays of a frame; every method returns the JSON that finds them again."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {}

    def label(self, label: Any) -> Any:
        """Write a column's or index' name."""
        if isinstance(label, tuple):
            return {"tuple": [self.label(part) for part in label]}
        return {"value": _scalar(label, "A name")}

    def index(self, index: Any) -> Any:
        """Write an index: a range, levels, or values."""
        import pandas as pd

        names = [self.label(name) for name in index.names]
        if isinstance(index, pd.RangeIndex):
            return {"range": [index.start, index.stop, index.step], "names": names}
        if isinstance(index, pd.MultiIndex):
            levels = [self.column(level, "A level of the index") for level in index.levels]
            codes = [self._array(codes) for codes in index.codes]
            return {"levels": levels, "codes": codes, "names": names}
        frequency = getattr(index, "freqstr", None)
        return {"values": self.column(index, "The index"), "freq": frequency, "names": names}

    def column(self, column: Any, place: str) -> Any:
        """Write one column; raises ``CannotSave`` for a dtype that has no exact form here."""
        import numpy as np
        import pandas as pd

        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            codes = column.codes if hasattr(column, "codes") else column.cat.codes
            return {
                "kind": "category",
                "codes": self._array(codes),
                "categories": self.column(dtype.categories, f"{place} (its categories)"),
                "ordered": bool(dtype.ordered),
            }
        if isinstance(dtype, pd.StringDtype):
            missing = "nan" if dtype.na_value is not pd.NA else "NA"
            texts = [None if pd.isna(text) else str(text) for text in column]
            return {"kind": "str", "values": texts, "storage": dtype.storage, "missing": missing}
        if isinstance(dtype, pd.DatetimeTZDtype):
            stamps = self._array(column.array.asi8)
            return {"kind": "zoned", "data": stamps, "unit": dtype.unit, "zone": str(dtype.tz)}
        if isinstance(dtype, np.dtype):
            return self._numpy_column(column, dtype, place)
        if hasattr(dtype, "numpy_dtype") and hasattr(column.array, "_mask"):
            array = column.array
            data = array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
            mask = self._array(array.isna())
            return {"kind": "masked", "data": self._array(data), "mask": mask, "dtype": str(dtype)}
        raise _unknown(place, dtype)

    def _numpy_column(self, column: Any, dtype: Any, place: str) -> Any:
        values = column.to_numpy()
        if dtype.kind in NUMPY_KINDS:
            return {"kind": "array", "data": self._array(values)}
        if dtype.kind in "mM":
            return {"kind": "time", "data": self._array(values.view("i8")), "dtype": dtype.str}
        if dtype.kind == "O":
            return {"kind": "object", "values": [_scalar(item, place) for item in values]}
        raise _unknown(place, dtype)

    def _array(self, array: Any) -> str:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        name = f"{len(self.members)}.npy"
        self.members[name] = buffer.getvalue()
        return name


def _unknown(place: str, dtype: Any) -> CannotSave:
    return CannotSave(
        f"{place} has the dtype {dtype}, which has no safe form here.",
        remedy="Convert it to numbers, text, dates or categories with .astype().",
    )


def _scalar(value: Any, place: str) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    raise CannotSave(
        f"{place} holds a {type(value).__module__}.{type(value).__qualname__}.",
        why="Only numbers and text come back from a column of objects as they were.",
        remedy="Convert it to numbers, text, dates or categories with .astype().",
    )


class Reader:
    """Builds columns and indexes from what ``Writer`` wrote."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self.members = members

    def label(self, label: Any) -> Any:
        """Read a column's or index' name."""
        if "tuple" in label:
            return tuple(self.label(part) for part in label["tuple"])
        return _plain(label["value"])

    def index(self, index: Any) -> Any:
        """Read an index."""
        import pandas as pd

        names = [self.label(name) for name in index["names"]]
        if "range" in index:
            return pd.RangeIndex(*index["range"], name=names[0])
        if "levels" in index:
            arrays = [self.array(level) for level in index["levels"]]
            levels = [pd.Index(array, dtype=array.dtype) for array in arrays]
            codes = [self._array(codes) for codes in index["codes"]]
            return pd.MultiIndex(levels=levels, codes=codes, names=names)
        values = self.array(index["values"])
        built = pd.Index(values, name=names[0], dtype=values.dtype)
        if index["freq"]:
            built.freq = index["freq"]
        return built

    def array(self, column: Any) -> Any:
        """Read one column as the array that pandas keeps."""
        import numpy as np
        import pandas as pd

        match column["kind"]:
            case "array":
                return self._array(column["data"])
            case "time":
                return self._array(column["data"]).view(np.dtype(column["dtype"]))
            case "zoned":
                stamps = self._array(column["data"]).view(f"M8[{column['unit']}]")
                utc = pd.DatetimeIndex(stamps).tz_localize("UTC")
                return utc.tz_convert(column["zone"]).array
            case "object":
                values = np.empty(len(column["values"]), dtype=object)
                values[:] = [_plain(item) for item in column["values"]]
                return values
            case "str":
                missing = np.nan if column["missing"] == "nan" else pd.NA
                return pd.array(column["values"], dtype=_string_dtype(column, missing))
            case "masked":
                return self._masked(column)
            case "category":
                values = self.array(column["categories"])
                categories = pd.Index(values, dtype=values.dtype)
                dtype = pd.CategoricalDtype(categories, ordered=column["ordered"])
                return pd.Categorical.from_codes(self._array(column["codes"]), dtype=dtype)
            case kind:
                raise CannotLoad(f"A column of kind {kind!r} is not known.")

    def _masked(self, column: Any) -> Any:
        import pandas as pd

        array = pd.array(self._array(column["data"]), dtype=column["dtype"])
        array[self._array(column["mask"])] = pd.NA
        return array

    def _array(self, name: str) -> Any:
        import numpy as np

        file = io.BytesIO(self.members[name])
        check_npy(file, len(self.members[name]), name)
        file.seek(0)
        return np.load(file, allow_pickle=False)


def _string_dtype(column: Any, missing: Any) -> Any:
    import inspect

    import pandas as pd

    # The choice of the missing value came with pandas 2.3.
    if "na_value" in inspect.signature(pd.StringDtype).parameters:
        return pd.StringDtype(column["storage"], na_value=missing)
    return pd.StringDtype(column["storage"])


def _plain(value: Any) -> Any:
    return float(value["float"]) if isinstance(value, dict) else value
