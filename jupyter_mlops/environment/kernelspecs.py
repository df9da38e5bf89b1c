"""From a kernelspec's command to the Python that it starts: wrappers, conda, uv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = re.compile(r"(python|pypy)[\d.]*(\.exe)?")
CONDA = frozenset({"conda", "mamba", "micromamba"})
#: Interpreters of kernels that are no Python program but have one beside them.
EMBEDDING = frozenset({"xpython", "xpython-raw"})
#: How long a wrapper (``uv run``, ``poetry run``) may take to start Python; it may install.
SECONDS = 300


class Gone(Exception):
    """The command cannot be followed to an interpreter; says why."""


@dataclass(frozen=True)
class Started:
    """A Python: ``command`` starts it, ``env`` is what the kernelspec adds to the environment."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def follow(argv: Sequence[str], env: Mapping[str, str]) -> Started:
    """Return what a kernelspec's ``argv`` starts, up to and with Python. Raises ``Gone``.

    ``env`` variables and ``conda run`` are resolved here; what another wrapper starts
    (``uv run``, ``poetry run``) only that wrapper knows, so it stays part of the command.
    """
    words = [word.replace("{prefix}", sys.prefix) for word in argv]
    variables = dict(env)
    if words and Path(words[0]).name == "env":
        words = _without_env(words[1:], variables)
    if not words:
        raise Gone("it starts nothing")
    if "nb_conda_kernels.runner" in words:  # … runner CONDA ENVIRONMENT PYTHON -m …
        words = words[words.index("nb_conda_kernels.runner") + 3 :] or words
    first = Path(words[0]).name
    if first in EMBEDDING:
        return Started((_there(str(Path(_there(words[0])).parent / "python")),), variables)
    at = next((i for i, word in enumerate(words) if PYTHON.fullmatch(Path(word).name)), None)
    if at is None:
        raise Gone(f"it starts {words[0]}, and no Python is named after it")
    if at == 0:
        return Started((_python(words[0]),), variables)
    if first in CONDA and "run" in words[:at]:
        prefix = _conda_prefix(words[:at])
        return Started((_there(str(prefix / "bin" / Path(words[at]).name)),), variables)
    return Started((_there(words[0]), *words[1 : at + 1]), variables)


def executable(started: Started, folder: Path | None = None) -> str:
    """Return the path of the Python that a command starts, asking a wrapper. Raises ``Gone``.

    A wrapper's own environment may be gone when it ends: then its base Python is returned.
    """
    if len(started.command) == 1:
        return started.command[0]
    code = "import sys; print(sys.executable); print(getattr(sys, '_base_executable', ''))"
    try:
        done = subprocess.run(
            [*started.command, "-c", code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            env={**os.environ, **started.env},
            cwd=folder,
        )
    except (OSError, subprocess.SubprocessError) as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        raise Gone(f"{started.command[0]} failed: {' '.join(last)}") from None
    found = [path for path in done.stdout.splitlines()[-2:] if path and Path(path).exists()]
    if not found:
        raise Gone(f"{started.command[0]} did not name an interpreter that exists")
    return found[0]


def conda_kernel(name: str) -> Started | None:
    """Return what a kernel of ``nb_conda_kernels`` starts (``conda-env-NAME-py``), if it exists.

    Such kernels have no folder among the kernelspecs: that extension makes them up.
    """
    match = re.fullmatch(r"conda-(?:env-(?P<env>.+)|root|base)-py", name)
    if match is None:
        return None
    for prefix in _conda_prefixes():
        wanted = normal_name(prefix.name) == normal_name(match["env"] or "")
        if (wanted if match["env"] else (prefix / "condabin").is_dir()) and (
            prefix / "share" / "jupyter" / "kernels" / "python3"
        ).is_dir():
            return Started((str(prefix / "bin" / "python"),))
    return None


def normal_name(name: str) -> str:
    """Return an environment's name as nb_conda_kernels writes it in a kernel's name."""
    return re.sub(r"[^a-z0-9._-]+", "_", name.lower())


def _without_env(words: Sequence[str], variables: dict[str, str]) -> list[str]:
    """Take the assignments and options of ``env`` off a command, into ``variables``."""
    rest = list(words)
    while rest:
        if rest[0] == "-u" and len(rest) > 1:
            rest = rest[2:]
        elif rest[0] in {"-i", "-S", "-", "--ignore-environment", "--"}:
            rest = rest[1:]
        elif re.match(r"[A-Za-z_]\w*=", rest[0]):
            key, _, value = rest.pop(0).partition("=")
            variables[key] = value
        else:
            break
    return rest


def _python(word: str) -> str:
    """Return the path of a Python; a bare name of ours means ours, as jupyter_client has it."""
    ours = {"python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"}
    return sys.executable if word in ours else _there(word)


def _there(word: str) -> str:
    found = shutil.which(word)
    if not found:
        raise Gone(f"it starts {word}, which does not exist")
    return found


def _conda_prefix(words: Sequence[str]) -> Path:
    """Return the folder of the environment that ``conda run -n NAME`` or ``-p PATH`` means."""
    root = Path(shutil.which(words[0]) or words[0])
    for option, value in zip(words, [*words[1:], ""], strict=True):
        key, equals, given = option.partition("=")
        value = given if equals else value
        if key in {"-p", "--prefix"}:
            return Path(value).expanduser()
        if key in {"-n", "--name"}:
            return _named(value, root)
    return root.parent.parent  # the base environment


def _named(name: str, conda: Path) -> Path:
    base = conda.parent.parent
    if name in {"base", "root"}:
        return base
    for prefix in [base / "envs" / name, *_conda_prefixes()]:
        if prefix.name == name and (prefix / "bin").is_dir():
            return prefix
    raise Gone(f"there is no conda environment '{name}'")


def _conda_prefixes() -> list[Path]:
    """Return the folders of conda environments that can be found without starting conda."""
    home = Path.home()
    folders = [Path(f) for f in os.environ.get("CONDA_ENVS_PATH", "").split(os.pathsep) if f]
    folders.append(home / ".conda" / "envs")
    found: list[Path] = []
    for name in ("CONDA_PREFIX", "MAMBA_ROOT_PREFIX"):
        if os.environ.get(name):
            found.append(Path(os.environ[name]))
    if os.environ.get("CONDA_EXE"):
        found.append(Path(os.environ["CONDA_EXE"]).parent.parent)
    try:
        listed = (home / ".conda" / "environments.txt").read_text(encoding="utf-8")
        found += [Path(line) for line in listed.splitlines() if line.strip()]
    except OSError:
        pass
    found += [home / d for d in ("miniconda3", "anaconda3", "miniforge3", "mambaforge")]
    folders += [prefix / "envs" for prefix in found]
    for folder in folders:
        if folder.is_dir():
            found += sorted(folder.iterdir())
    return [p for p in dict.fromkeys(found) if (p / "conda-meta").is_dir()]
