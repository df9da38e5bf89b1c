"""What is counted of rows, whichever way they came."""

from __future__ import annotations

import numpy as np
import pytest

from jupyter_mlops.capture.models import Column, Signature
from jupyter_mlops.runtime.batcher import Work
from jupyter_mlops.runtime.exposition import Metrics
from jupyter_mlops.runtime.predictor import Table
from jupyter_mlops.runtime.quick import Numbers, Rows
from jupyter_mlops.runtime.watched import Watch

from .conftest import Service

SIGNATURE = Signature(
    inputs=[
        Column(name="a", dtype="float64", minimum=0, maximum=1),
        Column(name="b", dtype="float64", required=False, minimum=-1),
        Column(name="c", dtype="float64"),
    ],
    rows="frame",
)
LISTED = [[0.0, -2.0, 9.0], [1.5, None, -9.0], [-0.1, None, 0.0], [1.0, 5.0, 0.0]]


def _told(work: Work) -> list[str]:
    metrics = Metrics(["a", "b", "c"])
    Watch(SIGNATURE, metrics).count(work)
    return [line for line in metrics.text().splitlines() if line.startswith("mlops_feature")]


@pytest.mark.parametrize("way", ["numbers", "rows"])
def test_what_is_missing_and_what_is_beyond_the_training_data(way: str) -> None:
    names = [column.name for column in SIGNATURE.inputs]
    rows = Rows(Table(rows=LISTED, columns=names))
    numbers = Numbers(np.array(LISTED, dtype="float64"), names)
    assert _told(numbers if way == "numbers" else rows) == [
        'mlops_feature_missing_total{feature="b"} 2',
        'mlops_feature_out_of_range_total{feature="a"} 2',
        'mlops_feature_out_of_range_total{feature="b"} 1',
    ]


def test_ordinary_rows_count_nothing() -> None:
    assert _told(Numbers(np.array([[0.5, 0.0, 0.0]]), ["a", "b", "c"])) == []


def test_nothing_is_known_of_the_rows() -> None:
    metrics = Metrics()
    Watch(None, metrics).count(Rows(Table(rows=[[1]])))
    Watch(Signature(rows="any"), metrics).count(Rows(Table(rows=[["x"]])))
    assert "mlops_feature_out_of_range_total{" not in metrics.text()


def test_a_service_counts_what_it_answers(forest_service: Service) -> None:
    name = 'mlops_feature_out_of_range_total{feature="sepal length (cm)"}'

    def count() -> float:
        lines = forest_service.client.get("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if name in line), 0.0)

    before = count()
    body = {"instances": [[99, 3.5, 1.4, 0.2], [5.1, 3.5, 1.4, 0.2]]}
    assert forest_service.client.post("/invocations", json=body).is_success
    assert count() == before + 1
