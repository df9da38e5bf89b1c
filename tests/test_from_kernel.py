"""Objects of a live kernel: saved where nothing of ours is installed, proved by loading them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_client.manager import KernelManager

from jupyter_mlops import live
from jupyter_mlops.errors import CaptureError, MlopsError, NotFoundError, UsageError
from jupyter_mlops.events import Event, Log
from jupyter_mlops.publish import publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.runtime import publication as publications
from jupyter_mlops.serve import serve, stop_service
from tests.notebooks import make
from tests.test_other_kernels import environment, kernelspec

CELLS = [
    ("parameters", "scale = 2.0"),
    "import pandas as pd\nfrom pathlib import Path\n"
    "from sklearn.linear_model import LinearRegression",
    "with Path('runs.txt').open('a') as file:\n    file.write('ran\\n')",
    "table = pd.DataFrame({'x': [1.0, 2.0, 3.0, 4.0]})\ny = table['x'] * scale",
    "model = LinearRegression().fit(table, y)",
]


class Live:
    """A kernel that runs, and what asks it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    @property
    def file(self) -> str:
        return str(self.manager.connection_file)

    def run(self, code: str, seconds: float = 240) -> str:
        """Run a cell and return what it printed."""
        printed: list[str] = []

        def hook(message: Any) -> None:
            content = message["content"]
            printed.append(content.get("text", "") or "\n".join(content.get("traceback", [])))

        reply = self.client.execute_interactive(code, timeout=seconds, output_hook=hook)
        text = "".join(printed)
        assert reply["content"]["status"] == "ok", text
        return text


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Live]]:
    """A notebook that ran in a kernel of an environment with nothing of ours, and that kernel."""
    folder = tmp_path_factory.mktemp("live")
    python = environment(folder / "venv", "ipykernel", "pandas", "scikit-learn")
    metadata = kernelspec(folder / "share", "bare", [str(python)])
    path = make(folder / "days.ipynb", CELLS, metadata=metadata)
    patch = pytest.MonkeyPatch()
    patch.setenv("JUPYTER_PATH", str(folder / "share"))
    patch.delenv("PYTHONPATH", raising=False)
    manager = KernelManager(kernel_name="bare")
    manager.start_kernel(cwd=str(folder))
    running = Live(manager)
    try:
        for cell in CELLS:
            running.run(cell if isinstance(cell, str) else cell[1])
        yield path, running
    finally:
        running.client.stop_channels()
        manager.shutdown_kernel(now=True)
        patch.undo()


@pytest.mark.network
@pytest.mark.slow
def test_a_kernel_with_nothing_of_ours_is_captured_and_left_as_it_was(
    bare: tuple[Path, Live], tmp_path: Path
) -> None:
    path, running = bare
    look = (
        "import sys; print(sorted(k for k in globals() if not k.startswith('_')), sys.path,"
        " [m for m in sys.modules if m.split('.')[0] in ('jupyter_mlops', 'msgspec', 'skops')])"
    )
    running.run("import sys")
    before = running.run(look)
    assert "'jupyter_mlops'" not in before
    target = f"oci:{tmp_path}/registry:days:latest"
    events: list[Event] = []
    done = publish(path, target, from_kernel=running.file, on_event=events.append)
    assert done.verified == "loaded"
    assert (path.parent / "runs.txt").read_text() == "ran\n", "nothing was run again"
    assert running.run(look) == before

    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    publication = publications.load(root)
    assert publication.verified == "loaded" and publication.captures[0].format == "skops"
    assert [each.name for each in publication.data] == ["table", "y"]
    assert json.loads((root / "golden.json").read_bytes())["outputs"] == [2.0, 4.0, 6.0, 8.0]
    assert "was not run for this publication" in (root / "report.html").read_text()
    warnings = [e.text for e in events if isinstance(e, Log) and e.level == "warning"]
    assert not [text for text in warnings if "has not run" in text or "another value" in text]
    service = serve(target)
    try:
        body = {"dataframe_split": {"columns": ["x"], "data": [[10.0]]}}
        answer = httpx.post(f"{service.url}/invocations", json=body, trust_env=False)
        assert answer.json()["predictions"] == pytest.approx([20.0])
    finally:
        stop_service(service.id)


