"""One step of a pipeline: what it finds at its start, and what it commits at its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import opened
from jupyter_mlops.runtime.handover.exports import Exports
from jupyter_mlops.runtime.handover.files import StepFiles
from jupyter_mlops.runtime.handover.foreign import Modules
from jupyter_mlops.runtime.handover.hidden import Hidden
from jupyter_mlops.runtime.handover.models import (
    Carry,
    Committed,
    Definition,
    HandoverError,
    Session,
)
from jupyter_mlops.runtime.handover.restore import Values
from jupyter_mlops.runtime.handover.scope import Scope
from jupyter_mlops.runtime.handover.store import Before, Commit


class StepSession:
    """Puts the notebook's state in place, and hands on what the step changed.

    ``execute`` runs the text of a definition in ``namespace`` and raises what it raises.
    """

    def __init__(
        self, session: Session, namespace: dict[str, Any], execute: Callable[[str], None]
    ) -> None:
        self._session = session
        self._spec = session.spec
        self._execute = execute
        self.scope = Scope(namespace)
        self._milliseconds: dict[str, float] = {}

    def begin(self) -> None:
        """Make the namespace and the process what the notebook would have at this point.

        Raises ``HandoverError`` naming everything that is missing.
        """
        started = time.perf_counter()
        session = self._session
        work = Path(session.work) if session.work else Path.cwd()
        self._before = Before(session.before)
        self._add_paths()
        self._hidden = Hidden(self.scope, self._before, work)
        self._hidden.restore_environment()
        self._files = StepFiles(work, Path(session.beside), self._before, session.above)
        self._files.place(self._spec.files_read)  # modules that are imported may be among them
        self._run_definitions()
        self._values = Values(self._spec, self.scope, self._before, self._definitions)
        self._values.load()
        self._hidden.restore_rest()
        self._values.remember()
        self._modules = Modules(self.scope.namespace, [session.beside, *session.python_path])
        self._opened = opened.start()
        self._milliseconds["begin"] = (time.perf_counter() - started) * 1000

    def _add_paths(self) -> None:
        for path in reversed(self._session.python_path):
            if path not in sys.path:
                sys.path.insert(0, path)

    def _run_definitions(self) -> None:
        self._definitions: dict[str, Definition] = {}
        for definition in self._spec.definitions:
            try:
                self._execute(definition.source)
            except Exception as error:
                what = ", ".join(definition.names) or "a setup line"
                raise HandoverError(
                    f"{what} of cell {definition.cell} cannot be defined in this step: "
                    f"{type(error).__name__}: {error}."
                ) from error
            self._definitions.update(dict.fromkeys(definition.names, definition))
        for name, cell in self._before.deleted.items():
            if name in self._definitions and cell >= self._definitions[name].cell:
                del self._definitions[name]
                self.scope.namespace.pop(name, None)
        self.scope.define(self._definitions)

    def end(self) -> Committed:
        """Find what the step changed, and commit it as a whole; raises ``OSError``."""
        started = time.perf_counter()
        opened.stop()
        spec = self._spec
        commit = Commit(self._session.out, self._session.durable)
        try:
            state = self._hidden.changes(commit.folder)
            exports = Exports(spec, self.scope, self._values, self._before)
            exports.write(commit.folder)
            files, removed = self._files.collect(commit.folder)
            undeclared = [
                *exports.undeclared(),
                *self._hidden.undeclared(spec.state),
                *self._undeclared_files(files, removed),
            ]
            self._milliseconds["end"] = (time.perf_counter() - started) * 1000
            committed = Committed(
                step=spec.name,
                position=spec.position,
                cells=spec.cells,
                loaded=self._values.loaded,
                exported=exports.exported,
                deleted=exports.deleted,
                state=state,
                files=files,
                removed_files=removed,
                undeclared=list(dict.fromkeys(undeclared)),
                network=self._opened.network,
                problems=[
                    *exports.problems,
                    *self._hidden.problems,
                    *self._files.problems,
                    *self._of_modules(),
                ],
                milliseconds=self._milliseconds,
            )
            self.manifest = commit.finish(committed)
        except BaseException:
            commit.discard()
            raise
        return committed

    def asked(self) -> list[str]:
        """Return the undeclared files that the step opened: for one that failed half way."""
        opened.stop()
        watched = getattr(self, "_opened", None)
        return self._files.undeclared(watched) if watched is not None else []

    def _undeclared_files(self, files: dict[str, str], removed: list[str]) -> list[str]:
        state = set(self._spec.state)
        read = self._files.undeclared(self._opened)
        if "*" in self._spec.files_read or "<files>" in state:
            read = [each for each in read if each != "<files>"]
        changed = [f"<file:{path}>" for path in (*files, *removed) if not path.endswith("/")]
        return [*read, *(each for each in changed if not {each, "<files>"} & state)]

    def _of_modules(self) -> list[Carry]:
        return [
            Carry(
                name=f"<module:{name}>",
                type="module",
                reason=f"{name}.{attribute} was set, and each process imports {name} anew.",
            )
            for name, attribute in self._modules.changed().items()
        ]
