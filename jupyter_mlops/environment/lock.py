"""Pin everything: what the kernel has now, its closure, and the hashes, as ``pylock.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_mlops.environment import asking, lockfile
from jupyter_mlops.environment import options as _options
from jupyter_mlops.environment.asking import CAPTURE, RUNTIME
from jupyter_mlops.environment.kernel import Interpreter
from jupyter_mlops.environment.lockfile import parse
from jupyter_mlops.environment.models import Dependency, Lock
from jupyter_mlops.environment.names import normal
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.environment.resolution import Resolution, Target
from jupyter_mlops.errors import LockError
from jupyter_mlops.events import Log, OnEvent, ignore
from jupyter_mlops.image.platforms import MACHINES

__all__ = ["CAPTURE", "RUNTIME", "LockOptions", "lock", "parse", "platform_of"]


def platform_of(interpreter: Interpreter) -> str:
    """Return the target platform that this interpreter can prove: its own, on Linux."""
    platform = _own_platform(interpreter)
    if not platform:
        raise LockError(
            f"A kernel on {interpreter.system} {interpreter.machine} cannot prove a Linux image",
            why="The verified run must use the very wheels that the image ships",
            remedy="Publish from Linux (x86-64 or arm64), for example from JupyterHub "
            "or a container",
        )
    return platform


def lock(
    dependencies: Sequence[Dependency],
    interpreter: Interpreter,
    *,
    options: LockOptions | None = None,
    extra_wheels: Sequence[Path] = (),
    proven: Mapping[str, str] | None = None,
    folder: Path | None = None,
    on_event: OnEvent = ignore,
) -> Lock:
    """Lock the dependencies and what the image needs, for a Python and a platform.

    These are the kernel's where ``options`` name no other. Every distribution that the kernel
    has keeps its version; where those versions do not agree with each other, the ones in the way
    give way, and that is said. ``extra_wheels`` are files to take instead of an index's;
    ``proven`` maps distributions to the versions that they have, or there is no lock; ``folder``
    is the notebook's, whose ``uv.toml`` counts. What has no wheel is built from its
    source where the target is this very platform. The same input gives the same bytes.

    Raises ``UsageError`` for options that make no sense, and ``LockError`` with what clashes and
    who asked for it.
    """
    chosen = options or LockOptions()
    _options.check(chosen)
    target = _target(interpreter, chosen)
    asked = asking.gather(dependencies, interpreter, chosen, extra_wheels, on_event)
    asked.hold(proven or {})
    text = Resolution(asked, target, folder, on_event).run()
    found = lockfile.parse(text, target.python, target.platform)
    _tell_kept(chosen, found, on_event)
    return found


def _target(interpreter: Interpreter, options: LockOptions) -> Target:
    own = _own_platform(interpreter)
    platform = options.platform or platform_of(interpreter)
    python = options.python or interpreter.minor
    return Target(
        platform=platform,
        python=python,
        until=options.until(),
        accelerator=options.accelerator,
        is_here=platform == own,
    )


def _own_platform(interpreter: Interpreter) -> str:
    machine = MACHINES.get(interpreter.machine, "")
    return f"linux/{machine}" if interpreter.system == "Linux" and machine else ""


def _tell_kept(options: LockOptions, found: Lock, on_event: OnEvent) -> None:
    """Say what a person removed and is locked nevertheless: something else needs it."""
    locked = {package.name for package in found.packages}
    for name in sorted({normal(name) for name in options.removals} & locked):
        on_event(Log(text=f"'{name}' was removed, and stays: another package needs it"))
