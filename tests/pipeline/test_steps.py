from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_mlops import notebook
from jupyter_mlops.pipeline import parameters, steps
from tests.notebooks import Cell, make


def extracted(tmp_path: Path, *cells: Cell) -> Any:
    source = notebook.read(make(tmp_path / "n.ipynb", cells))
    return steps.extract(source, parameters.find(source))


def sources(node: Any) -> list[str]:
    return [cell.source for cell in node.cells]


def test_the_notebook_itself_stays_as_it_is(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["%pip install x", "a = 1"])
    before = path.read_bytes()
    source = notebook.read(path)
    steps.extract(source, parameters.find(source))
    assert path.read_bytes() == before
    assert source.node.cells[0].source == "%pip install x"


def test_install_lines_are_commented_out(tmp_path: Path) -> None:
    node = extracted(tmp_path, "if True:\n    !pip install x\nimport x", "!ls")
    assert sources(node)[0].splitlines()[1].startswith("    pass  # installed from the lock")
    assert sources(node)[1] == "!ls"


def test_derived_values_move_behind_the_parameters(tmp_path: Path) -> None:
    node = extracted(tmp_path, ("parameters", "a = 1\nb = a * 10\nc = 2  # two"), "print(b)")
    assert sources(node) == ["a = 1\nc = 2  # two", "b = a * 10", "print(b)"]
    assert node.cells[0].metadata.tags == ["parameters"]
    assert "parameters" not in node.cells[1].metadata.tags


def test_a_proposed_cell_is_tagged_in_the_copy(tmp_path: Path) -> None:
    node = extracted(tmp_path, "n = 3", "print(n)")
    assert node.cells[0].metadata.tags == ["parameters"]


def test_defaults_are_written_in_place(tmp_path: Path) -> None:
    cell = ("parameters", "s = 'é'; n: int = (\n  1\n)  # how many\nm = 2")
    source = notebook.read(make(tmp_path / "n.ipynb", [cell]))
    found = parameters.find(source)
    node = steps.extract(source, found)
    steps.set_defaults(node, {"n": 7, "s": "ü"}, found)
    assert sources(node)[0] == "s = 'ü'; n: int = (\n  7\n)  # how many\nm = 2"


def test_outputs_and_editor_metadata_are_dropped(tmp_path: Path) -> None:
    path = make(tmp_path / "n.ipynb", ["a = 1"])
    source = notebook.read(path)
    source.node.cells[0].outputs = [{"output_type": "stream", "name": "stdout", "text": "secret"}]
    source.node.cells[0].metadata["collapsed"] = True
    source.node.metadata["widgets"] = {"state": "secret"}
    node = steps.stripped(source)
    assert node.cells[0].outputs == [] and "collapsed" not in node.cells[0].metadata
    assert "widgets" not in node.metadata
