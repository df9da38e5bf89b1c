"""The tracer in a real run, and what it leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_mlops.pipeline.trace import edges, problems, read
from jupyter_mlops.runtime.trace import hazards

from .conftest import REPOSITORY

CELLS = [
    "alpha = 1",
    "",
    "import numpy as np\nnp.random.seed(int(alpha))\n"
    "def noise(n):\n    return alpha * np.random.rand(n)",
    "rows = [noise(2)]",
    "rows.append(noise(2))\nnp.save('rows.npy', rows)",
    "total = float(np.load('rows.npy').sum())\ntotal",
    "1 / 0",
    "print(rows[-1])",
]  # fmt: skip


def run(folder: Path, *options: str, **variables: str) -> tuple[int, Any]:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A title")])
    tags = {0: ["parameters"], 6: ["raises-exception"]}
    for number, source in enumerate(CELLS):
        metadata = {"tags": tags[number]} if number in tags else {}
        made.cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    nbformat.write(made, folder / "in.ipynb")
    command = [sys.executable, "-m", "jupyter_mlops.runtime", "run", "--events", "-"]
    command += ["--notebook", "in.ipynb", "--output", "out.ipynb", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert json.loads(done.stdout.splitlines()[-1])["value"]["state"] == "succeeded", done.stdout
    return done.returncode, nbformat.read(folder / "out.ipynb", as_version=4)


@pytest.mark.slow
def test_a_real_run(tmp_path: Path) -> None:
    given = ["--parameters", '{"alpha": 3}']
    (tmp_path / "plain").mkdir()
    (tmp_path / "traced").mkdir()
    _, plain = run(tmp_path / "plain", *given)
    _, traced = run(tmp_path / "traced", *given, "--trace", "trace.jsonl")

    def shown(made: Any) -> list[Any]:
        return [
            (cell.source, cell.get("execution_count"), cell.get("outputs")) for cell in made.cells
        ]

    assert shown(traced) == shown(plain)
    assert "mlops" not in (tmp_path / "traced" / "out.ipynb").read_text()
    path = tmp_path / "traced" / "trace.jsonl"
    assert problems(path) == []
    found = read(path)
    assert [each.number for each in found] == [1, 3, 4, 5, 6, 7, 8]
    assert found[2].read == ["alpha", "noise", "np"]
    assert found[3].files_written == ["rows.npy"]
    assert found[5].error == "ZeroDivisionError"
    wanted = {
        (1, 3, "alpha"), (1, 4, "alpha"), (3, 4, "noise"), (3, 4, "<rng:numpy>"), (4, 5, "rows"),
        (4, 5, "<rng:numpy>"), (5, 6, "<file:rows.npy>"), (5, 8, "rows"),
    }  # fmt: skip
    assert wanted <= set(edges(found))
    assert not {(4, 8, "rows"), (4, 6, "rows")} & set(edges(found))


@pytest.mark.slow
def test_a_trace_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    run(tmp_path, "--trace", "absent/trace.jsonl")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import numba", ["numba"]),
        ("from numba import njit\n@njit\ndef f(): pass", ["njit", "numba"]),
        ("torch.jit.script(f)", ["torch.jit"]),
        ("from multiprocessing import Pool", ["multiprocessing"]),
        ("f.__code__.co_names", ["__code__", "co_names"]),
        ("import pandas as pd\nnp.vectorize(f)\ndisplay(x.ray)", []),
    ],
)
def test_hazards(text: str, words: list[str]) -> None:
    assert hazards.found([text]) == words
