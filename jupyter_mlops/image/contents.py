"""What stands where in the image: our own code, and how the container starts."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from jupyter_mlops.image.layer import Entry
from jupyter_mlops.image.manifest import ImageConfig

ROOT = "/opt/mlops"
PORT = 8080
LABEL = "io.jupyter-mlops.publication"
SHIPPED = ("runtime", "capture", "kernel")
#: Where the report's styles and pictures lie.
REPORT_FILES = "report_files"
_KINDS = ("library", "lock", "data", "styles", "plots", "code")
SITECUSTOMIZE = b'''"""Honour the .pth files of ../site, which PYTHONPATH alone does not."""

import site
from pathlib import Path

site.addsitedir(str(Path(__file__).resolve().parent.parent / "site"))
'''
ENVIRONMENT = {
    "PYTHONPATH": f"{ROOT}/lib:{ROOT}/src:{ROOT}/site",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "MLOPS_ROOT": ROOT,
    "HOME": "/tmp",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "NUMBA_CACHE_DIR": "/tmp/numba",
    "OMP_NUM_THREADS": "1",
    "PATH": f"{ROOT}/site/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
    "LANG": "C.UTF-8",
}


@functools.cache
def library_files() -> Mapping[str, bytes]:
    """Return our code that ships, by its path below the publication's root.

    It is read once: what is published is what runs, also when it is upgraded meanwhile.
    """
    package = Path(__file__).parent.parent
    files = {"lib/sitecustomize.py": SITECUSTOMIZE}
    for source in _sources(package):
        relative = source.relative_to(package.parent).as_posix()
        files[f"lib/{relative}"] = source.read_bytes()
    return files


@functools.cache
def library_key() -> str:
    """Return a key of all that ships of our code."""
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in library_files().items()}
    return f"library {hashlib.sha256(json.dumps(hashes).encode()).hexdigest()}"


def _sources(package: Path) -> Iterator[Path]:
    yield package / "__init__.py"
    for room in SHIPPED:
        for source in sorted((package / room).rglob("*")):
            if source.is_file() and source.suffix not in {".pyc", ".pyo"}:
                yield source


def write(files: Mapping[str, bytes], root: Path) -> None:
    """Write files below a folder; folders are made as needed."""
    for path, data in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def divide(files: list[str]) -> dict[str, list[str]]:
    """Divide a publication's files, without packages and weights, into layers by their kind.

    Our own library is the same for all publications, the lock changes with the packages, data
    that goes along with nothing else, a report's styles hardly ever and its plots seldom; the
    code comes last.
    """
    kinds: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for path in files:
        kinds[_kind(path)].append(path)
    return {kind: paths for kind, paths in kinds.items() if paths}


def _kind(path: str) -> str:
    if path.startswith(f"{REPORT_FILES}/"):
        return "styles" if path.endswith(".css") else "plots"
    return {"lib": "library", "pylock.toml": "lock", "data": "data"}.get(
        path.partition("/")[0], "code"
    )


def entries(root: Path, paths: list[str]) -> list[Entry]:
    """Return the layer entries of files below a publication's root."""
    return [Entry(f"{ROOT}/{path}".lstrip("/"), root / path) for path in sorted(paths)]


def config(labels: Mapping[str, str]) -> ImageConfig:
    """Return how the container starts: the service, as user 1000, stopped by SIGTERM."""
    return ImageConfig(
        entrypoint=["python3", "-m", "jupyter_mlops.runtime"],
        cmd=["serve", "--host", "0.0.0.0", "--port", str(PORT)],
        env=ENVIRONMENT,
        user="1000:0",
        workdir="/tmp",
        ports=[PORT],
        labels=labels,
    )
