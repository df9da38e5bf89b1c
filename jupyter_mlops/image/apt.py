"""``apt-get`` with state of its own: it resolves and downloads packages, and installs nothing."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlops.errors import ImageError
from jupyter_mlops.image import store as _store

# Hooks of the system's configuration would touch the system's own caches.
_CLEAR = "".join(
    f"#clear {name};\n"
    for name in (
        "APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success",
        "DPkg::Pre-Invoke", "DPkg::Post-Invoke", "DPkg::Pre-Install-Pkgs",
    )
)  # fmt: skip
_HELPER = "/usr/lib/apt/apt-helper"
#: Seconds for which what apt said is taken as it is: one week.
FRESH = 7 * 24 * 3600.0
_ARCHITECTURES = {"linux/amd64": "amd64", "linux/arm64": "arm64"}


def architecture_of(platform: str) -> str:
    """Return Debian's name of a platform such as ``linux/amd64``; raises ImageError for others."""
    found = _ARCHITECTURES.get("/".join(platform.split("/")[:2]))
    if found is None:
        raise ImageError(f"No base can be made here for {platform}")
    return found


@dataclass(frozen=True)
class Apt:
    """Apt for one architecture, with lists and downloads below ``folder``.

    ``status`` is dpkg's list of what counts as installed, ``sources`` the lines of a
    ``sources.list``; without them the system's own sources are asked.
    """

    folder: Path
    architecture: str
    status: str = ""
    sources: str = ""

    @property
    def archives(self) -> Path:
        """Return the folder of downloaded packages."""
        return self._cache / "archives"

    def update(self) -> None:
        """Get the lists of packages anew; raises ImageError."""
        self._run("apt-get", "update")

    def resolve(self, names: Sequence[str]) -> list[str]:
        """Return the file names of packages and of all that they need and is not installed.

        Raises ImageError where a name is unknown or its needs cannot be met.
        """
        printed = self._run("apt-get", "-y", "--print-uris", "-qq", "install", *_exactly(names))
        return sorted(line.split()[1] for line in printed.splitlines() if line.startswith("'"))

    def download(self, names: Sequence[str]) -> None:
        """Put what ``resolve`` names into ``archives``, with apt's check of its hashes."""
        self._run("apt-get", "-y", "--download-only", "-qq", "install", *_exactly(names))

    def known(self, names: Sequence[str]) -> dict[str, str]:
        """Return the version that could be installed of each name that apt knows."""
        found, name = {}, ""
        for line in self._run("apt-cache", "policy", *names).splitlines():
            if line and not line[0].isspace():
                name = line.rstrip(":")
            elif line.strip().startswith("Candidate:"):
                version = line.partition(":")[2].strip()
                if version != "(none)":
                    found[name] = version
        return found

    def having(self, paths: str) -> dict[str, list[str]]:
        """Return the packages of each file of the release whose path matches a pattern, by path.

        Takes the archive's Contents lists, about 12 MB, which are kept for a week. Give each
        such Apt a folder of its own. Raises ImageError where they cannot be had.
        """
        lists = self._state / "lists"
        fresh = self._state / "contents"
        if not fresh.exists() or time.time() - fresh.stat().st_mtime > FRESH:
            target = "Acquire::IndexTargets::deb"
            wanted = {
                f"{target}::Contents::MetaKey": f"$(COMPONENT)/Contents-{self.architecture}",
                f"{target}::Contents::ShortDescription": "Contents",
                f"{target}::Contents::Description": "$(RELEASE)/$(COMPONENT) Contents",
                f"{target}::Contents::KeepCompressed": "true",
                f"{target}::Contents::PDiffs": "false",
                f"{target}::Packages::DefaultEnabled": "false",
                f"{target}::Translations::DefaultEnabled": "false",
            }
            self._run("apt-get", "update", more=wanted)
            fresh.touch()
        found: dict[str, list[str]] = {}
        for file in sorted(lists.glob(f"*_Contents-{self.architecture}*")):
            for path, owners in _matching(file, paths):
                names = [owner.rpartition("/")[2] for owner in owners.split(",")]
                found.setdefault(path, []).extend(names)
        return found

    @property
    def _cache(self) -> Path:
        return self.folder / f"cache-{self.architecture}"

    def _run(self, program: str, *arguments: str, more: Mapping[str, object] | None = None) -> str:
        command = [program, "-c", str(self._written())]
        for name, value in {**self._options(), **(more or {})}.items():
            command += ["-o", f"{name}={value}"]
        try:
            done = subprocess.run(
                [*command, *arguments],
                capture_output=True, text=True, timeout=600, check=False,
                stdin=subprocess.DEVNULL, errors="replace",
            )  # fmt: skip
        except FileNotFoundError as error:
            raise ImageError(f"{program} is not there") from error
        except subprocess.TimeoutExpired as error:
            raise ImageError(f"{program} does not come to an end") from error
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            why = (said or done.stderr.splitlines() or [f"it ended with {done.returncode}"])[0]
            raise ImageError(f"{program} cannot get the packages", why=why.removeprefix("E: "))
        return done.stdout

    @property
    def _state(self) -> Path:
        return self.folder / f"state-{self.architecture}"

    @property
    def _status(self) -> Path:
        digest = hashlib.sha256(self.status.encode()).hexdigest()[:16]
        return self._state / (f"status-{digest}" if self.status else "status")

    def _written(self) -> Path:
        """Write what apt reads; return its configuration file."""
        for path in (self._state / "lists" / "partial", self.archives / "partial"):
            path.mkdir(parents=True, exist_ok=True)
        (self._state / "nothing.d").mkdir(exist_ok=True)
        if not self._status.exists():
            _store.write_file(self._status, self.status.encode())
        if self.sources:
            (self._state / "sources.list").write_text(self.sources)
        configuration = self._state / "apt.conf"
        configuration.write_text(_CLEAR)
        return configuration

    def _options(self) -> dict[str, object]:
        options: dict[str, object] = {
            "Dir::State": self._state, "Dir::Cache": self._cache,
            "Dir::State::status": self._status,
            "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "", "Debug::NoLocking": 1,
            "APT::Architecture": self.architecture, "APT::Architectures": self.architecture,
            "APT::Sandbox::User": "root", "APT::Install-Recommends": 0,
            "APT::Install-Suggests": 0, "Acquire::Languages": "none",
            "APT::Keep-Downloaded-Packages": 1, "Acquire::Retries": 1,
            "Acquire::http::Timeout": 10, "Acquire::https::Timeout": 10,
        }  # fmt: skip
        if self.sources:
            options["Dir::Etc::SourceList"] = self._state / "sources.list"
            options["Dir::Etc::SourceParts"] = self._state / "nothing.d"
        return options


def _matching(file: Path, paths: str) -> Iterator[tuple[str, str]]:
    """Yield path and packages of the lines of a Contents list whose path matches.

    The list has more than a hundred megabytes, so it is read in pieces.
    """
    pattern = re.compile(rb"^(%s)[ \t]+(\S+)$" % paths.encode(), re.MULTILINE)
    command = [_HELPER, "cat-file", str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        rest = b""
        while piece := process.stdout.read(1 << 20):
            whole, _, rest = (rest + piece).rpartition(b"\n")
            for match in pattern.finditer(whole):
                yield match[1].decode(errors="replace"), match[2].decode(errors="replace")


def _exactly(names: Sequence[str]) -> list[str]:
    # As anchored patterns: apt takes an unknown name with a dot in it for a pattern of its own.
    return ["^" + re.sub(r"([.+])", r"[\1]", name) + "$" for name in names]
