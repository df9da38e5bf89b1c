"""The signature as a person edits it, and what the service makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import msgspec
import numpy as np
import pandas as pd
import pytest

from jupyter_mlops import cli, signatures
from jupyter_mlops.capture.models import Column, Golden, Signature
from jupyter_mlops.capture.schema import array_columns, frame_columns
from jupyter_mlops.errors import CaptureError, MlopsError, UsageError
from jupyter_mlops.publish import publish
from jupyter_mlops.runtime.columns import problems_of
from jupyter_mlops.serve import serve, stop_service
from tests.notebooks import make

LEARNED = Signature(
    inputs=[
        Column(name="x", dtype="float64", minimum=1.0, maximum=3.0),
        Column(name="kind", dtype="category", categories=["a", "b"]),
        Column(name="word", dtype="str"),
    ],
    outputs=[Column(name="prediction", dtype="float64")],
    rows="frame",
)
GOLDEN = Golden(inputs=[[1.0, "a", "u"], [3.0, "b", "v"]], outputs=[1, 2])


def given(**columns: dict[str, object]) -> Signature:
    known = {column.name: column for column in LEARNED.inputs}
    inputs = [
        msgspec.structs.replace(known[name], **more) if name in known else Column(name=name, **more)  # type: ignore[arg-type]
        for name, more in columns.items()
    ]
    return msgspec.structs.replace(LEARNED, inputs=inputs)


def test_the_training_data_gives_the_ranges() -> None:
    frame = pd.DataFrame(
        {"a": [1, 5], "b": [np.nan, 2.5], "c": ["x", "y"], "d": [np.inf, 7.0], "e": [True, False]}
    )
    frame["f"] = pd.array([None, 4], dtype="Int64")
    found = {column.name: (column.minimum, column.maximum) for column in frame_columns(frame)}
    assert found == {
        "a": (1, 5), "b": (2.5, 2.5), "c": (None, None), "d": (7, 7), "e": (None, None),
        "f": (4, 4),
    }  # fmt: skip
    columns = array_columns(np.array([[1.0, 2.0], [3.0, np.nan]]))
    assert [(column.minimum, column.maximum) for column in columns] == [(1, 3), (2, 2)]
    assert not any(column.limit for column in columns), "a range alone refuses nothing"


def test_a_signature_is_the_same_after_a_trip_through_its_file(tmp_path: Path) -> None:
    path = tmp_path / "n.signature.json"
    path.write_text(signatures.text(LEARNED))
    assert signatures.read(path) == LEARNED
    assert signatures.edited(LEARNED, signatures.read(path), GOLDEN, path.name) == LEARNED
    assert signatures.beside(tmp_path / "n.ipynb") == path
    assert signatures.beside(tmp_path / "m.ipynb") is None


def test_what_a_person_may_say() -> None:
    made = signatures.edited(
        LEARNED,
        given(
            x={"maximum": 10.0, "limit": True, "description": "in metres"},
            word={"allowed": ["u", "v"], "required": False},
        ),
        GOLDEN,
        "f",
    )
    x, kind, word = made.inputs
    assert (x.minimum, x.maximum, x.limit, x.description) == (1.0, 10.0, True, "in metres")
    assert kind == LEARNED.inputs[1] and not word.required
    rows = [[0.5, "a", "u"], [10.5, "b", None], [2, "a", "w"], [10, "b", "v"]]
    assert problems_of(rows, made, first=7) == [
        "Row 7, column x: at least 1 is expected.",
        "Row 8, column x: at most 10 is expected.",
        "Row 9, column word: one of the allowed values is expected.",
    ]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"z": {"dtype": "str"}}, "There is no column 'z'"),
        ({"x": {"dtype": "int64"}}, "The dtype of 'x' cannot be changed"),
        ({"kind": {"categories": ["a"]}}, "The categories of 'kind' cannot be changed"),
        ({"word": {"limit": True}}, "'word' has no range"),
        ({"x": {"minimum": 5.0}}, "The minimum of 'x' is above its maximum"),
        ({"x": {"maximum": 2.0, "limit": True}}, "Row 2, column x: at most 2 is expected"),
        ({"word": {"allowed": ["u"]}}, "Row 2, column word: one of the allowed"),
    ],
)
def test_what_does_not_fit_the_model(columns: dict[str, dict[str, object]], says: str) -> None:
    with pytest.raises(CaptureError, match=says):
        signatures.edited(LEARNED, given(**columns), GOLDEN, "f")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not a signature"),
        ('{"inputs": [{"name": "x"}]}', "is not a signature"),
        ('{"inputs": [{"name": "x", "dtype": "str", "maximal": 3}]}', "not known.*: maximal"),
        ('{"input": []}', "not known of a column: input"),
        ("[]", "is not a signature"),
    ],
)
def test_files_that_say_something_else(tmp_path: Path, text: str, says: str) -> None:
    path = make(tmp_path / "n.ipynb", ["x = 1"])
    file = path.with_suffix(signatures.SUFFIX)
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        publish(path)
    with pytest.raises(UsageError, match="cannot be read"):
        publish(path, signature=tmp_path / "gone.json")


@pytest.mark.network
@pytest.mark.slow
def test_an_edited_signature_is_what_the_service_holds_rows_against(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
        "table = pd.DataFrame({'x': [1.0, 2.0, 3.0], 'y': [2.0, 4.0, 6.0]})",
        "model = LinearRegression().fit(table[['x']], table['y'])",
    ]
    path = make(tmp_path / "line.ipynb", cells)
    target = f"oci:{tmp_path}/registry:line:latest"
    publish(path, target)
    capsys.readouterr()
    assert cli.main(["signature", target]) == 0
    edited = json.loads(capsys.readouterr().out)
    assert edited["inputs"] == [{"name": "x", "dtype": "float64", "minimum": 1, "maximum": 3}]
    edited["inputs"][0] |= {"maximum": 50, "limit": True}
    path.with_suffix(".signature.json").write_text(json.dumps(edited))
    publish(path, target)
    service = serve(target)
    try:
        for value, status in ((49.0, 200), (51.0, 400)):
            body = {"dataframe_split": {"columns": ["x"], "data": [[value]]}}
            answer = httpx.post(f"{service.url}/invocations", json=body, trust_env=False)
            assert answer.status_code == status, answer.text
        assert "Row 1, column x: at most 50 is expected" in answer.text
    finally:
        stop_service(service.id)
    edited["inputs"][0] |= {"maximum": 2}
    path.with_suffix(".signature.json").write_text(json.dumps(edited))
    with pytest.raises(MlopsError, match="row of the training data is not of this signature"):
        publish(path, target)
