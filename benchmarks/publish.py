"""Publishing against ``docker build`` + ``docker push`` of the equivalent Dockerfile.

Both put the same locked packages and the same files on the same base and push to the same real
registry on loopback, in turn, in each round:

- *cold*: our store, environments and Docker's build cache are empty. The wheels are near on
  both sides: uv's cache for ours, a server on loopback for pip in the Dockerfile.
- *one line changed*: a line of the notebook changes; everything else is cached on both sides.

``lock + build + push`` is the part that both do (Docker's side is given the pins for nothing).
``whole publish`` adds what only ours does: the analysis, the verified run, the capture, the
check of the service and the record.
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
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row, Table
from jupyter_mlops import settings
from jupyter_mlops.image.base import resolve_base
from jupyter_mlops.image.docker import load
from jupyter_mlops.image.manifest import ImageConfig, build_image
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.fixtures_registry import run_registry

EXAMPLE = Path(__file__).parent.parent / "examples" / "iris_classifier.ipynb"
BASE = "mlops-benchmark-base:latest"
DOCKERFILE = """
FROM {base}
USER 0
COPY pins.txt pip.whl /tmp/
RUN python3 /tmp/pip.whl/pip install --quiet --no-index --find-links {wheels} --no-deps \\
      --no-cache-dir --target /opt/mlops/site -r /tmp/pins.txt
COPY root /opt/mlops
ENV PYTHONPATH=/opt/mlops/lib:/opt/mlops/site
USER 1000:0
ENTRYPOINT ["python3", "-m", "jupyter_mlops.runtime"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
"""
SHARED = {"lock", "build", "push"}


def measure(rounds: int) -> Table:
    """Measure a cold publish and one after a one-line change, interleaved with Docker."""
    both = {"cold": Row("cold: lock + build + push"), "warm": Row("one line: lock + build + push")}
    whole = {"cold": Row("cold: whole publish"), "warm": Row("one line: whole publish")}
    for row in whole.values():
        row.note = "with the verified run"
    with _stage() as stage:
        for number in range(rounds):
            stage.forget()
            for kind in ("cold", "warm"):
                stage.edit()
                began = time.perf_counter()
                done = stage.ours(number)
                whole[kind].ours.append(time.perf_counter() - began)
                both[kind].ours.append(sum(s.seconds for s in done.stages if s.name in SHARED))
                began = time.perf_counter()
                stage.docker(number)
                seconds = time.perf_counter() - began
                whole[kind].peer.append(seconds)
                both[kind].peer.append(seconds)
    rows = [both["cold"], both["warm"], whole["cold"], whole["warm"]]
    return Table("Publish, against docker build + docker push (seconds)", rows)


class Stage:
    """One notebook, one registry, and the two ways from the one into the other."""

    def __init__(self, folder: Path, registry: str, wheels: str) -> None:
        self.registry, self.context = registry, folder / "context"
        self.source = folder / "iris_classifier.ipynb"
        shutil.copy(EXAMPLE, self.source)
        done = publish(self.source, f"{registry}/ours/first:latest")
        self._prepare(folder, done, wheels)

    def _prepare(self, folder: Path, done: Published, wheels: str) -> None:
        """Write the Dockerfile with the files and pins of a publication of ours."""
        repository = open_repository(Reference.parse(done.reference))
        root = unpack(repository, done.digest, folder / "unpacked")
        shutil.copytree(root, self.context / "root", ignore=shutil.ignore_patterns("site"))
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        base = resolve_base(
            settings.base_image(),
            python=python,
            platform="linux/amd64",
            store=settings.store(),
            open_repository=lambda text: open_repository(Reference.parse(text)),
        )
        load(build_image(base, [], ImageConfig(entrypoint=["python3"])), BASE)
        pins = tomllib.loads((root / "pylock.toml").read_text())["packages"]
        lines = [f"{item['name']}=={item['version']}" for item in pins]
        (self.context / "pins.txt").write_text("\n".join(lines) + "\n")
        (self.context / "Dockerfile").write_text(DOCKERFILE.format(base=BASE, wheels=wheels))
        get = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        only = ["--only-binary", ":all:", "-r", str(self.context / "pins.txt")]
        subprocess.run([*get, "-d", str(folder / "wheels"), *only], check=True)
        subprocess.run([*get, "-d", str(folder / "pip"), "pip"], check=True)
        shutil.copy(next((folder / "pip").glob("*.whl")), self.context / "pip.whl")

    def edit(self) -> None:
        """Change one line of the notebook, for both sides."""
        text = EXAMPLE.read_text().replace("Test flowers", f"Flowers {uuid.uuid4().hex[:6]}")
        self.source.write_text(text)
        for name in ("notebook.ipynb", "pipeline/main.ipynb"):
            (self.context / "root" / name).write_text(text)

    def ours(self, number: int) -> Published:
        """Publish."""
        return publish(self.source, f"{self.registry}/ours/{number}:latest")

    def docker(self, number: int) -> None:
        """Build and push by the Docker engine."""
        tag = f"{self.registry}/docker/{number}:latest"
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        build = ["build", "-q", "--network", "host", "-t", tag, str(self.context)]
        for command in (build, ["push", "-q", tag]):
            done = subprocess.run(
                ["docker", *command], env=environment, capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(done.stderr)

    def forget(self) -> None:
        """Empty what both sides remember of packages; base and wheels stay near."""
        shutil.rmtree(settings.environments(), ignore_errors=True)
        shutil.rmtree(settings.store() / "layers", ignore_errors=True)
        listed = subprocess.run(
            ["docker", "image", "ls", "-q", f"{self.registry}/docker/*"],
            capture_output=True,
            text=True,
        )
        if listed.stdout.split():
            subprocess.run(["docker", "rmi", "-f", *listed.stdout.split()], capture_output=True)
        subprocess.run(["docker", "image", "prune", "-f"], capture_output=True)


@contextlib.contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        os.environ["JUPYTER_MLOPS_HOME"] = str(folder / "home")
        (folder / "registry").mkdir()
        (folder / "wheels").mkdir()
        with run_registry(folder / "registry") as registry, _index(folder / "wheels") as wheels:
            yield Stage(folder, registry.url, wheels)


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
