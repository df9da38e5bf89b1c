"""What is installed for a kernel's interpreter: asked once, kept until something changes there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.environment.names import normal

# Named by its path: the probe is run by another interpreter, never imported here.
PROBE = Path(__file__).parent.parent / "kernel" / "probe.py"
PROBE_SECONDS = 60
#: The line before the probe's answer; what a ``sitecustomize`` prints stands before it.
MARK = "--- jupyter-mlops probe ---"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a distribution was installed from, if not from an index (PEP 610).

    ``kind`` is ``editable``, ``vcs`` or ``direct`` (a file or folder, or an address).
    """

    kind: str
    url: str
    vcs: str = ""
    commit: str = ""
    subdirectory: str = ""
    sha256: str = ""

    @property
    def requirement(self) -> str:
        """Return the address as a requirement names it; the probe took out credentials."""
        if self.kind != "vcs":
            return self.url
        tail = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        return f"{self.vcs or 'git'}+{self.url}@{self.commit}{tail}"


class Installed(msgspec.Struct, frozen=True):
    """A distribution as the probe tells it; ``notes`` say what is broken about its metadata."""

    version: str
    source: dict[str, str]
    notes: list[str]


class Answer(msgspec.Struct, frozen=True):
    """What the probe says; ``watched`` are the times of what changes with what is installed."""

    python: str
    implementation: str
    system: str
    machine: str
    executable: str
    base: str
    stdlib: list[str]
    distributions: dict[str, Installed]
    owners: dict[str, list[str]]
    namespaces: list[str]
    loose: dict[str, str]
    conda: dict[str, list[str]]
    watched: dict[str, int]

    @property
    def holds(self) -> bool:
        """Tell whether nothing was installed or removed since."""
        return all(_time(path) == then for path, then in self.watched.items())


@dataclass(frozen=True)
class Interpreter:
    """What the probe found in a kernel's interpreter.

    ``owners`` maps modules to the distributions that hold them: a module is held by who holds
    its longest prefix listed; ``namespaces`` are prefixes that nobody holds as a package.
    ``loose`` are modules that no distribution lists, each with its folder; ``conda`` those of
    them that a conda package lists, with its name and version. ``origins`` and ``sources`` say
    where distributions come from that come from no index.
    """

    python: str
    system: str
    machine: str
    stdlib: frozenset[str]
    versions: dict[str, str]
    origins: dict[str, str]
    owners: dict[str, list[str]] = field(default_factory=dict)
    namespaces: frozenset[str] = frozenset()
    loose: dict[str, str] = field(default_factory=dict)
    conda: dict[str, list[str]] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    base: str = ""

    @property
    def minor(self) -> str:
        """Return the Python version as ``3.11``."""
        return ".".join(self.python.split(".")[:2])

    @cached_property
    def digest(self) -> str:
        """Return a hash of what is installed: equal where lock and inference would be equal."""
        sources = {name: source.requirement for name, source in self.sources.items()}
        told = [self.python, self.system, self.machine, self.versions, sources, self.conda]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return {normal(name): name for name in self.versions}

    def installed(self, name: str) -> str:
        """Return a distribution's name as it is installed, empty where it is not."""
        return self._by_name.get(normal(name), "")

    def holders(self, module: str) -> list[str]:
        """Return the distributions that hold a module; none where it is not installed."""
        parts = module.split(".")
        for length in range(len(parts), 0, -1):
            prefix = ".".join(parts[:length])
            found = self.owners.get(prefix)
            if found is not None:
                missing = length < len(parts) and prefix in self.namespaces
                return [] if missing else list(found)
        return []

    def has(self, module: str) -> bool:
        """Tell whether a module can be imported there."""
        top = module.partition(".")[0]
        return top in self.stdlib or top in self.loose or bool(self.holders(module))


def ask(command: Sequence[str], env: Mapping[str, str], folder: Path | None = None) -> Answer:
    """Return what is installed for the interpreter that a command starts.

    An earlier answer that still holds is taken; otherwise the probe is run, in ``folder``.
    Raises ``OSError``, ``subprocess.SubprocessError`` or ``ValueError``.
    """
    place = _place(command, env)
    kept = _kept(place, _time(str(place)))
    if kept is not None and kept.holds:
        return kept
    done = subprocess.run(
        [*command, str(PROBE)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PROBE_SECONDS,
        check=True,
        env={**os.environ, **env},
        cwd=folder or "/",
    )
    told = done.stdout.rpartition(MARK)[2].encode()
    answer = msgspec.json.decode(told, type=Answer)
    _keep(place, told)
    return answer


def described(answer: Answer) -> Interpreter:
    """Return the interpreter that the probe's answer describes."""
    found = answer.distributions
    sources = {n: msgspec.convert(d.source, Source) for n, d in found.items() if d.source}
    return Interpreter(
        python=answer.python,
        system=answer.system,
        machine=answer.machine,
        stdlib=frozenset(answer.stdlib),
        versions={name: item.version for name, item in found.items()},
        origins={name: source.kind for name, source in sources.items()},
        owners=answer.owners,
        namespaces=frozenset(answer.namespaces),
        loose=answer.loose,
        conda=answer.conda,
        sources=sources,
        notes={name: item.notes for name, item in found.items() if item.notes},
        base=answer.base,
    )


def _time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  # thrice as fast, for many paths
    except OSError:
        return 0


def _place(command: Sequence[str], env: Mapping[str, str]) -> Path:
    # What changes the path of modules; the probe itself, as its answer changes with it.
    variables = {key: os.environ.get(key, "") for key in ("PYTHONPATH", "PYTHONHOME", "HOME")}
    known = json.dumps([list(command), {**variables, **env}, _time(str(PROBE))], sort_keys=True)
    return settings.home() / "kernels" / f"{hashlib.sha256(known.encode()).hexdigest()[:32]}.json"


@lru_cache(maxsize=16)
def _kept(place: Path, written: int) -> Answer | None:
    """Return the answer in a file that was written at a time, ``None`` where there is none."""
    try:
        return msgspec.json.decode(place.read_bytes(), type=Answer) if written else None
    except (OSError, msgspec.DecodeError):
        return None


def _keep(place: Path, told: bytes) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(told)
        Path(file.name).replace(place)
    except OSError:
        return  # it is asked again the next time
