"""What the notebook computes: run top to bottom, without anything of this project.

``Forked`` runs the cells in a forked process and is fast; ``Papermill`` is plain papermill with a
real kernel and is the official one. Both record the same.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, Self

import nbformat

from . import canonical
from .case import Case, write, write_files
from .recorded import CellRecord, Outputs, Recorded, Snapshot

ROOT = Path(__file__).resolve().parents[2]
# Sums must not depend on how many threads share the work.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
VALUES = "final-values.json"
HEAVY = re.compile(r"\b(numpy|pandas|sklearn|matplotlib|joblib)\b")


class Oracle(Protocol):
    """Runs a case and says what was seen."""

    def run(self, case: Case, parameters: Mapping[str, object] | None = None) -> Recorded:
        """Run the whole notebook; with parameters, as papermill injects them."""
        ...


def program(
    case: Case,
    parameters: Mapping[str, object] | None = None,
    only: Iterable[int] | None = None,
) -> list[tuple[int, str, bool]]:
    """The cells to run, as (number, source, may fail); the injected one has number 0."""
    wanted = set(only) if only is not None else None
    injected = "\n".join(f"{name} = {value!r}" for name, value in (parameters or {}).items())
    found: list[tuple[int, str, bool]] = []
    if injected and not case.tagged:
        found.append((0, injected, False))
    for number, source in enumerate(case.code, 1):
        if wanted is not None and number not in wanted:
            continue
        found.append((number, source, "raises-exception" in case.tags_of(number)))
        if number == 1 and injected and case.tagged:
            found.append((0, injected, False))
    return found


class Forked:
    """The fast oracle: forking processes, each of which runs one request at a time."""

    def __init__(self, workers: int = 1) -> None:
        """Start so many processes of each kind: with IPython only, and with heavy packages."""
        self._all: list[subprocess.Popen[str]] = []
        self._light = self._start(workers, "light")
        self._heavy = self._start(workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            if worker.stdin:
                worker.stdin.close()
            worker.wait()

    def _start(self, workers: int, *kind: str) -> queue.Queue[subprocess.Popen[str]]:
        idle: queue.Queue[subprocess.Popen[str]] = queue.Queue()
        for _ in range(workers):
            worker = subprocess.Popen(
                [sys.executable, "-m", "tests.equivalence.zygote", *kind],
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._all.append(worker)
            idle.put(worker)
        return idle

    def run(
        self,
        case: Case,
        parameters: Mapping[str, object] | None = None,
        only: Iterable[int] | None = None,
        *,
        snapshots: bool = False,
        trace: Path | None = None,
    ) -> Recorded:
        """Run a case, or ``only`` some of its cells, in a new process and a new folder.

        ``trace`` is a file for what each cell does, in the product's own form.
        """
        with tempfile.TemporaryDirectory(prefix="equivalence-") as place:
            folder, result = Path(place) / "notebook", Path(place) / "result.json"
            write_files(case, folder)
            request = {
                "cells": program(case, parameters, only),
                "folder": str(folder),
                "result": str(result),
                "snapshots": snapshots,
                "trace": str(trace) if trace else "",
            }
            heavy = any(HEAVY.search(source) for source in case.code)
            code = _ask(self._heavy if heavy else self._light, json.dumps(request))
            if not result.is_file():
                return Recorded([CellRecord(-1, error=f"process ended with {code}")])
            return _recorded(json.loads(result.read_text(encoding="utf-8")))


def _ask(idle: queue.Queue[subprocess.Popen[str]], request: str) -> str:
    """Have the next idle process run a request; returns its child's exit status."""
    worker = idle.get()
    try:
        assert worker.stdin and worker.stdout
        worker.stdin.write(request + "\n")
        worker.stdin.flush()
        return worker.stdout.readline().strip()
    finally:
        idle.put(worker)


def _recorded(data: dict[str, Any]) -> Recorded:
    return Recorded(
        [CellRecord(**one) for one in data["cells"]],
        data["values"],
        [Snapshot(**one) for one in data["snapshots"]],
    )


class Papermill:
    """The official oracle: plain papermill, and a last cell that writes the final values."""

    def run(self, case: Case, parameters: Mapping[str, object] | None = None) -> Recorded:
        """Run a case with a kernel of its own in a new folder."""
        import papermill

        with tempfile.TemporaryDirectory(prefix="equivalence-") as place, _environment(place):
            folder = Path(place) / "notebook"
            path = write(case, folder)
            node = nbformat.read(path, as_version=4)
            node.cells.append(nbformat.v4.new_code_cell(dump_source(Path(place) / VALUES)))
            source, done = Path(place) / "in.ipynb", Path(place) / "out.ipynb"
            nbformat.write(node, source)
            path.unlink()
            # The records say what failed; a cell tagged raises-exception also ends here.
            with suppress(papermill.PapermillExecutionError):
                papermill.execute_notebook(
                    source, done, dict(parameters or {}), cwd=folder, progress_bar=False
                )
            return read_executed(done, Path(place) / VALUES)


@contextmanager
def _environment(place: str) -> Iterator[None]:
    """Kernels without the user's own settings."""
    before = dict(os.environ)
    os.environ.update(ONE_THREAD, IPYTHONDIR=str(Path(place) / "ipython"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def dump_source(target: Path) -> str:
    """The source of a cell that writes the canonical values of all names to ``target``."""
    code = Path(canonical.__file__).read_text(encoding="utf-8")
    return (
        "def __write_values__():\n"
        "    import json, pathlib, sys\n"
        "    inside = {'__name__': 'canonical'}\n"
        f"    exec({code!r}, inside)\n"
        "    text = json.dumps(inside['names'](get_ipython().user_ns))\n"
        f"    pathlib.Path({str(target)!r}).write_text(text, encoding='utf-8')\n"
        "__write_values__()\n"
        "del __write_values__\n"
    )


def read_executed(notebook: Path, values: Path) -> Recorded:
    """What a notebook executed by papermill shows, without the cell that wrote the values."""
    node = nbformat.read(notebook, as_version=4)
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    code = [cell for cell in code if "papermill-error-cell-tag" not in _tags(cell)]
    records: list[CellRecord] = []
    number = 0
    for cell in code[:-1]:
        injected = "injected-parameters" in _tags(cell)
        number += 0 if injected else 1
        record = _outputs(cell, 0 if injected else number)
        records.append(record)
        if record.error and "raises-exception" not in _tags(cell):
            break
    found = json.loads(values.read_text(encoding="utf-8")) if values.is_file() else {}
    return Recorded(records, found)


def _tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _outputs(cell: Any, number: int) -> CellRecord:
    seen, error = Outputs(), ""
    for output in cell.outputs:
        if output.output_type == "stream":
            if output.name == "stdout":
                seen.stdout(output.text)
        elif output.output_type == "error":
            error = output.ename
        else:
            kind = "result" if output.output_type == "execute_result" else "display"
            seen.show(kind, output.data)
    return seen.record(number, error)
