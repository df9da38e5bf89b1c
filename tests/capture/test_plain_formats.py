"""Arrays, frames and plain values: what comes back, and what is refused."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.capture.arrays import ArrayFormat
from jupyter_mlops.capture.formats import format_for
from jupyter_mlops.capture.frames import FrameFormat
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave
from jupyter_mlops.capture.store import load, save
from jupyter_mlops.capture.values import ValueFormat

DATES = pd.date_range("2020-01-01", periods=3, freq="D")
FRAME = pd.DataFrame(
    {
        "whole": np.array([1, 2, 3], dtype="int16"),
        "real": np.array([1.5, np.nan, -0.0], dtype="float32"),
        "text": ["x", None, "ž"],
        "mixed": pd.Series(["a", 1, None], dtype=object),
        "only texts": pd.Series(["a", "b", "c"], dtype=object),
        "group": pd.Categorical(["u", None, "v"], categories=["v", "u", "w"], ordered=True),
        "numbers": pd.Categorical([3, 1, 3]),
        "date": DATES,
        "zoned": DATES.tz_localize("Europe/Paris"),
        "delta": pd.to_timedelta([1, None, 3], unit="s"),
        "nullable": pd.array([1, None, 3], dtype="Int8"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["a", None, "b"], dtype="string"),
        "complex": [1j, 2, 3],
    }
)
FRAMES = [
    FRAME,
    FRAME.iloc[::2],
    FRAME.iloc[:0],
    FRAME[[]],
    FRAME.set_index("text"),
    FRAME.set_index("date"),
    FRAME.set_index("zoned"),
    FRAME.set_index("group"),
    FRAME.set_index(["text", "whole"]),
    FRAME.rename(columns={"whole": 7, "real": None}),
    pd.concat([FRAME, FRAME], axis=1),
    pd.DataFrame(np.eye(3)),
    *[FRAME[name] for name in FRAME],
    pd.Series([1.0, 2.0, 3.0], index=DATES, name=("a", None)),
]


@pytest.mark.parametrize("value", FRAMES, ids=range(len(FRAMES)))
def test_frames_come_back_exactly(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.frame"
    FrameFormat().save(value, path)
    again = FrameFormat().load(path)
    check: Any = pd.testing.assert_frame_equal
    if isinstance(value, pd.Series):
        check = pd.testing.assert_series_equal
    check(value, again, check_exact=True)
    first = path.read_bytes()
    FrameFormat().save(again, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (pd.DataFrame({"spans": pd.period_range("2020", periods=2)}), "spans.*period"),
        (pd.DataFrame({"things": [(1, 2)]}), "things.*tuple"),
        (pd.DataFrame({"things": pd.Series([object()])}), "things.*object"),
    ],
)
def test_frames_that_would_not(value: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(CannotSave, match=words):
        FrameFormat().save(value, tmp_path / "a.frame")


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])) | st.integers(), inner)
        | st.frozensets(st.integers() | st.text(st.characters(exclude_categories=["Cs"])))
    ),
    max_leaves=10,
)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return repr(one) == repr(other) or one == other


@settings(deadline=None)
@given(plain)
def test_plain_values_come_back_with_their_types(value: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.json")
        ValueFormat().save(value, path)
        assert same(ValueFormat().load(path), value)


def test_values_with_arrays_and_marks(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {
        "$tuple": (1, math.inf, -0.0),
        "weights": [np.eye(2, dtype="float32"), np.float64(0.1)],
        "set": {"b", "a"},
        1: {"$array": "text"},
    }
    ValueFormat().save(value, path)
    again = ValueFormat().load(path)
    assert again["$tuple"] == (1, math.inf, 0.0)
    assert math.copysign(1, again["$tuple"][2]) == -1
    np.testing.assert_array_equal(again["weights"][0], np.eye(2))
    assert again["weights"][0].dtype == np.float32
    assert type(again["weights"][1]) is np.float64
    assert again["set"] == {"a", "b"}
    assert again[1] == {"$array": "text"}
    assert ValueFormat().describe(value).modules == ["numpy"]
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(CannotSave, match="contains itself"):
        ValueFormat().save(loop, path)
    with pytest.raises(CannotSave, match=r"the value\['a'\]\[1\].*object"):
        ValueFormat().save({"a": [1, object()]}, path)
    for wrong in (b"{", b'{"$array": "AAAA"}', b'{"$dict": 1}', b"[" * 100_000):
        path.write_bytes(wrong)
        with pytest.raises(CannotLoad):
            ValueFormat().load(path)


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
@pytest.mark.parametrize(
    "value",
    [
        np.arange(6).reshape(2, 3)[:, ::2],
        np.asfortranarray(np.eye(3)),
        np.float32(1.5),
        np.array(["a", "žluť"]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.zeros((0, 3)),
        np.array([(1, 2.0)], dtype=np.dtype([("ž", "i1"), ("b", "f8")], align=True)),
    ],
    ids=str,
)
def test_arrays(value: Any, tmp_path: Path) -> None:
    capture, modules = save("value", value, tmp_path)
    assert (capture.kind, capture.format, modules) == ("array", "npy", ["numpy"])
    assert capture.shape == list(value.shape)
    again = load(capture, tmp_path)
    assert type(again) is type(value)
    assert again.dtype == value.dtype
    np.testing.assert_array_equal(again, value)


def test_arrays_that_would_not(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with pytest.raises(CannotSave, match="objects"):
        ArrayFormat().save(np.array([{}], dtype=object), path)
    with pytest.raises(CannotSave, match="MaskedArray"):
        ArrayFormat().save(np.ma.masked_array([1, 2], [True, False]), path)
    buffer = io.BytesIO()
    np.save(buffer, np.arange(10))
    path.write_bytes(buffer.getvalue()[:-1])
    with pytest.raises(CannotLoad, match="another size"):
        ArrayFormat().load(path)
    path.write_bytes(b"\x93NUMPY\x09\x00")
    with pytest.raises(CannotLoad):
        ArrayFormat().load(path)


def test_the_store_opens_nothing_but_what_was_published(tmp_path: Path) -> None:
    import msgspec

    capture, _ = save("value", {"a": 1}, tmp_path, cell=2)
    assert capture.file == f"weights/{capture.sha256}.json"
    assert (capture.cell, capture.type, capture.shape) == (2, "dict", [1])
    assert load(capture, tmp_path) == {"a": 1}
    again, _ = save("other", {"a": 1}, tmp_path)
    assert again.sha256 == capture.sha256
    assert len(list((tmp_path / "weights").iterdir())) == 1
    outside = msgspec.structs.replace(capture, file="../a.json")
    with pytest.raises(CannotLoad, match="outside"):
        load(outside, tmp_path)
    (tmp_path / capture.file).write_bytes(b'{"a":  2}'[: capture.size])
    with pytest.raises(CannotLoad, match="not the file"):
        load(capture, tmp_path)
    (tmp_path / capture.file).write_bytes(b"{}")
    with pytest.raises(CannotLoad, match="size"):
        load(capture, tmp_path)
    (tmp_path / capture.file).unlink()
    with pytest.raises(CannotLoad, match="cannot be read"):
        load(capture, tmp_path)


def test_what_has_no_format(tmp_path: Path) -> None:
    assert format_for(object()) is None
    with pytest.raises(CannotSave, match="generator"):
        save("stream", (each for each in ()), tmp_path)
