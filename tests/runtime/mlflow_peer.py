"""Runs in an environment with MLflow: makes one model for both servers, and calls both.

``make FOLDER`` trains and saves it as MLflow does and as a publication; ``call PORT PORT`` asks
both servers through MLflow's own client and prints what each answered; ``infer PORT`` asks one
through a client of the Open Inference Protocol.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = {"a": "float64", "b": "float64", "n": "int64", "ok": "bool", "word": "str"}


def frame() -> Any:
    import numpy as np
    import pandas as pd

    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": chance.normal(size=200),
            "b": chance.normal(size=200),
            "n": chance.integers(0, 9, size=200),
            "ok": chance.random(200) > 0.5,
            "word": chance.choice(["red", "green", "blue"], 200),
        }
    )


def models() -> dict[str, tuple[Any, Any]]:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    X = frame()
    y = (X.a + X.n / 4 > 1).astype("int64")
    encode = make_column_transformer((OneHotEncoder(), ["word"]), remainder="passthrough")
    return {
        "numbers": (LogisticRegression().fit(X[["a", "b"]], y), X[["a", "b"]]),
        "mixed": (make_pipeline(encode, LogisticRegression(max_iter=500)).fit(X, y), X),
    }


def make(folder: Path) -> None:
    import mlflow
    import msgspec

    from jupyter_mlops.capture.collect import collect
    from jupyter_mlops.capture.models import CaptureRequest
    from jupyter_mlops.runtime.publication import Publication, encode

    for name, (model, data) in models().items():
        signature = mlflow.models.infer_signature(data, model.predict(data))
        mlflow.sklearn.save_model(
            model,
            folder / name / "mlflow",
            signature=signature,
            serialization_format="cloudpickle",
        )
        root = folder / name / "ours"
        root.mkdir()
        report = collect({"X": data, "model": model}, CaptureRequest(), root)
        assert not report.problems, report.problems
        publication = Publication(
            name=name,
            notebook_sha256="1" * 64,
            lock_sha256="2" * 64,
            python="3",
            platform="linux/amd64",
            captures=report.captures,
            predictor=report.predictor,
            signature=report.signature,
        )
        (root / "publication.json").write_bytes(encode(publication))
        (root / "golden.json").write_bytes(msgspec.json.encode(report.golden))
    frame().head(20).to_parquet(folder / "rows.parquet")


def call(*ports: int) -> None:
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    data = frame()
    found = []
    for port in ports:
        client = ScoringServerClient("127.0.0.1", port)
        client.ping()
        client.wait_server_ready(timeout=30)
        told: dict[str, Any] = {
            "frame": client.invoke(data.head(20)).get_predictions().to_dict(),
            "records": client.invoke(data.head(3).to_dict("records")).get_predictions().to_dict(),
        }
        try:
            client.invoke(data[["a"]])
            told["missing"] = "accepted"
        except Exception as error:
            told["missing"] = type(error).__name__
        found.append(told)
    print(json.dumps(found))


def infer(port: int) -> None:
    """Ask as NVIDIA's client of the Open Inference Protocol does: a tensor for each column."""
    import numpy as np
    import tritonclient.http as triton

    client = triton.InferenceServerClient(f"127.0.0.1:{port}")
    kinds = {"float64": "FP64", "int64": "INT64", "bool": "BOOL", "str": "BYTES"}
    inputs = []
    for name, values in frame().head(20).items():
        kind = kinds[COLUMNS[str(name)]]
        tensor = triton.InferInput(str(name), [len(values)], kind)
        dtype = object if kind == "BYTES" else values.dtype
        tensor.set_data_from_numpy(np.array(values, dtype=dtype), binary_data=False)
        inputs.append(tensor)
    outputs = [triton.InferRequestedOutput("prediction", binary_data=False)]
    answer = client.infer("mixed", inputs, outputs=outputs, request_id="42")
    try:
        client.get_model_metadata("other")
        error = ""
    except Exception as problem:
        error = str(problem)
    told = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready("mixed"),
        "metadata": client.get_model_metadata("mixed"),
        "columns": answer.as_numpy("prediction").tolist(),
        "id": answer.get_response()["id"],
        "error": error,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        {"call": call, "infer": infer}[sys.argv[1]](*map(int, sys.argv[2:]))
