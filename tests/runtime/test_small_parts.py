"""The publication's text, the journal, the exposition, and reading of bodies."""

from __future__ import annotations

import math
import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from jupyter_mlops.capture.models import Column, Golden, Signature
from jupyter_mlops.runtime import journal
from jupyter_mlops.runtime.exposition import READY, STARTING, Metrics
from jupyter_mlops.runtime.golden_rows import accept
from jupyter_mlops.runtime.openapi import row_schema
from jupyter_mlops.runtime.predictor import LoadProblem, Predictor
from jupyter_mlops.runtime.predictor import load as load_predictor
from jupyter_mlops.runtime.publication import Publication, compact, decode, encode
from jupyter_mlops.runtime.publication import load as load_publication
from jupyter_mlops.runtime.reading import read
from jupyter_mlops.runtime.refusal import BadRequest

PUBLICATION = Publication(
    name="a", notebook_sha256="1", lock_sha256="2", python="3.11", platform="linux/amd64"
)


def test_the_publication_is_one_text() -> None:
    first = msgspec.structs.replace(PUBLICATION, metrics={"b": 1.0, "a": 0.1}, direct={"x": "1"})
    second = msgspec.structs.replace(PUBLICATION, metrics={"a": 0.1, "b": 1.0}, direct={"x": "1"})
    assert encode(first) == encode(second)
    assert decode(encode(first)) == first
    assert decode(compact(first)) == first and compact(first) == compact(second)
    assert b"system_packages" not in compact(first), "what has its default is left out"
    with pytest.raises(ValueError, match="schema"):
        decode(encode(msgspec.structs.replace(PUBLICATION, schema="other/v9")))
    with pytest.raises(ValueError, match="schema"):
        decode(compact(msgspec.structs.replace(PUBLICATION, schema="other/v9")))
    for wrong in (b"", b"[]", b"{}"):
        with pytest.raises(msgspec.DecodeError):
            decode(wrong)


def test_the_journal_keeps_the_last_value(tmp_path: Path) -> None:
    path = tmp_path / "new" / "journal.jsonl"
    assert journal.read(path) == []
    log = journal.Journal(path)
    log.log({"loss": np.float32(0.5), "name": "run", "ok": True}, step=1)
    log.log({"loss": math.nan, "n": np.int64(3)}, step=2)
    log.close()
    log.log({"one": np.array([2.5])})
    with path.open("ab") as file:
        file.write(b'{"time": 1, "values": {"cut": 1')
    entries = journal.read(path)
    assert [entry.step for entry in entries] == [1, 2, None]
    assert entries[0].values == {"loss": 0.5, "name": "run", "ok": True}
    last = journal.metrics(path)
    assert math.isnan(last.pop("loss"))
    assert last == {"ok": 1.0, "n": 3.0, "one": 2.5}
    with pytest.raises(TypeError, match="model"):
        log.log({"model": object()})


def _log_many(path: Path) -> None:
    log = journal.Journal(path)
    for number in range(200):
        log.log({"number": number, "text": "x" * 500})


