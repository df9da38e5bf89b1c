"""The state of the abstract run: what names are bound to, hidden state, files, modules."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from jupyter_mlops.pipeline.effects.flow import CellFlow, DefinitionText
from jupyter_mlops.pipeline.effects.heap import BLOB, UNCARRYABLE, Edges, Obj, Value, owners, reach

BUILTINS = frozenset(dir(builtins)) | {
    "get_ipython", "display", "__name__", "__file__", "__doc__", "__builtins__", "__spec__",
    "exit", "quit", "__IPYTHON__",
}  # fmt: skip
#: Kinds and packages whose use also reads hidden state, where a cell has set it.
READ_BY_KIND = {"pandas": "<pandas options>", "array": "<numpy options>", "figure": "<rcParams>"}
READ_BY_PACKAGE = {
    "pandas": "<pandas options>", "numpy": "<numpy options>", "matplotlib": "<rcParams>",
    "seaborn": "<rcParams>", "decimal": "<decimal>", "logging": "<logging>",
    "warnings": "<warnings>", "subprocess": "<environ>",
}  # fmt: skip
#: Parts of modules that are hidden state.
STATE_ATTRIBUTES = {
    "os.environ": "<environ>", "sys.path": "<sys.path>", "matplotlib.pyplot.rcParams": "<rcParams>",
    "matplotlib.rcParams": "<rcParams>", "pandas.options": "<pandas options>",
    "sys.modules": "<module:sys>", "warnings.filters": "<warnings>",
}  # fmt: skip
#: Kinds that are not changed by a call that may change all it can reach.
SOLID = frozenset({"module", "class", "function"})


class Binding:
    """What a notebook name is bound to, and by which cells (several after a branch)."""

    __slots__ = ("cells", "constant", "deleted", "text", "value")

    def __init__(
        self, value: Value, cells: frozenset[int], text: DefinitionText | None = None
    ) -> None:
        self.value = value
        self.cells = cells
        self.text = text
        self.deleted = False
        #: The statement that binds it to a literal, for definitions that need it.
        self.constant: DefinitionText | None = None


class World:
    """Everything that lasts from cell to cell."""

    def __init__(
        self,
        parameters: Iterable[str] = (),
        figures_last: bool = False,
        stars: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.names: dict[str, Binding] = {}
        self.states: dict[str, Obj] = {}
        self.files: dict[str, Obj] = {}
        self.modules: dict[str, Obj] = {}
        self.parameters = frozenset(parameters)
        self.figures_last = figures_last
        #: What star imports bind, by module: each name with its dotted path.
        self.stars = stars or {}
        #: Cells after which a name that nobody defines may exist after all, and why.
        self.open_cells: list[tuple[int, str]] = []
        #: Modules that were imported by a star, when it is not known what that binds.
        self.open_stars: list[str] = []
        self.displayed: list[int] = []
        self.patches: list[tuple[Obj, DefinitionText]] = []
        self.has_weak = False
        #: What cells asked Python or IPython to call whenever anything happens: (cell, functions).
        self.hooks: list[tuple[int, list[Obj]]] = []
        #: Functions that cells have put into modules and libraries' classes, by their name there.
        self.patched: dict[str, list[Obj]] = {}
        #: The definitions that made functions and classes.
        self.texts: dict[Obj, DefinitionText] = {}

    def state(self, key: str) -> Obj:
        """Return the object that stands for a piece of hidden state."""
        found = self.states.get(key)
        if found is None:
            found = self.states[key] = Obj("state", 0, key)
        return found

    def module(self, path: str) -> Obj:
        """Return the object of a module, or of anything in a module, by its dotted path."""
        found = self.modules.get(path)
        if found is None:
            found = self.modules[path] = Obj("module", 0, path)
            root = path.partition(".")[0]
            if root != path:
                found.hold([self.module(root)])
        return found


class Recorder:
    """Keeps the account of one cell: what it uses, changes, touches."""

    def __init__(self, world: World, flow: CellFlow) -> None:
        self.world = world
        self.flow = flow
        self.number = flow.number
        self.changed: set[Obj] = set()
        self._used: set[str] = set()
        self._seen: dict[str, set[Obj]] = {}
        #: How many objects were looked at since this was set to 0.
        self.visited = 0
        self.closed = False  # everything was changed already
        self._changed_deeply: dict[frozenset[Obj], int] = {}

    def use(self, name: str, binding: Binding) -> None:
        """Note that a notebook name is read: who bound it, and who changed what it reaches."""
        if name in self._used:
            return
        self._used.add(name)
        number, flow = self.number, self.flow
        flow.loads.add(name)
        producers = set(binding.cells)
        producers.discard(number)
        if producers:
            flow.inherits.add(name)
        if binding.deleted:
            flow.deleted_uses.add(name)
        if binding.text is not None:
            self._need(binding.text, name)
        for obj in self._reached(name, binding.value) if binding.value.objs else ():
            kind = obj.kind
            if kind == "state":
                self.read(obj.data)
                continue
            if obj.last != number and obj.last:
                producers.add(obj.last)
            if kind in READ_BY_KIND:
                self._read_if_set(READ_BY_KIND[kind])
            elif kind == "module":
                root = obj.data.partition(".")[0]
                if root in READ_BY_PACKAGE:
                    self._read_if_set(READ_BY_PACKAGE[root])
                self._read_if_set(f"<module:{root}>")
                if obj.last:
                    self._patched(name, obj)
            if kind == "figure":
                self._need_drawing()
            elif kind in UNCARRYABLE and obj.origin != number:
                flow.hold(name, obj.origin, UNCARRYABLE[kind])
            elif kind in ("class", "function") and obj in self.world.texts:
                text = self.world.texts[obj]
                self._need(text, None)
                if obj.last > text.cell or not self._is_the_one(obj, text):
                    flow.stale.append(text)
        if producers:
            flow.uses.setdefault(name, set()).update(producers)

    def _need_drawing(self) -> None:
        """Note the import of pyplot: it makes figures show themselves."""
        modules = self.world.modules.items()
        plotting = {n for path, obj in modules if path[:10] == "matplotlib" for n in obj.names}
        bindings = [self.world.names[name] for name in sorted(plotting & self.world.names.keys())]
        for text in (binding.text for binding in bindings):
            if text is not None:
                self._need(text, None)

    def _is_the_one(self, obj: Obj, text: DefinitionText) -> bool:
        """Tell whether a class or function is still what its name is bound to."""
        binding = self.world.names.get(text.names[0]) if text.names else None
        return binding is not None and obj in binding.value.objs

    def _reached(self, name: str, value: Value) -> list[Obj]:
        """Return what a name reaches, but for what it was found to reach before in this cell."""
        seen = self._seen.setdefault(name, set())
        found = [obj for obj in value.objs if obj not in seen]
        seen.update(found)
        for obj in found:  # it grows while it is walked
            for other in obj.content:
                if other not in seen:
                    seen.add(other)
                    found.append(other)
        return found

    def _patched(self, name: str, module: Obj) -> None:
        """Handle a module that a cell has changed: by that cell's text, or not at all."""
        for obj, text in self.world.patches:
            if obj is module and text.cell == module.last and still_valid(self.world, text):
                self._need(text, None)
                return
        if module.last != self.number:
            self.flow.hold(name, module.last, "a changed module cannot be handed over")

    def need_patch(self, name: str, functions: Iterable[Obj]) -> None:
        """Note that functions are called which cells have put into a library."""
        for function in functions:
            if function.origin == self.number:
                continue
            self.flow.uses.setdefault(f"<patched:{name}>", set()).add(function.origin)
            texts = [text for _, text in self.world.patches if text.cell == function.origin]
            for text in texts:
                self._need(text, None)
            if not texts:
                why = "a changed module cannot be handed over"
                self.flow.hold(name, function.origin, why)

    def _need_sharers(self) -> None:
        """Note what other values are made of that hold objects which this cell uses.

        They are handed over together with these, for shared objects stay shared.
        """
        found = {obj for seen in self._seen.values() for obj in seen if obj.kind not in SOLID}
        waiting = list(found)
        while waiting:
            for owner in waiting.pop().parents:
                if owner not in found and owner.kind != BLOB and owner.kind not in SOLID:
                    found.add(owner)
                    waiting.append(owner)
        made_of = {inner for obj in found for inner in obj.content if inner in self.world.texts}
        texts = {self.world.texts[obj] for obj in made_of} | self._imports_used()
        texts -= set(self.flow.needed_texts)
        earlier = [text for text in texts if text.cell < self.number]
        self.flow.shared_texts = sorted(earlier, key=lambda text: (text.cell, text.names))

    def _imports_used(self) -> set[DefinitionText]:
        """Return the imports that give what a value is a part of, as with ``f = module.f``."""
        paths = {obj.data for seen in self._seen.values() for obj in seen if obj.kind == "module"}
        found: set[DefinitionText] = set()
        for whole in {part for path in paths for part in _with_owners(path)}:
            module = self.world.modules.get(whole)
            names = module.names if module is not None else ()
            bindings = [self.world.names[name] for name in names if name in self.world.names]
            texts = [binding.text for binding in bindings if binding.text is not None]
            found |= set(sorted(texts, key=lambda text: (text.cell, text.names))[-1:])
        return found

    def _need(self, text: DefinitionText, name: str | None) -> None:
        if text.cell == self.number:
            return
        if text not in self.flow.needed_texts:
            self.flow.needed_texts.append(text)
            if not still_valid(self.world, text):
                self.flow.stale.append(text)
        if name is not None:
            self.flow.by_text.add(name)

    def forget(self, name: str) -> None:
        """Look at a name anew when it is read again: it was bound in between."""
        self._used.discard(name)

    def change(self, objs: Iterable[Obj], deep: bool = False) -> None:
        """Note that objects are changed in place; ``deep``: and whatever they reach."""
        if self.closed:
            return
        found = frozenset(objs)
        if deep or any(obj.kind == BLOB for obj in found):
            if self._changed_deeply.get(found) == Edges.count:
                return
            if not deep:
                self.change(obj for obj in found if obj.kind != BLOB)
                found = frozenset(obj for obj in found if obj.kind == BLOB)
                deep = True
            self._changed_deeply[found] = Edges.count
        reached = reach(found) if deep else found
        self.visited += len(reached)
        for obj in reached:
            if obj.kind == "state":
                self.touch(obj.data)
            elif obj.kind in SOLID and deep:
                continue
            elif obj.kind == "file-content":
                obj.last = self.number
                self.changed.add(obj)
                self.flow.touches |= obj.names
                self.flow.files_out.add(obj.data)
            else:
                obj.last = self.number
                self.changed.add(obj)

    def read(self, key: str) -> None:
        """Note that hidden state is read."""
        self.flow.looks.add(key)
        last = self.world.state(key).last
        if last and last != self.number:
            self.flow.uses.setdefault(key, set()).add(last)

    def _read_if_set(self, key: str) -> None:
        if key in self.world.states:
            self.read(key)

    def touch(self, key: str, replace: bool = False) -> None:
        """Note that hidden state is changed; ``replace``: whatever it was before."""
        if key == "<figure>" and not self.world.figures_last:
            return  # the notebook's figures end with their cell
        obj = self.world.state(key)
        if replace:
            self.flow.sets.add(key)
        else:
            if obj.last and obj.last != self.number:
                self.flow.uses.setdefault(key, set()).add(obj.last)
            self.flow.touches.add(key)
        obj.last = self.number

    def finish(self) -> None:
        """Turn the changed objects into the names that reach them."""
        for obj in owners(self.changed):
            self.flow.mutates |= obj.names
        self.flow.mutates -= self.flow.binds
        self._need_sharers()
        for text in self.flow.definitions:
            for name in text.names:
                binding = self.world.names.get(name)
                if binding is not None and binding.text is text:
                    self.flow.leaves_text.add(name)


@lru_cache(maxsize=4096)
def _with_owners(path: str) -> tuple[str, ...]:
    """Return a dotted path, and what it is a part of."""
    return tuple(path[: end.start()] for end in re.finditer(r"\.|$", path))


def still_valid(world: World, text: DefinitionText) -> bool:
    """Tell whether executing a definition's text now gives what it gave where it stands."""
    for name, before in text.needs.items():
        now = world.names.get(name)
        if now is not before:
            return False
        if now.text is None and any(obj.last > text.cell for obj in reach(now.value.objs)):
            return False
    return True
