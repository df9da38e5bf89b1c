"""A person's answers to questions about modules, kept in the notebook's own metadata."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from packaging.utils import is_normalized_name

from jupyter_mlops import notebook_format
from jupyter_mlops.environment.names import normal
from jupyter_mlops.errors import ConflictError, MlopsError, NotebookError, shown
from jupyter_mlops.notebook import Notebook

#: Where it stands: ``metadata.jupyter_mlops.distributions``, module → distribution.
NAMESPACE = "jupyter_mlops"
KEY = "distributions"


def of(notebook: Notebook) -> dict[str, str]:
    """Return the answers that a notebook keeps: a distribution for each module."""
    ours = notebook.node.metadata.get(NAMESPACE)
    kept = ours.get(KEY) if isinstance(ours, dict) else None
    if not isinstance(kept, dict):
        return {}
    return {
        str(module): name
        for module, name in kept.items()
        if isinstance(name, str) and is_normalized_name(normal(name))
    }


def remember(path: Path, module: str, distribution: str) -> None:
    """Write an answer into a saved notebook; an empty ``distribution`` takes it out again.

    Only this changes in the file, which is replaced in one go. Only ever called when the user
    has agreed. Raises ``NotebookError``, ``ConflictError`` when the file changes meanwhile.
    """
    if not all(part.isidentifier() for part in module.split(".")):
        raise MlopsError(
            f"'{shown(module)}' is no module's name", remedy="Name it as it is imported"
        )
    if distribution and not is_normalized_name(normal(distribution)):
        raise MlopsError(
            f"'{shown(distribution)}' is no distribution's name",
            remedy="Name it as the package index does, without a version",
        )
    path = path.resolve()  # a link stays a link
    raw = notebook_format.read_bytes(path)
    content = notebook_format.decode(path, raw)
    metadata = _inner(content, "metadata", path)
    ours = _inner(metadata, NAMESPACE, path)
    kept = _inner(ours, KEY, path)
    if distribution:
        kept[module] = distribution
    else:
        kept.pop(module, None)
    for table, key in ((ours, KEY), (metadata, NAMESPACE)):
        if not table[key]:
            del table[key]
    _replace(path, raw, _written(content, raw))


def _inner(table: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    found = table.setdefault(key, {})
    if not isinstance(found, dict):
        raise NotebookError(
            f"The notebook's '{key}' metadata is not an object",
            remedy="Correct or remove it (View > Show Metadata), then try again",
            where=path.name,
        )
    return found


def _written(content: dict[str, Any], raw: bytes) -> bytes:
    """Return the content as it was written before: same indent, order and last line."""
    text = raw.decode("utf-8")
    indent = re.match(r"\{\r?\n([ \t]+)", text)
    plain = not text.isascii() or not re.search(r"\\u[0-9a-fA-F]{4}", text)
    found = json.dumps(
        content,
        indent=indent.group(1) if indent else None,
        ensure_ascii=not plain,
        separators=None if indent else (",", ":") if '":' in text and '": ' not in text else None,
    )
    return (found + "\n" * text.endswith("\n")).encode()


def _replace(path: Path, before: bytes, after: bytes) -> None:
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            part = Path(file.name)
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, part)
        if path.read_bytes() != before:
            raise ConflictError(
                "The notebook was saved by somebody else at this very moment",
                remedy="Try again",
                where=path.name,
            )
        part.replace(path)
    except OSError as error:
        raise NotebookError(
            "The notebook cannot be written",
            why=error.strerror or str(error),
            remedy="Check that you may write to its folder, and that there is space",
            where=path.name,
        ) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
