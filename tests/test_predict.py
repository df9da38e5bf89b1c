"""Predictions for the rows of a file, in the publication's own environment."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from jupyter_mlops import cli, rerun
from jupyter_mlops.errors import MlopsError, RowsError, UsageError
from jupyter_mlops.events import Event, Log
from jupyter_mlops.pipeline.run import Place
from jupyter_mlops.predict import predict
from jupyter_mlops.publish import publish
from jupyter_mlops.runtime import publication as publications
from tests.notebooks import make
from tests.runtime.conftest import (
    REPOSITORY,
    forest_root,
    function_root,
    iris,
    plain_root,
    rounded_root,
    write_publication,
)

__all__ = ["forest_root", "function_root", "iris", "plain_root", "rounded_root"]

Use = Callable[[Path], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Let every reference stand for an unpacked publication, run by this very interpreter."""

    def use(root: Path) -> None:
        found = (root, publications.load(root), "sha256:1")
        place = Place(root=root, python=Path(sys.executable), paths=[REPOSITORY])
        monkeypatch.setattr(rerun, "unpacked", lambda reference, stages: found)
        monkeypatch.setattr(rerun, "place_of", lambda root, publication: place)

    return use


def test_every_kind_of_file_gives_the_notebooks_answers(
    use: Use, forest_root: Path, iris: Any, tmp_path: Path
) -> None:
    use(forest_root)
    X, _ = iris
    X.to_csv(tmp_path / "in.csv", index=False)
    X.to_parquet(tmp_path / "in.parquet")
    X.to_json(tmp_path / "in.jsonl", orient="records", lines=True, double_precision=15)
    answers = []
    for name in ("in.csv", "in.parquet", "in.jsonl"):
        for kind in (".csv", ".parquet", ".jsonl"):
            out = tmp_path / f"{name}{kind}"
            # Blocks that do not divide the rows evenly.
            done = predict("r", tmp_path / name, out, block=47)
            assert (done.rows, done.columns) == (150, ["prediction"])
            readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
            read = readers[kind](out) if kind in readers else pd.read_json(out, lines=True)
            answers.append(read["prediction"].tolist())
    assert len(answers[0]) == 150 and all(each == answers[0] for each in answers)
    from jupyter_mlops.runtime import predictor

    loaded = predictor.load(forest_root, publications.load(forest_root))
    assert loaded is not None
    rows = predictor.Table(rows=X.to_numpy().tolist(), columns=list(X.columns))
    assert loaded.predict(rows) == answers[0]


