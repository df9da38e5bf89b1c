"""Runs one step by papermill, in a forked kernel, between its begin and its end."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import msgspec
from nbclient.util import run_sync
from papermill.engines import papermill_engines

from jupyter_mlops.runtime import failure, journal, kernels, scratch
from jupyter_mlops.runtime import run as whole
from jupyter_mlops.runtime.emit import Emitter
from jupyter_mlops.runtime.engine import Client, Engine, State
from jupyter_mlops.runtime.failure import Failure
from jupyter_mlops.runtime.handover import kernel as inside
from jupyter_mlops.runtime.handover.models import Session
from jupyter_mlops.runtime.steps import forked

NAME = "mlops-steps"
PARAMETERS = "parameters"  # papermill's tag


class StepRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A step to run: one line on the server's standard input. ``timeout`` is in seconds."""

    id: str
    session: str
    notebook: str
    output: str
    parameters: dict[str, Any] = {}
    timeout: float | None = None
    journal: str | None = None
    environment: dict[str, str] = {}


class StepState(State):
    """A run's state, and where the step's session is."""

    session: Path
    committed: str | None = None
    undeclared: list[str]


class StepClient(Client):
    """Puts the notebook's state in place before the cells, and commits it after them."""

    state: StepState

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # What the step made is committed by then: nothing is lost with the kernel.
        super().__init__(*arguments, shutdown_kernel="immediate", **options)

    def papermill_execute_cells(self) -> bool:
        """Run begin, the cells and, if they succeed, end; return whether the kernel lives."""
        state = self.state
        if self._silently("begin") is None:
            return False
        alive = super().papermill_execute_cells()
        if state.failure is None:
            state.committed = self._silently("end")
        elif alive:
            kept, state.undeclared = state.failure, []
            told = self._silently("undeclared")
            state.failure = kept
            state.undeclared = ast.literal_eval(told) if told else []
        return alive

    def _silently(self, function: str) -> str | None:
        """Call a function in the kernel; return its text, or None after a failure."""
        call = inside.call(function, self.state.session)
        asked = self.kc.execute("", silent=True, user_expressions={"told": call})
        try:
            content = self._reply(asked)
        except TimeoutError:
            self._fail(failure.of_timeout(self.state.timeout or 0), function)
            return None
        except RuntimeError:
            code = self.state.process and self.state.process.poll()
            self._fail(failure.of_dead_kernel(code), function)
            return None
        told = content.get("user_expressions", {}).get("told", content)
        if told.get("status") == "ok":
            answer = json.loads(ast.literal_eval(told["data"]["text/plain"]))
            if "error" not in answer:
                return answer["text"] or ""
            told = answer["error"]
        self._fail(_failed(told), function)
        return None

    def _fail(self, found: Failure, stage: str) -> None:
        found.stage = stage
        self.state.failure = found

    async def _async_reply(self, asked: str) -> Any:
        """Wait for a reply as long as the kernel lives and the step has time."""
        while True:
            left = self.state.seconds_left(None)
            if left is not None and left <= 0.001:
                kernels.kill(self.state.process)
                raise TimeoutError
            try:
                message = await self.kc.get_shell_msg(timeout=min(left or 1, 1))
            except Empty:
                if not await self.kc.is_alive():
                    raise RuntimeError("The kernel ended.") from None
                continue
            if message["parent_header"].get("msg_id") == asked:
                return message["content"]

    _reply = run_sync(_async_reply)


def _failed(told: Any) -> Failure:
    lines = [failure.plain(line) for line in told.get("traceback", [])]
    tail = [line for part in lines for line in part.splitlines() if line.strip()]
    return Failure(
        ename=str(told.get("ename", "")),
        evalue=failure.plain(str(told.get("evalue", ""))),
        traceback_tail=tail[-failure.TAIL :],
    )


class StepEngine(Engine):
    """The engine of runs, with the client of steps."""

    client_class = StepClient


def register() -> None:
    """Make the engine known to papermill."""
    papermill_engines.register(NAME, StepEngine)


def run_step(request: StepRequest, zygote: forked.Zygote, emitter: Emitter) -> dict[str, Any]:
    """Run a step and return its result: state, error, committed, undeclared, metrics."""
    try:
        session = msgspec.json.decode(Path(request.session).read_bytes(), type=Session)
        notebook = whole._read(Path(request.notebook))
    except (OSError, ValueError) as error:
        found = Failure(ename=type(error).__name__, evalue=str(error), stage="read")
        return {"state": "failed", "error": found.to_event(), "committed": None}
    with scratch.folder() as folder:
        return _run(request, session, notebook, zygote, emitter, folder)


def _run(
    request: StepRequest,
    session: Session,
    notebook: Any,
    zygote: forked.Zygote,
    emitter: Emitter,
    folder: Path,
) -> dict[str, Any]:
    state = StepState(emitter, request.timeout)
    state.session = Path(request.session).absolute()
    state.undeclared = []
    work = Path(session.work) if session.work else folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    entries = Path(request.journal or folder / "journal.jsonl")
    environment = {
        **request.environment,
        **scratch.kernel_environment(folder),
        journal.VARIABLE: str(entries.absolute()),
        "PYTHONPATH": whole._python_path(),
    }
    asked = whole.RunRequest(notebook=Path(request.notebook), output=Path(request.output))
    marked = whole._marked(notebook, asked)
    outcome = "failed"
    try:
        _papermill(marked, request, state, zygote, environment, folder, work)
        outcome = "failed" if state.failure else "succeeded"
    except Exception as error:
        # The kernel did not start, or papermill itself failed: no cell is at fault.
        state.failure = Failure(ename=type(error).__name__, evalue=str(error), stage="start")
    finally:
        kernels.kill(state.process)
    executed = state.notebook if state.notebook is not None else marked
    try:
        whole._write(whole._finished(executed, asked, outcome), asked.output)
    except OSError as error:
        outcome = "failed"
        state.failure = Failure(ename=type(error).__name__, evalue=str(error), stage="write")
    return {
        "state": outcome,
        "error": state.failure.to_event() if state.failure else None,
        "committed": state.committed if outcome == "succeeded" else None,
        "undeclared": state.undeclared,
        "metrics": journal.metrics(entries),
    }


def _papermill(
    notebook: Any,
    request: StepRequest,
    state: StepState,
    zygote: forked.Zygote,
    environment: dict[str, str],
    folder: Path,
    work: Path,
) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    tagged = any(PARAMETERS in cell.metadata.get("tags", []) for cell in notebook.cells)
    manager = forked.make_manager_class(
        zygote, folder, environment, str(work), state.kernel_started
    )
    # Papermill also objects to cells tagged `raises-exception`, which are meant to fail.
    with suppress(PapermillExecutionError):
        papermill.execute_notebook(
            notebook,
            None,
            parameters=request.parameters if tagged else {},
            engine_name=NAME,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            state=state,
            manager_class=manager,
        )
