"""The kernel a notebook asks for: its interpreter, and what is installed there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import LockError, shown

# Named by its path: the probe is run by another interpreter, never imported here.
PROBE = Path(__file__).parent.parent / "kernel" / "probe.py"
PROBE_SECONDS = 60


@dataclass(frozen=True)
class Kernel:
    """A kernelspec and the interpreter behind it."""

    name: str
    display_name: str
    executable: str


@dataclass(frozen=True)
class Interpreter:
    """What the probe found in a kernel's interpreter."""

    python: str
    system: str
    machine: str
    stdlib: frozenset[str]
    versions: dict[str, str]
    origins: dict[str, str]
    owners: dict[str, list[str]] = field(default_factory=dict)

    @property
    def minor(self) -> str:
        """Return the Python version as ``3.11``."""
        return ".".join(self.python.split(".")[:2])


def find(name: str, where: str) -> Kernel:
    """Return the kernel that a notebook names. Raises ``LockError`` when it is not installed."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except NoSuchKernel:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise LockError(
            f"The notebook asks for the kernel '{shown(name)}', which is not installed here",
            why=f"Installed kernels: {known}",
            remedy="Choose one of them in JupyterLab (Kernel > Change Kernel…) and save, "
            "or install that kernel: python -m ipykernel install --user --name " + shown(name),
            where=where,
        ) from None
    return Kernel(name, spec.display_name, _executable(spec.argv, name, where))


def _executable(argv: Sequence[str], name: str, where: str) -> str:
    first = argv[0] if argv else ""
    if first in {"python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"}:
        return sys.executable  # what jupyter_client itself does for these names
    found = shutil.which(first)
    if not found:
        raise LockError(
            f"The interpreter of the kernel '{name}' is gone",
            why=f"Its kernelspec starts {first or 'nothing'}, which does not exist",
            remedy="Choose another kernel, or install this one again",
            where=where,
        )
    return found


def probe(kernel: Kernel, modules: Sequence[str]) -> Interpreter:
    """Ask the kernel's interpreter what it is and which distributions hold the modules."""
    command = [kernel.executable, "-I", str(PROBE)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps({"modules": list(modules)}),
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        raise LockError(
            f"The environment of the kernel '{kernel.display_name}' cannot be read",
            why=f"{kernel.executable} failed: {' '.join(last)}",
            remedy="Check that the kernel starts in JupyterLab, or choose another one",
        ) from None
    distributions = found["distributions"]
    return Interpreter(
        python=found["python"],
        system=found["system"],
        machine=found["machine"],
        stdlib=frozenset(found["stdlib"]) | frozenset(found["builtin"]),
        versions={name: item["version"] for name, item in distributions.items()},
        origins={name: item["origin"] for name, item in distributions.items() if item["origin"]},
        owners=found["owners"],
    )
