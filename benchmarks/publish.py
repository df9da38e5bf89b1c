"""Publishing against ``docker build`` + ``docker push`` of the equivalent Dockerfile.

All put the same locked packages and the same files on the same base and push to the same real
registry on loopback, in turn, in each round; the peer has a Dockerfile with pip and one with uv:

- *layers cold*: our store, environments and Docker's build cache are empty. The wheels are near
  on all sides: uv's cache for ours, a server on loopback for pip and uv in the Dockerfile.
- *one line changed*: a line of the notebook changes; everything else is cached on both sides.
- *one line that redraws a plot*: so the report's picture is another one.
- *one dependency added*: one more package in the lock; nothing else changes.
- *second user*: another home, in which nothing is cached, another notebook with the same lock; the
  first user's key is trusted. For Docker that is a machine without its build cache: *cold*.

``build + push`` is what follows after packages and code are there. Ours makes layers of packages
beside the verified run: ``packed meanwhile`` says how long that took, slowed by the run.
``with packages`` adds that, the making of the environment and the look at system libraries, as
Docker installs the packages, too (both sides have the pins for nothing); ``whole publish`` adds
what only ours does: the analysis, the lock, the verified run, the capture, the check of the
service and the record.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.table import Grid, Tables, Words
from jupyter_mlops import packing, settings
from jupyter_mlops.environment import ground
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.image.base import resolve_base
from jupyter_mlops.image.docker import load
from jupyter_mlops.image.manifest import ImageConfig, build_image
from jupyter_mlops.locking import lock_notebook
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.fixtures_keys import make_pair
from tests.fixtures_registry import run_registry

EXAMPLE = Path(__file__).parent.parent / "examples" / "iris_classifier.ipynb"
BASE = "mlops-benchmark-base:latest"
#: Beside what the example imports: 87 packages in all.
BESIDE = ["seaborn", "statsmodels", "openpyxl", "tqdm", "requests", "rich", "tabulate"]
BESIDE += ["xlrd", "pyarrow", "networkx"]
#: One more in each round.
MORE = ["humanize", "toolz", "sortedcontainers", "cloudpickle", "natsort", "inflection"]
HEAD = """
FROM {base}
USER 0
COPY pins.txt installer /tmp/
"""
TAIL = """
COPY root /opt/mlops
ENV PYTHONPATH=/opt/mlops/lib:/opt/mlops/site
USER 1000:0
ENTRYPOINT ["python3", "-m", "jupyter_mlops.runtime"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
"""
INSTALL = {
    "pip": """RUN python3 /tmp/pip.whl/pip install --quiet --no-index --find-links {wheels} \\
      --no-deps --no-cache-dir --target /opt/mlops/site -r /tmp/pins.txt""",
    "uv": """RUN /tmp/uv pip install --quiet --no-index --find-links {wheels} --no-deps \\
      --no-cache --target /opt/mlops/site -r /tmp/pins.txt""",
}
COLUMNS = ("build + push", "packed meanwhile", "with packages", "whole publish")


def measure(rounds: int) -> Tables:
    """Measure the five tasks, each of our publishes right before Docker's two builds."""
    seconds = Grid("Publish, against docker build + docker push (seconds)")
    stored: dict[str, dict[str, str]] = {}
    with _stage() as stage:
        seconds.notes.append(f"{stage.packages} packages in the lock")
        for number in range(rounds):
            stage.forget()
            for task in ("layers cold", "one line", "one line, another plot", "one dependency"):
                stage.prepare(task, number)
                _ours(seconds, stored, task, stage, f"team{number}/ours")
                for tool in INSTALL:
                    before, began = stage.bytes(), time.perf_counter()
                    stage.docker(tool, number)
                    column = f"Docker, {tool}"
                    seconds.add(task, column, time.perf_counter() - began)
                    stored.setdefault(task, {})[column] = _amount(stage.bytes() - before)
            with stage.second_user(number):
                _ours(seconds, stored, "second user", stage, f"team{number}/theirs")
    notes = ["Ours: what was sent, with SBOM and provenance. Docker: what the registry has more."]
    return Tables([seconds, Words("Bytes (the last round)", stored, notes)])


def _ours(
    seconds: Grid, stored: dict[str, dict[str, str]], task: str, stage: Stage, name: str
) -> None:
    began = time.perf_counter()
    done = stage.ours(name, signs=task in {"layers cold", "one dependency"})
    whole = time.perf_counter() - began
    spent = {each.name: each.seconds for each in done.stages}
    pushed = spent["build"] + spent["push"]
    installed = pushed + stage.packing + spent["lock"] - stage.resolving
    figures = (pushed, stage.packing, installed, whole)
    for column, value in zip(COLUMNS, figures, strict=True):
        seconds.add(task, column, value)
    stored.setdefault(task, {})["ours"] = _amount(done.pushed_bytes)


def _amount(count: int) -> str:
    return f"{count / 1000:12,.1f} kB"


@dataclass
class Stage:
    """One notebook, one registry, and the ways from the one into the other."""

    folder: Path
    registry: str
    wheels: str
    key: Path
    public: Path
    packages: int = 0
    resolving: float = 0.0
    packing: float = 0.0

    def __post_init__(self) -> None:
        self.source = self.folder / "iris_classifier.ipynb"
        self.options = LockOptions(additions=BESIDE)
        shutil.copy(EXAMPLE, self.source)
        done = self.ours("first/one", signs=False)
        repository = open_repository(Reference.parse(done.reference))
        root = unpack(repository, done.digest, self.folder / "unpacked")
        self.packages = len(self._pins(root))
        self._base()
        for tool in INSTALL:
            context = self.folder / tool
            shutil.copytree(root, context / "root", ignore=shutil.ignore_patterns("site"))
            text = HEAD + INSTALL[tool] + TAIL
            (context / "Dockerfile").write_text(text.format(base=BASE, wheels=self.wheels))
            (context / "installer").mkdir()
        self._take(root)
        pip = self.folder / "pip" / "installer"
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "-d", str(pip), "pip"],
            check=True,
        )
        next(pip.glob("*.whl")).rename(pip / "pip.whl")
        shutil.copy(Path(sys.executable).parent / "uv", self.folder / "uv" / "installer" / "uv")

    @staticmethod
    def _pins(root: Path) -> list[str]:
        pins = tomllib.loads((root / "pylock.toml").read_text())["packages"]
        return [f"{item['name']}=={item['version']}" for item in pins]

    def _base(self) -> None:
        """Load the very base of ours into Docker."""
        base = resolve_base(
            settings.base_image(),
            python=f"{sys.version_info[0]}.{sys.version_info[1]}",
            store=settings.store(),
            open_repository=lambda text: open_repository(Reference.parse(text)),
        )
        load(build_image(base, [], ImageConfig(entrypoint=["python3"])), BASE)

    def _take(self, root: Path) -> None:
        """Give the Dockerfiles the pins of a publication, and the server their wheels."""
        pins = self.folder / "pins.txt"
        pins.write_text("\n".join(self._pins(root)) + "\n")
        for tool in INSTALL:
            shutil.copy(pins, self.folder / tool / "pins.txt")
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "-qq", "--no-deps"),
                *("-d", str(self.folder / "wheels"), "--only-binary", ":all:", "-r", str(pins)),
            ],
            check=True,
        )

    def prepare(self, task: str, number: int) -> None:
        """Make what a task changes, for all sides; what is asked of indexes is asked before."""
        word = uuid.uuid4().hex[:6]
        text = EXAMPLE.read_text()
        if task == "one line, another plot":
            text = text.replace("Test flowers", f"Flowers {word}")
        elif task != "one dependency":
            text = text.replace("share of the flowers", f"share {word} of the flowers")
        self.source.write_text(text)
        for tool in INSTALL:
            for name in ("notebook.ipynb", "pipeline/main.ipynb"):
                (self.folder / tool / "root" / name).write_text(text)
        if task == "one dependency":
            added = [*BESIDE, *MORE[: number % len(MORE) + 1]]
            self.options = LockOptions(additions=added)
            self._lock_for_docker()

    def _lock_for_docker(self) -> None:
        """Write the pins that the next publish will have."""
        root = self.folder / "locked"
        root.mkdir(exist_ok=True)
        lock_notebook(self.source, root / "pylock.toml", self.options)
        self._take(root)

    def ours(self, name: str, *, signs: bool) -> Published:
        """Publish; ``resolving`` is what uv took to resolve, which Docker is given.

        ``packing`` is what it took to make layers of packages, beside the run.
        """
        with (
            _timed(ground, "lock") as resolving,
            _timed(packing, "site_layers") as packed,
        ):
            done = publish(
                self.source,
                f"{self.registry}/{name}:latest",
                environment=self.options,
                key=self.key if signs else None,
            )
        self.resolving, self.packing = sum(resolving), sum(packed)
        return done

    @contextlib.contextmanager
    def second_user(self, number: int) -> Iterator[None]:
        """Be somebody else with another notebook; only the base is there already."""
        home, old = self.folder / f"second-{number}", settings.home()
        os.environ["JUPYTER_MLOPS_HOME"] = str(home)
        os.environ["JUPYTER_MLOPS_TRUSTED_KEYS"] = str(self.public)
        try:
            self._base()
            self.prepare("one line, another plot", number)
            yield
        finally:
            os.environ["JUPYTER_MLOPS_HOME"] = str(old)
            del os.environ["JUPYTER_MLOPS_TRUSTED_KEYS"]
            shutil.rmtree(home, ignore_errors=True)

    def bytes(self) -> int:
        """Return the bytes of all blobs that the registry stores."""
        blobs = self.folder / "registry" / "docker" / "registry" / "v2" / "blobs"
        return sum(file.stat().st_size for file in blobs.rglob("data"))

    def docker(self, tool: str, number: int) -> None:
        """Build and push by the Docker engine."""
        tag = f"{self.registry}/docker-{tool}/{number}:latest"
        build = ["build", "-q", "--network", "host", "-t", tag, str(self.folder / tool)]
        for command in (build, ["push", "-q", tag]):
            _docker(command, {"DOCKER_BUILDKIT": "0"})

    def forget(self) -> None:
        """Empty what both sides remember of packages; base and wheels stay near."""
        self.options = LockOptions(additions=BESIDE)
        self._lock_for_docker()
        shutil.rmtree(settings.environments(), ignore_errors=True)
        for name in ("layers", "packages", "blobs", "mounts", "told"):
            shutil.rmtree(settings.store() / name, ignore_errors=True)
        self._base()
        for tool in INSTALL:
            found = _docker(["image", "ls", "-q", f"{self.registry}/docker-{tool}/*"]).split()
            if found:
                _docker(["rmi", "-f", *found])
        _docker(["image", "prune", "-f"])


def _docker(command: Sequence[str], variables: dict[str, str] | None = None) -> str:
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run(["docker", *command], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


@contextlib.contextmanager
def _timed(module: ModuleType, name: str) -> Iterator[list[float]]:
    """Yield the seconds of each call of a module's function while the block runs."""
    function, seconds = getattr(module, name), list[float]()

    def timed(*given: object, **named: object) -> object:
        began = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            seconds.append(time.perf_counter() - began)

    setattr(module, name, timed)
    try:
        yield seconds
    finally:
        setattr(module, name, function)


@contextlib.contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        os.environ["JUPYTER_MLOPS_HOME"] = str(folder / "home")
        (folder / "registry").mkdir()
        (folder / "wheels").mkdir()
        private, public = make_pair(folder, "team")
        with run_registry(folder / "registry") as registry, _index(folder / "wheels") as wheels:
            yield Stage(folder, registry.url, wheels, private, public)


@contextlib.contextmanager
def _index(folder: Path) -> Iterator[str]:
    """Serve a folder of wheels on loopback while the block runs."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the table is what is printed."""
