"""The data versions of a run: what its models were trained on, as it stands at the end."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.capture.candidates import is_frame
from jupyter_mlops.capture.hashing import CannotHash, content_hash, is_data
from jupyter_mlops.capture.models import CaptureRequest, Column, DataVersion, Trained
from jupyter_mlops.capture.profiles import FILE_NAME, Profile, Profiles, profile
from jupyter_mlops.capture.schema import frame_columns
from jupyter_mlops.capture.store import type_name

_ROOT = re.compile(r"[^\W\d]\w*")


def versions(
    namespace: dict[str, Any], request: CaptureRequest, captured: Iterable[str], directory: Path
) -> list[DataVersion]:
    """Return the version of all that is trained on, and write the profiles to ``profile.json``.

    What was handed to a ``fit``, and for captured names without one the tables and arrays that
    the cells read which made them. What cannot be hashed says why. Raises ``OSError``.
    """
    trained = list(request.trained)
    known = {each.by for each in trained}
    for name in captured:
        if name not in known:
            trained += [
                Trained(text=text, cell=request.cells.get(name, -1), by=name)
                for text in request.made_from.get(name, [])
                if is_data(namespace.get(text))
            ]
    found: dict[str, DataVersion] = {}
    profiles: list[Profile] = []
    for each in trained:
        before = found.get(each.text)
        if before is not None:
            users = dict.fromkeys([*before.used_by, *filter(None, [each.by])])
            found[each.text] = msgspec.structs.replace(before, used_by=list(users))
            continue
        made = _version(each, namespace)
        if made is None:
            continue
        found[each.text] = made[0]
        profiles += [made[1]] if made[1] else []
    if profiles:
        text = msgspec.json.encode(Profiles(data=profiles))
        (directory / FILE_NAME).write_bytes(text + b"\n")
    return list(found.values())


def _version(
    trained: Trained, namespace: dict[str, Any]
) -> tuple[DataVersion, Profile | None] | None:
    value = _looked_at(trained.text, namespace)
    about: dict[str, Any] = {
        "name": trained.text,
        "cell": trained.cell if trained.cell >= 0 else None,
        "used_by": [trained.by] if trained.by else [],
    }
    if value is None:
        note = "It is not there at the end of the run: its content is not known."
        return DataVersion(type="", note=note, **about), None
    if not is_data(value) and not isinstance(value, list | tuple):
        # A number, a flag or an option of ``fit`` is no data; what feeds data is told.
        if type(value).__module__ in ("builtins", "numpy") or callable(value):
            return None
        note = f"A {type_name(value)} does not show what it holds: its content is not known."
        return DataVersion(type=type_name(value), note=note, **about), None
    about |= {"type": type_name(value), "shape": _shape(value), "columns": _schema(value)}
    about["dtype"] = str(getattr(value, "dtype", "")).removeprefix("torch.")
    try:
        digest = content_hash(value)
    except CannotHash as error:
        return DataVersion(note=f"It has no content hash: {error}.", **about), None
    try:
        described = profile(trained.text, digest, value)
    except Exception as error:
        # Whatever a column of objects holds: a profile is no reason to lose a publication.
        note = f"It has no profile: {type(error).__name__}."
        return DataVersion(sha256=digest, note=note, **about), None
    return DataVersion(sha256=digest, **about), described


def _looked_at(text: str, namespace: dict[str, Any]) -> Any:
    """Return a part of what the notebook has, or None where it has gone by now."""
    root = _ROOT.match(text)
    if root is None or root.group() not in namespace:
        return None
    try:
        return eval(text, dict(namespace))
    except Exception:
        return None


def _shape(value: Any) -> list[int]:
    shape = getattr(value, "shape", None)
    return [len(value)] if shape is None else [int(length) for length in shape]


def _schema(value: Any) -> list[Column]:
    if is_frame(value):
        return frame_columns(value)
    if type(value).__module__.partition(".")[0] == "polars" and hasattr(value, "schema"):
        return [Column(name=name, dtype=str(kind)) for name, kind in value.schema.items()]
    arrow: Any = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(value, arrow.Table):
        return [Column(name=field.name, dtype=str(field.type)) for field in value.schema]
    return []
