"""What a step hands on: the wanted names that it bound or changed, by the objects they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import definitions as text
from jupyter_mlops.runtime.handover import formats, reasons
from jupyter_mlops.runtime.handover.groups import Walk
from jupyter_mlops.runtime.handover.models import CannotCarry, Carry, Exported, StepSpec
from jupyter_mlops.runtime.handover.restore import Values
from jupyter_mlops.runtime.handover.scope import Scope, is_user_name
from jupyter_mlops.runtime.handover.store import Before

IMPORTED = "It was changed, but belongs to a module that each process imports anew."


class Exports:
    """Decides what to export, and writes it."""

    def __init__(self, spec: StepSpec, scope: Scope, values: Values, before: Before) -> None:
        self._spec = spec
        self._scope = scope
        self._values = values
        self._before = before
        self.exported: list[Exported] = []
        self.problems: list[Carry] = []
        self._changed: set[str] = set()
        self._find_text()
        self._wanted = before.needs_of(set(spec.wanted))
        self.deleted = sorted(
            name for name in values.first if name not in scope.namespace and name in self._wanted
        )

    def _find_text(self) -> None:
        """Find what later steps make from text, the classes of this step's own cells included."""
        namespace = self._scope.namespace
        defines = self._spec.defines or []
        self._scope.define(defines)
        own: list[str] = []
        if self._spec.defines is None:
            own = [n for n in self._scope.names() if self._scope.is_text(n, namespace[n])]
        self._own = {
            name
            for name in [*own, *defines]
            if name in namespace and self._values.first.get(name) is not namespace[name]
        }
        self._scope.define(own)

    def write(self, folder: Path) -> None:
        """Write every unit that changed; what cannot be handed over becomes a problem."""
        done: set[str] = set()
        while True:
            present = [n for n in self._present() if n not in done]
            if not present:
                return
            self._write(present, folder)
            done.update(present)
            # Functions by value may refer to names that no later cell mentions.
            more = {need for unit in self.exported for need in unit.needs}
            self._wanted |= self._before.needs_of(more)

    def _present(self) -> list[str]:
        names = self._scope.namespace
        return [name for name in names if name in self._wanted and is_user_name(name)]

    def _write(self, names: list[str], folder: Path) -> None:
        namespace = self._scope.namespace
        values = {name: namespace[name] for name in names}
        states = {name: self._state(name, value) for name, value in values.items()}
        parts = {
            name: list(state.values.values()) if state is not None else []
            for name, state in states.items()
            if self._is_text(name)
        }
        own = reasons.own_containers(namespace)
        walk = Walk(self._scope.is_everywhere, own)
        groups = walk.groups(values, parts)
        walk.memory.settle()
        for group in groups:
            self._write_group(group, values, states, folder, walk)

    def _is_text(self, name: str) -> bool:
        return self._scope.definition_of(self._scope.namespace[name]) == name

    def _state(self, name: str, value: Any) -> text.DefinitionState | None:
        return text.state_of(value) if self._is_text(name) else None

    def _write_group(
        self,
        group: list[str],
        values: dict[str, Any],
        states: dict[str, text.DefinitionState | None],
        folder: Path,
        walk: Walk,
    ) -> None:
        changed = [name for name in group if self._is_changed(name, states[name])]
        self._changed.update(changed)
        units = {self._values.units.get(name) for name in group}
        apart = len(group) > 1 and (len(units) > 1 or None in units)
        if not changed and not apart:
            return
        unit: dict[str, Any] = {}
        for name in group:
            state = states[name]
            if not self._is_text(name):
                unit[name] = values[name]
            elif state is not None and (state.values or name in changed):
                unit[name] = state
            elif text.cache_matters(values[name]):
                self._refuse_text(name, values[name], text.FILLED)
            elif state is None and name in changed and name not in self._own:
                self._refuse_text(name, values[name], IMPORTED)
        if not unit:
            return
        try:
            for name in group:
                if name in walk.refused:
                    raise CannotCarry(f"It holds {walk.refused[name]}.")
            number = len(self.exported)
            self.exported.append(formats.write(folder, number, unit, self._scope, walk))
        except CannotCarry as error:
            self._refuse(unit, error)

    def _is_changed(self, name: str, state: text.DefinitionState | None) -> bool:
        if name in self._own:
            # Made by this step's cells: what was set on it since cannot be told from its text.
            filled = text.cache_matters(self._scope.namespace[name])
            return filled or bool(state is not None and state.values)
        return self._values.is_changed(name)

    def _refuse_text(self, name: str, value: Any, reason: str) -> None:
        self.problems.append(Carry(name=name, type=formats.type_name(value), reason=reason))

    def _refuse(self, unit: dict[str, Any], error: CannotCarry) -> None:
        alone = len(unit) == 1
        for name, value in unit.items():
            others = ", ".join(each for each in unit if each != name)
            shared = "" if alone else f" It shares objects with {others}."
            self.problems.append(
                Carry(name=name, type=formats.type_name(value), reason=f"{error.reason}{shared}")
            )

    def undeclared(self) -> list[str]:
        """Return the names that changed although the step was not declared to write them."""
        declared = {*self._spec.writes, *(self._spec.defines or ())}
        return sorted((self._changed | set(self.deleted)) - declared)
