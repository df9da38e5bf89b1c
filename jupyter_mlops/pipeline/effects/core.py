"""The interpreter's memory: names in their scopes, new objects, branches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_mlops.pipeline.effects.flow import CellFlow
from jupyter_mlops.pipeline.effects.heap import (
    ATOM,
    BLOB,
    CONTAINERS,
    PAIRS,
    Obj,
    Value,
    owners,
    reach,
    union,
)
from jupyter_mlops.pipeline.effects.parts import Parts
from jupyter_mlops.pipeline.effects.scope import Scope
from jupyter_mlops.pipeline.effects.world import BUILTINS, Binding, Recorder, World

#: Statements in functions that are interpreted for one cell; the rest is taken for the worst.
BUDGET = 500
#: How code is compiled, as imports from ``__future__`` change it.
FUTURE = "<future>"
OBJECTS_A_STATEMENT = 20  # looking at so many objects costs as much as a statement


class Frame:
    """The names of a function that is being interpreted, or of a class body."""

    __slots__ = ("captured_by", "inner", "names", "outer", "results", "scope", "yields")

    def __init__(self, scope: Scope, outer: Frame | None) -> None:
        self.scope = scope
        self.outer = outer
        self.inner = False  # of a comprehension: ``:=`` binds outside of it
        self.names: dict[str, Value] = {}
        self.results: list[Value] = []
        self.yields: list[Value] = []
        #: Functions that were made inside, and see its names for as long as they live.
        self.captured_by: list[Obj] = []


class Core(Parts):
    """What every part of the interpreter builds on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.frame: Frame | None = None
        self.source_lines: list[str] = []
        #: Greater than 0 inside code that may not be executed.
        self.weak = 0
        self._bound: list[set[str]] = []
        self.class_frames: set[Frame] = set()
        self._needs: dict[str, Binding] | None = None
        self._looping = 0

    def begin(self, flow: CellFlow) -> None:
        """Start the account of a cell."""
        self.flow = flow
        self.number = flow.number
        self.recorder = Recorder(self.world, flow)
        self.calls_seen: dict[Any, Value] = {}
        self.stack: list[Obj] = []
        #: How many statements in functions may still be interpreted for this cell.
        self.budget = BUDGET
        #: Stands for everything, once the budget is used up.
        self.rest: Obj | None = None
        #: What calls that are not followed give, by what they were given.
        self.stopped: dict[frozenset[Obj], Value] = {}
        self.called_back: dict[Obj, set[Obj]] = {}
        self.found_functions: dict[tuple[frozenset[Obj], bool], tuple[int, list[Obj]]] = {}

    def give_up(self) -> None:
        """Leave whatever is being interpreted: the next statement is one of the cell itself."""
        self.frame = None
        self.weak = self._looping = 0
        self._bound.clear()
        self.stack.clear()
        self._needs = None

    def evaluate_annotation(self, node: ast.expr) -> None:
        """Evaluate an annotation: a value, or with an import from ``__future__`` a text."""
        if FUTURE in self.world.states:
            self.recorder.read(FUTURE)
        self.evaluate(node)

    # --- names ----------------------------------------------------------------------------
    def load(self, name: str) -> Value:
        """Return what a name may be, looked up as Python does."""
        frame = self.frame
        while frame is not None:
            if name in frame.names and name not in frame.scope.elsewhere:
                return frame.names[name]
            frame = frame.outer
        binding = self.world.names.get(name)
        if binding is None:
            return self._unbound(name)
        self.recorder.use(name, binding)
        if self._needs is not None:
            self._needs[name] = binding
        value = binding.value
        if name in self.world.parameters and value.fixed:
            return Value(value.objs, value.const, fixed=False)
        return value

    def _unbound(self, name: str) -> Value:
        self.flow.loads.add(name)
        self.flow.inherits.add(name)
        opened = self.world.open_cells
        for cell, _ in opened:
            if cell != self.number:
                self.flow.uses.setdefault(name, set()).add(cell)
        if name in BUILTINS:
            patched = self.world.module("builtins").last
            if patched and patched != self.number:
                self.flow.uses.setdefault(name, set()).add(patched)
                why = "a changed module cannot be handed over"
                self.flow.hold(name, patched, why)
            return Value(frozenset({self.world.module(f"builtins.{name}")}))
        if self._is_history(name):
            return self.new("unknown")
        if not opened:
            self.flow.undefined.add(name)
        stars = [self.world.module(f"{module}.{name}") for module in self.world.open_stars]
        return union(map(self.as_value, stars)) if stars else self.new("unknown")

    def _is_history(self, name: str) -> bool:
        """Handle ``_``, ``__``, ``_3``, ``Out`` and ``In``: what IPython keeps of old cells."""
        if name not in ("_", "__", "___", "Out", "In", "_ih", "_oh") and not (
            name[:1] == "_" and name.lstrip("_i").isdigit()
        ):
            return False
        shown = [cell for cell in self.world.displayed if cell != self.number]
        if shown and name not in ("In", "_ih"):
            first = shown[0] if name in ("Out", "_oh") or name[-1].isdigit() else shown[-1]
            self.flow.uses.setdefault(name, set()).update(c for c in shown if c >= first)
            self.flow.hold(name, first, "IPython's history cannot be handed over")
            self.flow.note(f"it reads IPython's history ({name})")
        return True

    def bind(self, name: str, value: Value) -> None:
        """Bind a name in the scope that Python would."""
        frame = self.frame
        if frame is not None:
            if name in frame.scope.outer:
                owner = frame.outer
                while owner is not None and name not in owner.names:
                    owner = owner.outer
                if owner is not None:
                    owner.names[name] |= value
                    for function in owner.captured_by:
                        function.hold(value.objs)
                    self.recorder.change(owner.captured_by)
                    return
            elif name not in frame.scope.elsewhere:
                old = frame.names.get(name)
                frame.names[name] = value if old is None or not self.weak else old | value
                if self._bound:
                    self._bound[-1].add(name)
                return
        self._bind_global(name, value, strong=frame is None and not self.weak)

    def _bind_global(self, name: str, value: Value, strong: bool) -> None:
        old = self.world.names.get(name)
        own = frozenset({self.number})
        if old is not None and not strong:
            binding = Binding(old.value | value, old.cells | own)
            binding.deleted = old.deleted
            self.flow.may_bind.add(name)
        else:
            binding = Binding(value, own)
            (self.flow.binds if strong else self.flow.may_bind).add(name)
            for obj in old.value.objs if old else ():
                obj.names.discard(name)
            if old is not None and self.world.has_weak:
                self.recorder.change(o for o in owners(old.value.objs) if o.kind == "weak")
        for obj in binding.value.objs:
            obj.names.add(name)
        self.world.names[name] = binding
        self.flow.deletes.discard(name)
        self.recorder.forget(name)
        if self._bound:
            self._bound[-1].add(name)

    def unbind(self, name: str) -> None:
        """Handle ``del name``."""
        frame = self.frame
        if frame is not None and name not in frame.scope.elsewhere:
            frame.names.pop(name, None)
            return
        self.load(name)
        self._bind_global(name, ATOM, strong=frame is None and not self.weak)
        self.world.names[name].deleted = True
        self.flow.deletes.add(name)
        self.flow.may_delete.add(name)

    @contextmanager
    def inner_names(self) -> Iterator[None]:
        """Give comprehensions a scope of their own, in which they still see everything."""
        self.frame = Frame(Scope(), self.frame)
        self.frame.inner = True
        saved = self.weak
        try:
            yield
        finally:
            self.weak = saved
            self.frame = self.frame.outer

    # --- branches -------------------------------------------------------------------------
    @contextmanager
    def maybe(self) -> Iterator[None]:
        """Interpret code that may not be executed."""
        self.weak += 1
        try:
            yield
        finally:
            self.weak -= 1

    @contextmanager
    def branch(self) -> Iterator[set[str]]:
        """Interpret one of several branches, and yield the names that it binds."""
        bound: set[str] = set()
        self._bound.append(bound)
        self.weak += 1
        try:
            yield bound
        finally:
            self.weak -= 1
            self._bound.pop()

    @contextmanager
    def rounds(self) -> Iterator[range]:
        """Yield how often to interpret a loop's body: what a round binds is there in the next.

        A loop inside of another one is interpreted once in each round of that.
        """
        self._looping += 1
        try:
            yield range(2 if self._looping == 1 else 1)
        finally:
            self._looping -= 1

    def settle(self, names: Iterable[str]) -> None:
        """Say that every branch has bound these names: what was before is gone."""
        if self.weak or self.frame is not None:
            if self._bound:
                self._bound[-1].update(names)
            return
        for name in names:
            binding = self.world.names.get(name)
            if binding is not None and self.number in binding.cells:
                binding.cells = frozenset({self.number})
                self.flow.may_bind.discard(name)
                self.flow.binds.add(name)

    # --- objects --------------------------------------------------------------------------
    def new(self, kind: str, content: Iterable[Obj] = (), data: Any = None) -> Value:
        """Return a new object of this cell that may refer to others."""
        obj = Obj(kind, self.number, data)
        obj.hold(content)
        return Value(frozenset({obj}))

    def filled(self, kind: str, content: Iterable[Obj] = ()) -> Value:
        """Return a new object that a library made; what a container holds nobody knows."""
        inner = self.new("unknown").objs if kind in CONTAINERS else ()
        return self.new(kind, [*content, *inner])

    def pairing(self, iterator: Value) -> Value:
        """Say that an iterator gives tuples of what it holds."""
        for obj in iterator.objs:
            obj.data = PAIRS
        return iterator

    def copied(self, objs: Iterable[Obj]) -> Value:
        """Return what ``copy.deepcopy`` makes of objects: new ones all the way down."""
        made: dict[Obj, Obj] = {}
        first = frozenset(objs)
        for obj in reach(first, through=_is_copied):
            made[obj] = Obj(obj.kind, self.number, obj.data) if _is_copied(obj) else obj
        for obj, copy in made.items():
            if copy is not obj:
                copy.hold(made[inner] for inner in obj.content)
                if obj.kind not in (*CONTAINERS, "instance"):
                    copy.hold(obj.content)  # pandas copies frames, but not the objects in them
        return Value(frozenset(made[obj] for obj in first))

    def store(self, base: Value, value: Value) -> None:
        """Handle ``base.x = value`` and ``base[k] = value``."""
        for obj in base.objs:
            obj.hold(value.objs)
        self.recorder.change(base.objs)

    def barrier(self, why: str) -> None:
        """Handle code that may read and change everything."""
        self.flow.note(why)
        for name in list(self.world.names):
            self.load(name)
        bindings = self.world.names.values()
        for binding in bindings:
            binding.cells |= {self.number}
        self.recorder.change((obj for each in bindings for obj in each.value.objs), deep=True)
        self.flow.may_bind.update(self.world.names)
        for key in list(self.world.states):
            self.recorder.touch(key)
        self.world.open_cells.append((self.number, why))

    def spend(self) -> None:
        """Take a statement's work off the budget; once it is used up assume the worst at once."""
        recorder = self.recorder
        self.budget -= 1 + recorder.visited // OBJECTS_A_STATEMENT
        recorder.visited = 0
        if self.budget > 0 or self.rest is not None:
            return
        rest = Obj(BLOB, self.number)
        self.barrier("it does more than is followed here")
        self.file("change", None)
        for binding in self.world.names.values():
            for obj in binding.value.objs:
                if obj.kind not in ("module", "state"):
                    rest.hold([obj])
                    if obj.kind not in ("function", "class"):
                        obj.hold([rest])
        recorder.closed = True
        self.rest = rest

    def hook(self, functions: Iterable[Obj]) -> None:
        """Note functions that Python or IPython may call at any time from now on."""
        given = [obj for obj in functions if obj.kind in ("function", "callable")]
        if (self.number, given) not in self.world.hooks:
            self.world.hooks.append((self.number, given))
            self.flow.note("it has code called whenever something happens in later cells")

    # --- needs of definitions -------------------------------------------------------------
    def begin_needs(self) -> dict[str, Binding] | None:
        """Start to note which names a definition reads while it is executed."""
        before, self._needs = self._needs, {}
        return before

    def end_needs(self, before: dict[str, Binding] | None) -> dict[str, Binding]:
        """Return what was noted."""
        found, self._needs = self._needs or {}, before
        return found


def _is_copied(obj: Obj) -> bool:
    return obj.kind not in ("module", "state", "function", "class")
