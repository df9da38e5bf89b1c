"""Walking through a JSON value that is not trusted yet: no recursion, whatever its depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a JSON value, in the order of its text.

    What a mapping holds is looked at after it was yielded, so it may be changed meanwhile.
    """
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, list):
            pending.extend(reversed(current))
        elif isinstance(current, dict):
            yield current
            pending.extend(reversed(current.values()))
