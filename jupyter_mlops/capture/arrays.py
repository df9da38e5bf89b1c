"""numpy arrays and scalars, as ``.npy`` without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture.archive import check_npy
from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.protocol import CannotSave, Description, WithoutInputs


class ArrayFormat(WithoutInputs):
    """A ``.npy`` file; a numpy scalar is an array without dimensions."""

    name: ClassVar[str] = "npy"
    kind: ClassVar[Kind] = "array"
    extension: ClassVar[str] = "npy"

    def matches(self, value: Any) -> bool:
        """Match arrays and numpy scalars."""
        import sys

        if "numpy" not in sys.modules:
            return False
        import numpy as np

        return isinstance(value, np.ndarray | np.generic)

    def save(self, value: Any, path: Path) -> None:
        """Write the array; objects, masks and subclasses are refused."""
        import numpy as np

        if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
            raise CannotSave(
                f"An array of class {type(value).__name__} does not come back as it was.",
                remedy="Convert it with numpy.asarray() or .filled() first.",
            )
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise CannotSave(
                "An array of Python objects cannot be saved safely.",
                why="It would need pickle, which runs code when it is loaded.",
                remedy="Give it a dtype: numbers, or text with .astype(str).",
            )
        if array.dtype.names:
            array = without_padding(array)
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=False)

    def load(self, path: Path) -> Any:
        """Read the array; the header is checked against the file's size first."""
        import numpy as np

        with path.open("rb") as file:
            check_npy(file, path.stat().st_size, path.name)
            file.seek(0)
            array = np.load(file, allow_pickle=False)
        return array if array.shape else array[()]

    def describe(self, value: Any) -> Description:
        """Tell shape and dtype."""
        return Description(
            shape=[int(length) for length in value.shape],
            dtype=str(value.dtype),
            modules=["numpy"],
        )


def without_padding(array: Any) -> Any:
    """Return a structured array whose padding bytes are zero: they hold whatever was there."""
    import numpy as np

    clean = np.zeros(array.shape, dtype=array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    return clean
