"""How one unit is written: by the type of its value where that is exact, else as a pickle."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import models_format, pickling
from jupyter_mlops.runtime.handover.groups import Walk
from jupyter_mlops.runtime.handover.models import Exported, HandoverError
from jupyter_mlops.runtime.handover.scope import Scope

# Below this many bytes a file is read once; above, it is read for its digest first.
AT_ONCE = 64 * 1024**2
MAX_DIGITS = 4000  # of an integer in JSON
_EXACT = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")


class _Hashed:
    """A file that is written and hashed in one go."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self._file.write(data)
        self.digest.update(data)
        size = memoryview(data).nbytes
        self.size += size
        return size

    def close(self) -> None:
        self._file.close()


def write(folder: Path, number: int, values: dict[str, Any], scope: Scope, walk: Walk) -> Exported:
    """Write one unit into a folder; raises ``CannotCarry``, and ``OSError``."""
    names = list(values)
    if len(names) == 1:
        chosen = _by_type(values[names[0]], folder, number, scope)
        if chosen is not None:
            form, extension, data = chosen
            name = f"{number}.{extension}"
            if data is not None:
                (folder / name).write_bytes(data)
            else:
                data = (folder / name).read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            return _exported(values, name, form, digest, len(data), set())
    name = f"{number}.pickle"
    file = _Hashed(folder / name)
    try:
        needs = pickling.dump(values, file, scope, walk.memory, walk.orders_of(names))
    except BaseException:
        file.close()
        (folder / name).unlink()
        raise
    file.close()
    needs -= {each for each in names if each in needs and len(names) == 1}
    return _exported(values, name, "pickle", file.digest.hexdigest(), file.size, needs)


def _exported(
    values: dict[str, Any], file: str, form: str, digest: str, size: int, needs: set[str]
) -> Exported:
    return Exported(
        names=list(values),
        file=file,
        format=form,
        sha256=digest,
        size=size,
        types={name: type_name(value) for name, value in values.items()},
        needs=sorted(needs),
    )


def type_name(value: Any) -> str:
    """Return the name of a value's class, with its module where it is not a builtin one."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def _by_type(
    value: Any, folder: Path, number: int, scope: Scope
) -> tuple[str, str, bytes | None] | None:
    if is_json(value):
        return "json", "json", json.dumps(value).encode()
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray" and _is_plain_array(value):
        buffer = io.BytesIO()
        sys.modules["numpy"].save(buffer, value, allow_pickle=False)
        return "npy", "npy", buffer.getvalue()
    if kind.__name__ == "DataFrame" and models_format.parquet_is_exact(value):
        return "parquet", "parquet", models_format.to_parquet(value)
    if models_format.is_estimator(value):
        path = folder / f"{number}.skops"
        if models_format.save_estimator(value, path, scope):
            return "skops", "skops", None
    return None


def is_json(value: Any) -> bool:
    """Say whether JSON gives back exactly this value, with nothing in it twice."""
    seen: set[int] = set()
    pending = [value]
    while pending:
        current = pending.pop()
        kind = type(current)
        if current is None or kind is bool:
            continue
        if kind is int:
            if current.bit_length() > MAX_DIGITS:
                return False
        elif kind is float:
            if current - current != 0:  # nan and the infinities
                return False
        elif kind is str:
            if not _is_text(current):
                return False
        elif kind is list or kind is dict:
            if id(current) in seen:
                return False
            seen.add(id(current))
            if kind is list:
                pending.extend(current)
            else:
                if not all(type(key) is str and _is_text(key) for key in current):
                    return False
                pending.extend(current.values())
        else:
            return False
        if len(seen) > 10_000:
            return False
    return True


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_plain_array(array: Any) -> bool:
    plain = array.dtype.str[1:] in _EXACT and array.dtype.metadata is None
    dense = array.flags.c_contiguous or array.flags.f_contiguous
    return bool(plain and dense and array.flags.writeable)


def read(folder: Path, unit: Exported, scope: Scope) -> dict[str, Any]:
    """Read a unit; its digest is compared before anything in it is opened.

    Raises ``HandoverError``.
    """
    path = folder / unit.file
    data = checked(path, unit.sha256, unit.size, ", ".join(unit.names))
    try:
        return _read(path, unit, data, scope)
    except HandoverError as error:
        raise HandoverError(f"{_listed(unit.names)}: {error}") from error
    except Exception as error:
        kind = type(error).__name__
        raise HandoverError(
            f"{_listed(unit.names)} cannot be loaded again: {kind}: {error}."
        ) from error


def _read(path: Path, unit: Exported, data: bytes | None, scope: Scope) -> dict[str, Any]:
    (first, *_) = unit.names
    if unit.format == "pickle":
        if data is not None:
            values = pickling.NotebookUnpickler(io.BytesIO(data), scope).load_all()
        else:
            with path.open("rb") as file:
                values = pickling.NotebookUnpickler(file, scope).load_all()
        return dict(values)
    if unit.format == "json":
        return {first: json.loads(data if data is not None else path.read_bytes())}
    if unit.format == "npy":
        import numpy

        source: Any = io.BytesIO(data) if data is not None else path
        return {first: numpy.load(source, allow_pickle=False)}
    if unit.format == "parquet":
        return {first: models_format.from_parquet(path)}
    return {first: models_format.load_estimator(path)}


def checked(path: Path, sha256: str, size: int, what: str) -> bytes | None:
    """Return the bytes of a small file that is what it should be, None for a big one.

    Raises ``HandoverError`` when it is missing or is not what was committed.
    """
    try:
        found = path.stat().st_size
        if found == size and size <= AT_ONCE:
            data: bytes | None = path.read_bytes()
            digest = hashlib.sha256(data or b"").hexdigest()
        else:
            data = None
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HandoverError(
            f"What was handed over for {what} cannot be read: {error.strerror}."
        ) from None
    if digest != sha256:
        raise HandoverError(
            f"What was handed over for {what} is not what was committed: its SHA-256 differs."
        )
    return data


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
