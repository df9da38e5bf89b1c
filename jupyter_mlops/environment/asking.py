"""What the lock is asked to hold, and who asks: the notebook, a person, the image itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.utils import is_normalized_name
from packaging.version import InvalidVersion, Version

from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.models import Dependency
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.options import LockOptions, specifier
from jupyter_mlops.errors import LockError, shown
from jupyter_mlops.events import Log, OnEvent

# What the image itself needs beside the notebook's own imports (see runtime/).
RUNTIME = ["httptools", "ipykernel", "msgspec", "papermill", "starlette", "uvicorn", "uvloop"]
CAPTURE = {"scikit-learn": ["skops"], "torch": ["safetensors"]}
IMAGE = "the image's own server and runner"
#: Our code is not tried with older releases of its tools, whatever date a notebook has.
TOOLS_FROM = "2025-01-01T00:00:00Z"
#: Local versions that only say which variant of PyTorch it is (PEP 440: after the plus).
VARIANT = re.compile(r"cpu|cu\d+|rocm[\d.]+|xpu")


@dataclass(frozen=True)
class Asker:
    """Who asks for a distribution: a phrase for a person, and the place (``cell 2``)."""

    why: str
    where: str = ""


BY_HAND = Asker("it was added by hand")


@dataclass
class Asked:
    """The input of one resolution; all keys are canonical names.

    ``direct`` maps a name to its requirement line, ``constraints`` a name to the version that
    the kernel has (they give way where they do not agree), ``bounds`` a name to what a person
    set (they do not), ``wheels`` a name to a wheel that is taken for it, ``urls`` a name to where
    its source is, ``tools`` are what only the image itself needs. ``proven`` maps a name to the
    version that a run has proven: no other one will do.
    """

    direct: dict[str, str] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    bounds: dict[str, str] = field(default_factory=dict)
    wheels: dict[str, Path] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    who: dict[str, Asker] = field(default_factory=dict)
    tools: set[str] = field(default_factory=set)
    proven: dict[str, str] = field(default_factory=dict)

    def by_hand(self) -> list[str]:
        """Return the names that a person has added."""
        return [name for name, asker in self.who.items() if asker == BY_HAND]

    def requirement_lines(self) -> list[str]:
        """Return what is required, in an order that does not depend on the notebook's."""
        return [self.direct[name] for name in sorted(self.direct)]

    def constraint_lines(self) -> list[str]:
        """Return the kernel's versions, and the wheels to take instead of an index's."""
        lines = {name: f"{name}=={version}" for name, version in self.constraints.items()}
        lines |= {name: f"{name}{bound}" for name, bound in self.bounds.items()}
        lines |= {name: f"{name}=={version}" for name, version in self.proven.items()}
        lines |= {name: f"{name} @ {path.as_uri()}" for name, path in self.wheels.items()}
        return [lines[name] for name in sorted(lines)]

    def undated(self, until: str) -> dict[str, str]:
        """Return the image's own tools with the date that counts for them, if another one does."""
        old = bool(until) and until < TOOLS_FROM
        return dict.fromkeys(sorted(self.tools), TOOLS_FROM) if old else {}

    def pinned(self, name: str) -> str:
        """Return the version asked for, empty where any will do."""
        exact = re.search(r"==\s*([^\s;,*]+)", self.direct.get(name, ""))
        return exact[1] if exact else self.constraints.get(name) or self.proven.get(name, "")

    def hold(self, versions: Mapping[str, str]) -> None:
        """Take exactly these versions wherever the package is needed."""
        for name, version in versions.items():
            public, _, local = version.partition("+")
            self.proven[name] = public if VARIANT.fullmatch(local) else version
            self.constraints.pop(name, None)
            self.bounds.pop(name, None)