@pytest.mark.network
@pytest.mark.slow
def test_what_the_kernel_did_not_run_is_told(bare: tuple[Path, Live], tmp_path: Path) -> None:
    path, running = bare
    edited = [*CELLS[:3], CELLS[3] + "\ny = y + 1", *CELLS[4:]]
    node = json.loads(path.read_text())
    metadata = {"kernelspec": node["metadata"]["kernelspec"]}
    make(path, edited, metadata=metadata)
    running.run("scale = 3.0")
    events: list[Event] = []
    try:
        publish(path, f"oci:{tmp_path}/r:days", from_kernel=running.file, on_event=events.append)
    finally:
        running.run("scale = 2.0")
        make(path, CELLS, metadata=metadata)
    warnings = [e.text for e in events if isinstance(e, Log) and e.level == "warning"]
    assert any("has not run these cells as they stand: 4." in text for text in warnings)
    assert any(text.endswith("than in the notebook: scale") for text in warnings)


@pytest.mark.network
@pytest.mark.slow
def test_another_kernel_than_the_notebooks_is_refused(
    bare: tuple[Path, Live], tmp_path: Path
) -> None:
    _, running = bare
    path = make(tmp_path / "other.ipynb", CELLS)
    with pytest.raises(CaptureError, match="and the kernel that the notebook names in"):
        publish(path, from_kernel=running.file)


def test_how_a_kernel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    path = make(tmp_path / "n.ipynb", CELLS)
    (tmp_path / "kernel-abc.json").write_text("{}")
    assert live.find("abc", path) == live.Connected(tmp_path / "kernel-abc.json")
    file = str(tmp_path / "kernel-abc.json")
    assert live.find(file, path) == live.Connected(tmp_path / "kernel-abc.json")
    with pytest.raises(NotFoundError, match="There are connection files of: abc"):
        live.find("gone", path)
    with pytest.raises(NotFoundError, match="No kernel is known that runs n"):
        live.find("auto", path)


async def test_the_kernel_of_a_notebook_is_found(
    jp_serverapp: Any, jp_fetch: Any, jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the sessions of this user's servers tell, by a real server."""
    path = make(jp_root_dir / "n.ipynb", CELLS)
    body = {"path": "n.ipynb", "name": "n", "type": "notebook", "kernel": {"name": "python3"}}
    made = await jp_fetch("api", "sessions", method="POST", body=json.dumps(body))
    session = json.loads(made.body)
    server = {"url": "http://x/", "token": "t", "root_dir": str(jp_root_dir)}
    monkeypatch.setattr("jupyter_server.serverapp.list_running_servers", lambda: [server])
    answer = httpx.Response(200, json=[session])
    monkeypatch.setattr(httpx, "get", lambda url, **more: answer)
    found = live.find("auto", path)
    assert isinstance(found, live.Connected)
    assert found.connection_file.name == f"kernel-{session['kernel']['id']}.json"
    await jp_fetch("api", "sessions", session["id"], method="DELETE")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"parameters": {"scale": 3.0}}, "Parameters and --from-kernel"),
        ({"verify": "none"}, "--verify none and --from-kernel"),
        ({"platforms": ["linux/amd64", "linux/arm64"]}, "Several platforms and --from-kernel"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    path = make(tmp_path / "n.ipynb", CELLS)
    with pytest.raises(UsageError, match=says):
        publish(path, from_kernel="auto", **more)


@pytest.mark.network
@pytest.mark.slow
def test_the_magic_saves_the_objects_of_its_own_kernel(tmp_path: Path) -> None:
    path = make(tmp_path / "own.ipynb", CELLS)
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    running = Live(manager)
    try:
        for cell in CELLS:
            running.run(cell if isinstance(cell, str) else cell[1])
        running.run("%load_ext jupyter_mlops")
        target = f"oci:{tmp_path}/registry:own:latest"
        running.run(f"done = %mlops_publish {path.name} {target} --from-kernel")
        assert running.run("print(done.result['verified'])") == "loaded\n"
        assert (tmp_path / "runs.txt").read_text() == "ran\n"
    finally:
        running.client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_cell_that_no_longer_waits_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PICKED_UP_SECONDS", 0.1)
    with pytest.raises(MlopsError, match="no longer waits"):
        live.Waiting(tmp_path).execute("1", lambda event: None)
