"""Takes a notebook along the real road, without a network, a lock or an image.

The development environment stands for that of the lock; every process is a real one (see
``warm``). What the notebook itself says comes from a separate, plain run of it by nbclient.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from jupyter_mlops import analyze, asked, assemble, data_versions, prove, shipping, stars
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.assemble import Draft
from jupyter_mlops.environment import ground as grounds
from jupyter_mlops.environment.models import Lock
from jupyter_mlops.environment.verify import Environment
from jupyter_mlops.errors import NotebookError
from jupyter_mlops.events import ignore
from jupyter_mlops.image.base import Base
from jupyter_mlops.pipeline.run import Place
from jupyter_mlops.runtime.publication import Publication
from tests.notebooks import make
from tests.service.shape import ELSEWHERE, Shape
from tests.service.warm import Warm

BASE = Base("oci:base:python", f"sha256:{'b' * 64}", ())
LOCK = Lock(text="", sha256="2" * 64, python="3.11", platform="linux/amd64", packages=[])
SECONDS = 60

#: The extra cell of the plain run; plain Python, so that nothing of ours decides what is true.
TOLD = """
def __told__(path, rows, truth):
    import json, math
    def plain(value):
        if hasattr(value, "to_dict") and hasattr(value, "columns"):
            value = value.to_dict("records")
        elif hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, dict):
            return {{str(key): plain(item) for key, item in value.items()}}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if hasattr(value, "isoformat"):
            return value.isoformat()
        return None if isinstance(value, float) and math.isnan(value) else value
    if hasattr(rows, "columns"):
        data = [list(row) for row in rows.itertuples(index=False)]
        body = {{"dataframe_split": {{"columns": list(rows.columns), "data": plain(data)}}}}
    else:
        body = {{"instances": plain(rows)}}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({{"body": body, "truth": plain(truth)}}, file)
