"""The values of a step's start: loaded unit by unit, after the definitions."""

from __future__ import annotations

import functools
from typing import Any

from jupyter_mlops.runtime.handover import definitions as text
from jupyter_mlops.runtime.handover import formats
from jupyter_mlops.runtime.handover.fingerprint import Fingerprints
from jupyter_mlops.runtime.handover.models import Definition, HandoverError, StepSpec
from jupyter_mlops.runtime.handover.scope import Scope
from jupyter_mlops.runtime.handover.store import Before, Version
from jupyter_mlops.runtime.handover.walking import is_atom


class Values:
    """What was put into the namespace, and what it looked like then.

    ``loaded`` is the step from which each name came; ``units`` tells which names came together.
    """

    def __init__(
        self,
        spec: StepSpec,
        scope: Scope,
        before: Before,
        definitions: dict[str, Definition],
    ) -> None:
        self._spec = spec
        self._scope = scope
        self._before = before
        self._definitions = definitions
        self.loaded: dict[str, int] = {}
        self.units: dict[str, tuple[int, str]] = {}
        self.first: dict[str, Any] = {}
        self.prints = Fingerprints(scope)
        self._digests: dict[str, bytes | None] = {}

    def load(self) -> None:
        """Load what the step needs; raises ``HandoverError`` for all that is missing, at once."""
        spec = self._spec
        known = self._before.values
        missing = [
            self._missing(name)
            for name in dict.fromkeys([*spec.reads, *self._definitions])
            if self._is_lost(name) or (name in spec.reads and not self._is_there(name))
        ]
        if missing:
            raise HandoverError(" ".join(missing))
        asked = {*spec.reads, *spec.optional, *self._definitions}
        for name in self._in_order(self._before.needs_of(asked)):
            version = known[name]
            if name not in self.loaded and self._before.comes_after(name, self._definitions):
                self._load_unit(version)
        self._scope.refresh()

    def _in_order(self, names: set[str]) -> list[str]:
        """Return names to load: classes and functions first, for other values are made of them."""
        known = self._before.values
        found = [name for name in names if name in known]
        found.sort(key=lambda name: (not self._is_state(name), known[name].position, name))
        ordered: dict[str, None] = {}
        for name in found:
            self._after_needs(name, ordered, set())
        return list(ordered)

    def _after_needs(self, name: str, ordered: dict[str, None], above: set[str]) -> None:
        if name in ordered or name in above or name not in self._before.values:
            return
        above.add(name)
        for need in self._before.values[name].unit.needs:
            self._after_needs(need, ordered, above)
        ordered[name] = None

    def _is_state(self, name: str) -> bool:
        return name in self._definitions

    def _is_there(self, name: str) -> bool:
        return name in self._before.values or name in self._scope.namespace

    def _is_lost(self, name: str) -> bool:
        """Say whether the last value could not be handed over: text alone would not be it."""
        lost = self._before.lost.get(name)
        definition = self._definitions.get(name)
        return lost is not None and (definition is None or lost[2] >= definition.cell)

    def _missing(self, name: str) -> str:
        lost = self._before.lost.get(name)
        if lost is not None:
            step, problem, _ = lost
            return f"{name} is needed here, but the step {step} could not hand it over: " + (
                problem.reason
            )
        return f"{name} is needed here, but no earlier step made it."

    def _load_unit(self, version: Version) -> None:
        unit = version.unit
        values = formats.read(version.folder, unit, self._scope)
        for name, value in values.items():
            # Another name of the unit may have been bound anew since.
            current = self._before.values.get(name)
            if current is None or current.unit is not unit:
                continue
            if not self._before.comes_after(name, self._definitions):
                continue
            if type(value) is text.DefinitionState:
                if name in self._scope.namespace:
                    text.apply(name, self._scope.namespace[name], value)
                    self.loaded[name] = version.position
                    self.units[name] = (version.position, unit.file)
                continue
            self._scope.namespace[name] = value
            self.loaded[name] = version.position
            self.units[name] = (version.position, unit.file)

    def remember(self) -> None:
        """Note what everything is before the step's cells run."""
        namespace = self._scope.namespace
        wanted = self._before.needs_of({*self._spec.wanted, *(self._spec.defines or ())})
        for name in self._scope.names():
            value = self.first[name] = namespace[name]
            if name in wanted or self._scope.definition_of(value) == name:
                self._digests[name] = self._digest(name, value)

    def _digest(self, name: str, value: Any) -> bytes | None:
        if self._scope.definition_of(value) != name:
            return self.prints.of(value)
        state = text.state_of(value)
        if state is not None:
            return self.prints.of(state.values)
        if is_atom(value):
            return b"text"
        if isinstance(value, functools._lru_cache_wrapper):
            return b"filled" if text.cache_matters(value) else b"text"
        # An object of a module, by what it is made of: by itself it is but its name.
        try:
            return self.prints.of(value.__reduce_ex__(5))
        except Exception:
            return b"text"

    def is_changed(self, name: str) -> bool:
        """Say whether a name is bound to another object now, or its object was changed."""
        value = self._scope.namespace[name]
        if name not in self.first or self.first[name] is not value:
            return True
        if is_atom(value) and self._scope.definition_of(value) != name:
            return False
        if name not in self._digests:
            return True
        before = self._digests[name]
        return before is None or self._digest(name, value) != before
