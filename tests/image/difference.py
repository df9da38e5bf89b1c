"""What differs between two images, for a person: the first files and the first fields."""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from jupyter_mlops.image.layout import Layout

#: Lines of a difference that are shown for each part.
SHOWN = 12


def difference(first: tuple[Path, str], second: tuple[Path, str]) -> str:
    """Return the differences of two images, each given as (layout, digest); empty if none."""
    one, other = _Contents(*first), _Contents(*second)
    said = _lines("manifest", one.manifest, other.manifest)
    said += _lines("config", one.config, other.config)
    for path in sorted({*one.files, *other.files}):
        before, after = one.files.get(path), other.files.get(path)
        if before != after:
            said.append(f"{path}: {before} → {after}")
    return "\n".join(said)


class _Contents:
    """The manifest and the config of an image, and its files: (mode, owner, time, digest)."""

    def __init__(self, folder: Path, digest: str) -> None:
        layout = Layout(folder)
        _, self.manifest = layout.manifest(digest)
        self._layout = layout
        self.config = json.loads(self._blob(self.manifest["config"]["digest"]))
        self.files: dict[str, tuple[Any, ...]] = {}
        for layer in self.manifest["layers"]:
            self._layer(layer.get("annotations", {}), self._blob(layer["digest"]))

    def _blob(self, digest: str) -> bytes:
        with self._layout.blob(digest) as chunks:
            return b"".join(chunks)

    def _layer(self, annotations: dict[str, str], packed: bytes) -> None:
        name = " ".join(sorted(annotations.values())) or "packages"
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for index, member in enumerate(archive):
                file = archive.extractfile(member) if member.isfile() else None
                content = file.read() if file else member.linkname.encode()
                self.files[f"[{name}] {member.name}"] = (
                    index, oct(member.mode), member.uid, member.gid, member.uname, member.mtime,
                    hashlib.sha256(content).hexdigest()[:12],
                )  # fmt: skip


def _lines(name: str, first: Any, second: Any) -> list[str]:
    one, other = (json.dumps(value, indent=1, sort_keys=True) for value in (first, second))
    found = list(difflib.unified_diff(one.splitlines(), other.splitlines(), name, name, n=0))
    return found[:SHOWN]
