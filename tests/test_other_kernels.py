"""Notebooks whose kernel is another environment: all of what they need, all the way to Docker."""

from __future__ import annotations

import base64
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
import uv

from jupyter_mlops.analyze import analyze
from jupyter_mlops.environment import indexes
from jupyter_mlops.events import Event
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.rerun import rerun
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.serve import serve, stop_service
from tests.environment.loopback import source_files, wheel
from tests.notebooks import make

pytestmark = [pytest.mark.network, pytest.mark.slow]

PACKAGES = "pandas pyarrow openpyxl opencv-python==4.10.0.84 scikit-image tabulate humanize".split()
SHAPES = """
import numpy as np

def disc(size):
    y, x = np.ogrid[:size, :size]
    return ((x - size / 2) ** 2 + (y - size / 2) ** 2 < size**2 / 16).astype('float32')
"""
CELLS = [
    ("markdown", "# Discs"),
    "%pip install --quiet humanize\nimport cv2\nimport pandas as pd\nfrom skimage import filters\n"
    "from shapes import disc",
    "size = 64  # pixels",
    "image = cv2.GaussianBlur(disc(size), (5, 5), 0)\n"
    "threshold = float(filters.threshold_otsu(image))\n"
    "area = int((image > threshold).sum())",
    "import tempfile\nfrom pathlib import Path\nfolder = Path(tempfile.mkdtemp())\n"
    "table = pd.DataFrame({'size': [size], 'area': [area]})\n"
    "table.to_parquet(folder / 'discs.parquet')\n"
    "table.to_excel(folder / 'discs.xlsx', index=False)\n"
    "both = [pd.read_parquet(folder / 'discs.parquet'), pd.read_excel(folder / 'discs.xlsx')]\n"
    "assert both[0].equals(both[1])\nprint(table.to_markdown())",
    ("predict", "def predict(rows):\n    return [int((cv2.GaussianBlur(disc(int(size)), (5, 5), 0)"
     " > threshold).sum()) for size in rows['size']]"),
    "expected = predict(table[['size']])\nassert expected == [area]",
]  # fmt: skip


