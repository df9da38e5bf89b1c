"""The versions of data: content hashes, schemas and profiles."""

from __future__ import annotations

import datetime
import decimal
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LinearRegression

from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.hashing import VERSION, CannotHash, content_hash, is_data
from jupyter_mlops.capture.models import CaptureRequest, Trained
from jupyter_mlops.capture.profiles import BINS, GRID, ROWS, TOP, Profiles, profile

FRAME = pd.DataFrame(
    {
        "a": [1.5, np.nan, -0.0],
        "b": [1, 2, 3],
        "c": pd.Categorical(["u", "v", "u"]),
        "d": ["x", None, "é"],
        "e": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
        "f": pd.to_datetime(["2026-01-01", None, "2026-01-03"]).tz_localize("Europe/Berlin"),
        "g": pd.array([1, None, 3], dtype="Int64"),
        "h": pd.to_timedelta([1, 2, 3], unit="s"),
    }
)


def test_the_formula_is_the_one_that_is_written_down() -> None:
    numbers = np.array([[1.0, 2.0], [3.0, float("nan")]])
    head = json.dumps(["array", "<f8", [2, 2]]).encode() + b"\n"
    expected = hashlib.sha256(VERSION + head + numbers.astype("<f8").tobytes()).hexdigest()
    assert content_hash(numbers) == expected
    texts = b'["objects", 3]\n["a", null, {"float": "0.5"}]\n'
    assert content_hash(["a", None, 0.5]) == hashlib.sha256(VERSION + texts).hexdigest()


def test_equal_content_has_one_hash_however_it_lies_in_memory() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(70_001, 3))
    assert content_hash(wide) == content_hash(np.asfortranarray(wide))
    assert content_hash(wide) == content_hash(np.repeat(wide, 2, axis=0)[::2])
    assert content_hash(wide) == content_hash(wide.astype(">f8"))
    other = np.frombuffer(np.uint64(0x7FF8000000000001).tobytes(), dtype="f8")
    assert content_hash(other) == content_hash(np.array([np.nan]))
    assert content_hash(FRAME) == content_hash(FRAME.copy(deep=True))
    assert content_hash(FRAME) == content_hash(
        pd.concat([FRAME[["a", "b"]], FRAME.iloc[:, 2:]], axis=1)
    )
    matrix = sparse.random(40, 30, 0.2, random_state=0, format="coo")
    assert content_hash(matrix) == content_hash(matrix.tocsc())


