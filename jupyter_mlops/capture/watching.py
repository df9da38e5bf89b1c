"""Whether values change while a predictor is asked: then it is no service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def watch(values: Mapping[str, Any], names: Iterable[str]) -> Callable[[], list[str]]:
    """Return what tells which names have changed since, in what they hold or stand for."""
    before = {name: _fingerprint(values[name]) for name in dict.fromkeys(names)}
    return lambda: [name for name, was in before.items() if _fingerprint(values[name]) != was]


class _Hash:
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)


def _fingerprint(value: Any) -> str:
    """Return what changes when a value does, as far as that can be told; empty where it cannot."""
    import pickle

    file = _Hash()
    try:
        pickle.Pickler(file).dump(value)
    except Exception:
        return ""
    return file.digest.hexdigest()
