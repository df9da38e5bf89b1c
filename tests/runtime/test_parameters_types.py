"""Parameters: dates, paths, what is inside of lists and mappings, bounds, lengths."""

from __future__ import annotations

import datetime
import enum
import json
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from jupyter_mlops.runtime.parameters import (
    Parameter,
    ParameterProblems,
    check,
    json_schema,
    limits_text,
    parse,
    plain,
    type_text,
    validate,
)

P = Parameter


class Mode(enum.Enum):
    FAST = 1


def problems(parameter: Parameter, value: Any) -> list[str]:
    with pytest.raises(ParameterProblems) as raised:
        validate([parameter], {parameter.name: value})
    return raised.value.problems


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("date", "2024-02-29", "2024-02-29"),
        ("date", datetime.date(2024, 1, 2), "2024-01-02"),
        ("datetime", "2024-01-02T03:04", "2024-01-02T03:04:00"),
        ("datetime", "2024-01-02 03:04:05.5", "2024-01-02T03:04:05.500000"),
        ("datetime", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
        ("datetime", "2024-01-02", "2024-01-02T00:00:00"),
        ("datetime", datetime.datetime(2024, 1, 2, 3), "2024-01-02T03:00:00"),
        ("datetime", datetime.date(2024, 1, 2), "2024-01-02T00:00:00"),
        ("path", "a/b c.csv", "a/b c.csv"),
        ("path", PurePosixPath("a/b"), "a/b"),
        ("list", (1, (2, 3)), [1, [2, 3]]),
        ("list", {3, 1, 2}, [1, 2, 3]),
        ("dict", {1: "a"}, {"1": "a"}),
        ("str", Mode.FAST, "FAST"),
        ("float", np.float32(0.5), 0.5),
        ("list", np.arange(2), [0, 1]),
    ],
)
def test_values_become_what_json_has(kind: Any, value: Any, expected: Any) -> None:
    assert validate([P(name="x", type=kind)], {"x": value}) == {"x": expected}
    json.dumps(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "2023-02-29"),
        ("date", "20240101"),
        ("date", "2024-01-01\n"),
        ("date", "2024-01-01T00:00"),
        ("date", datetime.datetime(2024, 1, 1)),
        ("datetime", "2024-01-01T25:00"),
        ("datetime", "yesterday"),
        ("datetime", 3),
        ("path", 3),
    ],
)
def test_what_is_no_date_or_path(kind: Any, value: Any) -> None:
    (text,) = problems(P(name="x", type=kind), value)
    assert text.startswith("x: ") and "is not a" in text


def test_what_is_inside_of_lists_and_mappings() -> None:
    layers = P(name="layers", type="list", items="int")
    assert validate([layers], {"layers": [1, 2]}) == {"layers": [1, 2]}
    assert problems(layers, [1, "a"]) == ["layers: item 2, 'a', is not a whole number."]
    weights = P(name="w", type="dict", items="float", keys="int")
    checked = validate([weights], {"w": {0: 1, "1": 2}})
    assert checked == {"w": {"0": 1.0, "1": 2.0}} and type(checked["w"]["0"]) is float
    assert problems(weights, {"a": 1.0}) == ["w: the key 'a' is not a whole number."]
    assert "the value of '1', 'x', is not a number" in problems(weights, {"1": "x"})[0]
    days = P(name="days", type="list", items="date")
    assert validate([days], {"days": [datetime.date(2024, 1, 1)]}) == {"days": ["2024-01-01"]}


def test_bounds_and_lengths() -> None:
    rate = P(name="r", type="float", exclusive_minimum=0, exclusive_maximum=1)
    assert validate([rate], {"r": 0.5}) == {"r": 0.5}
    assert problems(rate, 0) == ["r: 0.0 is not more than 0."]
    assert problems(rate, 1) == ["r: 1.0 is not less than 1."]
    size = P(name="s", type="list", min_length=2, max_length=2)
    assert problems(size, [1]) == ["s: [1] has 1 items; the least is 2."]
    assert problems(size, [1, 2, 3]) == ["s: [1, 2, 3] has 3 items; the most is 2."]
    assert "characters" in problems(P(name="t", type="str", min_length=1), "")[0]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ([2**64], "64 bits"),
        ({"a": [float("nan")]}, "finite"),
        (["\ud800"], "surrogate"),
        ([object()], "cannot be written as JSON"),
    ],
)
def test_what_json_cannot_hold(value: Any, word: str) -> None:
    assert word in problems(P(name="x"), value)[0]


