"""Parameters: checks, texts of the command line, JSON Schema."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.runtime.parameters import (
    Parameter,
    ParameterProblems,
    effective,
    json_schema,
    parse,
    validate,
)

P = Parameter
EVERY = [
    P(name="flag", type="bool", default=False),
    P(name="count", type="int", default=1, minimum=1, maximum=9),
    P(name="rate", type="float", default=0.5),
    P(name="label", type="str", default="x", nullable=True),
    P(name="items", type="list", default=[]),
    P(name="table", type="dict", default={}),
    P(name="thing", type="any"),
    P(name="kind", type="str", default="a", choices=["a", "b"]),
]


def test_values_of_every_type() -> None:
    values: dict[str, Any] = {
        "flag": True,
        "count": 9,
        "rate": 2,
        "label": None,
        "items": [1, "a"],
        "table": {"a": None},
        "thing": None,
        "kind": "b",
    }
    checked = validate(EVERY, values)
    assert checked == values
    assert type(checked["rate"]) is float
    assert validate(EVERY, {}) == {}
    assert effective(EVERY, {"count": 3})["count"] == 3
    assert effective(EVERY, {})["kind"] == "a"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("flag", 1, "true or false"),
        ("count", True, "whole number"),
        ("count", 1.0, "whole number"),
        ("count", 0, "minimum, 1"),
        ("count", 10, "maximum, 9"),
        ("count", 2**64, "64 bits"),
        ("rate", "1", "a number"),
        ("rate", math.inf, "finite"),
        ("rate", None, "a number"),
        ("label", 3, "a text or null"),
        ("items", {}, "a list"),
        ("table", [], "a mapping"),
        ("kind", "c", "'a', 'b'"),
        ("none", 1, "flag, count"),
    ],
)
def test_wrong_values_are_told(name: str, value: Any, word: str) -> None:
    with pytest.raises(ParameterProblems) as raised:
        validate(EVERY, {name: value})
    assert len(raised.value.problems) == 1
    assert raised.value.problems[0].startswith(f"{name}: ")
    assert word in raised.value.problems[0]


def test_all_problems_at_once() -> None:
    required = [*EVERY, P(name="must", type="int", required=True)]
    with pytest.raises(ParameterProblems) as raised:
        validate(required, {"flag": 1, "count": 0, "other": 1})
    assert len(raised.value.problems) == 4
    with pytest.raises(ParameterProblems) as raised:
        parse(required, {"flag": "perhaps", "count": "0", "other": "1"})
    assert len(raised.value.problems) == 4


def test_texts() -> None:
    texts = {
        "flag": "yes",
        "count": "3",
        "rate": "1e-3",
        "label": "None",
        "items": "(1, 'a')",
        "table": '{"a": [1.5]}',
        "thing": "plain text",
        "kind": "a",
    }
    assert parse(EVERY, texts) == {
        "flag": True,
        "count": 3,
        "rate": 0.001,
        "label": None,
        "items": [1, "a"],
        "table": {"a": [1.5]},
        "thing": "plain text",
        "kind": "a",
    }
    assert parse(EVERY, {"label": "a=b # c"}) == {"label": "a=b # c"}
    for name, text in [("flag", ""), ("count", "1.5"), ("rate", "x"), ("items", "[NaN]")]:
        with pytest.raises(ParameterProblems):
            parse(EVERY, {name: text})


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parameter in EVERY:
        try:
            value = parse([parameter], {parameter.name: text})
        except ParameterProblems:
            continue
        assert validate([parameter], value) == value
        json.dumps(value, allow_nan=False)


def test_schema() -> None:
    schema = json_schema([*EVERY, P(name="must", type="int", required=True, description="why")])
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["must"]
    assert schema["properties"]["must"] == {
        "title": "must",
        "type": "integer",
        "description": "why",
    }
    assert schema["properties"]["label"]["type"] == ["string", "null"]
    assert schema["properties"]["count"] == {
        "title": "count",
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 1,
    }
    assert schema["properties"]["kind"]["enum"] == ["a", "b"]
