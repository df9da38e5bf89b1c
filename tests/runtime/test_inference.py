"""The Open Inference Protocol over real HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops.capture.models import Column, Golden, Signature
from jupyter_mlops.runtime import tensors
from jupyter_mlops.runtime.reading import checked
from jupyter_mlops.runtime.refusal import BadRequest

from .conftest import Service, serving

NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
ROW = [5.1, 3.5, 1.4, 0.2]
INFER = "/v2/models/iris/infer"


def tensor(data: Any, shape: list[int], kind: str = "FP64", name: str = "x") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": kind, "data": data}


def test_metadata(forest_service: Service) -> None:
    get = forest_service.client.get
    assert get("/v2").json()["extensions"] == []
    assert set(get("/v2").json()) == {"name", "version", "extensions"}
    assert get("/v2/health/live").json() == {"live": True}
    assert get("/v2/health/ready").json() == {"live": True, "ready": True}
    for name in ("iris", "lab/iris", "lab%2Firis", "iris/versions/111111111111"):
        told = get(f"/v2/models/{name}").json()
        assert told["name"] == "iris" and told["versions"] == ["111111111111"]
        assert [each["name"] for each in told["inputs"]] == NAMES
        assert told["inputs"][0] == {"name": NAMES[0], "datatype": "FP64", "shape": [-1]}
        assert told["outputs"] == [{"name": "prediction", "datatype": "INT64", "shape": [-1]}]
        assert get(f"/v2/models/{name}/ready").json() == {"name": "iris", "ready": True}
    for name in ("other", "iris/versions/2", "iris/nothing", "iris/ready/ready"):
        answer = get(f"/v2/models/{name}")
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert get(INFER).status_code == 405


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor([ROW, ROW], [2, 4])],
        [tensor([*ROW, *ROW], [2, 4])],
        [tensor([ROW, ROW], [2, 4], "FP32")],
        [tensor([v] * 2, [2], name=n) for n, v in zip(NAMES, ROW, strict=True)],
        [tensor([[v]] * 2, [2, 1], name=n) for n, v in zip(NAMES, ROW, strict=True)][::-1],
    ],
)
def test_both_shapes_of_a_table(forest_service: Service, inputs: list[dict[str, Any]]) -> None:
    output = {"name": "prediction", "shape": [2], "datatype": "INT64", "data": [0, 0]}
    for path in (INFER, "/v2/models/lab/iris/versions/111111111111/infer"):
        answer = forest_service.client.post(path, json={"id": "7", "inputs": inputs})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told.pop("model_version") == "111111111111"
        assert told == {"model_name": "iris", "id": "7", "outputs": [output]}
    asked = {"inputs": inputs, "outputs": [{"name": "prediction"}]}
    assert "id" not in forest_service.client.post(INFER, json=asked).json()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "cannot be read"),
        ({"inputs": []}, "at least one tensor"),
        ({"inputs": [tensor([1, 2], [1, 4])]}, "2 values, but the shape tells 4"),
        ({"inputs": [tensor([1, 2], [1, 2])]}, "2 columns, but there are 4"),
        ({"inputs": [tensor(ROW, [1, 4], "FP8")]}, "datatype must be one of"),
        ({"inputs": [tensor(ROW, [1, -4])]}, "numbers from 0 on"),
        ({"inputs": [tensor([1, 2, 3, "secret"], [1, 4])]}, "row 1, column 4: a number (FP64)"),
        ({"inputs": [tensor([1, 2, 3, 300], [1, 4], "UINT8")]}, "column 4: a whole number (UINT8)"),
        ({"inputs": [tensor([1, 2, 3, None], [1, 4])]}, f"column {NAMES[3]}: a value is missing"),
        ({"inputs": [tensor([[ROW], 1], [1, 4])]}, "all lists or all values"),
        ({"inputs": [tensor(ROW, [1, 4])] * 2}, "same name"),
        ({"inputs": [tensor([1], [1], name=NAMES[0]), tensor([1], [1], name="secret")]}, "Missing"),
        ({"inputs": [tensor(ROW, [1, 4])], "outputs": [{"name": "secret"}]}, "Unknown outputs"),
        (
            {"inputs": [{**tensor([], [1, 4]), "parameters": {"binary_data_size": 32}}]},
            "binary data",
        ),
    ],
)
def test_errors_in_the_words_of_the_protocol(
    forest_service: Service, body: Any, words: str
) -> None:
    answer = forest_service.client.post(INFER, json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert words in answer.json()["error"]
    assert "secret" not in answer.text


def test_other_models_types_and_tokens(
    forest_service: Service, plain_root: Path, tmp_path: Path
) -> None:
    post = forest_service.client.post
    good = {"inputs": [tensor(ROW, [1, 4])]}
    assert post("/v2/models/other/infer", json=good).status_code == 404
    kind = {"content-type": "text/csv"}
    assert post(INFER, content=b"{}", headers=kind).status_code == 415
    with serving(plain_root, tmp_path, MLOPS_TOKEN="s3cret") as service:
        assert service.client.post(INFER, json=good).status_code == 401
        assert service.client.get("/v2/models/iris").status_code == 401
        assert service.client.get("/v2/health/ready").status_code == 200
        token = {"Authorization": "Bearer s3cret"}
        assert service.client.post(INFER, json=good, headers=token).status_code == 404


def test_texts_and_mixed_columns() -> None:
    signature = Signature(
        rows="frame",
        inputs=[
            Column(name="n", dtype="int64"),
            Column(name="s", dtype="str"),
            Column(name="b", dtype="bool", required=False),
        ],
    )
    body = {
        "inputs": [
            tensor(["u", "v"], [2], "BYTES", "s"),
            tensor([1, 2], [2], "INT32", "n"),
            tensor([True, None], [2], "BOOL", "b"),
        ]
    }
    asked = msgspec.convert(body, tensors.Request)
    table = checked(tensors.table_of(asked.inputs, signature), signature)
    assert table.rows == [[1, "u", True], [2, "v", None]]
    with pytest.raises(BadRequest, match="column s: a text is expected"):
        only = msgspec.convert(tensor([1, 2, 3], [1, 3]), tensors.Tensor)
        checked(tensors.table_of([only], signature), signature)


@pytest.mark.parametrize(
    ("answers", "dtype", "expected"),
    [
        ([1, 2], "int32", ("INT32", [2], [1, 2])),
        ([1.5, 2], "float32", ("FP32", [2], [1.5, 2])),
        ([True], "bool", ("BOOL", [1], [True])),
        (["a"], "str", ("BYTES", [1], ["a"])),
        ([[1.0, 2.0]], "float64", ("FP64", [1, 2], [1.0, 2.0])),
        ([1.0, None], "float64", ("BYTES", [2], ["1.0", "null"])),
        ([{"a": 1}, {"b": 2}], "object", ("BYTES", [2], ['{"a":1}', '{"b":2}'])),
    ],
)
def test_answers_as_tensors(
    answers: list[Any], dtype: str, expected: tuple[str, list[int], list[Any]]
) -> None:
    (told,) = tensors.outputs(answers, [Column(name="y", dtype=dtype)])
    assert (told["datatype"], told["shape"], told["data"]) == expected


def test_a_frame_of_answers_is_a_tensor_for_each_column() -> None:
    columns = [Column(name="low", dtype="float32"), Column(name="name", dtype="str")]
    rows = [{"low": 1.0, "name": "a"}, {"low": 2.0, "name": "b"}]
    assert tensors.outputs(rows, columns) == [
        {"name": "low", "shape": [2], "datatype": "FP32", "data": [1.0, 2.0]},
        {"name": "name", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
    ]


def test_golden_rows(forest_service: Service, forest_root: Path) -> None:
    golden = msgspec.json.decode((forest_root / "golden.json").read_bytes(), type=Golden)
    data = tensor(golden.inputs, [len(golden.inputs), 4])
    (output,) = forest_service.client.post(INFER, json={"inputs": [data]}).json()["outputs"]
    assert output["data"] == golden.outputs
