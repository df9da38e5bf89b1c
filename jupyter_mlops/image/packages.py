"""Debian packages as layer members: their files in a merged /usr, without what nobody runs."""

from __future__ import annotations

import posixpath
import re
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image.layer import Directory, Entry, Link, Member

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_DROPPED = re.compile(
    r"usr/share/(man|info|locale|lintian|bug|doc-base|perl5|python-wheels|gcc|menu|applications"
    r"|pixmaps|readline|bash-completion|debconf|zoneinfo/(right|posix))(/|$)"
    r"|usr/share/doc/(?!.*/copyright$)"
    r"|usr/lib/[^/]+/gconv/|.*/__pycache__(/|$)|.*\.pyc$"
    r"|usr/lib/python3\.\d+/(idlelib|test|turtledemo|lib2to3|pydoc_data|ensurepip)/"
    r"|var/(cache|log)/|usr/share/ca-certificates/"
)
#: What nobody reads in a finished image; programs that are asked for keep all else.
_DROPPED_ADDED = re.compile(
    r"usr/share/(man|info|locale|lintian|bug|doc-base|menu|applications|pixmaps|bash-completion"
    r"|zsh|fish|gtk-doc)(/|$)"
    r"|usr/share/doc/(?!.*/copyright$)|var/(cache|log)/|usr/share/ca-certificates/"
)
_CERTIFICATES = re.compile(r"usr/share/ca-certificates/.*\.crt$")
_PASSWD = """\
root:x:0:0:root:/root:/usr/sbin/nologin
mlops:x:1000:0:mlops:/tmp:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUP = """\
root:x:0:
mlops:x:1000:
nogroup:x:65534:
"""


def unpack(packages: Sequence[Path], staging: Path, python: str) -> list[Member]:
    """Unpack ``.deb`` files into ``staging`` and return them as members of a base's layer.

    Maintainer scripts are not run: what they would set up and a service needs (users, the
    certificates' bundle, links) is written here. Raises ImageError for a broken package.
    """
    unpacked = Unpacked(merged, _DROPPED)
    unpacked.take(packages, staging)
    members = unpacked.members
    for member in _written(python, unpacked.certificates):
        members[member.path] = member
    # A folder that another package has as a link is that link.
    return [member for path, member in members.items() if not _below_link(path, members)]


def unpack_added(
    packages: Sequence[Path], staging: Path, place: Callable[[str], str]
) -> dict[str, Member]:
    """Unpack ``.deb`` files to lie over a base and return them as members of a layer, by path.

    ``place`` says where the base keeps a path. The certificates' bundle is written when its
    package is among them. Raises ImageError for a broken package.
    """
    # Drivers of Mesa are one file of 25 MB under a dozen names.
    unpacked = Unpacked(place, _DROPPED_ADDED, links=True)
    unpacked.take(packages, staging)
    if unpacked.certificates:
        bundle = certificate_bundle(unpacked.certificates)
        unpacked.members[bundle.path] = bundle
    return unpacked.members


def _below_link(path: str, members: dict[str, Member]) -> bool:
    parent = path.rpartition("/")[0]
    while parent:
        if isinstance(members.get(parent), Link):
            return True
        parent = parent.rpartition("/")[0]
    return False


class Unpacked:
    """Files of packages on their way into a layer: where each goes, what is left out.

    ``links`` makes symbolic links of hard ones; else they become files with the same content.
    """

    def __init__(
        self, place: Callable[[str], str], dropped: re.Pattern[str], links: bool = False
    ) -> None:
        self._place, self._dropped, self._links = place, dropped, links
        self.members: dict[str, Member] = {}
        self.certificates: dict[str, bytes] = {}

    def take(self, packages: Sequence[Path], staging: Path) -> None:
        """Unpack packages in the order of their names; raises ImageError for a broken one."""
        for number, package in enumerate(sorted(packages)):
            folder = staging / str(number)
            folder.mkdir()
            self._package(package, folder)

    def _package(self, package: Path, folder: Path) -> None:
        process = subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(package)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for count, item in enumerate(archive):
                    self._item(archive, item, folder / str(count))
            process.stdout.read()
        except tarfile.TarError as error:
            raise ImageError(
                "A package is damaged", why=str(error), remedy="Try again", where=package.name
            ) from error
        finally:
            process.stdout and process.stdout.close()
            process.wait()
        if process.returncode:
            raise ImageError("A package is damaged", remedy="Try again", where=package.name)
        _record(package, self.members)

    def _item(self, archive: tarfile.TarFile, item: tarfile.TarInfo, target: Path) -> None:
        original = posixpath.normpath(item.name).lstrip("/")
        path = self._place(original)
        if path in (".", "") or path.startswith("../"):
            return
        if item.isreg() and _CERTIFICATES.match(path):
            file = archive.extractfile(item)
            self.certificates[path] = file.read() if file else b""
        if self._dropped.match(path):
            return
        if item.issym():
            if path not in _MERGED:
                self.members[path] = Link(path, _target(original, path, item.linkname))
        elif item.islnk():
            linked = self.members.get(self._place(posixpath.normpath(item.linkname).lstrip("/")))
            if isinstance(linked, Entry) and self._links:
                self.members[path] = Link(path, f"/{linked.path}")
            elif isinstance(linked, Entry):
                self.members[path] = Entry(path, linked.source, linked.executable)
        elif item.isreg():
            file = archive.extractfile(item)
            with target.open("wb") as output:
                while file and (chunk := file.read(1 << 20)):
                    output.write(chunk)
            self.members[path] = Entry(path, target, bool(item.mode & 0o111))


def merged(path: str) -> str:
    """Return where a path of the root lives when /bin, /lib and so on are links into /usr."""
    first, slash, rest = path.partition("/")
    return f"usr/{first}/{rest}" if slash and first in _MERGED else path


def _target(original: str, path: str, target: str) -> str:
    if original == path or target.startswith("/"):
        return target
    # The link moved one level down, so what it says relatively is said absolutely.
    return "/" + posixpath.normpath(posixpath.join(posixpath.dirname(original), target))


def _record(package: Path, members: dict[str, Member]) -> None:
    """Keep the package's control fields where scanners of small images look for them."""
    done = subprocess.run(["dpkg-deb", "--field", str(package)], capture_output=True, check=False)
    if done.returncode == 0:
        path = f"var/lib/dpkg/status.d/{package.name.partition('_')[0]}"
        members[path] = Entry(path, done.stdout)


def certificate_bundle(certificates: Mapping[str, bytes]) -> Entry:
    """Return the one file of all authorities that programs read."""
    data = b"".join(certificates[name].rstrip(b"\n") + b"\n" for name in sorted(certificates))
    return Entry("etc/ssl/certs/ca-certificates.crt", data)


def _written(python: str, certificates: dict[str, bytes]) -> list[Member]:
    bundle = certificate_bundle(certificates)
    return [
        *(Link(name, f"usr/{name}") for name in _MERGED[:3]),
        Link("lib64", "usr/lib64"),
        *(Directory(name) for name in ("dev", "proc", "sys", "run", "home", "root", "usr/lib64")),
        Directory("tmp", 0o1777),
        Directory("var/tmp", 0o1777),
        Entry("etc/passwd", _PASSWD.encode()),
        Entry("etc/group", _GROUP.encode()),
        Entry("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n"),
        bundle,
        Link("usr/lib/ssl/certs", "/etc/ssl/certs"),
        Link("usr/lib/ssl/cert.pem", f"/{bundle.path}"),
        Link("usr/bin/python3", f"python{python}"),
        Link("usr/bin/python", "python3"),
        Link("usr/bin/sh", "dash"),
        Link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
    ]