def test_all_or_nothing(use: Use, forest_root: Path, iris: Any, tmp_path: Path) -> None:
    use(forest_root)
    X = iris[0].astype("object")
    X.iloc[120, 1] = "wide"
    X.iloc[121, 2] = None
    X.to_csv(tmp_path / "in.csv", index=False)
    out = tmp_path / "out.csv"
    out.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        predict("r", tmp_path / "in.csv", out)
    with pytest.raises(RowsError) as error:
        predict("r", tmp_path / "in.csv", out, overwrite=True, block=50)
    text = str(error.value)
    assert "Row 121, column sepal width (cm): a number is expected" in text
    assert "Row 122, column petal length (cm): a value is missing" in text
    assert out.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
    iris[0].to_csv(tmp_path / "in.csv", index=False)
    assert predict("r", tmp_path / "in.csv", out, overwrite=True).rows == 150
    assert len(out.read_text().splitlines()) == 151
    with pytest.raises(UsageError, match="It is the input"):
        predict("r", tmp_path / "in.csv", tmp_path / "in.csv", overwrite=True)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("in.csv", "", "has no header line"),
        ("in.csv", "a,b\n1\n", "line 2: it has 1 values, not 2"),
        ("in.jsonl", '{"a": 1}\n{"a"\n', "line 2 is not JSON"),
        ("in.jsonl", "[1]\n", "line 1 is not a JSON object"),
        ("in.csv", "a,b\n1,2\n", "Missing columns: sepal length"),
        ("in.parquet", "no", "not Parquet"),
        ("in.xlsx", "", "none of the files that are understood"),
    ],
)
def test_files_that_cannot_be_used(
    use: Use, forest_root: Path, tmp_path: Path, name: str, text: str, says: str
) -> None:
    use(forest_root)
    (tmp_path / name).write_text(text)
    with pytest.raises(MlopsError, match=says):
        predict("r", tmp_path / name, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(UsageError, match="There is no file"):
        predict("r", tmp_path / "gone.csv", tmp_path / "out.csv")


def test_an_infinite_number_is_refused_and_no_rows_are_fine(
    use: Use, forest_root: Path, iris: Any, tmp_path: Path
) -> None:
    use(forest_root)
    columns = list(iris[0].columns)
    (tmp_path / "in.jsonl").write_text(json.dumps(dict.fromkeys(columns, float("inf"))) + "\n")
    with pytest.raises(RowsError, match="a number is expected"):
        predict("r", tmp_path / "in.jsonl", tmp_path / "out.csv")
    with (tmp_path / "in.csv").open("w") as file:
        csv.writer(file).writerow(columns)
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        assert predict("r", tmp_path / "in.csv", tmp_path / name).rows == 0
    assert (tmp_path / "out.csv").read_text() == "prediction\n"
    assert list(pd.read_parquet(tmp_path / "out.parquet").columns) == ["prediction"]


def test_rows_that_look_at_each_other_are_read_at_once(use: Use, iris: Any, tmp_path: Path) -> None:
    """In blocks, a function that compares rows would quietly give other answers."""
    from jupyter_mlops.capture.collect import collect
    from jupyter_mlops.capture.models import CaptureRequest, Column, Golden, Predictor, Signature

    source = "def predict(rows):\n    return (rows['x'] - rows['x'].mean()).tolist()\n"
    namespace: dict[str, Any] = {"table": pd.DataFrame({"x": [float(i) for i in range(9)]})}
    exec(source, namespace)
    root = tmp_path / "root"
    report = collect(namespace, CaptureRequest(predict="predict"), root)
    assert "depends on the other rows" in report.problems[0].problem
    # Those that were published before are still there.
    report = msgspec.structs.replace(
        report,
        predictor=Predictor(kind="function", name="predict"),
        signature=Signature(inputs=[Column(name="x", dtype="float64")], rows="frame"),
        golden=Golden(inputs=[[0.0], [1.0]], outputs=[-0.5, 0.5]),
        problems=[],
    )
    use(write_publication(root, report, source))
    namespace["table"].to_csv(tmp_path / "in.csv", index=False)
    events: list[Event] = []
    predict("r", tmp_path / "in.csv", tmp_path / "out.jsonl", block=2, on_event=events.append)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["prediction"] for line in lines] == [i - 4.0 for i in range(9)]
    told = [event.text for event in events if isinstance(event, Log)]
    assert told == ["a row's answer depends on the other rows: the whole file is read at once"]


def test_rounding_otherwise_is_told(use: Use, rounded_root: Path, tmp_path: Path) -> None:
    use(rounded_root)
    (tmp_path / "in.csv").write_text("a,b\n1.5,2.5\n0.1,0.2\n")
    events: list[Event] = []
    predict("r", tmp_path / "in.csv", tmp_path / "out.jsonl", block=1, on_event=events.append)
    told = [event.text for event in events if isinstance(event, Log)]
    assert len(told) == 1 and told[0].startswith("This machine rounds otherwise")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


def test_what_the_function_raises_is_told_with_its_rows(
    use: Use, function_root: Path, iris: Any, tmp_path: Path
) -> None:
    use(function_root)
    X = iris[0].copy()
    X.iloc[100, 0] = -5000.0
    X.to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(RowsError, match="rows 101 to 110: it raised RuntimeError"):
        predict("r", tmp_path / "in.csv", tmp_path / "out.csv", block=10)


def test_a_publication_without_a_model(use: Use, plain_root: Path, tmp_path: Path) -> None:
    use(plain_root)
    (tmp_path / "in.csv").write_text("a\n1\n")
    with pytest.raises(UsageError, match="predicts nothing"):
        predict("r", tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.network
@pytest.mark.slow
def test_from_a_registry_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
        "table = pd.DataFrame({'x': [1.0, 2.0, 3.0], 'y': [2.0, 4.0, 6.0]})\nprint('noise')",
        "model = LinearRegression().fit(table[['x']], table['y'])",
    ]
    target = f"oci:{tmp_path}/registry:line:latest"
    done = publish(make(tmp_path / "line.ipynb", cells), target)
    (tmp_path / "in.csv").write_text("x\n10\n20.5\n")
    out = str(tmp_path / "out.csv")
    capsys.readouterr()
    command = ["predict", target, "--input", str(tmp_path / "in.csv"), "--output", out]
    assert cli.main(command) == 0
    assert "Wrote 2 predictions of line" in capsys.readouterr().out
    answers = [float(line) for line in Path(out).read_text().splitlines()[1:]]
    assert answers == pytest.approx([20, 41])
    assert cli.main([*command, "--overwrite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == done.digest
    (tmp_path / "in.csv").write_text("x\nten\n")
    assert cli.main([*command, "--overwrite"]) == RowsError.exit_code
    assert "Row 1, column x: a number is expected" in capsys.readouterr().err
