"""The whole road on real input: notebook → registry → container → service → run again."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest

from jupyter_mlops import cli
from jupyter_mlops.deploy.ready import free_port
from jupyter_mlops.image.referrers import subject_of
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.rerun import rerun
from jupyter_mlops.serve import list_services, serve, stop_service
from tests.conftest import EXAMPLES
from tests.fixtures_registry import RunningRegistry

pytestmark = [pytest.mark.network, pytest.mark.slow]

# What the notebook's own model answers is asked in a plain kernel-less run of its cells, so
# that nothing of ours stands between the notebook and the expected values.
EXPECTED = """
import json, sys
source = [c for c in json.load(open(sys.argv[1]))["cells"] if c["cell_type"] == "code"]
names = {}
for cell in source:
    text = "".join(cell["source"])
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    exec("\\n".join(lines), names)
rows = names["X_test"]
print(json.dumps({"rows": json.loads(rows.to_json(orient="split", double_precision=15)),
                  "labels": names["model"].predict(rows).tolist()}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the user's, with copies of the examples."""
    made = tmp_path_factory.mktemp("user")
    for path in EXAMPLES.glob("*.ipynb"):
        shutil.copy(path, made)
    return made


@pytest.fixture(scope="module")
def iris(folder: Path) -> Published:
    return publish(folder / "iris_classifier.ipynb")


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", EXPECTED, str(folder / "iris_classifier.ipynb")]
    environment = {**os.environ, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ask(url: str, expected: dict[str, Any]) -> list[Any]:
    body = {"dataframe_split": {k: expected["rows"][k] for k in ("columns", "data")}}
    answer = httpx.post(f"{url}/invocations", json=body, trust_env=False)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["predictions"])


@contextmanager
def container(image: str, *options: str) -> Iterator[str]:
    """Run an image by the real Docker engine, read-only, and yield its URL once it is ready."""
    port = free_port()
    command = ["docker", "run", "-d", "--read-only", "-p", f"127.0.0.1:{port}:8080"]
    command += ["-e", "MLOPS_OPEN=1", *options]
    started = subprocess.run([*command, image], capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    name = started.stdout.strip()
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            pytest.fail(
                subprocess.run(["docker", "logs", name], capture_output=True, text=True).stderr
            )
        yield url
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True)


def test_the_result_says_what_was_done(iris: Published) -> None:
    assert iris.verified == "full" and iris.version == 1
    assert iris.digest.startswith("sha256:")
    assert iris.pushed_bytes > 10_000_000
    assert 0.9 < iris.metrics["accuracy"] <= 1
    names = ["read", "environment", "lock", "run", "capture", "assemble", "build", "push", "record"]
    assert [stage.name for stage in iris.stages] == names
    assert [capture.name for capture in iris.captures] == ["model"]
    assert iris.captures[0].format == "skops"
    assert "<html" in Path(iris.report).read_text()
    executed = nbformat.read(Path(iris.report).with_name("executed.ipynb"), as_version=4)
    assert any("image/png" in str(cell.get("outputs")) for cell in executed.cells)


def test_publishing_the_same_again_changes_nothing(
    folder: Path, iris: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another home: nothing is cached, everything is built anew, and the digest is the same."""
    again = publish(folder / "iris_classifier.ipynb")
    assert (again.digest, again.version) == (iris.digest, 1)
    assert again.pushed_bytes < 20_000
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path))
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    shutil.copy(folder / "iris_classifier.ipynb", elsewhere)
    old = os.umask(0o077)
    try:
        other = publish(elsewhere / "iris_classifier.ipynb", f"oci:{tmp_path}/other-registry:x")
    finally:
        os.umask(old)
    assert other.digest == iris.digest


def test_the_image_holds_what_the_design_says(iris: Published, tmp_path: Path) -> None:
    root = unpack(open_repository(Reference.parse(iris.reference)), iris.digest, tmp_path)
    for name in ("publication.json", "pylock.toml", "signature.json", "golden.json", "report.html"):
        assert (root / name).is_file(), name
    shipped = nbformat.read(root / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in shipped.cells)
    publication = json.loads((root / "publication.json").read_bytes())
    columns = [column["name"] for column in publication["signature"]["inputs"]]
    assert columns[0] == "sepal length (cm)" and len(columns) == 4
    assert not list((root / "site").glob("jupyterlab*"))
    assert not list((root / "site").glob("mlflow*"))


def test_served_as_a_process_it_answers_like_the_notebook(
    iris: Published, expected: dict[str, Any]
) -> None:
    service = serve(iris.reference)
    try:
        assert ask(service.url, expected) == expected["labels"]
        version = httpx.get(f"{service.url}/version", trust_env=False).json()
        assert iris.digest in json.dumps(version)
        assert [found.state for found in list_services()] == ["ready"]
        assert "Iris classifier" in httpx.get(f"{service.url}/", trust_env=False).text
        assert "mlops_rows_total" in httpx.get(f"{service.url}/metrics", trust_env=False).text
        paths = httpx.get(f"{service.url}/openapi.json", trust_env=False).json()["paths"]
        assert {"/invocations", "/v1/runs"} <= set(paths)
    finally:
        stop_service(service.id)
    assert list_services() == []
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{service.url}/ping", trust_env=False)


@pytest.fixture
def logged_in(
    private_registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], RunningRegistry]:
    """Log in to the registry the way `docker login` does."""
    folder = tmp_path / "docker"
    folder.mkdir()
    pair = f"{private_registry.user}:{private_registry.password}"
    auth = base64.b64encode(pair.encode()).decode()
    config = {"auths": {private_registry.url: {"auth": auth}}}
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return lambda: private_registry


@pytest.mark.docker
@pytest.mark.registry
@pytest.mark.skopeo
def test_to_a_real_registry_and_into_a_real_container(
    folder: Path,
    logged_in: Callable[[], RunningRegistry],
    expected: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    registry = logged_in()
    target = f"{registry.url}/lab/iris:stable"
    done = publish(folder / "iris_classifier.ipynb", target)
    tags = open_repository(Reference.parse(target)).tags()
    assert [tag for tag in tags if not subject_of(tag)] == ["stable", "v1"]
    assert [subject_of(tag) for tag in tags if subject_of(tag)] == [done.digest]

    request.addfinalizer(lambda: subprocess.run(["docker", "rmi", "-f", target], check=False))
    pulled = subprocess.run(["docker", "pull", target], capture_output=True, text=True)
    assert pulled.returncode == 0, pulled.stderr
    with container(target) as url:
        assert ask(url, expected) == expected["labels"]
    user = ["docker", "image", "inspect", "-f", "{{.Config.User}}", target]
    assert subprocess.run(user, capture_output=True, text=True).stdout.strip() == "1000:0"

    credentials = f"{registry.user}:{registry.password}"
    inspect = ["skopeo", "inspect", "--tls-verify=false", "--creds", credentials]
    seen = subprocess.run([*inspect, f"docker://{target}"], capture_output=True, text=True)
    assert seen.returncode == 0, seen.stderr
    assert json.loads(seen.stdout)["Digest"] == done.digest
    copy = ["skopeo", "copy", "--src-tls-verify=false", "--src-creds", credentials]
    copied = subprocess.run(
        [*copy, f"docker://{target}", f"oci:{tmp_path}/copy:x"], capture_output=True, text=True
    )
    assert copied.returncode == 0, copied.stderr

    # Another machine: nothing of the source is left, nothing is cached.
    monkeypatch.setenv("JUPYTER_MLOPS_HOME", str(tmp_path / "fresh"))
    monkeypatch.chdir(tmp_path)
    fewer = rerun(target, {"n_trees": 3, "max_depth": 1})
    same = rerun(target)
    assert same.metrics == done.metrics
    assert fewer.metrics["log_loss"] != done.metrics["log_loss"]
    assert fewer.metrics == _metrics_of_the_notebook(folder, n_trees=3, max_depth=1)

    service = serve(target, with_="docker")
    try:
        assert ask(service.url, expected) == expected["labels"]
        assert list_services()[0].state == "ready"
    finally:
        stop_service(service.id)


def _metrics_of_the_notebook(folder: Path, **values: object) -> dict[str, float]:
    """Return what the notebook itself computes when its parameters are edited by hand."""
    node = nbformat.read(folder / "iris_classifier.ipynb", as_version=4)
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    names: dict[str, Any] = {}
    for cell in node.cells:
        if cell.cell_type == "code":
            source = [line for line in cell.source.splitlines() if not line.startswith("%")]
            extra = lines if "parameters" in cell.metadata.get("tags", []) else []
            os.environ.setdefault("MPLBACKEND", "agg")
            exec("\n".join([*source, *extra]), names)
    return {"accuracy": names["accuracy"], "log_loss": names["loss"]}


@pytest.mark.docker
def test_a_notebook_without_a_model_runs_as_a_service(folder: Path) -> None:
    done = publish(folder / "heat_equation.ipynb")
    assert done.captures == []
    service = serve(done.reference, with_="docker")
    try:
        _run_by_http(service.url, done)
    finally:
        stop_service(service.id)
    service = serve(done.reference)
    try:
        _run_by_http(service.url, done)
    finally:
        stop_service(service.id)


def _run_by_http(url: str, done: Published) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        bad = client.post("/v1/runs", json={"parameters": {"points": "many", "x": 1}})
        assert bad.status_code == 422 and "points" in bad.text and "x" in bad.text
        accepted = client.post("/v1/runs", json={"parameters": {"duration": 5.0}})
        assert accepted.status_code == 202, accepted.text
        location = accepted.headers["location"]
        run = client.get(location, params={"wait": 50}).json()
        assert run["state"] == "succeeded", run
        assert run["metrics"]["peak"] > done.metrics["peak"]
        assert run["metrics"]["spread"] < done.metrics["spread"]
        node = nbformat.reads(client.get(f"{location}/notebook").text, as_version=4)
        assert any("after 5 s" in str(cell.get("outputs")) for cell in node.cells)
        # It has no model, and says so.
        assert client.post("/invocations", json={"instances": [[1]]}).status_code in {404, 501}


def test_the_command_line_speaks_json(
    iris: Published, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> dict[str, Any]:
        assert cli.main([*arguments, "--json"]) == 0
        return dict(json.loads(capsys.readouterr().out))

    analysis = said("analyze", str(folder / "iris_classifier.ipynb"))
    assert analysis["parameters"][0]["name"] == "n_trees"
    assert analysis["problems"] == []
    listed = said("list")["publications"]
    assert iris.digest in {item["digest"] for item in listed}
    assert said("show", iris.reference)["metrics"] == iris.metrics
    out = tmp_path / "out.ipynb"
    run = said("run", iris.reference, "-p", "n_trees=5", "-o", str(out))
    assert run["state"] == "succeeded" and run["parameters"]["n_trees"] == 5
    assert Path(run["output"]) == out and out.is_file()
    assert set(run) == {
        "id", "state", "parameters", "metrics", "output", "steps", "noted",
    }  # fmt: skip
    of_notebook = said("run", str(folder / "iris_classifier.ipynb"), "-p", "n_trees=5")
    assert of_notebook["metrics"] == run["metrics"]