def test_a_value_that_contains_itself() -> None:
    value: list[Any] = []
    value.append(value)
    assert "contains itself" in problems(P(name="x"), value)[0]


def test_texts_of_dates_paths_and_lists() -> None:
    known = [
        P(name="day", type="date"),
        P(name="at", type="datetime", nullable=True),
        P(name="file", type="path"),
        P(name="columns", type="list", items="str"),
        P(name="layers", type="list", items="int"),
    ]
    texts = {
        "day": " 2024-01-02 ",
        "at": "None",
        "file": "a=b c.csv",
        "columns": "age, sex",
        "layers": "64,32",
    }
    assert parse(known, texts) == {
        "day": "2024-01-02",
        "at": None,
        "file": "a=b c.csv",
        "columns": ["age", "sex"],
        "layers": [64, 32],
    }
    with pytest.raises(ParameterProblems) as raised:
        parse(known, {"day": "soon", "layers": "a,b", "columns": "[a"})
    assert len(raised.value.problems) == 3


def test_a_text_wins_over_a_value_and_both_are_checked() -> None:
    known = [P(name="a", type="int"), P(name="b", type="int", required=True)]
    assert check(known, {"a": "wrong", "b": 1}, {"a": "2"}) == {"a": 2, "b": 1}
    assert check(known, {"a": 1}, {"b": "2"}) == {"a": 1, "b": 2}
    with pytest.raises(ParameterProblems) as raised:
        check(known, {"c": 1, "a": "x"}, {"d": "1"})
    assert len(raised.value.problems) == 4


def test_plain_leaves_alone_what_it_does_not_know() -> None:
    thing = object()
    assert plain({"a": (thing, Path("b"), True)}) == {"a": [thing, "b", True]}


def test_schema_of_the_new_types() -> None:
    known = [
        P(name="day", type="date", default="2024-01-01"),
        P(name="at", type="datetime", nullable=True),
        P(name="file", type="path", default="a"),
        P(name="w", type="dict", items="float", keys="int", default={}),
        P(name="s", type="list", items="date", min_length=1, max_length=3, default=[]),
        P(name="r", type="float", exclusive_minimum=0, maximum=1, default=1.0),
    ]
    found = json_schema(known)["properties"]
    assert found["day"]["format"] == "date" and found["at"]["format"] == "date-time"
    assert found["at"]["type"] == ["string", "null"]
    assert found["file"]["format"] == "path"
    assert found["w"]["additionalProperties"] == {"type": "number"}
    assert "propertyNames" in found["w"]
    assert found["s"]["items"]["format"] == "date"
    assert (found["s"]["minItems"], found["s"]["maxItems"]) == (1, 3)
    assert (found["r"]["exclusiveMinimum"], found["r"]["maximum"]) == (0, 1)


def test_how_they_are_shown() -> None:
    w = P(name="w", type="dict", items="float", keys="int", nullable=True)
    assert type_text(w) == "dict[int, float] | None"
    assert type_text(P(name="x", type="list", items="date")) == "list[date]"
    assert limits_text(P(name="x", minimum=0, maximum=1)) == "0..1"
    assert limits_text(P(name="x", exclusive_minimum=0, maximum=1)) == "> 0, <= 1"
    assert limits_text(P(name="x", choices=["a", 1])) == "one of 'a', 1"
    assert limits_text(P(name="x", type="list", min_length=2, max_length=2)) == "2 items"
    assert limits_text(P(name="x", type="str", min_length=1)) == "at least 1 characters"
