"""What a tagged cell declares: annotations, comments, expressions, forms, notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.pipeline import parameters
from jupyter_mlops.runtime.parameters import limits_text, type_text
from tests.notebooks import Cell, make

HEAD = """
import datetime as dt, pathlib
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import *
import numpy as np
import pandas as pd
class Mode(str, Enum):
    FAST = "fast"
    SLOW = "slow"
"""


def find(tmp_path: Path, *cells: Cell) -> parameters.Found:
    return parameters.find(notebook.read(make(tmp_path / "n.ipynb", cells)))


def one(tmp_path: Path, line: str) -> Any:
    found = find(tmp_path, HEAD, ("parameters", line))
    assert found.problems == []
    (parameter,) = found.parameters
    return parameter


@pytest.mark.parametrize(
    ("line", "kind", "default"),
    [
        ("x = date(2024, 1, 2)", "date", "2024-01-02"),
        ("x = dt.date.fromisoformat('2024-01-02')", "date", "2024-01-02"),
        ("x = datetime(2024, 1, 2, hour=3)", "datetime", "2024-01-02T03:00:00"),
        ("x = datetime(2024, 1, 2, tzinfo=dt.UTC)", "datetime", "2024-01-02T00:00:00+00:00"),
        ("x = datetime.strptime('2.1.2024', '%d.%m.%Y')", "datetime", "2024-01-02T00:00:00"),
        ("x = pd.Timestamp('2024-01-02')", "datetime", "2024-01-02T00:00:00"),
        ("x = np.datetime64('2024-01-02')", "date", "2024-01-02"),
        ("x: date | None = None", "date | None", None),
        ("x: 'date' = '2024-01-02'", "date", "2024-01-02"),
        ("x = Path('a', 'b')", "path", "a/b"),
        ("x = pathlib.Path('a') / 'b' / 'c.csv'", "path", "a/b/c.csv"),
        ("x: str | Path = 'a.csv'", "path", "a.csv"),
        ("x = Mode.SLOW", "str", "SLOW"),
        ("x = Mode['FAST']", "str", "FAST"),
        ("x = Mode('slow')", "str", "SLOW"),
        ("x: Mode | None = None", "str | None", None),
        ("x = (28, 28)", "list", [28, 28]),
        ("x: tuple[int, ...] = (1,)", "list[int]", [1]),
        ("x = {'b', 'a'}", "list", ["a", "b"]),
        ("x: set[str] = set()", "list[str]", []),
        ("x = [(1, 2), (3,)]", "list", [[1, 2], [3]]),
        ("x = {0: 1.0, 1: 5.0}", "dict[int, any]", {"0": 1.0, "1": 5.0}),
        ("x: dict[str, float] = {}", "dict[str, float]", {}),
        ("x: Mapping[int, str] = {}", "dict[int, str]", {}),
        ("x: list[date] = []", "list[date]", []),
        ("x = [date(2024, 1, 2)]", "list[date]", ["2024-01-02"]),
        ("x: list[int | None] = [None]", "list", [None]),
        ("x = np.float32(0.5)", "float", 0.5),
        ("x = np.array([1, 2], dtype=float)", "list", [1, 2]),
        ("x: int | float = 1", "float", 1.0),
        ("x: Union[int, str] = 1", "any", 1),
        ("x: Final = 3", "int", 3),
        ("x: Final[float] = 3", "float", 3.0),
        ("x = None  # type: int how many", "int | None", None),
    ],
)
def test_types(tmp_path: Path, line: str, kind: str, default: Any) -> None:
    found = one(tmp_path, line)
    assert (type_text(found), found.default) == (kind, default)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("10 * 60", 600),
        ("-1", -1),
        ("1e-3", 0.001),
        ("2**10", 1024),
        ("1 / 4", 0.25),
        ("'a' + 'b'", "ab"),
        ("('a'\n   'b#c=d')", "ab#c=d"),
        ("'''a\nb = 1'''", "a\nb = 1"),
        ("dict(z=1)", {"z": 1}),
        ("[0] * 3", [0, 0, 0]),
        ("'a b'.split()", ["a", "b"]),
        ("f'a'", "a"),
        ("not True", False),
        ("int('3')", 3),
        ("1_000", 1000),
    ],
)
def test_expressions_of_literals(tmp_path: Path, expression: str, value: Any) -> None:
    assert one(tmp_path, f"x = {expression}").default == value


@pytest.mark.parametrize(
    "expression",
    [
        "2 ** 10**9",
        "1 << 10**9",
        "'a' * 10**9",
        "[[0] * 9999] * 9999",
        "('a' * 9999).join(['b'] * 9999)",
        "'%1000000000d' % 3",
        "1 / 0",
        "[1][5]",
        "b'x'",
        "1j",
        "...",
        "2**70",
        "1e400",
        "float('nan')",
        "{(1, 2): 3}",
        "{'a': [1], 'b': (2,)}",
        "lambda: 3",
        "open('x')",
        "date.today()",
        "Path.home()",
        "pd.Timestamp('Jan 2024')",
        "pd.Timestamp('2024-01-01', tz='UTC')",
        "datetime(2024, 1, 1, tzinfo=zone)",
        "Mode.FAST.value",
        "unknown.FAST",
        "-" * 3000 + "1",
    ],
)
def test_what_must_be_computed_is_no_parameter(tmp_path: Path, expression: str) -> None:
    found = find(tmp_path, HEAD, ("parameters", f"x = {expression}"))
    assert found.parameters == [] and found.problems == []


def test_names_that_the_notebook_binds_are_not_what_they_seem(tmp_path: Path) -> None:
    cells = (
        HEAD,
        "def dict(**x): return 3\ndate = 5",
        ("parameters", "x = dict(z=1)\ny = date(1, 1, 1)"),
    )
    assert find(tmp_path, *cells).parameters == []


def test_several_targets(tmp_path: Path) -> None:
    found = find(
        tmp_path, ("parameters", "h = i = 3\na, (b, c) = 1, (2, 'x')\nd = e.f = 3\n*g, k = 1, 2")
    )
    assert {p.name: p.default for p in found.parameters} == {
        "h": 3,
        "i": 3,
        "a": 1,
        "b": 2,
        "c": "x",
    }


def test_a_statement_sets_parameters_or_computes(tmp_path: Path) -> None:
    found = find(tmp_path, ("parameters", "a = 1\nb, c = 3, a"))
    assert [p.name for p in found.parameters] == ["a"]


def test_a_value_that_two_names_share_is_not_copied(tmp_path: Path) -> None:
    found = find(tmp_path, ("parameters", "a = b = {0: 1}"))
    assert found.parameters == [] and "shares its value" in found.notes[0]


@pytest.mark.parametrize(
    ("annotation", "limits"),
    [
        ("Annotated[float, Ge(0), Lt(1)]", ">= 0, < 1"),
        ("Annotated[float, annotated_types.Interval(gt=0, le=1)]", "> 0, <= 1"),
        ("Annotated[float, Field(ge=0, le=1, description='how fast')]", "0..1"),
        ("Annotated[float, msgspec.Meta(ge=0.1)]", ">= 0.1"),
        ("Annotated[float, ValueRange(0, 1)]", "0..1"),
        ("Optional[Annotated[float, Gt(gt=0)]]", "> 0"),
        ("Annotated[float, Predicate(check), unknown]", ""),
    ],
)
def test_annotated_ranges(tmp_path: Path, annotation: str, limits: str) -> None:
    found = one(tmp_path, f"x: {annotation} = 0.5")
    assert found.type == "float" and limits_text(found) == limits
    if "description" in annotation:
        assert found.description == "how fast"


def test_annotated_lengths_texts_and_aliases(tmp_path: Path) -> None:
    assert limits_text(one(tmp_path, "x: Annotated[list[int], Len(1, 3)] = [1]")) == (
        "at least 1, at most 3 items"
    )
    assert one(tmp_path, "x: Annotated[int, 'how many'] = 1").description == "how many"
    assert limits_text(one(tmp_path, "x: tuple[int, int] = (1, 2)")) == "2 items"
    found = find(tmp_path, "Rate = Annotated[float, Le(1)]", ("parameters", "x: Rate = 0.5"))
    assert limits_text(found.parameters[0]) == "<= 1"
    assert one(tmp_path, "x: Annotated[int, range(1, 11)] = 1").maximum == 10
    assert one(tmp_path, "x: Annotated[Literal['a', 'b'], 'which'] = 'a'").choices == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "limits", "description"),
    [
        ("x = 0.1  # learning rate, 0.001..1", "0.001..1", "learning rate"),
        ("x = 5  # [1, 100]", "1..100", ""),
        ("x = 5  # trees in [1, 100]", "1..100", "trees"),
        ("x = 0.5  # momentum (0, 1]", "> 0, <= 1", "momentum"),
        ("x = 5  # layers, [1, inf)", ">= 1", "layers"),
        ("x = 0.5  # between 0 and 1", "0..1", ""),
        ("x = 0.5  # rate, > 0", "> 0", "rate"),
        ("x = 0.5  # 0 < x <= 1", "> 0, <= 1", ""),
        ('x = "a"  # kind, one of: "a", "b"', "one of 'a', 'b'", "kind"),
        ("x = 'a'  # in {a, b}", "one of 'a', 'b'", ""),
        ("x = 'a'  # one of a, b or c", "one of 'a', 'b', 'c'", ""),
        ("x = 'l1'  # 'l1' | 'l2'", "one of 'l1', 'l2'", ""),
        ("x = 2  # one of 2, 4, 8", "one of 2, 4, 8", ""),
        # Not unmistakable, or not what the default keeps to: description.
        ("x = 5  # duration [s]", "", "duration [s]"),
        ("x = 50  # default [1, 10]", "", "default [1, 10]"),
        ("x = 5  # see section 3...7", "", "see section 3...7"),
        ("x = 0.5  # (0, 1)", "", "(0, 1)"),
        ("x = 'x'  # one of a, b", "", "one of a, b"),
        ("x = 'a'  # one of the best values", "", "one of the best values"),
        ("x = 'a'  # 0..1", "", "0..1"),
        ("x = [1]  # [1, 2]", "", "[1, 2]"),
        ("x = 5  # version 1.2.3", "", "version 1.2.3"),
        ("x = 5  # a -> b > 3 times", "", "a -> b > 3 times"),
        ("x = 5  # how many  # noqa: E501", "", "how many"),
        ("# how many\nx = 5", "", "how many"),
        ("# how many\n# there are\nx = 5", "", "how many there are"),
        ("# how many\n\nx = 5", "", ""),
        ("# x = 7\nx = 5", "", ""),
        ("# ---- model ----\nx = 5", "", ""),
        ("# Parameters\nx = 5", "", ""),
        ("# above\nx = 5  # behind", "", "behind"),
        ("x = [  # the layers\n  1,\n]", "", "the layers"),
    ],
)
def test_comments(tmp_path: Path, line: str, limits: str, description: str) -> None:
    found = one(tmp_path, line)
    assert (limits_text(found), found.description) == (limits, description)


def test_choices_of_an_enum_that_the_notebook_defines(tmp_path: Path) -> None:
    assert one(tmp_path, "x = Mode.FAST").choices == ["FAST", "SLOW"]


def test_a_declaration_without_a_value_is_required(tmp_path: Path) -> None:
    found = one(tmp_path, "x: int  # how many")
    assert found.required and found.type == "int" and not found.nullable
    assert find(tmp_path, ("parameters", "x: int"), "x = len('a')").parameters == []


def test_a_default_that_contradicts_its_annotation(tmp_path: Path) -> None:
    found = find(tmp_path, ("parameters", "x: int = 0.5\ny: int = 'auto'\nz: float = 1"))
    assert [p.type for p in found.parameters] == ["float", "any", "float"]
    assert len(found.notes) == 2 and found.problems == []
    found = find(tmp_path, ("parameters", "x: Annotated[int, Ge(1)] = 0"))
    assert "less than the minimum" in found.problems[0].problem


def test_values_that_do_not_last_are_noted(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        ("parameters", "a = 1\nb = 2\nc = 3\nd = None\ne = {}\nf = 1\ng = 1\nh = 1"),
        "print(a)",
        "a = 5\nb = b + 1\nc += 1\nif d is None:\n    d = 4\ne['x'] = 1",
        "for f in range(3):\n    pass\ndef use(g):\n    g = 4",
        "def reset():\n    global h\n    h = 1",
    )
    assert found.notes == [
        "Cell 3 sets 'a' again: a value given for it is lost there.",
        "Cell 3 changes 'e' in place: a value given for it is changed there too.",
        "Cell 4 sets 'f' again: a value given for it is lost there.",
        "Cell 5 sets 'h' again: a value given for it is lost there.",
    ]


@pytest.mark.parametrize(
    "cell", ["a = 1\na = 2", "a = 1\na = a * 2", "for a in [1]:\n    pass\na = 2", "a = f()\na = 2"]
)
def test_a_parameter_is_set_once(tmp_path: Path, cell: str) -> None:
    assert "set twice" in find(tmp_path, ("parameters", cell)).problems[0].problem


def test_a_parameter_is_not_read_before_it_is_set(tmp_path: Path) -> None:
    found = find(tmp_path, "a = 5", ("parameters", "b = a * 2\na = 1"))
    assert "read before it is set" in found.problems[0].problem
