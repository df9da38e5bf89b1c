"""Digests that tell whether a loaded value was changed in place.

They are compared within one process, before and after, on the same objects. Equal digests mean
that nothing changed; a change that is none (pandas consolidates its blocks) is mostly seen through.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

from jupyter_mlops.runtime.handover import arrays, code
from jupyter_mlops.runtime.handover.models import CannotCarry
from jupyter_mlops.runtime.handover.pickling import NotebookPickler
from jupyter_mlops.runtime.handover.scope import Scope
from jupyter_mlops.runtime.handover.walking import is_atom


class Fingerprints:
    """Makes digests; one for each process, for it remembers code objects."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._marshalled = code.Marshalled()

    def of(self, value: Any) -> bytes | None:
        """Return the digest of a value's content, or None where it cannot be made."""
        if is_atom(value):
            # The same object is the same value; the caller compares identities.
            return b"atom"
        sink = _Sink()
        pickler = _Pickler(sink, self._scope, None, self._marshalled, buffer_callback=sink.buffer)
        try:
            pickler.dump_all(value)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception:
            return None
        return sink.digest.digest()


class _Sink:
    """A file that only counts what is written into it."""

    def __init__(self) -> None:
        self.digest = hashlib.blake2b(digest_size=32)

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)

    def buffer(self, buffer: Any) -> None:
        raw = buffer.raw()
        self.digest.update(b"buffer %d " % raw.nbytes)
        self.digest.update(raw)


class _Pickler(NotebookPickler):
    """Writes frames by their columns, for how pandas keeps them changes by looking at them."""

    def reducer_override(self, value: Any) -> Any:
        if arrays.is_pandas(value):
            reduced = _canonical(value)
            if reduced is not None:
                return reduced
        return super().reducer_override(value)


def _canonical(value: Any) -> Any:
    pandas = sys.modules["pandas"]
    notes = (dict(value.attrs), value.flags.allows_duplicate_labels) if _noted(value) else None
    if type(value) is pandas.DataFrame:
        columns = [_column(value.iloc[:, number]) for number in range(value.shape[1])]
        return _frame, (value.columns, value.index, columns, notes)
    if type(value) is pandas.Series:
        return _frame, (value.name, value.index, _column(value), notes)
    return None


def _noted(value: Any) -> bool:
    return hasattr(value, "attrs")


def _column(column: Any) -> Any:
    content = column.array
    plain = getattr(content, "_ndarray", None)
    if type(content).__name__ == "NumpyExtensionArray" and plain is not None:
        return plain
    return content


def _frame(*_: Any) -> None:
    raise CannotCarry("A digest is not a value.")
