from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest

from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.export import export_folder, structs
from jupyter_mlops.runtime.handover import models
from tests.notebooks import Cell
from tests.pipeline.exported import planned, read

CELLS: list[Cell] = [
    ("markdown", "# Prices\n\nWhat houses cost."),
    ("parameters", "import datetime\nrate: float = 2.0  # how much\n"
                   "day = datetime.date(2024, 1, 2)\ntimes = 3\nyear = day.year"),
    "%load_ext jupyter_mlops\nimport numpy as np\nimport beside_it\n\n\n"
    "def scaled(v):\n    return v * rate",
    ("markdown", "## Load\n\nFrom a file."),
    "values = np.array([float(line) for line in open('values.txt')])",
    "shared = {'values': values}",
    ("markdown", "## Scale"),
    "values *= beside_it.FACTOR\nbig = [scaled(v) for v in values]",
    "open('made.txt', 'w').write(str(len(big)))",
    ("markdown", "## Say"),
    "%mlops_log total=sum(big)\ntotal = float(sum(big)) * times",
    "print(total, year, day, open('made.txt').read(), shared['values'] is values)",
    ("markdown", "The end."),
]  # fmt: skip
BLOCK = "import sys\nfor name in ('jupyter_mlops', 'msgspec'):\n    sys.modules[name] = None\n"


def prepared(folder: Path, cells: list[Cell] = CELLS) -> tuple[Notebook, Path, list[Path]]:
    folder.mkdir(exist_ok=True)
    (folder / "values.txt").write_text("1\n2\n")
    (folder / "beside_it.py").write_text("from deeper_it import FACTOR\n")
    (folder / "deeper_it.py").write_text("FACTOR = 10\n")
    (folder / "unused.csv").write_text("")
    notebook = read(folder, cells)
    out = folder / "steps of it"
    return notebook, out, export_folder(notebook, planned(notebook), out)


def sources(path: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in nbformat.read(path, as_version=4).cells]


def test_what_is_in_the_folder(tmp_path: Path) -> None:
    _, out, paths = prepared(tmp_path)
    assert [path.name for path in paths] == ["01-load.ipynb", "02-scale.ipynb", "03-say.ipynb"]
    files = sorted(path.name for path in (out / "files").iterdir())
    assert files == ["beside_it.py", "deeper_it.py", "values.txt"]
    assert (out / "run.sh").read_text().count("papermill") == 3
    assert "papermill 02-scale.ipynb done/02-scale.ipynb" in (out / "README.md").read_text()
    for path in (out / "handover").iterdir():
        imports = re.findall(r"^\s*(?:from|import) (msgspec|jupyter_mlops)\b(?!\.capture)",
                             path.read_text(), re.MULTILINE)  # fmt: skip
        assert not imports, path


def test_each_notebook_says_what_goes_in_and_out(tmp_path: Path) -> None:
    _, _, paths = prepared(tmp_path)
    first, second, third = (sources(path) for path in paths)
    assert "- **Parameters**: `rate`" in second[0][1]
    assert "- **Inputs**: `values`" in second[0][1]
    assert "`big`" in second[0][1]
    assert "made.txt" in second[0][1]
    assert "- **Comes after**: `01-load`" in second[0][1]
    assert second[1] == ("code", "rate: float = 2.0  # how much")
    assert '_handover.begin("02-scale", parameters=["rate"])' in second[2][1]
    assert second[3] == ("markdown", "## Scale")
    assert second[-1][1].endswith("_handover.end()")
    assert ("markdown", "## Load\n\nFrom a file.") in first
    assert any(text.startswith("# %load_ext jupyter_mlops") for _, text in first)
    assert third[-2] == ("markdown", "The end.")
    tags = [c.metadata.get("tags") for c in nbformat.read(paths[1], as_version=4).cells]
    assert tags.count(["parameters"]) == 1


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    notebook = read(tmp_path, ["x = 1"])
    with pytest.raises(NotebookError, match="not empty"):
        export_folder(notebook, planned(notebook), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def _run(out: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the folder's script where neither this package nor msgspec can be imported."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(exist_ok=True)
    (hidden / "sitecustomize.py").write_text(BLOCK)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(hidden), "PATH": path}
    return subprocess.run(
        ["sh", out / "run.sh", *arguments],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def _printed(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))


@pytest.mark.slow
def test_plain_papermill_runs_the_folder_without_this_package(tmp_path: Path) -> None:
    _, out, _ = prepared(tmp_path)
    done = _run(out, tmp_path)
    assert done.returncode == 0, done.stderr
    said = _printed(out / "done" / "03-say.ipynb")
    assert "180.0 2024 2024-01-02 2 True" in said
    assert "total = 60.0" in said
    assert not (tmp_path / "made.txt").exists()

    done = _run(out, tmp_path, "-p", "rate", "3", "-p", "times", "1", "-p", "day", "2020-05-06")
    assert done.returncode == 0, done.stderr
    assert "90.0 2020 2020-05-06 2 True" in _printed(out / "done" / "03-say.ipynb")


@pytest.mark.slow
def test_steps_that_ran_with_other_parameters_are_not_mixed(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("parameters", "n = 3"),
        "# step: one\na = abs(n)",
        "# step: two\nb = a + n\nprint(b)",
    ]
    _, out, _ = prepared(tmp_path, cells)
    assert _run(out, tmp_path).returncode == 0
    script = out / "run.sh"
    script.write_text("\n".join(x for x in script.read_text().splitlines() if "01-one" not in x))
    done = _run(out, tmp_path, "-p", "n", "4")
    assert done.returncode != 0
    assert "n is 4 in the step 02-two, but was 3 in the step 01-one" in done.stderr


def test_the_stand_in_for_msgspec_does_what_msgspec_does() -> None:
    text = (Path(models.__file__)).read_text(encoding="utf-8")
    copied: dict[str, Any] = {"__name__": "copied_models", "msgspec": structs}
    module = type(sys)("copied_models")
    module.__dict__.update(copied)
    sys.modules["copied_models"] = module
    try:
        exec(text.replace("import msgspec", ""), module.__dict__)
        real = models.Committed(
            step="a", position=1, cells=[1], loaded={"x": 0}, milliseconds={"begin": 1.0},
            exported=[models.Exported(names=["x"], file="0", format="json", sha256="", size=3)],
            problems=[models.Carry(name="g", reason="It is a generator.")],
        )  # fmt: skip
        data = msgspec.json.encode(real)
        made = structs.json.Decoder(module.Committed).decode(data)
        assert made.exported[0].names == ["x"]
        assert made.milliseconds == {"begin": 1.0}
        assert json.loads(structs.json.encode(made)) == json.loads(data)
        for wrong in (b"{", b"[]", b'{"step": 3, "position": 1}', b"{}"):
            with pytest.raises(structs.DecodeError):
                structs.json.Decoder(module.Committed).decode(wrong)
        first, second = module.StepSpec(name="a", position=0), module.StepSpec(name="a", position=0)
        first.cells.append(1)
        assert second.cells == []
    finally:
        del sys.modules["copied_models"]