def test_processes_share_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_log_many, args=(path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(journal.read(path)) == 800
    assert len(path.read_bytes().splitlines()) == 800


def test_the_exposition() -> None:
    metrics = Metrics(['a"b\\c\nd'])
    metrics.duration.observe(0.003, "/invocations", "200")
    metrics.duration.observe(99, "/invocations", "200")
    metrics.rows.add(5)
    metrics.count_missing('a"b\\c\nd', 2)
    metrics.count_missing("unknown", 3)
    text = metrics.text()
    labels = 'endpoint="/invocations",code="200"'
    name = "mlops_request_duration_seconds"
    assert f'{name}_bucket{{{labels},le="0.0025"}} 0\n' in text
    assert f'{name}_bucket{{{labels},le="0.005"}} 1\n' in text
    assert f'{name}_bucket{{{labels},le="+Inf"}} 2\n' in text
    assert f"{name}_sum{{{labels}}} 99.003\n" in text
    assert "mlops_rows_total 5\n" in text
    assert 'mlops_feature_missing_total{feature="a\\"b\\\\c\\nd"} 2\n' in text
    assert 'mlops_feature_missing_total{feature="(others)"} 3\n' in text


def test_processes_have_one_exposition() -> None:
    first = Metrics(parts=3, part=1)
    first.rows.add(5)
    first.state.set(READY)
    second = Metrics(parts=3, part=2, file=first.shared.file)
    second.rows.add(7)
    assert "mlops_rows_total 12\n" in first.text()
    texts = [re.sub(r"^process_\S+ .*$", "", each.text(), flags=re.M) for each in (first, second)]
    assert texts[0] == texts[1]  # but for what is measured at that moment
    assert first.ready
    second.state.set(STARTING)
    assert not first.ready
    # Another process takes the part of the first and goes on.
    again = Metrics(parts=3, part=1, file=os.dup(first.shared.file))
    again.rows.add(1)
    assert "mlops_rows_total 13\n" in second.text()


SIGNATURE = Signature(
    rows="frame",
    inputs=[
        Column(name="n", dtype="int8"),
        Column(name="f", dtype="float32", required=False),
        Column(name="b", dtype="bool"),
        Column(name="s", dtype="str"),
        Column(name="c", dtype="category", categories=["u", "v"]),
        Column(name="t", dtype="datetime64[ns]"),
        Column(name="u", dtype="uint16"),
    ],
)
GOOD = [1, 0.5, True, "x", "u", "2020-01-01T00:00:00", 7]


def _read(rows: list[list[object]]) -> list[list[object]]:
    body = msgspec.json.encode({"instances": rows})
    return read("application/json", body, SIGNATURE).rows


def test_values_of_every_dtype() -> None:
    assert _read([GOOD]) == [GOOD]
    assert _read([[1.0, None, False, "", "v", "2020-01-01", 65535]])[0][1] is None
    wrong: list[object] = [200, "x", 1, 2, "w", "yesterday", -1]
    with pytest.raises(BadRequest) as raised:
        _read([GOOD, wrong])
    for column in SIGNATURE.inputs:
        assert f"Row 2, column {column.name}: " in str(raised.value)
    assert "Row 1" not in str(raised.value)
    with pytest.raises(BadRequest, match="column n: a value is missing"):
        _read([[None, *GOOD[1:]]])


def test_a_column_that_is_not_required_may_be_absent() -> None:
    record = {c.name: v for c, v in zip(SIGNATURE.inputs, GOOD, strict=True) if c.name != "f"}
    body = msgspec.json.encode({"dataframe_records": [record]})
    assert read("application/json", body, SIGNATURE).rows[0][1] is None
    assert "f" not in row_schema(SIGNATURE.inputs)["required"]


def test_csv_is_read_by_column_type() -> None:
    text = "n,f,b,s,c,t,u\n1,,true,007,u,2020-01-01,7\n"
    table = read("text/csv", text.encode(), SIGNATURE)
    assert table.rows == [[1, None, True, "007", "u", "2020-01-01", 7]]
    with pytest.raises(BadRequest, match="column n: a whole number"):
        read("text/csv", text.replace("\n1,", "\none,").encode(), SIGNATURE)
    free = read("text/csv", b"a,b\n1,x\n2.5,\n", None)
    assert free.rows == [[1, "x"], [2.5, None]]
    for wrong in (b"", b"\xff\xfe", b"a,b\n1\n"):
        with pytest.raises(BadRequest):
            read("text/csv", wrong, SIGNATURE)


def test_many_problems_are_counted() -> None:
    with pytest.raises(BadRequest, match="There are 80 more problems"):
        _read([["x", *GOOD[1:]]] * 100)


@pytest.mark.parametrize(
    ("answer", "rounded"),
    [
        (1.0, True),
        (1.0 + 4e-6, True),
        ([1.0, 2.000002], True),
        ({"p": [0.1 + 1e-8]}, True),
        (1.0 + 4e-5, False),
        ([1.0], False),
        ({"q": [0.1]}, False),
        (1, False),
        ("1.0", False),
        (True, False),
        (None, False),
        (math.inf, False),
        (math.nan, False),
    ],
)
def test_answers_of_another_platform_may_be_rounded_otherwise(answer: Any, rounded: bool) -> None:
    """Only numbers with a fraction, and only a little."""
    expected = {float: 1.0, list: [1.0, 2.0], dict: {"p": [0.1]}}.get(type(answer), 1.0)
    golden = Golden(inputs=[[0]], outputs=[expected])
    assert _accepted(Predictor(None, lambda _: [answer], False), golden) is rounded
    # A processor of the same platform: the libraries choose another order of adding.
    much = not rounded or answer != expected
    assert _accepted(Predictor(None, lambda _: [answer]), golden) is not much


@pytest.mark.parametrize(
    ("dtype", "apart", "taken"),
    [
        ("float64", 3e-16, True),
        ("float64", 1e-7, False),
        ("float32", 1e-7, True),
        ("float32", 1e-4, False),
    ],
)
def test_another_processor_may_round_and_it_is_said(dtype: str, apart: float, taken: bool) -> None:
    signature = Signature(outputs=[Column(name="p", dtype=dtype)])
    golden = Golden(inputs=[[0]], outputs=[{"label": "yes", "p": 0.5}])
    model = Predictor(signature, lambda _: [{"label": "yes", "p": 0.5 + apart}])
    other = Predictor(signature, lambda _: [{"label": "no", "p": 0.5}])
    if taken:
        assert accept(model, golden).startswith("This machine rounds otherwise than the verified")
    else:
        with pytest.raises(LoadProblem, match=r'row 1 .*: \{"p": 0\.5.*\}, not \{"p": 0\.5\}\.'):
            accept(model, golden)
    with pytest.raises(LoadProblem, match=r'\{"label": "no"\}, not \{"label": "yes"\}'):
        accept(other, golden)
    assert accept(Predictor(signature, lambda _: golden.outputs), golden) == ""


def test_a_big_number_beside_a_small_one_hides_nothing() -> None:
    golden = Golden(inputs=[[0]], outputs=[{"people": 8e9, "share": 0.25}])
    with pytest.raises(LoadProblem, match="share"):
        accept(Predictor(None, lambda _: [{"people": 8e9, "share": 0.2500001}]), golden)


def _accepted(predictor: Predictor, golden: Golden) -> bool:
    try:
        accept(predictor, golden)
    except LoadProblem:
        return False
    return True


@pytest.mark.parametrize("word", ["elsewhere", "full", "none"])
def test_only_what_was_run_elsewhere_may_round(function_root: Path, word: str) -> None:
    published = load_publication(function_root)
    told = msgspec.structs.replace(published, verified=word)
    predictor = load_predictor(function_root, told)
    assert predictor is not None and predictor.exactly is (word != "elsewhere")
