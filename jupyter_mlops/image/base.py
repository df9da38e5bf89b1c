"""The base image: what brings Python, from a registry, a layout, or the distribution's packages."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from jupyter_mlops import events
from jupyter_mlops.errors import ImageError, MlopsError, RegistryError
from jupyter_mlops.image import platforms
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import Descriptor, RemoteBlob, digest_of
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.referrers import subject_of
from jupyter_mlops.image.repository import Repository, load_json, read_blob

MIRROR_VARIABLE = "JUPYTER_MLOPS_MIRROR"
DEFAULT_MIRROR = "docker.io/library"
#: Label of a base made here: the Python minor version that it holds.
PYTHON_LABEL = "io.jupyter-mlops.python"
#: Seconds that an unasked-for registry has to answer, and for which its silence is remembered.
ANSWER_WITHIN, SILENT_FOR = 3.0, 3600.0

OpenRepository = Callable[[str], Repository]


@dataclass(frozen=True)
class Base:
    """A base image: its name and digest, its layers (not downloaded), its config.

    ``python`` is its minor version such as ``3.11``, empty when the image does not tell.
    """

    name: str
    digest: str
    layers: tuple[Layer, ...]
    config: dict[str, Any] = field(default_factory=dict)
    python: str = ""


def resolve_base(
    spec: str,
    *,
    python: str,
    platform: str = "linux/amd64",
    store: Path,
    open_repository: OpenRepository,
    on_event: events.OnEvent = events.ignore,
) -> Base:
    """Return the base that ``spec`` names, without downloading its layers.

    ``auto`` is ``python:<python>-slim`` of the mirror in JUPYTER_MLOPS_MIRROR (Docker Hub when
    unset), else a base made of the distribution's own packages. Otherwise ``spec`` is a registry
    reference or ``oci:DIRECTORY[:[repository:]tag]``. Raises ImageError when there is no base, or
    one of another Python or platform; RegistryError when the registry that was named fails.
    """
    if spec == "auto":
        return _automatic(python, platform, store, open_repository, on_event)
    base = _stored(spec, python, platform, store, open_repository(spec))
    if base.python and base.python != python:
        raise ImageError(
            f"Base {spec} has Python {base.python}, the notebook needs {python}",
            why="Compiled packages work with one minor version only",
            remedy=f"Choose a base with Python {python}",
        )
    if not base.python:
        on_event(
            events.Log(
                text=f"base {spec} does not tell its Python version: {python} is assumed",
                level="warning",
            )
        )
    return base


class _Automatic(msgspec.Struct, kw_only=True):
    """What ``auto`` came to before: a reference by digest, or a registry's silence."""

    mirror: str
    digest: str = ""
    silent_at: float = 0.0


def _automatic(
    python: str,
    platform: str,
    store: Path,
    open_repository: OpenRepository,
    on_event: events.OnEvent,
) -> Base:
    mirror = (os.environ.get(MIRROR_VARIABLE) or DEFAULT_MIRROR).rstrip("/")
    memory = store / "bases" / f"auto-{python}-{platform.replace('/', '-')}.json"
    known = _recall(memory, mirror)
    reference = f"{mirror}/python:{python}-slim"
    silent = ""
    if time.time() - known.silent_at > SILENT_FOR:
        try:
            base = _within(
                ANSWER_WITHIN,
                lambda: _stored(reference, python, platform, store, open_repository(reference)),
            )
            _keep(memory, _Automatic(mirror=mirror, digest=base.digest))
            return base
        except (MlopsError, TimeoutError) as error:
            silent = str(error) or f"no answer within {ANSWER_WITHIN:g} seconds"
    if known.digest:
        # The layers may be mountable where the image goes, so the base stays what it was.
        with_digest = f"{mirror}/python@{known.digest}"
        try:
            return _stored(
                with_digest, python, platform, store, open_repository(with_digest), reference
            )
        except MlopsError as error:
            silent = silent or str(error)
    if silent:
        on_event(
            events.Log(
                text=f"{reference} cannot be had, so the base is made from this system's packages. "
                f"{silent}"
            )
        )
        _keep(memory, _Automatic(mirror=mirror, silent_at=time.time()))
    from jupyter_mlops.image.debian import build_base

    try:
        return build_base(python=python, platform=platform, store=store, on_event=on_event)
    except ImageError as error:
        _no_base(reference, python, error)