def environment(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with packages, and none of ours; return its interpreter."""
    tool, python = uv.find_uv_bin(), folder / "bin" / "python"
    subprocess.run([tool, "venv", "-q", "--python", sys.executable, folder], check=True)
    install = [tool, "pip", "install", "-q", "--python", str(python), *packages]
    subprocess.run(install, check=True, env=indexes.environment())
    return python


def kernelspec(folder: Path, name: str, argv: list[str]) -> dict[str, Any]:
    """Write a kernelspec and return the metadata of a notebook that asks for it."""
    place = folder / "kernels" / name
    place.mkdir(parents=True)
    command = [*argv, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": name, "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec))
    return {"kernelspec": {"name": name, "display_name": name, "language": "python"}}


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook of images, its local module, and the environment that it was made in."""
    folder = tmp_path_factory.mktemp("discs")
    python = environment(folder / "venv", *PACKAGES)
    (folder / "shapes.py").write_text(SHAPES)
    metadata = kernelspec(folder / "share", "images", [str(python)])
    return make(folder / "discs.ipynb", CELLS, metadata=metadata)


def test_another_environment_is_analyzed(discs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(discs.parent / "share"))
    analysis = analyze(discs)
    assert analysis.problems == []
    assert analysis.kernel is not None and analysis.kernel.name == "images"
    why = {dependency.name: dependency.why for dependency in analysis.dependencies}
    assert set(why) == {
        "humanize", "numpy", "opencv-python", "openpyxl", "pandas", "pyarrow", "scikit-image",
        "tabulate",
    }  # fmt: skip
    assert why["humanize"] == "%pip install in cell 1" and "to_parquet" in why["pyarrow"]


@pytest.mark.docker
@pytest.mark.registry
def test_engines_system_libraries_and_a_local_module_run_in_docker_on_a_slim_base(
    discs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker_registry: Any
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(discs.parent / "share"))
    before = discs.read_bytes()
    target = f"{docker_registry.url}/lab/discs:latest"
    done = publish(discs, target, system_packages="auto")
    assert done.verified == "full" and discs.read_bytes() == before

    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    publication = publications.load(root)
    assert publication.system_packages["libgl1"]
    assert {"pyarrow", "openpyxl", "humanize", "opencv-python"} <= set(publication.direct)
    assert (root / "src" / "shapes.py").is_file()
    node = nbformat.read(root / publication.notebook, as_version=4)
    lines = [line for cell in node.cells for line in cell.source.splitlines()]
    assert not [line for line in lines if line.lstrip().startswith("%pip")]

    service = serve(target, with_="docker")
    try:
        with httpx.Client(base_url=service.url, trust_env=False, timeout=120) as client:
            body = {"dataframe_split": {"columns": ["size"], "data": [[64], [128]]}}
            answer = client.post("/invocations", json=body)
            assert answer.status_code == 200, answer.text
            small, big = answer.json()["predictions"]
            assert 3.5 < big / small < 4.5
            accepted = client.post("/v1/runs", json={"parameters": {"size": 128}})
            run = client.get(accepted.headers["location"], params={"wait": 100}).json()
            assert run["state"] == "succeeded", run
    finally:
        stop_service(service.id)
        subprocess.run(["docker", "image", "rm", "-f", target], capture_output=True)


def test_a_project_in_a_folder_is_shipped_as_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image has what the project was when it was published, wherever its folder is then."""
    project = tmp_path / "project"
    project.mkdir()
    for name, text in source_files("house-rules", "0.3").items():
        (project / name).write_text(text)
    python = environment(tmp_path / "venv", str(project))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    metadata = kernelspec(tmp_path / "share", "rules", [str(python)])
    cells = [
        "import house_rules",
        ("parameters", "times = 1"),
        "assert house_rules.built\nprint('built' * times)",
    ]
    path = make(tmp_path / "rules.ipynb", cells, metadata=metadata)
    target = f"oci:{tmp_path}/registry:rules:latest"
    done = publish(path, target)
    shutil.rmtree(project)
    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    assert publications.load(root).direct == {"house-rules": "0.3"}
    assert str(tmp_path) not in (root / "pylock.toml").read_text()
    shutil.rmtree(tmp_path / "venv")
    assert rerun(target, {"times": 2}).state == "succeeded"


# A private index


USER, PASSWORD = "meister", "hunter2-of-the-index"
PAIR = f"{USER}:{PASSWORD}"


@contextmanager
def private_index(upstream: str) -> Iterator[str]:
    """An index that asks for a password, has a project of its own, and sends on to another one."""
    name, content = wheel("house-style", "1.2", files={"house_style.py": "shade = 7\n"})
    expected = f"Basic {base64.b64encode(PAIR.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self.answer(401, b"", ("WWW-Authenticate", "Basic"))
            elif self.path.startswith("/files/"):
                self.answer(200, content)
            elif self.path.strip("/").endswith("house-style"):
                link = f'<a href="/files/{name}">{name}</a>'
                self.answer(200, link.encode(), ("Content-Type", "text/html"))
            else:
                project = self.path.strip("/").rpartition("/")[2]
                self.answer(302, b"", ("Location", f"{upstream.rstrip('/')}/{project}/"))

        def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for header in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(*header)
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{PAIR}@127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def traces(*folders: Path) -> list[str]:
    """Return the files that hold the password, as it is or as a request would send it."""
    secrets = [PASSWORD.encode(), PAIR.encode(), base64.b64encode(PAIR.encode())]
    return [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    ]


@pytest.mark.parametrize("variable", ["UV_INDEX_URL", "PIP_INDEX_URL"])
def test_the_password_of_an_index_is_nowhere(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    variable: str,
) -> None:
    """Not in lock, image, labels, logs, events, nor in anything that is kept."""
    caplog.set_level(logging.DEBUG)
    upstream = indexes.environment().get("UV_DEFAULT_INDEX") or "https://pypi.org/simple"
    home, cache = tmp_path / "home", tmp_path / "cache"
    with private_index(upstream) as url:
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(variable, url)
        monkeypatch.setenv("UV_CACHE_DIR", str(cache))
        python = environment(tmp_path / "conda" / "envs" / "house", "house-style")
        (python.parent.parent / "conda-meta").mkdir()
        conda = tmp_path / "conda" / "bin" / "conda"
        conda.parent.mkdir()
        conda.write_text("#!/bin/sh\nexit 9\n")
        conda.chmod(0o755)
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
        monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(home))
        argv = [str(conda), "run", "-n", "house", "python"]
        metadata = kernelspec(tmp_path / "share", "house", argv)
        folder = tmp_path / "work"
        folder.mkdir()
        path = make(folder / "house.ipynb", ["import house_style\nprint(house_style.shade)"],
                    metadata=metadata)  # fmt: skip
        events: list[Event] = []
        target = f"oci:{tmp_path}/registry:house:latest"
        done = publish(path, target, on_event=events.append)
    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    assert publications.load(root).direct == {"house-style": "1.2"}
    assert "127.0.0.1" in (root / "pylock.toml").read_text()  # it says where, without the password
    shutil.rmtree(cache)
    assert traces(tmp_path) == []
    said = [str(events), caplog.text, *capfd.readouterr(), str(done)]
    assert not [text for text in said if PASSWORD in text or USER in text]
    assert PASSWORD not in json.dumps(dict(os.environ), default=str).replace(url, "")
