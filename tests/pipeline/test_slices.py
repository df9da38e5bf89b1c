from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import NotebookError, UsageError
from jupyter_mlops.exports import export_steps, slice_names
from tests.notebooks import Cell, make

CELLS: list[Cell] = [
    ("markdown", "# Title"),
    "%matplotlib inline\nimport math",
    ("markdown", "## Side"),
    "side = 3",
    ("markdown", "## Main"),
    ("markdown", "words"),
    "x = math.sqrt(16)",
    "print(side, nowhere)",
    "y = [x]",
    "y.append(1)",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make(tmp_path / "notebook.ipynb", CELLS)


def test_a_slice_holds_what_a_name_needs(path: Path) -> None:
    found = slice_names(path, ["y"])
    assert found.cells == [1, 3, 5, 6]
    assert found.of == 6
    assert found.source.startswith("# cell 1\n%matplotlib inline")
    assert "# cell 6\ny.append(1)\n" in found.source
    assert slice_names(path, ["side", "x"]).cells == [1, 2, 3]


def test_it_is_written_as_python_or_as_a_notebook(path: Path, tmp_path: Path) -> None:
    slice_names(path, ["y"], tmp_path / "out.py")
    namespace: dict[str, object] = {}
    exec((tmp_path / "out.py").read_text(), namespace)
    assert namespace["y"] == [4.0, 1]
    slice_names(path, ["y"], tmp_path / "out.ipynb")
    node = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(node)
    assert [cell.source.split("\n")[0] for cell in node.cells] == [
        "# Title", "%matplotlib inline", "## Main", "x = math.sqrt(16)", "y = [x]", "y.append(1)",
    ]  # fmt: skip


def test_names_that_nobody_defines(path: Path, tmp_path: Path) -> None:
    with pytest.raises(NotebookError) as caught:
        slice_names(path, ["sied", "nowhere", "print"])
    first, second, third = (problem.sentence() for problem in caught.value.problems)
    assert "No cell defines 'sied'. Did you mean side?" in first
    assert "Cell 4 uses it, but nothing gives it a value" in second
    assert "Python's own names" in third
    with pytest.raises(UsageError, match="cannot be written"):
        slice_names(path, ["x"], tmp_path / "out.txt")


def test_the_commands(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slice", str(path), "x"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith("# cell 3\nx = math.sqrt(16)\n")
    assert "2 of 6 cells" in said.err
    assert main(["slice", str(path), "zzz"]) == 3
    assert "No cell defines 'zzz'" in capsys.readouterr().err
    assert main(["export", str(path), "-o", str(tmp_path / "out"), "--split", "cells"]) == 0
    assert "run.sh" in capsys.readouterr().out
    assert main(["export", str(path), "-o", str(tmp_path / "out")]) == 3
    assert "not empty" in capsys.readouterr().err


def test_export_as_a_module(path: Path, tmp_path: Path) -> None:
    result = export_steps(path, tmp_path / "deep" / "out.py", "headings")
    assert result.notebooks == []
    assert (tmp_path / "deep" / "out.py").read_text().startswith('"""Title.')
