"""Runs in an environment with scikit-learn: makes what the benchmark of services serves.

``make FOLDER`` trains the models and saves each in the form of every server; ``bare FOLDER NAME``
prints the median seconds of the bare call of a model on one row, as a frame and as an array.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

COLUMNS = {"forest": 30, "regression": 20}


def data(name: str) -> Any:
    import pandas as pd
    from sklearn.datasets import make_classification

    columns = COLUMNS[name]
    X, y = make_classification(2000, columns, random_state=0)
    return pd.DataFrame(X, columns=[f"column {i}" for i in range(columns)]), y


def make(folder: Path) -> None:
    import joblib
    import mlflow
    import msgspec
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    from jupyter_mlops.capture.collect import collect
    from jupyter_mlops.capture.models import CaptureRequest
    from jupyter_mlops.runtime.publication import Publication, encode

    kinds = {
        "forest": RandomForestClassifier(100, random_state=0),
        "regression": LogisticRegression(max_iter=500),
    }
    for name, kind in kinds.items():
        X, y = data(name)
        model = kind.fit(X, y)
        place = folder / name
        signature = mlflow.models.infer_signature(X, model.predict(X))
        mlflow.sklearn.save_model(
            model, place / "mlflow", signature=signature, serialization_format="cloudpickle"
        )
        joblib.dump(model, place / "model.joblib")
        root = place / "ours"
        root.mkdir()
        report = collect({"X": X, "model": model}, CaptureRequest(), root)
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
        row = X.head(1)
        (place / "row.json").write_text(row.to_json(orient="split"))


def bare(folder: Path, name: str) -> None:
    import joblib

    model = joblib.load(folder / name / "model.joblib")
    X, _ = data(name)
    row = X.head(1)
    taken = []
    for _ in range(300):
        start = time.perf_counter()
        model.predict(row)
        taken.append(time.perf_counter() - start)
    print(json.dumps(median(taken)))


if __name__ == "__main__":
    {"make": make, "bare": bare}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
