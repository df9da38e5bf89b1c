"""What star imports bind in a notebook's kernel: asked once for what is installed there."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from jupyter_mlops import settings
from jupyter_mlops.environment.kernel import Kernel

# Named by its path: it is run by another interpreter, never imported here.
PROBE = Path(__file__).parent.parent / "kernel" / "star_probe.py"
#: How long importing a module may take.
SECONDS = 30.0

#: Names, each with the dotted paths under which the same object can be found (see the probe).
Names = dict[str, list[str]]


class Told(msgspec.Struct, frozen=True):
    """What the probe says."""

    names: Names
    paths: list[str]


class Answer(msgspec.Struct, frozen=True):
    """What a module's star import binds; ``installed`` are the times of what was there to import.

    A distribution that is installed, upgraded or removed changes the time of a folder.
    """

    names: Names
    installed: dict[str, int]

    @property
    def holds(self) -> bool:
        """Tell whether nothing was installed or removed since."""
        return self.installed == _times(self.installed)


def ask(kernel: Kernel, module: str, seconds: float = SECONDS) -> Names:
    """Return what the star import of a module binds in a kernel.

    It is imported by the kernel's interpreter, in a process of its own, unless an earlier answer
    is kept in the state folder that still holds. Raises ``NoAnswer``.
    """
    kept = _kept(kernel, module)
    if kept is not None and kept.holds:
        return kept.names
    told = _imported(kernel.executable, module, seconds)
    _keep(kernel, module, Answer(told.names, _times([kernel.executable, *told.paths])))
    return told.names


def remembered(kernel: Kernel, module: str) -> Names | None:
    """Return what an earlier answer says, whether it holds or not; nothing is started."""
    kept = _kept(kernel, module)
    return kept.names if kept is not None else None


def _times(paths: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in paths:
        try:
            found[path] = Path(path).stat().st_mtime_ns
        except OSError:
            found[path] = 0
    return found


class NoAnswer(Exception):
    """The import failed or took too long; says so."""


def _imported(executable: str, module: str, seconds: float) -> Told:
    with tempfile.TemporaryDirectory(prefix="mlops-star-") as folder:
        process = subprocess.Popen(
            [executable, "-I", str(PROBE), module],
            cwd=folder,
            env={**os.environ, "MPLBACKEND": "agg"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            told, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise NoAnswer(f"importing it took more than {seconds:g} s") from None
    try:
        return msgspec.json.decode(told, type=Told)
    except msgspec.DecodeError:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        why = last[0][:200] if last else f"it ended with code {process.returncode}"
        raise NoAnswer(f"importing it failed: {why}") from None


def _place(kernel: Kernel, module: str) -> Path:
    known = hashlib.sha256(f"{kernel.executable}\0{module}".encode()).hexdigest()
    return settings.home() / "stars" / f"{known[:32]}.json"


def _kept(kernel: Kernel, module: str) -> Answer | None:
    try:
        return msgspec.json.decode(_place(kernel, module).read_bytes(), type=Answer)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(kernel: Kernel, module: str, answer: Answer) -> None:
    place = _place(kernel, module)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(msgspec.json.encode(answer))
        Path(file.name).replace(place)
    except OSError:
        return  # it is asked again the next time
