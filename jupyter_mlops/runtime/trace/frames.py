"""The content of pandas objects, by their columns."""

from __future__ import annotations

import marshal
import sys
import zlib
from functools import cache
from typing import Any

from jupyter_mlops.runtime.trace.memory import array
from jupyter_mlops.runtime.trace.tokens import Seen, joined, links_of, token

# Attributes of a frame that are looked at otherwise, or are mere caches.
INTERNAL = ("_mgr", "_item_cache", "_cacher", "_is_copy", "_flags")


def _inner(value: Any, near: bool) -> Seen:
    # Columns are arrays of many kinds, and some of them hold pandas objects again.
    from jupyter_mlops.runtime.trace.content import look

    return look(value, near=near)


def frame(value: Any, near: bool) -> Seen:
    """Look at a frame or series; its memory is its own, for pandas copies before it writes."""
    manager = value._mgr
    parts = [index(axis, near) for axis in manager.axes]
    links: list[Any] = []
    for block in manager.blocks:
        data = _inner(block.values, near)
        parts.append(data)
        if not _copies_on_write():
            links += [id(block.values), *data.links]
    places = [bytes(memoryview(block.mgr_locs.as_array)) for block in manager.blocks]
    notes = [each for name, each in vars(value).items() if name not in INTERNAL]
    tokens = marshal.dumps([token(each) for each in notes], 2)
    return joined(parts, (type(value).__name__, *places, tokens), links_of(notes), links)


@cache
def _copies_on_write() -> bool:
    return int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3


def index(value: Any, near: bool) -> Seen:
    """Look at the labels of an axis."""
    names = marshal.dumps([token(name) for name in value.names], 2)
    if type(value).__name__ == "RangeIndex":
        return Seen(hash((value.start, value.stop, value.step, names)), 0)
    if type(value).__name__ == "MultiIndex":
        parts = [array(codes, near) for codes in value.codes]
        parts += [index(level, near) for level in value.levels]
        return joined([part._replace(below=()) for part in parts], names)
    return joined([_inner(value._data, near)._replace(below=())], names)


def extension(value: Any, near: bool) -> Seen:
    """Look at a column of a type of its own: categories, times, text, missing values."""
    parts = []
    for name in ("_ndarray", "_pa_array", "_data", "_mask", "_sparse_values", "_left", "_right"):
        each = getattr(value, name, None)
        if type(each).__module__.startswith("pyarrow"):
            parts.append(_arrow(each))
        elif each is not None:
            parts.append(_inner(each, near))
    about = str(value.dtype)
    if about == "category":
        parts.append(index(value.categories, near))
    return joined(parts, about) if parts else Seen(0, 0, opaque=True)


def _arrow(value: Any) -> Seen:
    """Look at the buffers of an Arrow array."""
    found = 0
    chunks = value.chunks if hasattr(value, "chunks") else [value]
    for chunk in chunks:
        found = hash((found, chunk.offset, len(chunk)))
        for buffer in chunk.buffers():
            if buffer is not None:
                found = hash((found, zlib.crc32(memoryview(buffer))))
    return Seen(found, found)