__told__({path!r}, {rows}, {truth})
"""


@dataclass(frozen=True)
class Told:
    """What the notebook itself says: the body that a colleague would send, and its answer."""

    body: dict[str, Any]
    truth: Any


@dataclass(frozen=True)
class Packaged:
    """A service as it would go into an image, proven by the gate."""

    place: Place
    publication: Publication
    notes: list[str]


def written(shape: Shape, folder: Path) -> Path:
    """Write a shape's notebook and its files; return the notebook's path."""
    (folder / "work").mkdir(parents=True)
    (folder / "elsewhere").mkdir()
    for name, files in (("work", shape.beside), ("elsewhere", shape.elsewhere)):
        for path, text in files.items():
            (folder / name / path).write_text(text, encoding="utf-8")
    there = str(folder / "elsewhere")
    cells = [
        cell.replace(ELSEWHERE, there)
        if isinstance(cell, str)
        else (cell[0], cell[1].replace(ELSEWHERE, there))
        for cell in shape.cells
    ]
    return make(folder / "work" / f"{shape.name}.ipynb", cells)


@contextlib.contextmanager
def session(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these variables, as in a session of the author."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


def told(shape: Shape, path: Path, warm: Warm) -> Told:
    """Run the notebook plainly, and ask it about the rows in an extra cell."""
    node = nbformat.read(path, as_version=4)
    answer = path.parent.parent / "told.json"
    source = TOLD.format(path=str(answer), rows=shape.rows, truth=shape.truth)
    node.cells.append(nbformat.v4.new_code_cell(source))
    argv = [str(warm.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]

    class Manager(AsyncKernelManager):  # type: ignore[misc]
        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    NotebookClient(
        node,
        timeout=SECONDS,
        kernel_manager_class=Manager,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute(env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Told(**json.loads(answer.read_text(encoding="utf-8")))


def package(shape: Shape, path: Path, warm: Warm, library: Path) -> Packaged:
    """Do what a publish does, up to the gate; raises ``MlopsError`` where a publish does.

    ``library`` is our code as an image has it: one copy, compiled once, serves all shapes.
    """
    work = path.parent.parent / "mlops"
    source = stars.resolve(notebooks.read(path))
    extracted = analyze.extract(source)
    if extracted.problems:
        raise NotebookError.collect(extracted.problems)
    wanted = asked.wanted(source, extracted, shape.model, (), shape.ship, "full", None)
    ground = grounds.settle(grounds.find(source), ignore)
    draft = Draft(work / "root", source, extracted, ground, LOCK, Environment(warm.root))
    assemble.write_sources(draft)
    _share(draft.root / "lib", library)
    draft, verified = prove.run(prove.Plot(work, BASE, "none"), draft, {}, wanted, ignore)
    prove.check_captures(verified.report, ignore)
    shipping.put(path.parent, wanted.shipped, draft.root)
    data = data_versions.of(draft, verified, ignore, wanted.shipped)
    publication = assemble.write_publication(draft, BASE, verified, data.data, data.files)
    assemble.check(draft.place, publication)
    return Packaged(draft.place, publication, verified.report.notes)


def _share(folder: Path, library: Path) -> None:
    """Let the first copy of our code, with its compiled files, stand for the later ones."""
    if library.exists():
        folder.rename(folder.with_name("lib-written"))
    else:
        folder.rename(library)
    folder.symlink_to(library)


@contextlib.contextmanager
def served(place: Place, folder: Path) -> Iterator[httpx.Client]:
    """Serve what was packaged by the real command, in a folder with nothing of the notebook."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(place.python), "-m", "jupyter_mlops.runtime", "serve", "--root"]
    command += [str(place.root), "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "service.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, env={**place.environment(), "MLOPS_WORKERS": "1"}, cwd=folder, stderr=errors
        )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=SECONDS, trust_env=False
        ) as client:
            _wait(client, process, log)
            yield client
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            if client.get("/health/ready").json()["status"] != "starting":
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def invoke(client: httpx.Client, body: Mapping[str, Any]) -> Any:
    """Send rows as a colleague would; return the predictions."""
    kind = {"Content-Type": "application/json"}
    answer = client.post("/invocations", content=msgspec.json.encode(body), headers=kind)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def body_for(publication: Publication, told: Told) -> dict[str, Any]:
    """Return the columns that the service asks for, out of those of the raw rows.

    A service that asks for anything else, such as a computed column, cannot be used by a colleague.
    """
    split = told.body.get("dataframe_split")
    if split is None:
        return told.body
    asked_for = publication.signature.inputs if publication.signature else []
    assert asked_for, "the service does not say which columns it takes: nothing was proven"
    computed = [c.name for c in asked_for if c.required and c.name not in split["columns"]]
    assert not computed, f"not in the raw rows: {computed}"
    at = {name: position for position, name in enumerate(split["columns"])}
    names = [column.name for column in asked_for if column.name in at]
    data = [[row[at[name]] for name in names] for row in split["data"]]
    return {"dataframe_split": {"columns": names, "data": data}}


def first_row(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same request with its first row alone."""
    if "instances" in body:
        return {"instances": body["instances"][:1]}
    split = body["dataframe_split"]
    return {"dataframe_split": {**split, "data": split["data"][:1]}}


def tolerance(packaged: Packaged) -> float:
    """Return how far a number may be off by what the publication itself states, with a reason."""
    golden = json.loads((packaged.place.root / "golden.json").read_bytes())
    assert golden["inputs"], "nothing was proven"
    stated = float(golden.get("tolerance", 0.0))
    assert not stated or golden["reason"], "a tolerance without a reason"
    assert stated <= 1e-5
    return stated


def nearly(answer: Any, expected: Any, within: float) -> bool:
    """Tell whether answers are the same; numbers with a fraction may be off by a part of them."""
    if type(answer) is not type(expected):
        return False
    if isinstance(answer, float):
        return answer == expected or math.isclose(answer, expected, rel_tol=within)
    if isinstance(answer, dict):
        return answer.keys() == expected.keys() and all(
            nearly(answer[key], expected[key], within) for key in answer
        )
    if isinstance(answer, list):
        return len(answer) == len(expected) and all(
            nearly(*pair, within) for pair in zip(answer, expected, strict=True)
        )
    return bool(answer == expected)
