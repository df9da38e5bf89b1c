"""What a base image has installed: shared libraries, programs, packages; read from its layers.

Layers are read once; what was found is kept in the store under the base's digest.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from jupyter_mlops import events
from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store
from jupyter_mlops.image.base import Base
from jupyter_mlops.image.layer import Layer
from jupyter_mlops.image.reading import DAMAGED, Reader, uncompressed

#: Changes when more is read from layers: what was kept before is read anew.
_RECIPE = "2"
_OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
LOADER_CACHE = "etc/ld.so.cache"
_STATUS = "var/lib/dpkg/status"
_STATUS_FOLDER = "var/lib/dpkg/status.d/"
#: Files whose content counts; of all others only the name does.
_READ = re.compile(
    rf"{_OS_RELEASE[0]}|{_OS_RELEASE[1]}|{LOADER_CACHE}|{_STATUS}|{_STATUS_FOLDER}[^/]+"
    r"|etc/ld\.so\.conf|etc/ld\.so\.conf\.d/[^/]+\.conf"
)
#: Larger files of these names are not what they seem.
_MOST_BYTES = 32 << 20
_PROGRAMS = ("usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin", "bin", "sbin")
_LIBRARIES = re.compile(r"(usr/)?(local/)?lib(64)?(/[a-z0-9_]+-linux-gnu[a-z0-9]*)?")
_NAMES = re.compile(r"^Package: *(\S+)", re.MULTILINE)
_PROVIDES = re.compile(r"^Provides: *(.+)", re.MULTILINE)
_DEPENDS = re.compile(r"^(Depends|Pre-Depends): *(.+)\n", re.MULTILINE)
#: Names in a group of alternatives such as "libc6 (>= 2.34) | libc6-udeb:any".
_NAME = re.compile(r"(?:^|\|)\s*([a-z0-9][a-z0-9+.-]*)")
_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """What a base has: file names in its library and program folders, and Debian's packages.

    ``system`` and ``release`` are ID and VERSION_ID of os-release ("debian", "12"), ``codename``
    its name ("bookworm"). ``links`` maps folders of the root that are links to what they mean
    (``lib`` → ``usr/lib``). ``status`` is the text of dpkg's list of packages; empty where the
    base has none. ``headers`` says whether Python's C headers are there.
    """

    system: str = ""
    release: str = ""
    codename: str = ""
    libraries: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    links: dict[str, str] = {}
    status: str = ""
    loader_cache: bytes = b""
    headers: bool = False

    @property
    def is_debian(self) -> bool:
        """Tell whether Debian's packages fit: Debian, Ubuntu, with a list of what is there."""
        return self.system in ("debian", "ubuntu") and bool(self.status)

    def place(self, path: str) -> str:
        """Return where a path of the root is stored: links to folders are followed."""
        top, slash, rest = path.partition("/")
        return f"{self.links[top]}/{rest}" if slash and top in self.links else path


def read_installed(base: Base, store: Path, on_event: events.OnEvent = events.ignore) -> Installed:
    """Return what a base has; its layers are read when it is seen for the first time.

    Raises ImageError for a damaged layer, RegistryError where a layer cannot be had.
    """
    digests = [layer.diff_id for layer in base.layers]
    path_variable = base.config.get("config") or {}
    key = json.dumps([_RECIPE, digests, path_variable.get("Env")])
    memory = store / "bases" / f"has-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    try:
        return msgspec.json.decode(memory.read_bytes(), type=Installed)
    except (OSError, msgspec.MsgspecError):
        pass
    size = sum(layer.blob.descriptor.size for layer in base.layers)
    if size > 16 << 20:
        text = f"reading what {base.name} has installed ({size / 1e6:.0f} MB, once)"
        on_event(events.Log(text=text))
    tree: dict[str, _Node] = {}
    for layer in base.layers:
        _apply(layer, tree)
    found = _summary(tree, _environment(base))
    _store.write_file(memory, msgspec.json.encode(found))
    return found


class _Node(msgspec.Struct):
    """A file of the image: what a link points to, or the content that counts."""

    target: str = ""
    data: bytes = b""


