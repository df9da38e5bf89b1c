"""What a package's scripts would do after unpacking and an image needs: links, the loader's cache.

No script is run. What cannot be told from the files themselves is not done, and is checked for.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlops.environment.system import elf
from jupyter_mlops.image.installed import LOADER_CACHE, Installed
from jupyter_mlops.image.layer import Entry, Link, Member
from jupyter_mlops.image.loader_cache import FLAGS, read_cache, write_cache

#: Changes when the same packages would be finished in another way.
RECIPE = "1"
_MULTIARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_PROGRAMS = ("usr/bin", "usr/sbin", "bin", "sbin", "usr/games", "usr/local/bin")
_SHARED = re.compile(r"lib.*\.so($|\.)|ld-linux.*")
#: ``update-alternatives --install LINK NAME PATH PRIORITY --slave LINK NAME PATH``, all literal.
_ALTERNATIVE = re.compile(r"--(?:install|slave)\s+(/[\w./+-]+)\s+[\w.+-]+\s+(/[\w./+-]+)(?=\s|$)")
#: Graphviz keeps a list of its plugins, which its package writes when it is installed.
_GRAPHVIZ_BLOCK = re.compile(r"^((libgvplugin_\S+) .*?^}\n)", re.DOTALL | re.MULTILINE)
_GRAPHVIZ = frozenset("dot neato fdp sfdp twopi circo".split())
_GRAPHVIZ_LIST = Path(__file__).with_name("graphviz.txt")


@dataclass
class Finished:
    """What an image with the layer has: libraries and programs by name; what is still absent.

    ``absent`` maps a library to the files that ask for it.
    """

    libraries: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    absent: dict[str, list[str]] = field(default_factory=dict)


def finish(
    members: dict[str, Member], packages: Sequence[Path], base: Installed, architecture: str
) -> Finished:
    """Add to ``members`` what makes the unpacked packages work; return what is there then."""
    work = _Finishing(members, base, _MULTIARCH[architecture])
    for package in packages:
        work.alternatives(_script(package))
    work.programs()
    absent = work.libraries()
    drawing = work.graphviz()
    libraries = {name: path for path, name in work.sonames()}
    cached = {**read_cache(base.loader_cache, FLAGS[architecture])}
    cached.update({name: f"/{path}" for name, path in libraries.items()})
    members[LOADER_CACHE] = Entry(LOADER_CACHE, write_cache(cached, FLAGS[architecture]))
    names = {path.rpartition("/")[2] for path in members if work.is_library(path)}
    programs = {path.rpartition("/")[2] for path in members if _is_program(path)}
    return Finished(names, programs if drawing else programs - _GRAPHVIZ, absent)


def _script(package: Path) -> str:
    """Return the script that would run after unpacking; empty where there is none."""
    done = subprocess.run(
        ["dpkg-deb", "--info", str(package), "postinst"], capture_output=True, check=False
    )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def _is_program(path: str) -> bool:
    return path.rpartition("/")[0] in _PROGRAMS


@dataclass
class _Finishing:
    members: dict[str, Member]
    base: Installed
    multiarch: str

    def __post_init__(self) -> None:
        names = ("lib", "usr/lib", "lib64", "usr/lib64", "usr/local/lib")
        self._folders = {
            *names, *(f"{name}/{self.multiarch}" for name in ("lib", "usr/lib", "usr/local/lib")),
        }  # fmt: skip
        self._elf: dict[Path, elf.Elf | None] = {}

    def is_library(self, path: str) -> bool:
        """Tell whether the loader finds a file by its name alone."""
        folder, _, name = path.rpartition("/")
        return folder in self._folders and bool(_SHARED.match(name))

    def alternatives(self, script: str) -> None:
        """Make the links that a script makes by ``update-alternatives``, of literal paths only."""
        for link, target in _ALTERNATIVE.findall(script.replace("\\\n", " ")):
            path = self.base.place(link.lstrip("/"))
            if path not in self.members and self.base.place(target.lstrip("/")) in self.members:
                self.members[path] = Link(path, target)

    def programs(self) -> None:
        """Link programs that lie elsewhere or under a longer name: java, convert, vim."""
        found: dict[str, list[str]] = {}
        for path, member in self.members.items():
            if isinstance(member, Entry) and member.executable:
                folder, _, name = path.rpartition("/")
                if folder in _PROGRAMS and re.search(r"[-.](im\d|tiny|q\d+)", name):
                    found.setdefault(re.split(r"-im\d|\.tiny|\.q\d", name)[0], []).append(path)
                elif re.fullmatch(r"usr/lib/jvm/[^/]+/bin", folder):
                    found.setdefault(name, []).append(path)
        for name, paths in found.items():
            path = f"usr/bin/{name}"
            if path not in self.members and name not in self.base.programs and len(paths) == 1:
                self.members[path] = Link(path, f"/{paths[0]}")

    def libraries(self) -> dict[str, list[str]]:
        """Link libraries that lie in folders of their own; return what is nowhere."""
        absent: dict[str, list[str]] = {}
        deep: dict[str, list[str]] = {}
        for path in self.members:
            name = path.rpartition("/")[2]
            if _SHARED.match(name) and not self.is_library(path):
                deep.setdefault(name, []).append(path)
        for path, name in list(self._asked()):
            found = deep.get(name, [])
            if len(found) == 1:
                link = f"{self.base.place('usr/lib')}/{self.multiarch}/{name}"
                self.members.setdefault(link, Link(link, f"/{found[0]}"))
            else:
                absent.setdefault(name, []).append(path)
        return absent

    def _asked(self) -> Iterator[tuple[str, str]]:
        """Yield the libraries that files ask for and do not find, each with the file."""
        for path, member in self.members.items():
            found = self._read(member)
            for name in found.needed if found else ():
                if name in self.base.libraries or name.startswith("ld-linux"):
                    continue
                folders = [*self._search(path, found), *self._folders] if found else []
                if not any(f"{folder}/{name}" in self.members for folder in folders):
                    yield path, name

    def _search(self, path: str, found: elf.Elf) -> list[str]:
        origin = "/" + path.rpartition("/")[0]
        folders = [
            re.sub(r"\$(ORIGIN|\{ORIGIN\})", lambda _: origin, each) for each in found.search
        ]
        return [self.base.place(posixpath.normpath(each).lstrip("/")) for each in folders]

    def _read(self, member: Member) -> elf.Elf | None:
        if not isinstance(member, Entry) or not isinstance(member.source, Path):
            return None
        if member.source not in self._elf:
            self._elf[member.source] = elf.read(member.source)
        return self._elf[member.source]

    def sonames(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the name of each library that the loader should find."""
        for path, member in sorted(self.members.items()):
            if not self.is_library(path):
                continue
            if isinstance(member, Link):
                name = path.rpartition("/")[2]
                if posixpath.dirname(member.target) not in ("", f"/{posixpath.dirname(path)}"):
                    yield path, name  # an alternative
                continue
            found = self._read(member)
            if found and found.soname:
                beside = f"{posixpath.dirname(path)}/{found.soname}"
                yield (beside if beside in self.members else path), found.soname

    def graphviz(self) -> bool:
        """Write the list of Graphviz's plugins, without which it draws nothing; say if it could."""
        folder = f"{self.base.place('usr/lib')}/{self.multiarch}/graphviz"
        names = {path.removeprefix(f"{folder}/") for path in self.members}
        if not any(name.startswith("libgvplugin_core.so.") for name in names):
            return True
        blocks = _GRAPHVIZ_BLOCK.findall(_GRAPHVIZ_LIST.read_text(encoding="utf-8"))
        text = "".join(block for block, plugin in blocks if plugin in names)
        path = f"{folder}/config6a"
        self.members.setdefault(path, Entry(path, text.encode()))
        return "libgvplugin_core.so.6" in names
