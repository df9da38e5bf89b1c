"""Recording finished runs in a real MLflow database."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.runtime.journal import Entry, Journal
from jupyter_mlops.tracking import flush, store
from jupyter_mlops.tracking.model import TrackingError
from jupyter_mlops.tracking.record import record_run

TAGS = {
    "mlops.image.ref": "localhost:5000/lab/iris:v3",
    "mlops.image.digest": "sha256:" + "ab" * 32,
    "mlops.notebook.sha256": "cd" * 32,
    "mlops.lock.sha256": "ef" * 32,
    "mlops.verified": "full",
    "mlops.version": "3",
}


def test_a_run_is_found_again_with_everything(home: Path) -> None:
    journal = Journal(home / "journal.jsonl")
    for step in range(3):
        journal.log({"loss": 1.0 / (step + 1), "note": f"epoch {step}"}, step=step)
    journal.log({"bad": math.nan, "odd%name": 5, "yes": True})
    report = home / "report.html"
    report.write_text("<p>it ran</p>")
    link = record_run(
        "iris",
        parameters={"alpha": 0.5, "name": "x", "columns": ["a", "b"], "none": None},
        metrics={"accuracy": 0.97, "loss": 1 / 3},
        tags=TAGS,
        journal=journal.path,
        artifacts=[report],
    )
    assert link.uri == f"sqlite:///{home}/tracking/mlflow.db"
    assert (link.experiment, link.version, link.problems) == ("iris", "1", [])
    mlflow = store.client()
    run = mlflow.get_run(link.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "iris v3"
    assert run.data.params == {
        "alpha": "0.5",
        "name": "x",
        "columns": '["a", "b"]',
        "none": "null",
    }
    history = mlflow.get_metric_history(link.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert run.data.metrics["accuracy"] == 0.97
    assert run.data.metrics["odd_name"] == 5 and run.data.metrics["yes"] == 1
    assert math.isnan(run.data.metrics["bad"])
    assert run.data.tags.items() >= {**TAGS, "note": "epoch 2"}.items()
    assert [file.path for file in mlflow.list_artifacts(link.run_id)] == ["report.html"]
    version = mlflow.get_model_version("iris", "1")
    assert version.source == f"oci://localhost:5000/lab/iris@{TAGS['mlops.image.digest']}"
    assert version.run_id == link.run_id
    assert version.tags == TAGS
    second = record_run("iris", parameters={}, metrics={}, tags=TAGS)
    assert (second.version, second.experiment) == ("2", "iris")
    assert not (Path.cwd() / "mlruns").exists()


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("oci:/data/registry/iris:latest", "oci:/data/registry/iris@sha256:1"),
        ("registry.example.org/iris", "oci://registry.example.org/iris@sha256:1"),
        (
            "registry.example.org:5000/a/b:v1@sha256:0",
            "oci://registry.example.org:5000/a/b@sha256:1",
        ),
    ],
)
def test_the_source_of_a_version_is_the_image_by_digest(reference: str, source: str) -> None:
    from jupyter_mlops.tracking.record import _source

    assert _source(reference, "sha256:1") == source


def test_more_than_one_batch_arrives_whole_and_only_once(home: Path) -> None:
    run_id = record_run("many", parameters={}, metrics={}, tags={}).run_id
    entries = [Entry(time=1000.0 + step, values={"m": step}, step=step) for step in range(2500)]
    flush.send(run_id, entries)
    flush.send(run_id, entries)
    history = store.client().get_metric_history(run_id, "m")
    assert [point.value for point in history] == list(range(2500))
    many = {f"p{number}": number for number in range(250)}
    flush.describe(run_id, parameters=many, tags={f"t{n}": "x" * 6000 for n in range(150)})
    run = store.client().get_run(run_id)
    assert len(run.data.params) == 250
    assert sum(name.startswith("t") for name in run.data.tags) == 150


@pytest.mark.slow
def test_four_first_uses_at_once_do_not_crash(empty_home: Path) -> None:
    program = (
        "import sys; from jupyter_mlops.tracking.record import record_run\n"
        "sys.stdin.readline()\n"
        "print(record_run('same', parameters={'n': sys.argv[1]}, metrics={'m': 1},"
        " tags={'mlops.image.digest': 'sha256:0'}).run_id)"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    ends = [racer.communicate("go\n", timeout=300) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4, [error for _, error in ends]
    runs = store.client().search_runs([store.experiment("same")])
    assert {run.info.run_id for run in runs} == {out.strip() for out, _ in ends}
    versions = store.client().search_model_versions("name='same'")
    assert sorted(int(version.version) for version in versions) == [1, 2, 3, 4]


def test_a_store_that_cannot_be_used_is_one_sentence_without_the_password(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_TRACKING_URI", "http://ann:s3cret@127.0.0.1:1/")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError) as caught:
        record_run("iris", parameters={}, metrics={}, tags={})
    assert isinstance(caught.value, MlopsError)
    [problem] = caught.value.problems
    assert "s3cret" not in problem.sentence()
    assert problem.where == "http://127.0.0.1:1/"
    assert "JUPYTER_MLOPS_TRACKING_URI" in problem.remedy


def test_a_database_that_is_none_is_a_sentence(empty_home: Path) -> None:
    (empty_home / "tracking").mkdir()
    (empty_home / "tracking" / "mlflow.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(TrackingError, match="cannot be used"):
        record_run("iris", parameters={}, metrics={}, tags={})


def test_a_deleted_experiment_says_how_to_restore_it(home: Path) -> None:
    record_run("iris", parameters={}, metrics={}, tags={})
    store.client().delete_experiment(store.experiment("iris"))
    with pytest.raises(TrackingError, match="mlflow experiments restore"):
        record_run("iris", parameters={}, metrics={}, tags={})


def test_a_registry_that_fails_does_not_lose_the_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no registry here")

    monkeypatch.setattr(type(store.client()), "create_model_version", refuse)
    link = record_run("iris", parameters={}, metrics={"m": 1.0}, tags=TAGS)
    assert link.version == ""
    assert link.problems[0].why == "no registry here"
    assert store.client().get_run(link.run_id).info.status == "FINISHED"


def test_the_environment_chooses_the_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://theirs")
    assert store.uri() == "http://theirs"
    monkeypatch.setenv("JUPYTER_MLOPS_TRACKING_URI", "http://ours")
    assert store.uri() == "http://ours"


@pytest.mark.slow
def test_telemetry_is_off_and_importing_the_room_imports_no_mlflow() -> None:
    program = (
        "import sys, os; import jupyter_mlops.tracking.record, jupyter_mlops.tracking.live\n"
        "assert not {'mlflow', 'sqlalchemy', 'pandas'} & set(sys.modules)\n"
        "from jupyter_mlops.tracking import store; store.client()\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "assert is_telemetry_disabled()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
