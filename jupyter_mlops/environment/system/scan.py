"""Which shared libraries installed packages take from the system: not bundled, not in the base."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from jupyter_mlops.environment.system import elf
from jupyter_mlops.environment.system.owners import Owners

_SHARED = re.compile(r"\.so($|\.)")
_ORIGIN = re.compile(r"\$(ORIGIN|\{ORIGIN\})")
#: They come with the graphics driver of the machine that a container runs on.
_DRIVER = re.compile(
    r"libcuda\.so|libcudadebugger\.so|libnvcuvid\.so|libnvidia-|libnvoptix\.so|libamdhip64\.so"
    r"|libze_loader\.so|libnrt\.so|libtpu\.so"
)
#: The loader itself, and what the kernel maps into each process.
_LOADER = re.compile(r"ld-linux|ld64\.so|linux-vdso\.so|linux-gate\.so|ld-musl")
#: Files that are loaded only when something asks for them by name: all else works without them.
OPTIONAL = (
    "*/[Pp]lugins/*",  # of Qt, GStreamer, GDAL
    "*/Qt[56]/qml/*",
    "*/numba/np/ufunc/tbbpool.*",  # threading layers: the one called workqueue is always there
    "*/numba/np/ufunc/omppool.*",
    "*/open3d/open3d_t*_ops.so",  # operators for other frameworks
    "*/torch/lib/libtorchbind_test.so",
    "*/torch/lib/libjitbackend_test.so",
    "*/torch/lib/libbackend_with_compiler.so",
    "*/test/*",
    "*/tests/*",
    "*/testing/*",
    "*/examples/*",
)


@dataclass(frozen=True)
class Missing:
    """A library that nothing brings: its name, the distributions and files that ask for it.

    ``owners`` are such as "opencv-python 4.10.0"; ``files`` are relative to site-packages.
    """

    name: str
    owners: tuple[str, ...]
    files: tuple[str, ...]


@dataclass
class _Object:
    """A shared object: the bundled ones that it loads, and the names it asks the system for."""

    loads: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)


def missing(
    site_packages: Path, libraries: Collection[str], loaded: Collection[str] | None = None
) -> list[Missing]:
    """Return the libraries that packages ask for and neither they nor the base bring.

    ``libraries`` are the file names in the base's library folders. Where it is known which
    files a run has ``loaded`` (absolute paths), only they count; else all but ``OPTIONAL`` ones,
    and those that only optional ones load. A file that cannot be read as ELF is passed over.
    Raises ``OSError`` where the folder cannot be listed.
    """
    bundle = _Bundle(site_packages)
    objects = {path: bundle.read(path, libraries) for path in bundle.paths}
    counted = _reached(objects, _roots(objects) if loaded is None else set(loaded) & set(objects))
    found: dict[str, list[str]] = {}
    for path in sorted(counted):
        for name in objects[path].asks:
            found.setdefault(name, []).append(path)
    result = []
    for name, files in sorted(found.items()):
        owners = {bundle.owners.named(bundle.owners.of(path)) for path in files}
        relative = tuple(os.path.relpath(path, site_packages) for path in files)
        result.append(Missing(name, tuple(sorted(owners)), relative))
    return result


def _roots(objects: dict[str, _Object]) -> set[str]:
    """Return what may be loaded first: what no other object loads, without optional ones."""
    inner = {inner for path, each in objects.items() for inner in each.loads if inner != path}
    outer = set(objects) - inner
    ringed = set(objects) - _reached(objects, outer)  # objects that load each other in a ring
    return {path for path in outer | ringed if not _optional(path)}


def _optional(path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in OPTIONAL)


def _reached(objects: dict[str, _Object], start: Iterable[str]) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        for path in objects[waiting.pop()].loads:
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


class _Bundle:
    """The shared objects below a site-packages folder, and where each looks for others."""

    def __init__(self, site_packages: Path) -> None:
        self.paths = frozenset(_shared_objects(str(site_packages)))
        self.owners = Owners(site_packages)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            names.setdefault(path.rpartition("/")[2], []).append(path)
        return names

    def read(self, path: str, libraries: Collection[str]) -> _Object:
        """Look up each name that a file asks for, in the order of the loader."""
        found = _Object()
        try:
            read = elf.read(path)
        except OSError:
            read = None
        if read is None:
            return found
        folder = path.rpartition("/")[0]
        search = [
            os.path.normpath(_ORIGIN.sub(lambda _: folder, each))
            for each in read.search
            if _ORIGIN.match(each)  # a folder of the machine that built it is not in the image
        ]
        for name in read.needed:
            beside = next((p for each in search if (p := f"{each}/{name}") in self.paths), None)
            if beside:
                found.loads.append(beside)
            elif not (name in libraries or _LOADER.match(name) or _DRIVER.match(name)):
                bundled = self._brought(path, name)
                found.loads += bundled
                found.asks += [] if bundled else [name]
        return found

    def _brought(self, path: str, name: str) -> list[str]:
        """Return the library of that name in the package itself or in one that it requires.

        Packages load such a library themselves before what needs it, wherever it lies.
        """
        if name not in self._by_name:
            return []
        near = self.owners.required(self.owners.of(path))
        return [other for other in self._by_name[name] if self.owners.of(other) in near]


def _shared_objects(folder: str) -> Iterator[str]:
    """Yield the shared objects below a folder by their names; links to folders are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _shared_objects(entry.path)
            elif ".so" in entry.name and _SHARED.search(entry.name):
                yield entry.path
