"""What ``validate`` accepts is what the JSON Schema accepts."""

from __future__ import annotations

import datetime
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jupyter_mlops.runtime.parameters import (
    Parameter,
    ParameterProblems,
    Type,
    json_schema,
    validate,
)

TYPES: list[Type] = [
    "bool",
    "int",
    "float",
    "str",
    "date",
    "datetime",
    "path",
    "list",
    "dict",
    "any",
]
FORMATS = jsonschema.FormatChecker(formats=["date"])
numbers = st.integers(-20, 20) | st.floats(-20, 20, allow_nan=False).filter(
    lambda x: x != int(x)  # 1.0 is a whole number in JSON Schema, and none here
)
dates = st.dates().map(lambda day: day.isoformat())
moments = st.datetimes(timezones=st.none() | st.just(datetime.UTC)).map(
    lambda moment: moment.isoformat()
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=6)
leaves = st.none() | st.booleans() | numbers | texts | dates | moments | st.sampled_from("0123")
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=6,
)
OF_TYPE: dict[Type, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(-20, 20),
    "float": numbers,
    "date": dates,
    "datetime": moments,
    "list": st.lists(leaves, max_size=4) | st.lists(numbers, max_size=4),
    "dict": st.dictionaries(texts | st.sampled_from(["0", "1", "-3"]), leaves, max_size=4),
}
bounds = st.none() | st.integers(-5, 5).map(float)
lengths = st.none() | st.integers(0, 3)


@st.composite
def parameters(draw: st.DrawFn) -> Parameter:
    kind = draw(st.sampled_from(TYPES))
    choices = draw(st.just([]) | st.lists(leaves | st.lists(numbers, max_size=2), max_size=3))
    return Parameter(
        name="x",
        type=kind,
        nullable=draw(st.booleans()),
        required=draw(st.booleans()),
        choices=[] if kind == "datetime" else choices,  # they are compared as Python writes them
        minimum=draw(bounds),
        maximum=draw(bounds),
        exclusive_minimum=draw(bounds),
        exclusive_maximum=draw(bounds),
        min_length=draw(lengths),
        max_length=draw(lengths),
        items=draw(st.none() | st.sampled_from([t for t in TYPES if t != "datetime"])),
        keys=draw(st.sampled_from(["str", "int"])),
    )


def accepts(parameter: Parameter, given_values: dict[str, Any]) -> bool:
    try:
        validate([parameter], given_values)
    except ParameterProblems:
        return False
    return True


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(parameters(), st.data(), st.sampled_from("xxxy"))
def test_schema_and_validate_agree(parameter: Parameter, data: st.DataObject, name: str) -> None:
    value = data.draw(values | OF_TYPE.get(parameter.type, texts))
    schema = json_schema([parameter])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    instance = {name: value}
    assume(json.loads(json.dumps(instance)) == instance)
    assert accepts(parameter, instance) == validator.is_valid(instance)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TYPES), values)
def test_what_is_accepted_is_json_and_stays_accepted(kind: Type, value: Any) -> None:
    parameter = Parameter(name="x", type=kind)
    if accepts(parameter, {"x": value}):
        checked = validate([parameter], {"x": value})
        assert validate([parameter], json.loads(json.dumps(checked, allow_nan=False))) == checked