def _apply(layer: Layer, tree: dict[str, _Node]) -> None:
    """Lay the files of a layer over those of the layers below."""
    try:
        with layer.blob.open() as packed:
            reader = Reader(uncompressed(packed, layer.blob.descriptor.media_type))
            with tarfile.open(fileobj=reader, mode="r|") as archive:
                for member in archive:
                    _put(archive, member, tree)
            while reader.read(1 << 20):
                pass  # to the end: only there is the digest known to be right
    except DAMAGED as error:
        raise ImageError(
            "A layer of the base is damaged", why=str(error), where=layer.blob.descriptor.digest
        ) from error


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, tree: dict[str, _Node]) -> None:
    path = posixpath.normpath(member.name).lstrip("/")
    folder, _, name = path.rpartition("/")
    if name.startswith(".wh."):
        _remove(tree, folder if name == ".wh..wh..opq" else f"{folder}/{name[4:]}".lstrip("/"))
    elif member.isdir():
        if path in _TOP:
            tree.pop(path, None)  # a folder takes the place of a link
    elif member.issym():
        tree[path] = _Node(target=member.linkname)
    elif _READ.fullmatch(path) and member.isreg() and member.size <= _MOST_BYTES:
        file = archive.extractfile(member)
        tree[path] = _Node(data=file.read() if file else b"")
    else:
        tree[path] = _Node()


def _remove(tree: dict[str, _Node], path: str) -> None:
    for known in [known for known in tree if known == path or known.startswith(f"{path}/")]:
        del tree[known]


def _environment(base: Base) -> dict[str, str]:
    items = (base.config.get("config") or {}).get("Env") or []
    return dict(str(item).partition("=")[::2] for item in items)


def _summary(tree: Mapping[str, _Node], environment: Mapping[str, str]) -> Installed:
    links = {
        top: posixpath.normpath(tree[top].target.lstrip("/"))
        for top in _TOP
        if top in tree and tree[top].target
    }
    release = _os_release(tree)
    folders = _library_folders(tree, environment)
    programs = {*_PROGRAMS, *_folders(environment.get("PATH", ""))}
    split = [path.rpartition("/")[::2] for path in tree]
    return Installed(
        system=release.get("ID", ""),
        release=release.get("VERSION_ID", ""),
        codename=release.get("VERSION_CODENAME", ""),
        libraries=frozenset(
            name
            for folder, name in split
            if ".so" in name and (folder in folders or _LIBRARIES.fullmatch(folder))
        ),
        programs=frozenset(name for folder, name in split if folder in programs),
        links=links,
        status=_status(tree),
        loader_cache=tree[LOADER_CACHE].data if LOADER_CACHE in tree else b"",
        headers=any(path.endswith("/Python.h") for path in tree),
    )


def _os_release(tree: Mapping[str, _Node]) -> dict[str, str]:
    data = next((tree[path].data for path in _OS_RELEASE if path in tree and tree[path].data), b"")
    pairs = (line.partition("=") for line in data.decode(errors="replace").splitlines())
    return {name: value.strip("\"'") for name, _, value in pairs if value}


def _library_folders(tree: Mapping[str, _Node], environment: Mapping[str, str]) -> set[str]:
    """Return the folders beside the usual ones in which the loader looks, as the base says."""
    found = set(_folders(environment.get("LD_LIBRARY_PATH", "")))
    for path, node in tree.items():
        if path.startswith("etc/ld.so.conf"):
            for line in node.data.decode(errors="replace").splitlines():
                if line.startswith("/"):
                    found |= set(_folders(line.split("#")[0].strip()))
    return found


def _folders(text: str) -> Iterator[str]:
    return (posixpath.normpath(part).lstrip("/") for part in text.split(":") if part.strip("/"))


def _status(tree: Mapping[str, _Node]) -> str:
    """Return dpkg's list; small images have a file for each package instead."""
    whole = tree[_STATUS].data.decode(errors="replace").strip() if _STATUS in tree else ""
    single = [
        text
        for path in sorted(tree)
        if path.startswith(_STATUS_FOLDER)
        and (text := tree[path].data.decode(errors="replace").strip()).startswith("Package:")
    ]
    texts = [*([whole] if whole else []), *_without_scripts(single, whole)]
    return "\n\n".join(texts) + "\n" if texts else ""


def _without_scripts(texts: list[str], whole: str) -> list[str]:
    """Return the packages of a small image as dpkg would list them.

    Such an image leaves out what only installing needs, so nothing depends on that either.
    """
    names = {name for text in [*texts, whole] for name in _NAMES.findall(text)}
    names |= {
        word.split()[0]
        for text in texts
        for line in _PROVIDES.findall(text)
        for word in line.split(",")
        if word.strip()
    }

    def there(match: re.Match[str]) -> str:
        groups = [group.strip() for group in match[2].split(",")]
        kept = [g for g in groups if any(one.strip() in names for one in _NAME.findall(g))]
        return f"{match[1]}: {', '.join(kept)}\n" if kept else ""

    found = []
    for text in texts:
        first, _, rest = text.partition("\n")
        rest = _DEPENDS.sub(there, f"{rest}\n").rstrip()
        found.append(f"{first}\nStatus: install ok installed\n{rest}")
    return found