def gather(
    dependencies: Sequence[Dependency],
    interpreter: Interpreter,
    options: LockOptions,
    extra_wheels: Sequence[Path],
    on_event: OnEvent,
) -> Asked:
    """Put together what is asked for, a person's edits included."""
    asked = Asked()
    removed = {normal(name) for name in options.removals}
    overrides = {normal(name): text for name, text in options.overrides.items()}
    for dependency in dependencies:
        name = normal(dependency.name)
        if name not in removed:
            _use(asked, name, dependency)
    for text in options.additions:
        _add(asked, Requirement(text))
    for name in sorted(set(asked.direct)):
        for tool in CAPTURE.get(name, []):
            _tool(asked, tool, f"models of {name} are captured with it")
    for tool in RUNTIME:
        _tool(asked, tool, IMAGE)
    _constrain(asked, interpreter, overrides)
    _override(asked, overrides)
    for path in extra_wheels:
        asked.wheels[normal(path.name.split("-")[0])] = path.absolute()
    _choose_variants(asked, options, on_event)
    return asked


def _use(asked: Asked, name: str, dependency: Dependency) -> None:
    extras = f"[{','.join(sorted(dependency.extras))}]" if dependency.extras else ""
    version = f"=={_version(dependency)}" if dependency.version else dependency.specifier
    if dependency.url:
        version = _from_url(asked, name, dependency.url)
    cells = ", ".join(str(number) for number in dependency.cells)
    where = f"cell {cells}" if cells else ""
    why = dependency.why or (f"{where} imports it" if where else "the notebook imports it")
    _ask(asked, name, f"{dependency.name}{extras}{version}", Asker(why, where))


def _add(asked: Asked, wanted: Requirement) -> None:
    name = normal(wanted.name)
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
    version = _from_url(asked, name, wanted.url) if wanted.url else str(wanted.specifier)
    asked.direct[name] = f"{wanted.name}{extras}{version}"
    asked.who[name] = BY_HAND


def _from_url(asked: Asked, name: str, url: str) -> str:
    """Return the end of a requirement line: a wheel is taken as it is, all else is built."""
    if urlsplit(url).path.endswith(".whl"):
        return f" @ {url}"
    asked.urls[name] = url
    return ""


def _version(dependency: Dependency) -> Version:
    try:
        return Version(dependency.version)
    except InvalidVersion:
        raise LockError(
            f"The kernel's '{dependency.name}' has no valid version: '{shown(dependency.version)}'",
            why="Its metadata is broken",
            remedy=f"Install {dependency.name} again in the kernel's environment",
            where=f"cell {dependency.cells[0]}" if dependency.cells else "",
        ) from None


def _ask(asked: Asked, name: str, line: str, asker: Asker) -> None:
    asked.direct.setdefault(name, line)
    asked.who.setdefault(name, asker)


def _tool(asked: Asked, name: str, why: str) -> None:
    if name not in asked.direct:
        asked.tools.add(name)
        _ask(asked, name, name, Asker(why))


def _constrain(asked: Asked, interpreter: Interpreter, overrides: Mapping[str, str]) -> None:
    for name, version in sorted(interpreter.versions.items()):
        key = normal(name)
        if name in interpreter.origins or key in overrides or not is_normalized_name(key):
            continue
        try:
            asked.constraints[key] = str(Version(version))
        except InvalidVersion:
            continue  # broken metadata: whoever imports it gets its own sentence below


def _override(asked: Asked, overrides: Mapping[str, str]) -> None:
    for name, text in overrides.items():
        if name in asked.direct:
            wanted = Requirement(asked.direct[name])
            extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
            asked.direct[name] = f"{wanted.name}{extras}{specifier(text)}"
            asked.who[name] = Asker(f"its version was set by hand to {text}")
        else:
            asked.bounds[name] = specifier(text)
        asked.urls.pop(name, None)


def _choose_variants(asked: Asked, options: LockOptions, on_event: OnEvent) -> None:
    """Take the public version of PyTorch's packages: the target says which variant it is."""
    if options.accelerator == "index":
        return
    for name, version in list(asked.constraints.items()):
        public, _, local = version.partition("+")
        if VARIANT.fullmatch(local):
            asked.constraints[name] = public
    for name, line in list(asked.direct.items()):
        public, plus, local = line.partition("+")
        if plus and VARIANT.fullmatch(local):
            asked.direct[name] = public
            if local != options.accelerator:
                on_event(
                    Log(
                        text=f"{line} in the kernel is locked as its {options.accelerator} "
                        f"variant; accelerator {local} keeps the kernel's"
                    )
                )