def _no_base(reference: str, python: str, error: ImageError) -> NoReturn:
    raise ImageError(
        f"There is no base image with Python {python}",
        why=f"{reference} cannot be had, and none can be made of this system's packages: "
        f"{error.problems[0].problem}"
        + (f" ({error.problems[0].why})" if error.problems[0].why else ""),
        remedy="Set JUPYTER_MLOPS_MIRROR to a registry that mirrors Docker Hub's library "
        "(registry.example.org/library), or name an image (--base registry/repository:tag), "
        "or an OCI layout directory (--base oci:DIRECTORY:tag)",
    ) from error


def _within(seconds: float, work: Callable[[], Base]) -> Base:
    """Do the work in a thread that is abandoned after ``seconds``; raises TimeoutError then."""
    results: list[Base] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="base-probe")
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        raise errors[0]
    raise TimeoutError


def _recall(memory: Path, mirror: str) -> _Automatic:
    try:
        known = msgspec.json.decode(memory.read_bytes(), type=_Automatic)
    except (OSError, msgspec.MsgspecError):
        return _Automatic(mirror=mirror)
    return known if known.mirror == mirror else _Automatic(mirror=mirror)


def _keep(memory: Path, known: _Automatic) -> None:
    _store.write_file(memory, msgspec.json.encode(known))


def version_of(spec: str) -> str:
    """Return the digest or tag that a reference ends with; ``latest`` when it names none."""
    _, at, digest = spec.rpartition("@")
    if at and digest.startswith("sha256:"):
        return digest
    if spec.startswith("oci:"):
        parts = spec.split(":")
        return parts[-1] if len(parts) > 2 else "latest"
    tag = spec.rpartition("/")[2].partition(":")[2]
    return tag or "latest"


def _stored(
    spec: str, python: str, platform: str, store: Path, repository: Repository, name: str = ""
) -> Base:
    """Read manifest and config of a base; what was read once is kept in the store by digest."""
    version = version_of(spec)
    found = _only(repository) if spec.startswith("oci:") and spec.count(":") == 1 else None
    descriptor = found or (
        Descriptor(media_type="", digest=version, size=0)
        if version.startswith("sha256:")
        else repository.resolve(version)
    )
    digest = descriptor.digest
    manifest = load_json(_cached(store, digest, repository.manifest_bytes), "manifest")
    if platforms.is_index(manifest):
        digest = platforms.choose(manifest, platform, spec).digest
        manifest = load_json(_cached(store, digest, repository.manifest_bytes), "manifest")
    try:
        config_digest = str(manifest["config"]["digest"])
        items = [Descriptor.from_dict(item) for item in manifest["layers"]]
    except (KeyError, TypeError) as error:
        raise ImageError(f"{spec} is not a container image", why=f"No {error}") from error
    text = _cached(store, config_digest, lambda digest: read_blob(repository, digest))
    config = load_json(text, "config")
    built_for = f"{config.get('os', 'linux')}/{config.get('architecture', '')}"
    if built_for != "/".join(platform.split("/")[:2]):
        raise ImageError(f"Base {spec} is for {built_for}, not for {platform}")
    diff_ids = list((config.get("rootfs") or {}).get("diff_ids") or [])
    if len(diff_ids) != len(items):
        raise ImageError(f"{spec} is not a container image", why="Layers and config do not match")
    layers = tuple(
        Layer(RemoteBlob(_plain(item), repository, repository.mount_from), diff_id, "base", "")
        for item, diff_id in zip(items, diff_ids, strict=True)
    )
    return Base(name or spec, digest, layers, config, _python(config))


def _plain(item: Descriptor) -> Descriptor:
    return Descriptor(media_type=item.media_type, digest=item.digest, size=item.size)


def _only(repository: Repository) -> Descriptor | None:
    """Return the single image of a layout that was named without a tag."""
    tags = [tag for tag in repository.tags() if not subject_of(tag)]
    if len(tags) == 1:
        return repository.resolve(tags[0])
    return None


def _cached(store: Path, digest: str, load: Callable[[str], bytes]) -> bytes:
    path = _store.blob_path(store, digest)
    try:
        data = path.read_bytes()
        if digest_of(data) == digest:
            return data
    except OSError:
        pass
    data = load(digest)
    if digest_of(data) != digest:
        raise RegistryError(f"The registry gave other content for {digest}")
    _store.write_file(path, data)
    return data


def _python(config: dict[str, Any]) -> str:
    start = config.get("config") or {}
    label = (start.get("Labels") or {}).get(PYTHON_LABEL)
    if label:
        return str(label)
    for item in start.get("Env") or []:
        name, _, value = item.partition("=")
        if name == "PYTHON_VERSION":
            return ".".join(value.split(".")[:2])
    return ""
