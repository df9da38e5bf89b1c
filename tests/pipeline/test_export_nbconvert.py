from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from nbconvert.utils.exceptions import ConversionException

from jupyter_mlops.pipeline.export.exporter import MlopsPipelineExporter
from tests.pipeline.exported import module, read

CELLS = ["import math", "# step: one\nx = math.sqrt(16)", "# step: two\ny = x + 1\nprint(y)"]


def test_the_entry_point_names_the_exporter() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    value = project["entry-points"]["nbconvert.exporters"]["mlops-pipeline"]
    point = EntryPoint("mlops-pipeline", value, "nbconvert.exporters")
    assert point.load() is MlopsPipelineExporter


def test_it_writes_what_the_export_writes(tmp_path: Path) -> None:
    notebook = read(tmp_path, CELLS)
    text, resources = MlopsPipelineExporter().from_filename(str(notebook.path))
    assert text == module(notebook)
    assert resources["output_extension"] == ".py"
    whole, _ = MlopsPipelineExporter(split="none").from_filename(str(notebook.path))
    assert whole.count("\ndef ") == 2


def test_what_cannot_be_converted_is_a_sentence(tmp_path: Path) -> None:
    notebook = read(tmp_path, ["%run other.py"])
    with pytest.raises(ConversionException, match="cell 1: The cell cannot become plain Python"):
        MlopsPipelineExporter().from_filename(str(notebook.path))


@pytest.mark.slow
def test_jupyter_nbconvert_finds_it(tmp_path: Path) -> None:
    notebook = read(tmp_path, CELLS)
    command = [sys.executable, "-m", "nbconvert", "--to", "mlops-pipeline", notebook.path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ran = subprocess.run([sys.executable, tmp_path / "notebook.py"], capture_output=True, text=True)
    assert ran.stdout == "5.0\n"
