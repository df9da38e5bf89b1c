"""Bring what a publication added to its base onto this machine, to run it without a container."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from jupyter_mlops.errors import RegistryError
from jupyter_mlops.image import platforms
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.blob import LAYER_KIND, Descriptor
from jupyter_mlops.image.reading import DAMAGED, Reader, uncompressed
from jupyter_mlops.image.repository import Repository

#: Bytes and files that a publication may unpack to: beyond that it is an attack or a mistake.
MOST_BYTES, MOST_FILES = 256 << 30, 2_000_000
#: Bytes of a file that is read, not written.
MOST_READ = 64 << 20
_LANES = 4
#: Kinds of layers that hold nothing of the publication's own folder.
_OTHERS = ("base", "system")


def unpack(
    repository: Repository, version: str, directory: Path, prefix: str = "opt/mlops"
) -> Path:
    """Unpack the layers above the base below ``directory``; return the folder that is ``prefix``.

    Of an index it is the image for this machine's platform. Only what lies below ``prefix`` is
    written. The folder is named by the image's digest, so a second call finds it. It appears
    complete or not at all. Raises NotFoundError, and RegistryError for damaged or unsafe content.
    """
    if version.startswith("sha256:") and (directory / version.replace(":", "-")).is_dir():
        return directory / version.replace(":", "-") / prefix
    digest = platforms.chosen(repository, version).digest
    final = directory / digest.replace(":", "-")
    root = final / prefix
    if final.is_dir():
        return root
    layers = _layers(repository, digest)
    try:
        with _store.staging(directory) as staging:
            (staging / prefix).mkdir(parents=True)
            state = _State()
            with ThreadPoolExecutor(_LANES) as pool:
                for _ in pool.map(
                    lambda layer: _extract(repository, layer, staging, prefix, state), layers
                ):
                    pass
            staging.chmod(0o755)
            with suppress(OSError):
                staging.rename(final)
            if not final.is_dir():
                raise RegistryError("The publication cannot be unpacked", where=str(final))
    except OSError as error:
        raise RegistryError(
            "The publication cannot be unpacked",
            why=error.strerror or str(error),
            remedy="Free some space, or set JUPYTER_MLOPS_HOME to a folder on another disk",
            where=str(directory),
        ) from error
    return root


def read_files(
    repository: Repository, version: str, names: Collection[str], prefix: str = "opt/mlops"
) -> dict[str, bytes]:
    """Return small files of a publication by name, without fetching its packages.

    Of an index they are those of the image for this machine's platform.
    What changes most lies on top: layers are read from there until all is found, and what is
    found first is what a container sees. What is not there is left out. Raises NotFoundError, and
    RegistryError for damaged content.
    """
    digest = platforms.chosen(repository, version).digest
    found: dict[str, bytes] = {}
    for layer in reversed(_layers(repository, digest)):
        if found.keys() >= set(names):
            break
        above = set(found)
        _visit(repository, layer, partial(_keep, found, set(names) - above, prefix))
    return found


def _keep(
    found: dict[str, bytes],
    names: Collection[str],
    prefix: str,
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
) -> None:
    name = member.name.removeprefix(f"{prefix}/")
    if name in names and member.isreg() and member.size <= MOST_READ:
        source = archive.extractfile(member)
        assert source is not None
        found[name] = source.read()


def _layers(repository: Repository, digest: str) -> list[Descriptor]:
    _, manifest = repository.manifest(digest)
    every = [Descriptor.from_dict(item) for item in manifest.get("layers") or []]
    kinds = [item.annotations.get(LAYER_KIND) for item in every]
    own = [item for item, kind in zip(every, kinds, strict=True) if kind not in _OTHERS]
    if not any(kind and kind not in _OTHERS for kind in kinds):
        raise RegistryError(
            "This image is not a publication",
            why="None of its layers was made by jupyter-mlops",
            where=f"{repository.name}@{digest}",
        )
    return own


class _State:
    """What may still be written, and the folders made; shared by threads, need not be exact."""

    def __init__(self) -> None:
        self.bytes, self.files = MOST_BYTES, MOST_FILES
        self.folders: set[str] = set()

    def take(self, size: int) -> None:
        self.bytes -= size
        self.files -= 1
        if self.bytes < 0 or self.files < 0:
            raise RegistryError("A publication unpacks to more than is reasonable")


def _extract(
    repository: Repository, layer: Descriptor, root: Path, prefix: str, state: _State
) -> None:
    def write(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        _write(archive, member, root, prefix, state)

    _visit(repository, layer, write)


def _visit(
    repository: Repository,
    layer: Descriptor,
    each: Callable[[tarfile.TarFile, tarfile.TarInfo], None],
) -> None:
    """Call ``each`` with all that is in a layer; when this returns, its digest was right."""
    where = f"{repository.name}, layer {layer.digest}"
    try:
        with repository.blob(layer.digest) as packed:
            reader = Reader(uncompressed(packed, layer.media_type))
            with tarfile.open(fileobj=reader, mode="r|") as archive:
                for member in archive:
                    each(archive, member)
            # To the end: only there is the digest known to be right.
            while reader.read(1 << 20):
                pass
    except DAMAGED as error:
        raise RegistryError("A layer is damaged", why=str(error), where=where) from error
    except _Unsafe as error:
        raise RegistryError("A layer holds an unsafe path", why=str(error), where=where) from error


class _Unsafe(Exception):
    """A path or link that would lead out of the folder."""


def _write(
    archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, prefix: str, state: _State
) -> None:
    name = member.name.rstrip("/")
    parts = name.split("/")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in name:
        raise _Unsafe(repr(member.name))
    if not f"{name}/".startswith(f"{prefix}/"):
        return  # parent folders, and what belongs elsewhere in the container
    state.take(member.size)
    _make_folder(root, name if member.isdir() else name.rpartition("/")[0], state.folders)
    target = f"{root}/{name}"
    if member.isdir():
        return
    if member.issym():
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        if member.linkname.startswith("/") or not f"{inside}/".startswith(f"{prefix}/"):
            raise _Unsafe(f"{name} links to {member.linkname}")
        Path(target).symlink_to(member.linkname)
    elif member.isreg():
        mode = 0o755 if member.mode & 0o100 else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            descriptor = os.open(target, flags, mode)
        except FileExistsError:
            raise _Unsafe(f"{name} is there twice") from None
        with os.fdopen(descriptor, "wb") as file:
            source = archive.extractfile(member)
            assert source is not None
            shutil.copyfileobj(source, file, 1 << 20)
    else:
        raise _Unsafe(f"{name} is neither a file nor a folder nor a link")


def _make_folder(root: Path, path: str, made: set[str]) -> None:
    """Make a folder and those above it; what is in ``made`` is known to be one, and no link."""
    if not path or path in made:
        return
    _make_folder(root, path.rpartition("/")[0], made)
    folder = root / path
    with suppress(FileExistsError):
        folder.mkdir()
    if folder.is_symlink() or not folder.is_dir():
        raise _Unsafe(f"{path} is not a folder and has files below it")
    made.add(path)
