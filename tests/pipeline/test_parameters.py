from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.errors import ParameterError
from jupyter_mlops.pipeline import parameters
from tests.notebooks import Cell, make


def find(tmp_path: Path, *cells: Cell) -> parameters.Found:
    return parameters.find(notebook.read(make(tmp_path / "n.ipynb", cells)))


@pytest.mark.parametrize(
    ("line", "kind", "default", "nullable", "choices"),
    [
        ("x = 1", "int", 1, False, []),
        ("x = -1.5", "float", -1.5, False, []),
        ("x: float = 1", "float", 1.0, False, []),
        ("x = True", "bool", True, False, []),
        ("x = 'a=b'", "str", "a=b", False, []),
        ("x = 's3://b#frag'", "str", "s3://b#frag", False, []),
        ("x = None", "any", None, True, []),
        ("x: int | None = None", "int", None, True, []),
        ("x: Optional[str] = 'a'", "str", "a", True, []),
        ("x: 'int' = 3", "int", 3, False, []),
        ("x: list[int] = [1, 2]", "list", [1, 2], False, []),
        ("x = {'a': [1]}", "dict", {"a": [1]}, False, []),
        ("x: Literal['a', 'b'] = 'a'", "str", "a", False, ["a", "b"]),
        ("x = (\n    1\n)", "int", 1, False, []),
    ],
)
def test_types_from_default_and_annotation(
    tmp_path: Path, line: str, kind: str, default: Any, nullable: bool, choices: list[Any]
) -> None:
    (found,) = find(tmp_path, ("parameters", line)).parameters
    assert (found.name, found.type, found.nullable) == ("x", kind, nullable)
    assert found.default == default and type(found.default) is type(default)
    assert found.choices == choices


def test_description_is_the_comment(tmp_path: Path) -> None:
    (found,) = find(tmp_path, ("parameters", "alpha: float = 0.1  # learning # rate")).parameters
    assert found.description == "learning # rate"


def test_computed_values_are_not_parameters(tmp_path: Path) -> None:
    found = find(tmp_path, ("parameters", "a = 1\nb = a * 10\nc = open('x')\nd = 2j"))
    assert [p.name for p in found.parameters] == ["a"]


def test_set_twice_is_a_problem(tmp_path: Path) -> None:
    found = find(tmp_path, ("parameters", "a = 1\na = 2"))
    assert "set twice" in found.problems[0].problem


def test_two_tagged_cells_are_a_problem(tmp_path: Path) -> None:
    found = find(tmp_path, ("parameters", "a = 1"), ("parameters", "b = 2"))
    assert "More than one" in found.problems[0].problem


def test_a_cell_of_literals_is_proposed(tmp_path: Path) -> None:
    found = find(tmp_path, "import os", "n = 3  # how many\nname = 'x'", "print(n)")
    assert found.source == "proposed"
    assert found.cell is not None and found.cell.number == 2
    assert [p.name for p in found.parameters] == ["n", "name"]


def test_rebound_names_are_not_proposed(tmp_path: Path) -> None:
    found = find(tmp_path, "n = 3\nm = 4", "n = n + 1")
    assert [p.name for p in found.parameters] == ["m"]


@pytest.mark.parametrize("cell", ["n = 3\nprint(n)", "n = 3\nm = n", "for n in [1]:\n    pass"])
def test_cells_that_do_more_are_not_proposed(tmp_path: Path, cell: str) -> None:
    assert find(tmp_path, cell).source == "none"


def test_check_says_every_mistake_of_values_and_texts(tmp_path: Path) -> None:
    known = find(tmp_path, ("parameters", "n = 3\nrate = 0.5")).parameters
    assert parameters.check(known, {"n": 4}, {"rate": "1"}, "n.ipynb") == {"n": 4, "rate": 1.0}
    with pytest.raises(ParameterError) as caught:
        parameters.check(known, {"n": "many", "x": 1}, {"rate": "fast"}, "n.ipynb")
    assert len(caught.value.problems) == 3
