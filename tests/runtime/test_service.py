"""The service as a real process, over real HTTP."""

from __future__ import annotations

import json
import re
import shutil
import threading
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.capture.models import Golden
from jupyter_mlops.runtime.publication import Publication, load

from .conftest import Service, serving

NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
ROW = [5.1, 3.5, 1.4, 0.2]


def golden_of(root: Path) -> Golden:
    return msgspec.json.decode((root / "golden.json").read_bytes(), type=Golden)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "data": [ROW, ROW], "index": [7, 8]}},
        {"dataframe_split": {"columns": NAMES[::-1], "data": [ROW[::-1]] * 2}},
        {"dataframe_records": [dict(zip(NAMES, ROW, strict=True))] * 2},
        {"instances": [ROW, ROW]},
        {"instances": [dict(zip(NAMES, ROW, strict=True))] * 2, "params": {}},
        {"inputs": {name: [value] * 2 for name, value in zip(NAMES, ROW, strict=True)}},
        {"inputs": [ROW, ROW]},
    ],
)
def test_every_form_of_the_protocol(forest_service: Service, body: dict[str, Any]) -> None:
    answer = forest_service.client.post("/invocations", json=body)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [0, 0]})


def test_csv(forest_service: Service) -> None:
    text = ",".join(NAMES) + "\n" + ",".join(map(str, ROW)) + "\n"
    answer = forest_service.client.post(
        "/invocations", content=text, headers={"content-type": "text/csv; charset=utf-8"}
    )
    assert answer.json() == {"predictions": [0]}


def test_golden_rows_to_the_bit(
    forest_service: Service, forest_root: Path, function_service: Service, function_root: Path
) -> None:
    for service, root in ((forest_service, forest_root), (function_service, function_root)):
        golden = golden_of(root)
        answer = service.client.post("/invocations", json={"instances": golden.inputs})
        assert answer.json()["predictions"] == golden.outputs
        assert len(golden.outputs) == 5


