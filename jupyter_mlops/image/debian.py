"""A base made of the distribution's own packages: no registry, no daemon, no root.

``apt-get`` resolves and downloads with private state; the packages' files become one layer.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jupyter_mlops import events
from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.apt import FRESH, Apt, architecture_of
from jupyter_mlops.image.base import PYTHON_LABEL, Base
from jupyter_mlops.image.blob import CONFIG, LAYER_GZIP, MANIFEST, BytesBlob
from jupyter_mlops.image.layer import Layer, build_layer, remembered_layer
from jupyter_mlops.image.packages import unpack

#: What a notebook's service needs below its locked packages; ``{python}`` is the minor version.
PACKAGES = (
    "python{python}", "ca-certificates", "libstdc++6", "libgomp1", "dash", "coreutils",
    "base-files", "tzdata",
)  # fmt: skip
# Only needed to install packages, which nobody does in a finished image.
_NOT_UNPACKED = {
    "dpkg", "tar", "debconf", "mawk", "debianutils", "openssl", "perl-base", "readline-common",
}  # fmt: skip
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _Known(msgspec.Struct, kw_only=True):
    """The package files that a base was made of, and when apt was asked for them."""

    files: list[str]
    asked_at: float


def build_base(
    *, python: str, platform: str, store: Path, on_event: events.OnEvent = events.ignore
) -> Base:
    """Make a base of about 50 MB from the distribution's packages, or take it from the store.

    Raises ImageError when there is no apt-get, or the distribution has no such Python.
    """
    architecture = architecture_of(platform)
    folder = store / "debian"
    apt = Apt(folder, architecture)
    memory = folder / f"python{python}-{architecture}.json"
    try:
        with _store.locked(folder / ".lock"):
            known = _recall(memory)
            if known is None or time.time() - known.asked_at > FRESH:
                known = _ask(apt, python, known)
                _store.write_file(memory, msgspec.json.encode(known))
            layer = _layer(apt, known.files, python, store, on_event)
    except OSError as error:
        raise ImageError("The base cannot be written", why=str(error), where=str(folder)) from error
    return _base(layer, python, architecture)


def _recall(memory: Path) -> _Known | None:
    try:
        return msgspec.json.decode(memory.read_bytes(), type=_Known)
    except (OSError, msgspec.MsgspecError):
        return None


def _ask(apt: Apt, python: str, known: _Known | None) -> _Known:
    """Let apt resolve the packages; a list of before is kept when apt's sources do not answer."""
    try:
        apt.update()
        files = apt.resolve(_wanted(python))
    except ImageError:
        if known is None:
            raise
        return known
    if not files:
        raise ImageError("apt-get names no packages to make a base of")
    return _Known(files=files, asked_at=time.time())


def _wanted(python: str) -> list[str]:
    return [name.format(python=python) for name in PACKAGES]


def _layer(
    apt: Apt, files: Sequence[str], python: str, store: Path, on_event: events.OnEvent
) -> Layer:
    digest = hashlib.sha256("\n".join(files).encode()).hexdigest()
    key, title = f"debian:{python}:{digest}", f"Python {python} of the distribution"
    known = remembered_layer(key, kind="base", title=title, store=store)
    if known:
        return known
    on_event(events.Log(text=f"making a base with Python {python} of {len(files)} system packages"))
    apt.download(_wanted(python))
    archives = apt.archives
    needed = [name for name in files if name.partition("_")[0] not in _NOT_UNPACKED]
    missing = [name for name in needed if not (archives / name).exists()]
    if missing:
        (apt.folder / f"python{python}-{apt.architecture}.json").unlink(missing_ok=True)
        raise ImageError(
            f"apt-get no longer has {missing[0]}", remedy="Try again: the list is made anew"
        )
    with tempfile.TemporaryDirectory(dir=apt.folder, prefix="unpack-") as staging:
        members = unpack([archives / name for name in needed], Path(staging), python)
        layer = build_layer(members, kind="base", title=title, store=store, key=key)
    shutil.rmtree(archives, ignore_errors=True)  # the layer is what counts
    return layer


def _base(layer: Layer, python: str, architecture: str) -> Base:
    """Describe the layer as an image, so that it has a digest like any other base."""
    from jupyter_mlops.image.manifest import canonical, created

    config = {
        "architecture": architecture,
        "os": "linux",
        "created": created(),
        "config": {
            "Env": [f"PATH={_PATH}", "LANG=C.UTF-8"],
            "Cmd": ["python3"],
            "Labels": {PYTHON_LABEL: python},
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        "history": [{"created": created(), "created_by": "apt-get", "comment": layer.title}],
    }
    descriptor = layer.blob.descriptor
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": BytesBlob(canonical(config), CONFIG).descriptor.to_dict(),
        "layers": [{"mediaType": LAYER_GZIP, "digest": descriptor.digest, "size": descriptor.size}],
    }
    digest = BytesBlob(canonical(manifest), MANIFEST).descriptor.digest
    return Base(f"system-packages:python{python}", digest, (layer,), config, python)