CHANGES = {
    "a value": FRAME.assign(b=[1, 2, 4]),
    "a sign of zero": FRAME.assign(a=[1.5, np.nan, 0.0]),
    "the order of rows": FRAME.iloc[::-1],
    "the order of columns": FRAME[["b", "a", *FRAME.columns[2:]]],
    "a dtype": FRAME.assign(b=FRAME["b"].astype("int32")),
    "a name": FRAME.rename(columns={"a": "A"}),
    "the index": FRAME.set_axis([1, 2, 3]),
    "a category": FRAME.assign(c=FRAME["c"].cat.add_categories(["w"])),
    "what is missing": FRAME.assign(g=pd.array([1, 0, 3], dtype="Int64")),
    "the zone": FRAME.assign(f=FRAME["f"].dt.tz_convert("UTC")),
    "a text": FRAME.assign(d=["x", None, "e"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_another_hash(change: str) -> None:
    assert content_hash(CHANGES[change]) != content_hash(FRAME)


def test_shapes_and_neighbours_are_not_mixed_up() -> None:
    numbers = np.arange(6.0)
    hashes = {content_hash(numbers.reshape(shape)) for shape in [(6,), (2, 3), (3, 2), (6, 1)]}
    assert len(hashes) == 4
    texts = [["ab", "c"], ["a", "bc"], ["a", "b", "c"], ["abc"], [["a"], "bc"], ["1"], [1], [True]]
    assert len({content_hash(each) for each in texts}) == len(texts)
    odd = [decimal.Decimal("1.0"), datetime.date(2026, 1, 1), b"1", (1, 2), {"a": 1}, np.int8(1)]
    assert len({content_hash([each]) for each in odd}) == len(odd)


@given(st.lists(st.none() | st.text() | st.integers() | st.floats() | st.booleans(), max_size=6))
def test_objects_and_frames_of_them(items: list[Any]) -> None:
    frame = pd.DataFrame({"x": pd.Series(items, dtype="object")})
    again = pd.DataFrame({"x": pd.Series(list(items), dtype="object")})
    assert content_hash(frame) == content_hash(again)
    assert content_hash(frame) != content_hash(pd.concat([frame, frame.head(1).assign(x=["z"])]))


def test_tables_of_another_library(tmp_path: Path) -> None:
    columns = {"x": [1, 2, None], "word": ["a", None, "b"], "when": [datetime.date(2026, 1, 1)] * 3}
    table = pa.table(columns)
    assert is_data(table) and is_data(table["x"])
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    assert content_hash(table) == content_hash(chunked)
    others = [
        table.take([2, 1, 0]),
        table.set_column(0, "x", table["x"].cast("int32")),
        table.rename_columns(["y", "word", "when"]),
        table.select(["word", "x", "when"]),
    ]
    assert len({content_hash(each) for each in [table, *others]}) == 5
    trained = [Trained(text="table", cell=1, by="m")]
    report = collect({"table": table}, CaptureRequest(trained=trained), tmp_path)
    assert [(each.name, each.dtype) for each in report.data[0].columns] == [
        ("x", "int64"), ("word", "string"), ("when", "date32[day]"),
    ]  # fmt: skip
    written = msgspec.json.decode((tmp_path / "profile.json").read_bytes(), type=Profiles)
    assert [each.missing for each in written.data[0].features] == [
        pytest.approx(1 / 3), pytest.approx(1 / 3), 0,
    ]  # fmt: skip


def test_what_has_no_content_is_refused() -> None:
    with pytest.raises(CannotHash, match="holds a object"):
        content_hash(pd.DataFrame({"x": [object()]}))
    with pytest.raises(CannotHash, match="does not show what it holds"):
        content_hash(LinearRegression())
    assert is_data(FRAME) and is_data(np.arange(3)) and is_data(sparse.eye(3, format="csr"))
    assert not is_data(np.float64(3)) and not is_data([1]) and not is_data("text")


def test_the_profile_of_numbers() -> None:
    values = np.arange(1000, dtype="float64")
    values[:100] = np.nan
    found = profile("x", "0", pd.DataFrame({"x": values}))
    assert found is not None
    feature = found.features[0]
    assert (feature.n, feature.missing) == (1000, pytest.approx(0.1))
    assert (feature.minimum, feature.maximum, feature.mean) == (100, 999, 549.5)
    assert feature.std == pytest.approx(np.nanstd(values))
    assert len(feature.quantiles) == GRID and feature.quantiles[50] == 549.5
    assert len(feature.edges) == BINS + 1 and feature.counts == [45] * BINS
    assert sum(feature.counts) == 900


def test_the_profile_of_everything_else() -> None:
    texts = [f"t{i % 150:03d}" for i in range(1000)] + ["t001", None]
    found = profile("x", "0", pd.DataFrame({"x": texts, "when": pd.Timestamp("2026-01-01")}))
    assert found is not None
    x, when = found.features
    assert x.distinct == 150 and len(x.top) == TOP and x.top[0] == ("t001", 8)
    assert sum(count for _, count in x.top) + x.other == 1001
    assert when.minimum == when.maximum == pd.Timestamp("2026-01-01").timestamp()
    flat = profile("x", "0", np.full(10, 7))
    assert flat is not None and flat.features[0].counts == [10]
    assert (
        profile("x", "0", np.zeros((2, 3, 4))) is None and profile("x", "0", FRAME.head(0)) is None
    )
    wide = profile("x", "0", np.zeros((2, 250)))
    assert wide is not None and (len(wide.features), wide.more) == (200, 50)
    long = profile("x", "0", np.arange(3 * ROWS))
    assert long is not None and (long.every, long.features[0].n) == (3, ROWS)
    mixed = profile("x", "0", FRAME)
    assert mixed is not None and [f.name for f in mixed.features] == list("abcdefgh")


def test_a_run_says_what_its_models_were_trained_on(tmp_path: Path) -> None:
    X, y = FRAME[["b"]], [1, 2, 3]
    model = LinearRegression().fit(X, y)
    trained = [Trained(text=text, cell=4, by="model") for text in ("X", "y", "gone", "depth")]
    trained.append(Trained(text="table['b']", cell=2, by="scaler"))
    trained.append(Trained(text="X", cell=5, by="other"))
    namespace = {"X": X, "y": y, "model": model, "depth": 3, "table": FRAME}
    report = collect(namespace, CaptureRequest(trained=trained), tmp_path)
    found = {version.name: version for version in report.data}
    assert list(found) == ["X", "y", "gone", "table['b']"]
    assert (found["X"].sha256, found["X"].shape) == (content_hash(X), [3, 1])
    assert (found["X"].used_by, found["X"].cell) == (["model", "other"], 4)
    assert [column.name for column in found["X"].columns] == ["b"]
    assert found["y"].sha256 == content_hash(y) and found["table['b']"].dtype == "int64"
    assert found["gone"].sha256 == "" and "not there at the end" in found["gone"].note
    written = msgspec.json.decode((tmp_path / "profile.json").read_bytes(), type=Profiles)
    assert [(each.name, each.sha256) for each in written.data] == [
        (name, found[name].sha256) for name in ("X", "y", "table['b']")
    ]


def test_what_a_cell_read_counts_where_nothing_is_fitted(tmp_path: Path) -> None:
    table = np.arange(6.0).reshape(3, 2)
    namespace = {"table": table, "rate": 0.1, "weights": table.sum(axis=0), "predict": lambda r: r}
    request = CaptureRequest(
        names=["weights"], predict="predict", made_from={"weights": ["np", "rate", "table"]}
    )
    report = collect(namespace, request, tmp_path)
    assert [(each.name, each.used_by) for each in report.data] == [("table", ["weights"])]