def test_no_rows_have_no_predictions(forest_service: Service) -> None:
    for body in ({"instances": []}, {"dataframe_records": []}):
        assert forest_service.client.post("/invocations", json=body).json() == {"predictions": []}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ([ROW], 400, ["exactly one of"]),
        ({}, 400, ["exactly one of"]),
        ({"instances": [ROW], "inputs": [ROW]}, 400, ["exactly one of"]),
        ({"instances": [ROW], "params": {"a": 1}}, 400, ["no params"]),
        ({"instances": [[1, 2, 3]]}, 400, ["3 values", "4 columns"]),
        ({"instances": [ROW, [1, 2]]}, 400, ["Row 2"]),
        ({"instances": [[1, "secret", None, True]]}, 400, [f"Row 1, column {NAMES[1]}: a number"]),
        ({"dataframe_records": [{NAMES[0]: 1, "secret": 2}]}, 400, ["Missing", "Unknown"]),
        ({"instances": [[1, 2, None, True]]}, 400, [NAMES[2], NAMES[3]]),
        ({"inputs": {NAMES[0]: [1], NAMES[1]: [1, 2]}}, 400, ["same number"]),
        ({"instances": [[1e300, 1, 1, 1]]}, 400, ["ValueError"]),
    ],
)
def test_wrong_bodies_are_told_without_their_data(
    forest_service: Service, body: Any, status: int, words: list[str]
) -> None:
    answer = forest_service.client.post("/invocations", json=body)
    assert answer.status_code == status
    told = answer.json()
    assert told["error_code"] == "BAD_REQUEST"
    assert set(told) == {"error_code", "message"}
    for word in words if "exactly one of" not in words else ["one of"]:
        assert word in told["message"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_content_types_and_sizes(forest_service: Service) -> None:
    post = forest_service.client.post
    for kind in ("text/plain", "application/json; charset=latin-1", ""):
        answer = post("/invocations", content=b"{}", headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error_code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    big = b'{"instances": [' + b" " * 200_000 + b"]}"
    kind = {"content-type": "application/json"}
    assert post("/invocations", content=big, headers=kind).status_code == 413
    pieces = iter([big[:150_000], big[150_000:]])
    assert post("/invocations", content=pieces, headers=kind).status_code == 413
    assert post("/invocations", content=b"{", headers=kind).status_code == 400
    deep = b"[" * 50_000
    assert post("/invocations", content=deep, headers=kind).status_code == 400


def test_a_failing_function_tells_nothing_of_the_data(function_service: Service) -> None:
    answer = function_service.client.post("/invocations", json={"instances": [[-1000, 1, 1, 1]]})
    assert answer.status_code == 400
    assert "RuntimeError" in answer.text
    assert "secret" not in answer.text
    assert "1000" not in answer.text


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
bodies = json_values | st.fixed_dictionaries(
    {},
    optional={
        "instances": json_values
        | st.lists(st.lists(json_values, min_size=4, max_size=4), max_size=2),
        "inputs": json_values | st.dictionaries(st.sampled_from(NAMES), json_values),
        "dataframe_split": json_values
        | st.fixed_dictionaries({"columns": json_values, "data": json_values}),
        "dataframe_records": json_values
        | st.lists(st.dictionaries(st.sampled_from(NAMES), json_values)),
    },
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=bodies)
def test_any_json_is_answered_with_200_or_4xx(forest_service: Service, body: Any) -> None:
    answer = forest_service.client.post("/invocations", json=body)
    assert answer.status_code == 200 or 400 <= answer.status_code < 500
    assert answer.json().keys() >= ({"predictions"} if answer.is_success else {"message"})
    runs = forest_service.client.post("/v1/runs", json={"parameters": {"alpha": "no"}, "x": body})
    assert runs.status_code == 400


def test_health_version_metrics(forest_service: Service, forest_root: Path) -> None:
    get = forest_service.client.get
    assert (get("/ping").status_code, get("/ping").text) == (200, "\n")
    assert get("/health/live").json() == {"status": "live"}
    assert get("/health/ready").json()["status"] == "ready"
    version = get("/version").json()
    published = load(forest_root)
    assert version["name"] == "lab/iris"
    assert version["predictor"] == {"kind": "estimator", "name": "forest", "takes": "table"}
    assert version["models"] == {"forest": published.captures[0].sha256}
    assert version["image_digest"] == "sha256:abc"
    forest_service.client.post("/invocations", json={"instances": [ROW]})
    text = get("/metrics").text
    count = re.search(
        r'mlops_request_duration_seconds_count\{endpoint="/invocations",code="200"\} (\d+)', text
    )
    assert count is not None
    assert int(count[1]) >= 1
    rows = re.search(r"^mlops_rows_total (\d+)$", text, re.MULTILINE)
    assert rows is not None
    assert int(rows[1]) >= 1
    assert "mlops_requests_in_progress 1\n" in text
    assert (
        'mlops_model_info{model="lab/iris",version="111111111111",image_digest="sha256:abc"' in text
    )


def test_unknown_paths_and_methods_are_json(forest_service: Service) -> None:
    missing = forest_service.client.get("/nothing")
    assert (missing.status_code, missing.json()["error_code"]) == (404, "NOT_FOUND")
    wrong = forest_service.client.get("/invocations")
    assert (wrong.status_code, wrong.json()["error_code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "POST"


def test_openapi_describes_the_columns_and_parameters(forest_service: Service) -> None:
    described = forest_service.client.get("/openapi.json").json()
    parameters = described["components"]["schemas"]["Parameters"]
    assert parameters["properties"]["alpha"]["maximum"] == 100
    content = described["paths"]["/invocations"]["post"]["requestBody"]["content"]
    example = content["application/json"]["example"]
    assert forest_service.client.post("/invocations", json=example).status_code == 200
    properties = content["application/json"]["schema"]["oneOf"][0]["properties"]
    row = properties["dataframe_records"]["items"]
    assert row["required"] == NAMES
    assert row["properties"][NAMES[0]] == {"type": "number"}


def test_the_page_escapes_what_it_shows(forest_service: Service) -> None:
    answer = forest_service.client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Iris &lt;b&gt;model&lt;/b&gt;" in answer.text
    assert "how &lt;much&gt;" in answer.text
    assert "<b>" not in answer.text
    assert "http://" not in answer.text
    nonce = re.search(r"script-src 'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert nonce is not None
    assert f'<script nonce="{nonce[1]}">' in answer.text


def test_a_publication_without_a_model_is_ready_and_says_so(
    plain_root: Path, tmp_path: Path
) -> None:
    with serving(plain_root, tmp_path) as service:
        assert service.client.get("/health/ready").status_code == 200
        answer = service.client.post("/invocations", json={"instances": [[1]]})
        assert answer.status_code == 404
        assert "/v1/runs" in answer.json()["message"]
        assert 'id="predict"' not in service.client.get("/").text
        assert "/invocations" not in service.client.get("/openapi.json").json()["paths"]
        assert service.stop() == 0


def test_token(plain_root: Path, tmp_path: Path) -> None:
    with serving(plain_root, tmp_path, MLOPS_TOKEN="s3cret") as service:
        get = service.client.get
        for path in ("/", "/version", "/metrics", "/openapi.json", "/v1/runs", "/nothing"):
            answer = get(path)
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert get("/version", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert get("/version", headers={"Authorization": "Bearer s3cret"}).status_code == 200
        for path in ("/ping", "/health/live", "/health/ready"):
            assert get(path).status_code == 200
    assert "s3cret" not in (tmp_path / "service.log").read_text()


@pytest.mark.slow
def test_sigterm_finishes_what_is_in_flight(function_root: Path, tmp_path: Path) -> None:
    with serving(function_root, tmp_path) as service:
        answers: list[httpx.Response] = []

        def call() -> None:
            slow = {"instances": [[1000, 1, 1, 1]]}
            answers.append(httpx.post(f"{service.url}/invocations", json=slow, trust_env=False))

        caller = threading.Thread(target=call)
        caller.start()
        while "mlops_requests_in_progress 2\n" not in service.client.get("/metrics").text:
            assert caller.is_alive()
        service.client.close()
        assert service.stop() == 0
        caller.join()
        assert answers[0].status_code == 200
        assert len(answers[0].json()["predictions"]) == 1


def test_wrong_weights_are_not_opened(forest_root: Path, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "root"
    shutil.copytree(forest_root, root)
    weights = next((root / "weights").iterdir())
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with serving(root, tmp_path) as service:
        ready = service.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "failed")
        assert "not the file that was published" in ready.json()["message"]
        assert service.client.get("/health/live").status_code == 200
        assert service.client.post("/invocations", json={"instances": [ROW]}).status_code == 503


def test_other_golden_answers_make_it_unready(function_root: Path, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "root"
    shutil.copytree(function_root, root)
    golden = json.loads((root / "golden.json").read_text())
    golden["outputs"][1] = "virginica"
    (root / "golden.json").write_text(json.dumps(golden))
    with serving(root, tmp_path) as service:
        ready = service.client.get("/health/ready")
        assert ready.status_code == 503
        assert "golden row 2" in ready.json()["message"]


def test_a_processor_that_rounds_otherwise_is_told(rounded_root: Path, tmp_path: Path) -> None:
    """As OpenBLAS does, which adds in another order where the processor has wider registers."""
    told = "This machine rounds otherwise than the verified run's: numbers are within 1e-09"
    with serving(rounded_root, tmp_path) as service:
        ready = service.client.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json()["predicts"]["rounded"].startswith(told)
        assert told in service.client.get("/").text.replace("&#x27;", "'")
        assert told in service.log.read_text()


@pytest.mark.parametrize("word", get_args(get_type_hints(Publication)["verified"]))
def test_the_page_says_what_proves_the_image(plain_root: Path, tmp_path: Path, word: str) -> None:
    root = tmp_path / "root"
    shutil.copytree(plain_root, root)
    told = json.loads((root / "publication.json").read_bytes()) | {"verified": word}
    if word == "elsewhere":
        told["run_on"] = "linux/s390x"
    (root / "publication.json").write_text(json.dumps(told))
    with serving(root, tmp_path) as service:
        page = service.client.get("/").text
        assert service.client.get("/version").json()["verified"] == word
    phrases = {
        "full": "yes: ",
        "loaded": "partly: ",
        "none": "no",
        "elsewhere": "run on linux/s390x",
    }
    assert phrases[word] in page.partition("Verified")[2][:200]
