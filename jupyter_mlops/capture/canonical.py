"""Makes skops' files deterministic.

skops names members by ``id(obj)`` or a random UUID and writes the ids into the schema. Here both
are numbered in the order in which they appear, sets are put into one order, and the bytes between
the fields of structured arrays, which hold whatever was in memory, become zero. So does the
one attribute of scikit-learn that is a memory address.
"""

from __future__ import annotations

import io
import json
from typing import Any

SCHEMA_NAME = "schema.json"
# Attributes that hold an ``id()``: of use only in the process that wrote them.
ADDRESSES = ("_stop_words_id",)


def canonical(members: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """Return the members of a skops file in one order, with names that depend on content only."""
    schema = json.loads(members[SCHEMA_NAME])
    _order_sets(schema, members)
    numbering = _Numbering(members)
    numbering.visit(schema)
    files = [(new, _clean(new, members[old])) for old, new in numbering.names.items()]
    text = json.dumps(schema, separators=(",", ":"))
    return [*files, (SCHEMA_NAME, text.encode())]


class _Numbering:
    def __init__(self, members: dict[str, bytes]) -> None:
        self.members = members
        self.names: dict[str, str] = {}
        self.ids: dict[int, int] = {}

    def visit(self, schema: Any) -> None:
        pending = [schema]
        while pending:
            node = pending.pop()
            if isinstance(node, list):
                pending.extend(reversed(node))
            elif isinstance(node, dict):
                if _is_node(node):
                    self._rename(node)
                for name in ADDRESSES:
                    if isinstance(node.get(name), dict):
                        node[name]["content"] = "0"
                pending.extend(reversed(list(node.values())))

    def _rename(self, node: dict[str, Any]) -> None:
        number = node.get("__id__")
        if isinstance(number, int):
            # From one on: skops takes zero for no id.
            node["__id__"] = self.ids.setdefault(number, len(self.ids) + 1)
        file = node.get("file")
        if isinstance(file, str) and file in self.members:
            extension = file.rpartition(".")[2]
            node["file"] = self.names.setdefault(file, f"{len(self.names)}.{extension}")


def _is_node(value: dict[str, Any]) -> bool:
    # In the content of a mapping the same keys may stand, but never with a text behind.
    return isinstance(value.get("__loader__"), str)


def _order_sets(schema: Any, members: dict[str, bytes]) -> None:
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            if _is_node(node) and node["__loader__"] == "SetNode":
                node["content"].sort(key=lambda item: _key(item, members))
            pending.extend(node.values())


def _key(item: Any, members: dict[str, bytes]) -> str:
    if isinstance(item, list):
        return json.dumps([_key(part, members) for part in item])
    if not isinstance(item, dict):
        return json.dumps(item)
    parts = {}
    for name, value in item.items():
        if name == "__id__" and isinstance(value, int):
            continue
        if name == "file" and isinstance(value, str) and value in members:
            parts[name] = members[value].hex()
        else:
            parts[name] = _key(value, members)
    return json.dumps(parts)


def _clean(name: str, data: bytes) -> bytes:
    if not name.endswith(".npy"):
        return data
    import numpy as np

    from jupyter_mlops.capture.arrays import without_padding

    array = np.load(io.BytesIO(data), allow_pickle=False)
    if not array.dtype.names:
        return data
    buffer = io.BytesIO()
    np.save(buffer, without_padding(array), allow_pickle=False)
    return buffer.getvalue()
