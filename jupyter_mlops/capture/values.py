"""Plain Python values, as JSON with marks for what JSON does not know."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture.archive import check_npy
from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, WithoutInputs

PLAIN = (type(None), bool, int, float, str, bytes, complex, list, tuple, dict, set, frozenset)
MARKS = ("$tuple", "$set", "$frozenset", "$dict", "$float", "$complex", "$bytes", "$array")


class ValueFormat(WithoutInputs):
    """Numbers, text, lists, tuples, mappings and sets of them, and arrays inside of those."""

    name: ClassVar[str] = "json"
    kind: ClassVar[Kind] = "value"
    extension: ClassVar[str] = "json"

    def matches(self, value: Any) -> bool:
        """Match exactly the plain types: a subclass would not come back as it was."""
        return type(value) in PLAIN

    def save(self, value: Any, path: Path) -> None:
        """Write the value; what is inside and is not plain is refused by its place."""
        try:
            text = json.dumps(encode(value), allow_nan=False, ensure_ascii=False)
        except RecursionError:
            raise CannotSave("The value contains itself, or is nested too deeply.") from None
        try:
            path.write_bytes(text.encode())
        except UnicodeEncodeError:
            raise CannotSave("A text holds half of a surrogate pair.") from None

    def load(self, path: Path) -> Any:
        """Read the value."""
        try:
            return decode(json.loads(path.read_bytes()))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise CannotLoad(f"{path.name} does not hold a plain value: {error}.") from None

    def describe(self, value: Any) -> Description:
        """Tell the length of a container; arrays inside need numpy."""
        sized = isinstance(value, list | tuple | dict | set | frozenset)
        shape = [len(value)] if sized else None
        return Description(shape=shape, modules=["numpy"] if _holds_arrays(value) else [])


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_arrays, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_holds_arrays, value))
    return type(value).__module__ == "numpy"


def encode(value: Any) -> Any:
    """Return a plain value as JSON, with marks. Raises ``CannotSave`` with the place."""
    return _encode(value, "the value")


def decode(value: Any) -> Any:
    """Return the plain value of such JSON; raises ``ValueError``, ``TypeError``, ``KeyError``."""
    return _decode(value)


def _encode(value: Any, place: str) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is complex:
        return {"$complex": repr(value)}
    if kind is bytes:
        return {"$bytes": base64.b64encode(value).decode()}
    if kind is list:
        return _items(value, place)
    if kind is tuple:
        return {"$tuple": _items(value, place)}
    if kind in (set, frozenset):
        # A set has no order of its own: that of the text is the same in every process.
        return {f"${kind.__name__}": sorted(_items(value, place), key=json.dumps)}
    if kind is dict:
        return _encode_dict(value, place)
    return {"$array": _encode_array(value, place)}


def _items(values: Any, place: str) -> list[Any]:
    return [_encode(item, f"{place}[{index}]") for index, item in enumerate(values)]


def _encode_dict(value: dict[Any, Any], place: str) -> Any:
    pairs = [(key, _encode(item, f"{place}[{key!r}]")) for key, item in value.items()]
    if all(type(key) is str and key not in MARKS for key, _ in pairs):
        return dict(pairs)
    return {"$dict": [[_encode(key, f"a key of {place}"), item] for key, item in pairs]}


def _encode_array(value: Any, place: str) -> str:
    import sys

    np = sys.modules.get("numpy")
    plain = np is not None and (type(value) is np.ndarray or isinstance(value, np.generic))
    if np is None or not plain or value.dtype.hasobject:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise CannotSave(
            f"In {place} there is a {kind}, which is not a plain value.",
            remedy="Keep it under a name of its own, or keep only plain values in the container.",
        )
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=False)
    return base64.b64encode(buffer.getvalue()).decode()


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        mark, content = next(iter(value.items()))
        if mark in MARKS:
            return _decode_mark(mark, content)
    return {key: _decode(item) for key, item in value.items()}


def _decode_mark(mark: str, content: Any) -> Any:
    match mark:
        case "$tuple":
            return tuple(_decode(content))
        case "$set":
            return set(_decode(content))
        case "$frozenset":
            return frozenset(_decode(content))
        case "$dict":
            return {_decode(key): _decode(item) for key, item in content}
        case "$float":
            return float(content)
        case "$complex":
            return complex(content)
        case "$bytes":
            return base64.b64decode(content, validate=True)
        case _:
            return _decode_array(base64.b64decode(content, validate=True))


def _decode_array(data: bytes) -> Any:
    import numpy as np

    file = io.BytesIO(data)
    check_npy(file, len(data), "an array")
    file.seek(0)
    array = np.load(file, allow_pickle=False)
    return array if array.shape else array[()]
