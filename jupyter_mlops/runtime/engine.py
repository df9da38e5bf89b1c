"""Papermill's engine for a run: progress by events, and states that do not lie.

Papermill on its own rewrites the notebook at every cell, and marks the cells of a killed kernel
as completed. Here the notebook is written once, at the end, and the cell at which it ended says
how.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from jupyter_mlops.runtime import failure, kernel_capture, kernels
from jupyter_mlops.runtime.emit import Emitter
from jupyter_mlops.runtime.failure import Failure
from jupyter_mlops.runtime.trace import schedule

NAME = "mlops-runtime"
INDEX = "mlops_index"
CODE_INDEX = "mlops_code_index"
CAPTURE = "mlops_capture"


class Cancelled(BaseException):
    """The run was told to stop; not an ``Exception``, so that nobody takes it for an error."""


class State:
    """What is known of a run while it goes on; shared by the runner, the engine and signals."""

    def __init__(self, emitter: Emitter, timeout: float | None) -> None:
        self.emitter = emitter
        self.timeout = timeout
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.process: Any = None
        self.cancelled = False
        self.failure: Failure | None = None
        self.notebook: Any = None
        self.trace: Path | None = None
        self.request: Path | None = None
        self.cwd: Path | None = None
        self.done = 0
        self.total = 0

    def kernel_started(self, process: Any) -> None:
        """Remember the kernel's process, for it must not outlive the run."""
        self.process = process
        if self.cancelled:
            self.cancel()

    def cancel(self, *_: Any) -> None:
        """Stop the run at once: a signal handler."""
        self.cancelled = True
        if self.process is not None:
            kernels.kill(self.process)
            raise Cancelled

    def seconds_left(self, cell: Any) -> float | None:
        """Return how long a cell may take: what is left of the whole run's time."""
        return None if self.deadline is None else max(0.001, self.deadline - time.monotonic())


class Client(PapermillNotebookClient):  # type: ignore[misc]
    """Runs the cells; stops at the first one that fails, and says how it failed."""

    state: State

    def execute(self, **kwargs: Any) -> Any:
        """Run the notebook; a kernel that died is asked nothing afterwards."""
        self.reset_execution_trackers()
        with self.setup_kernel(**kwargs):
            if self.state.trace is not None:
                self._begin_trace(self.state.trace)
            if self.state.request is not None:
                source = kernel_capture.tapping(self.state.request)
                self.wait_for_reply(self.kc.execute(source, silent=True, store_history=False))
            if self.papermill_execute_cells():
                info = self.wait_for_reply(self.kc.kernel_info())
                self.nb.metadata["language_info"] = info["content"]["language_info"]
                self.set_widgets_metadata()
            else:
                kernels.kill(self.state.process)
        return self.nb

    def _begin_trace(self, path: Path) -> None:
        """Have the kernel trace the cells; silently, so that they keep their execution counts."""
        source = schedule.setup(
            self.nb.cells,
            path,
            self.state.cwd or Path.cwd(),
            number_key=CODE_INDEX,
            own_key=CAPTURE,
            skip_tag=self.skip_cells_with_tag,
        )
        self.wait_for_reply(self.kc.execute(source, silent=True, store_history=False))

    def papermill_execute_cells(self) -> bool:
        """Run cell after cell; return whether the kernel is still alive."""
        state = self.state
        state.total = sum(_counts(cell) for cell in self.nb.cells)
        for index, cell in enumerate(self.nb.cells):
            if _counts(cell):
                state.emitter.progress(state.done, state.total, _label(cell))
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                state.failure = _placed(_raised(cell, error), cell)
                break
            except (DeadKernelError, CellTimeoutError) as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                state.failure = _placed(self._ended(error), cell)
                _add_error(cell, state.failure)
                return False
            except BaseException as error:
                # Cancelled: papermill would say that the cell was completed.
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)
            if _counts(cell):
                state.done += 1
        else:
            state.emitter.progress(state.done, state.total, "")
        return True

    def _ended(self, error: Exception) -> Failure:
        if isinstance(error, CellTimeoutError):
            return failure.of_timeout(self.state.timeout or 0)
        process = self.state.process
        return failure.of_dead_kernel(None if process is None else process.poll())

    def log_output_message(self, output: Any) -> None:
        """Pass printed lines on as events."""
        if output.output_type == "stream":
            level = "info" if output.name == "stdout" else "warning"
            for line in failure.plain("".join(output.text)).splitlines():
                self.state.emitter.log(line, level)


class Engine(NBClientEngine):  # type: ignore[misc]
    """Registered with papermill by name for the time of one run."""

    client_class: ClassVar[type[Client]] = Client

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        state: State,
        manager_class: type[Any],
        start_timeout: int = 60,
        **_: Any,
    ) -> Any:
        """Run the notebook of papermill's manager."""
        state.notebook = nb_man.nb
        client = cls.client_class(
            nb_man,
            kernel_name=kernel_name,
            kernel_manager_class=manager_class,
            startup_timeout=start_timeout,
            timeout_func=state.seconds_left,
            log_output=True,
        )
        client.state = state
        return client.execute()


def register() -> None:
    """Make the engine known to papermill."""
    papermill_engines.register(NAME, Engine)


def _counts(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip() and not cell.metadata.get(CAPTURE))


def _label(cell: Any) -> str:
    number = cell.metadata.get(CODE_INDEX)
    return "parameters" if number is None else f"cell {number}"


def _placed(found: Failure, cell: Any) -> Failure:
    found.index = cell.metadata.get(INDEX)
    found.cell = cell.metadata.get(CODE_INDEX)
    if cell.metadata.get(CAPTURE):
        found.stage = "capture"
    elif found.index is None:
        found.stage = "parameters"
    return found


def _raised(cell: Any, error: CellExecutionError) -> Failure:
    for output in cell.outputs:
        if output.output_type == "error":
            found = failure.of_output(output)
            if found.ename == "SystemExit":
                found.evalue = (
                    f"sys.exit({found.evalue}) was called; the cells after it did not run."
                )
            return found
    return Failure(ename=str(error.ename), evalue=failure.plain(str(error.evalue)))


def _add_error(cell: Any, found: Failure) -> None:
    cell.outputs.append(
        nbformat.v4.new_output(
            "error", ename=found.ename, evalue=found.evalue, traceback=[found.evalue]
        )
    )
