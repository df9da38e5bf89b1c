"""Notebooks of many shapes become services that answer as they do, or are refused with a reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops.errors import MlopsError
from tests.service import harness
from tests.service.shape import Shape
from tests.service.shapes_by_hand import SHAPES as BY_HAND
from tests.service.shapes_columns import SHAPES as COLUMNS
from tests.service.shapes_estimators import SHAPES as ESTIMATORS
from tests.service.shapes_functions import SHAPES as FUNCTIONS
from tests.service.shapes_refused import SHAPES as REFUSED
from tests.service.warm import Warm

ALL = (*ESTIMATORS, *BY_HAND, *COLUMNS, *FUNCTIONS, *REFUSED)
pytestmark = pytest.mark.slow


def of(shapes: list[Shape]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("shape", shapes, ids=lambda shape: shape.name)


def test_there_are_enough_and_each_is_there_once() -> None:
    assert len({shape.name for shape in ALL}) == len(ALL)
    assert len({shape.cells for shape in ALL}) == len(ALL)
    assert sum(not (shape.refused or shape.may_refuse or shape.falls_back) for shape in ALL) >= 25
    assert sum(bool(shape.refused) for shape in ALL) >= 5


@of([shape for shape in ALL if not shape.refused])
def test_the_service_answers_as_the_notebook(
    shape: Shape, warm: Warm, library: Path, tmp_path: Path
) -> None:
    path = harness.written(shape, tmp_path)
    with harness.session(shape.session):
        told = harness.told(shape, path, warm)
        assert told.truth
        try:
            packaged = harness.package(shape, path, warm, library)
        except MlopsError as error:
            if shape.may_refuse:
                assert error.problems[0].remedy, "what to do instead is said"
                return
            raise
    if shape.falls_back:
        assert re.search(shape.falls_back, " ".join(packaged.notes)), packaged.notes
        return
    elsewhere = tmp_path / "service"
    elsewhere.mkdir()
    (tmp_path / "work").rename(tmp_path / "gone")
    body = harness.body_for(packaged.publication, told)
    with harness.served(packaged.place, elsewhere) as client:
        assert client.get("/health/ready").status_code == 200
        answers = harness.invoke(client, body)
        within = harness.tolerance(packaged)
        assert harness.nearly(answers, told.truth, within), (answers, told.truth)
        # A row's answer is its own, whatever rows come with it; sums may be rounded otherwise.
        alone = harness.invoke(client, harness.first_row(body))
        assert harness.nearly(alone, told.truth[:1], max(within, 1e-9)), (alone, told.truth)


@of([shape for shape in ALL if shape.refused])
def test_it_is_refused_with_the_reason(
    shape: Shape, warm: Warm, library: Path, tmp_path: Path
) -> None:
    path = harness.written(shape, tmp_path)
    with harness.session(shape.session):
        # It does run for its author, or nothing would be shown by refusing it.
        assert harness.told(shape, path, warm).truth
        with pytest.raises(MlopsError) as error:
            harness.package(shape, path, warm, library)
    assert re.search(shape.refused, str(error.value)), str(error.value)
    assert error.value.problems[0].remedy


def test_golden_rows_that_are_not_answered_keep_a_service_from_being_ready(
    warm: Warm, library: Path, tmp_path: Path
) -> None:
    shape = ESTIMATORS[0]
    packaged = harness.package(shape, harness.written(shape, tmp_path), warm, library)
    golden = packaged.place.root / "golden.json"
    rows: dict[str, Any] = msgspec.json.decode(golden.read_bytes())
    rows["outputs"][1] += 1e-7 * rows["outputs"][1]
    golden.write_bytes(msgspec.json.encode(rows))
    with harness.served(packaged.place, tmp_path) as client:
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["status"] == "failed"
        assert "golden row 2" in answer.json()["message"]
        asked = client.post("/invocations", json={"instances": rows["inputs"]})
        assert asked.status_code == 503
