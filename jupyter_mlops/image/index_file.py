"""``index.json`` of a layout directory: its entries, read, and written by one at a time."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import INDEX
from jupyter_mlops.image.referrers import subject_of
from jupyter_mlops.image.repository import load_json

REF_NAME = "org.opencontainers.image.ref.name"
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


class IndexFile:
    """The index of a layout directory; nothing is created before it is written."""

    directory: Path

    def _entries(self) -> list[dict[str, Any]]:
        try:
            text = (self.directory / "index.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise RegistryError(
                "The registry directory cannot be read",
                why=str(error.strerror),
                where=str(self.directory),
            ) from error
        entries = load_json(text, f"{self.directory}/index.json").get("manifests") or []
        return [item for item in entries if isinstance(item, dict)]

    @contextmanager
    def _locked(self) -> Iterator[list[dict[str, Any]]]:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = (self.directory / ".lock").open("ab")
        except OSError as error:
            raise RegistryError(
                "The registry directory cannot be written",
                why=str(error.strerror),
                remedy="Give this user the right to write there, or publish elsewhere",
                where=str(self.directory),
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._entries()

    def _write_index(self, entries: list[dict[str, Any]]) -> None:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        if not (self.directory / "oci-layout").exists():
            _store.write_file(self.directory / "oci-layout", _LAYOUT)
        _store.write_file(self.directory / "index.json", json.dumps(index, indent=1).encode())


def ref_name(item: dict[str, Any]) -> str:
    """Return the name of an entry: ``repository:tag``, a tag alone, or nothing."""
    return str((item.get("annotations") or {}).get(REF_NAME, ""))


def subject(item: dict[str, Any]) -> str:
    """Return the digest of the image that an entry lists attachments of; "" for an image."""
    return subject_of(ref_name(item).rpartition(":")[2])
