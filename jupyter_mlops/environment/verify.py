"""An environment made from nothing but the lock: where the verified run happens."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.environment import complaints, indexes, lockfile, prune, uv, wheels
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.options import UV_PLATFORMS
from jupyter_mlops.errors import LockError

READY = prune.READY
#: The address in the lock does not answer to us; the configured index may have the same file.
ELSEWHERE = re.compile(r"HTTP status client error|[Nn]o such file or directory|[Nn]ot found")
TORCH = re.compile(r"cpu|cu\d+|rocm[\d.]+|xpu")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds exactly what a lock names."""

    root: Path

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Return the folder of its installed packages."""
        return next(self.root.glob("lib/python3.*/site-packages"))

    def version(self) -> str:
        """Return the full version of its Python, as ``uv venv`` noted it."""
        lines = (self.root / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        found = [line.partition("=")[2].strip() for line in lines if line.startswith("version")]
        return found[0] if found else ""


def installed_hashes(environment: Environment, lock: Lock) -> dict[str, str]:
    """Return the sha256 of the wheel that each package was installed from.

    Where a lock names several wheels that fit, the installed tags tell which one was taken.
    """
    tags = _installed_tags(environment.site_packages)
    found = {}
    for package in lock.packages:
        fitting = [
            digest
            for name, digest in package.wheels.items()
            if len(package.wheels) == 1 or _tag_of(name) <= tags.get(_normal(package.name), set())
        ]
        found[package.name] = fitting[0] if len(fitting) == 1 else ""
    return found


@functools.lru_cache(maxsize=8)
def _installed_tags(site: Path) -> Mapping[str, set[str]]:
    """Return the tags of each installed wheel; read once: what is made from a lock stays."""
    return {_normal(info.name.split("-")[0]): _tags(info) for info in site.glob("*.dist-info")}


def _tags(info: Path) -> set[str]:
    try:
        text = (info / "WHEEL").read_text(encoding="utf-8")
    except OSError:
        return set()
    return {line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Tag:")}


def _tag_of(wheel: str) -> set[str]:
    """Return a wheel's tags from its file name, each as one line of WHEEL has it (PEP 425)."""
    pythons, abis, platforms = wheel.removesuffix(".whl").split("-")[-3:]
    parts = product(pythons.split("."), abis.split("."), platforms.split("."))
    return {"-".join(tag) for tag in parts}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def create(
    lock: Lock, executable: str, *, folder: Path | None = None, foreign: bool = False
) -> Environment:
    """Make the environment of a lock, or return the one made before.

    One that is ``foreign`` is for another platform than the interpreter's: its wheels are
    unpacked, and nothing in it is ever run.
    ``executable`` is the kernel's interpreter: the environment has the same Python, and none
    of its packages; ``folder`` is the notebook's, whose ``uv.toml`` counts. Every wheel's hash is
    checked by uv. The environment is this process's until it ends; older ones that nobody uses
    may go (see ``prune``). Raises ``LockError``.
    """
    name = f"{lock.sha256[:24]}-py{lock.python}"
    if foreign:
        name += f"-{lock.platform.replace('/', '-')}"
    root = settings.environments() / name
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{root}.lock"):
        if (root / READY).is_file() and (root / "bin" / "python").exists():
            prune.hold(root)
            return Environment(root)
        shutil.rmtree(root, ignore_errors=True)
        try:
            _install(lock, executable, root, folder, foreign)
        except uv.Failed as error:
            shutil.rmtree(root, ignore_errors=True)
            raise _not_installed(error) from None
        (root / READY).write_text(json.dumps({"lock": lock.sha256}))
        prune.hold(root)
    prune.prune()
    return Environment(root)


def _install(lock: Lock, executable: str, root: Path, folder: Path | None, foreign: bool) -> None:
    uv.run("venv", "--quiet", "--no-config", "--python", executable, str(root))
    pinned = root / "pylock.toml"
    pinned.write_text(lockfile.to_install(lock, indexes.default(folder)), encoding="utf-8")
    common: tuple[str, ...] = ("pip", "install", "--quiet", "--no-deps")
    common += ("--python", str(root / "bin" / "python"))
    if foreign:
        common += ("--python-platform", UV_PLATFORMS[lock.platform], "--only-binary", ":all:")
    try:
        uv.patiently(*common, "--requirement", str(pinned), folder=folder)
    except uv.Failed as error:
        if not error.transient and not ELSEWHERE.search(str(error)):
            raise
        _install_by_name(lock, root, common, folder, patient=not error.transient)


def _install_by_name(
    lock: Lock, root: Path, common: tuple[str, ...], folder: Path | None, *, patient: bool
) -> None:
    """Install the very same files from wherever the configured indexes have them now.

    The addresses in a lock hold no credentials and no tokens, and a mirror has others.
    """
    named = root / "requirements.txt"
    lines = []
    for package in lock.packages:
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in package.wheels.values())
        lines.append(f"{package.name}=={package.version} {hashes}\n")
    named.write_text("".join(sorted(lines)))
    links = sorted(str(place.parent) for place in wheels.kept(lock).values())
    variants = {package.version.partition("+")[2] for package in lock.packages}
    torch = [local for local in sorted(variants) if TORCH.fullmatch(local)]
    install = uv.patiently if patient else uv.call
    install(
        *common,
        *("--require-hashes", "--only-binary", ":all:", "--requirement", str(named)),
        *(option for link in links for option in ("--find-links", link)),
        *(option for local in torch[:1] for option in ("--torch-backend", local)),
        *indexes.arguments(folder),
        folder=folder,
    )


def _not_installed(error: uv.Failed) -> LockError:
    if error.untrusted:
        return complaints.untrusted(str(error))
    if error.transient:
        return LockError(
            "The package index stopped answering while the locked packages were fetched",
            why=uv.shortened(str(error)),
            remedy="Call again when it answers: what was fetched is kept",
        )
    return LockError(
        "The locked packages cannot be installed",
        why=uv.shortened(str(error)),
        remedy="Check the index, its credentials and the free space, then try again",
    )


def bare(python: str) -> Path:
    """Return an interpreter of a minor version with no packages at all, made once.

    Raises ``LockError`` where this machine has no such Python.
    """
    root = settings.environments() / f"bare-py{python}"
    root.parent.mkdir(parents=True, exist_ok=True)
    interpreter = root / "bin" / "python"
    with FileLock(f"{root}.lock"):
        if (root / READY).is_file() and interpreter.exists():
            return interpreter
        shutil.rmtree(root, ignore_errors=True)
        try:
            uv.run(
                *("venv", "--quiet", "--no-config", "--no-python-downloads"),
                *("--python", _same_or(python), str(root)),
            )
        except uv.Failed as error:
            raise LockError(
                f"This machine has no Python {python}, which the publication needs",
                why=" ".join(str(error).split())[:300],
                remedy=f"Install it (uv python install {python}), or use a container: "
                "jupyter mlops serve --with docker",
            ) from None
        (root / READY).write_text("{}")
    return interpreter


def _same_or(python: str) -> str:
    """Prefer the Python that runs us when its minor version is right."""
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return sys.executable if python == ours else python
