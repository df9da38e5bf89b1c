from __future__ import annotations

from pathlib import Path

from jupyter_mlops import notebook
from jupyter_mlops.pipeline import files
from tests.notebooks import make


def test_files_beside_the_notebook_are_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rain.csv").write_text("a\n1\n")
    (tmp_path / "tools.py").write_text("")
    path = make(
        tmp_path / "n.ipynb",
        ["import tools", "read('data/rain.csv')\nread('data')\nread('gone.csv')\nx = 'tools.py'"],
    )
    assert files.beside(notebook.read(path)) == {"data/rain.csv": 2}
