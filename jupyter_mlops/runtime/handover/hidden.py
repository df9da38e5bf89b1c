"""Hidden state of a step: put back at its start, and compared at its end."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import logs, pickling, state
from jupyter_mlops.runtime.handover.models import CannotCarry, Carry, HandoverError
from jupyter_mlops.runtime.handover.scope import Scope
from jupyter_mlops.runtime.handover.store import STATE, Before

ENVIRON, PATH, CWD = "<environ>", "<sys.path>", "<cwd>"


class Hidden:
    """The state that no variable names, from begin to end of one step."""

    def __init__(self, scope: Scope, before: Before, work: Path) -> None:
        self._scope = scope
        self._before = before
        self._work = work
        self._environment = state.Environment()
        self._first: dict[str, Any] = {}
        self._late: set[str] = set()
        self._changed: list[str] = []
        self._files: dict[Path, dict[str, bytes]] = {}
        self.problems: list[Carry] = []

    def restore_environment(self) -> None:
        """Set variables, module path and working directory: definitions may look at them."""
        os.chdir(self._work)
        if ENVIRON in self._before.state:
            self._environment.apply(self._value(ENVIRON))
        if PATH in self._before.state:
            self._environment.apply_path(self._value(PATH))
        if CWD in self._before.state:
            self._change_directory(self._value(CWD))

    def _change_directory(self, path: str) -> None:
        target = self._work / path
        if not os.path.isabs(path):  # noqa: PTH117
            target.mkdir(parents=True, exist_ok=True)
        try:
            os.chdir(target)
        except OSError as error:
            raise HandoverError(
                f"The notebook changed its working directory to {path}, "
                f"which cannot be done in this step: {error.strerror}."
            ) from None

    def restore_rest(self) -> None:
        """Set everything else, random generators last; then note what it is."""
        keys = [entry.key for entry in state.TABLE if entry.key in self._before.state]
        state.restore({key: self._value(key) for key in keys})
        self._modules = set(sys.modules)
        self._first = {**state.snapshot(), **self._surroundings()}

    def _surroundings(self) -> dict[str, Any]:
        return {
            ENVIRON: self._environment.changes(),
            PATH: self._environment.path_changes(),
            CWD: self._directory(),
        }

    def _directory(self) -> str:
        try:
            here = Path.cwd()
        except FileNotFoundError:
            return "?"
        work = self._work.resolve()
        return str(here.relative_to(work)) if here.is_relative_to(work) else str(here)

    def _value(self, key: str) -> Any:
        folder, digest, step = self._before.state[key]
        if folder not in self._files:
            try:
                data = (folder / STATE).read_bytes()
            except OSError as error:
                raise HandoverError(
                    f"The state that the step {step} handed over cannot be read: {error.strerror}."
                ) from None
            self._files[folder] = _unpack(data)
        entry = self._files[folder].get(key, b"")
        if hashlib.sha256(entry).hexdigest() != digest:
            raise HandoverError(
                f"{key} of the step {step} is not what was committed: its SHA-256 differs."
            )
        return pickling.loads(entry, self._scope)

    def changes(self, folder: Path) -> dict[str, str]:
        """Write what changed since the start into a folder; return the digests."""
        now = {**state.snapshot(), **self._surroundings()}
        entries: dict[str, bytes] = {}
        imported = len(sys.modules) != len(self._modules)
        for key, value in now.items():
            known = key in self._first
            if known and self._first[key] == value:
                continue
            if not known or (imported and key == "<warnings>" and self._only_added(value)):
                self._late.add(key)
            try:
                self._check(key, value)
                entries[key], _ = pickling.dumps(value, self._scope)
            except CannotCarry as error:
                self.problems.append(Carry(name=key, reason=error.reason))
            self._changed.append(key)
        self._figures()
        if entries:
            (folder / STATE).write_bytes(_pack(entries))
        return {key: hashlib.sha256(data).hexdigest() for key, data in entries.items()}

    def _figures(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and pyplot.get_fignums():
            reason = "A figure is still open, and open figures cannot be handed over."
            self.problems.append(Carry(name="<figure>", type="figure", reason=reason))
            self._changed.append("<figure>")

    def _only_added(self, now: list[Any]) -> bool:
        """Say whether every filter of the start is still there, in its order."""
        rest = iter(now)
        return all(each in rest for each in self._first["<warnings>"])

    def _check(self, key: str, value: Any) -> None:
        if key == "<logging>":
            logs.check(self._first.get(key), value)
        if key == CWD:
            work = self._work.resolve()
            if value == "?" or (Path(value).is_absolute() and work.is_relative_to(value)):
                raise CannotCarry("The notebook left its working directory for one above it.")

    def undeclared(self, declared: list[str]) -> list[str]:
        """Return what changed although it was not declared, leaving out what imports do."""
        return [key for key in self._changed if key not in declared and key not in self._late]


def _pack(entries: dict[str, bytes]) -> bytes:
    head = b"".join(b"%s %d\n" % (key.encode(), len(data)) for key, data in entries.items())
    return head + b"\n" + b"".join(entries.values())


def _unpack(data: bytes) -> dict[str, bytes]:
    head, _, body = data.partition(b"\n\n")
    found: dict[str, bytes] = {}
    start = 0
    for line in head.splitlines():
        key, _, size = line.rpartition(b" ")
        if size.isdigit():
            found[key.decode("utf-8", "replace")] = body[start : start + int(size)]
            start += int(size)
    return found
