"""Runs a notebook with parameters, in the environment of this interpreter, by papermill."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlops.runtime import journal, kernel_capture, kernels, publication, scratch
from jupyter_mlops.runtime.emit import Emitter
from jupyter_mlops.runtime.failure import Failure
from jupyter_mlops.runtime.parameters import DERIVED, ParameterProblems, effective, validate

LIBRARY = Path(__file__).resolve().parents[2]


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to run: the options of ``python -m jupyter_mlops.runtime run``.

    ``timeout`` is in seconds, for the whole run. ``events`` is a file or ``-``. ``trace`` is a
    file for what each cell did (``trace.models.CellTrace``, JSON lines); it costs some time.
    """

    notebook: Path
    output: Path
    parameters: dict[str, Any] = {}
    journal: Path | None = None
    events: str | None = None
    capture_request: Path | None = None
    capture_dir: Path | None = None
    publication: Path | None = None
    cwd: Path | None = None
    timeout: float | None = None
    trace: Path | None = None


def run(request: RunRequest) -> int:
    """Run a notebook and return the exit code: 0, or 1 when the run did not succeed.

    Everything else is in the events and in the executed notebook.
    """
    emitter = Emitter(request.events)
    shown = request.parameters
    try:
        notebook = _read(request.notebook)
        if request.publication is not None:
            known = publication.decode(request.publication.read_bytes()).parameters
            values = validate(known, request.parameters)
            shown = effective(known, values)
        else:
            values = request.parameters
    except ParameterProblems as error:
        return _refuse(emitter, shown, "ParameterProblems", str(error))
    except (OSError, ValueError) as error:
        return _refuse(emitter, shown, type(error).__name__, str(error))
    with scratch.folder() as folder:
        return _run(request, notebook, values, shown, emitter, folder)


def _refuse(emitter: Emitter, shown: dict[str, Any], kind: str, why: str) -> int:
    found = Failure(ename=kind, evalue=why, stage="read")
    emitter.result("failed", shown, {}, found.to_event())
    return 1


def _read(path: Path) -> Any:
    import nbformat

    text = path.read_bytes()
    try:
        notebook = nbformat.reads(text.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except (nbformat.reader.NotJSONError, UnicodeDecodeError):
        raise ValueError(f"{path.name} is not a notebook: it is not JSON.") from None
    except nbformat.ValidationError as error:
        raise ValueError(f"{path.name} is not a valid notebook: {error.message}") from None
    except Exception as error:
        # nbformat takes the shape of what it reads for granted.
        raise ValueError(f"{path.name} is not a valid notebook: {error}") from None
    return notebook


def _run(
    request: RunRequest,
    notebook: Any,
    values: dict[str, Any],
    shown: dict[str, Any],
    emitter: Emitter,
    folder: Path,
) -> int:
    from jupyter_mlops.runtime.engine import Cancelled, State

    state = State(emitter, request.timeout)
    state.trace = request.trace and request.trace.absolute()
    state.request = request.capture_request and request.capture_request.absolute()
    state.cwd = request.cwd
    entries = (request.journal or folder / "journal.jsonl").absolute()
    environment = {
        **scratch.kernel_environment(folder),
        journal.VARIABLE: str(entries),
        "PYTHONPATH": _python_path(),
    }
    marked = _marked(notebook, request)
    outcome = "failed"
    with _stopped_by_signals(state):
        try:
            _papermill(marked, values, state, environment, request.cwd, folder)
            outcome = "failed" if state.failure else "succeeded"
        except Cancelled:
            outcome = "cancelled"
        except Exception as error:
            # The kernel did not start, or papermill itself failed: no cell is at fault.
            state.failure = Failure(ename=type(error).__name__, evalue=str(error), stage="start")
        finally:
            kernels.kill(state.process)
    executed = state.notebook if state.notebook is not None else marked
    try:
        _write(_finished(executed, request, outcome), request.output)
    except OSError as error:
        outcome = "failed"
        state.failure = Failure(ename=type(error).__name__, evalue=str(error), stage="write")
    found = state.failure.to_event() if state.failure else None
    emitter.result(outcome, shown, journal.metrics(entries), found)
    return 0 if outcome == "succeeded" else 1


def _python_path() -> str:
    """Return a search path on which the kernel finds this very package."""
    known = os.environ.get("PYTHONPATH", "")
    parts = [str(Path(part).absolute()) for part in known.split(os.pathsep) if part]
    return os.pathsep.join(parts if str(LIBRARY) in parts else [str(LIBRARY), *parts])


def _marked(notebook: Any, request: RunRequest) -> Any:
    """Number the cells, for papermill moves them, and add the cell that captures."""
    import nbformat

    from jupyter_mlops.runtime.engine import CAPTURE, CODE_INDEX, INDEX

    code = 0
    for index, cell in enumerate(notebook.cells):
        cell.metadata[INDEX] = index
        if cell.cell_type == "code":
            # What was put behind the parameters cell counts as that cell.
            code += DERIVED not in cell.metadata.get("tags", [])
            cell.metadata[CODE_INDEX] = code
    if request.capture_request is not None and request.capture_dir is not None:
        source = kernel_capture.source(
            request.capture_request.absolute(), request.capture_dir.absolute()
        )
        cell = nbformat.v4.new_code_cell(source)
        if notebook.nbformat_minor < 5:
            cell.pop("id", None)
        cell.metadata[CAPTURE] = True
        notebook.cells.append(cell)
    return notebook


def _papermill(
    notebook: Any,
    values: dict[str, Any],
    state: Any,
    environment: dict[str, str],
    cwd: Path | None,
    folder: Path,
) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from jupyter_mlops.runtime import engine

    engine.register()
    manager = kernels.make_manager_class(folder, environment, state.kernel_started)
    # Papermill also objects to cells tagged `raises-exception`, which are meant to fail.
    with suppress(PapermillExecutionError):
        papermill.execute_notebook(
            notebook,
            None,
            parameters=values,
            engine_name=engine.NAME,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=str(cwd) if cwd else None,
            state=state,
            manager_class=manager,
        )


@contextmanager
def _stopped_by_signals(state: Any) -> Iterator[None]:
    before = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, state.cancel)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finished(notebook: Any, request: RunRequest, outcome: str) -> Any:
    """Take our marks away, and say of every cell and of the notebook how it ended."""
    from papermill.execute import ERROR_MARKER_TAG

    from jupyter_mlops.runtime.engine import CAPTURE, CODE_INDEX, INDEX

    cells = [cell for cell in notebook.cells if not cell.metadata.get(CAPTURE)]
    if outcome == "succeeded":
        cells = [c for c in cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])]
    for cell in cells:
        cell.metadata.pop(INDEX, None)
        cell.metadata.pop(CODE_INDEX, None)
        told = cell.metadata.get("papermill")
        if told and told.get("status") == "running":
            told["status"] = "failed"
            told["exception"] = True
    notebook.cells = cells
    about = notebook.metadata.setdefault("papermill", {})
    # Names only: the executed notebook is shipped, the paths of this machine are not.
    about["input_path"] = request.notebook.name
    about["output_path"] = request.output.name
    about["exception"] = True if outcome != "succeeded" else None
    return notebook


def _write(notebook: Any, path: Path) -> None:
    """Write the notebook whole or not at all."""
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(nbformat.writes(notebook) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
