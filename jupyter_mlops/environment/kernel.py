"""The kernel a notebook asks for: its interpreter, and what is installed there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlops.environment import interpreter, kernelspecs
from jupyter_mlops.environment.dated import era
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.errors import LockError, shown

__all__ = ["Interpreter", "Kernel", "era", "find", "probe"]

#: What kernels of other languages are called, for a notebook that does not say its language.
LANGUAGES = {
    "ir": "R",
    "julia": "Julia",
    "xcpp": "C++",
    "scala": "Scala",
    "almond": "Scala",
    "javascript": "JavaScript",
    "tslab": "TypeScript",
    "deno": "TypeScript",
    "bash": "Bash",
    "gophernotes": "Go",
    "rust": "Rust",
    "octave": "Octave",
    "matlab": "MATLAB",
    "sas": "SAS",
    "stata": "Stata",
    "sagemath": "SageMath",
}


@dataclass(frozen=True)
class Kernel:
    """A kernelspec and the interpreter behind it.

    ``command`` starts that interpreter, where it is more than its path (``uv run … python``);
    ``env`` are variables that the kernelspec sets, ``folder`` is where it is started.
    """

    name: str
    display_name: str
    executable: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


class KernelGone(LockError):
    """The kernel is not installed here, or its interpreter is gone."""


def find(name: str, where: str, folder: Path | None = None) -> Kernel:
    """Return the kernel that a notebook names; ``folder`` is the notebook's.

    Raises ``KernelGone`` when it is not installed or its interpreter is gone, ``LockError`` when
    it is not Python.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except NoSuchKernel:
        made_up = kernelspecs.conda_kernel(name)
        if made_up is not None:
            return Kernel(name, name, made_up.command[0])
        raise _missing(name, sorted(manager.find_kernel_specs()), where) from None
    if not re.fullmatch(r"(?i)i?python ?[\d.]*|", spec.language or ""):
        raise _other_language(name, spec.language, where)
    try:
        started = kernelspecs.follow(spec.argv, spec.env or {})
        executable = kernelspecs.executable(started, folder)
    except kernelspecs.Gone as gone:
        raise KernelGone(
            f"The interpreter of the kernel '{name}' is gone, or cannot be told",
            why=f"Its kernelspec says {' '.join(spec.argv)[:200] or 'nothing'}: {gone}",
            remedy="Choose another kernel, or install this one again: "
            f"python -m ipykernel install --user --name {shown(name)}",
            where=where,
        ) from None
    command = started.command if len(started.command) > 1 else ()
    return Kernel(name, spec.display_name, executable, command, started.env, folder)


def _missing(name: str, installed: Sequence[str], where: str) -> LockError:
    match = re.match(r"[a-z]+", name.lower())
    language = LANGUAGES.get(match.group() if match else "")
    if language:
        return _other_language(name, language, where)
    return KernelGone(
        f"The notebook asks for the kernel '{shown(name)}', which is not installed here",
        why=f"Installed kernels: {', '.join(installed) or 'none'}",
        remedy="Choose one of them in JupyterLab (Kernel > Change Kernel…) and save, "
        "or install that kernel: python -m ipykernel install --user --name " + shown(name),
        where=where,
    )


def _other_language(name: str, language: str, where: str) -> LockError:
    return LockError(
        f"The notebook is written in {shown(language)}",
        why=f"It asks for the kernel '{shown(name)}'; only Python notebooks can be published",
        remedy="Choose a Python kernel, or rewrite the notebook in Python",
        where=where,
    )


def probe(kernel: Kernel, modules: Sequence[str] = ()) -> Interpreter:
    """Ask the kernel's interpreter what it is, and what is installed for it.

    An earlier answer is taken while it holds. Everything is told, whatever ``modules`` are
    asked for. Raises ``LockError`` when the interpreter fails.
    """
    try:
        answer = interpreter.ask(kernel.command or [kernel.executable], kernel.env, kernel.folder)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        raise LockError(
            f"The environment of the kernel '{kernel.display_name}' cannot be read",
            why=f"{kernel.executable} failed: {' '.join(last)}",
            remedy="Check that the kernel starts in JupyterLab, or choose another one",
        ) from None
    return interpreter.described(answer)
