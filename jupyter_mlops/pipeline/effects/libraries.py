"""What functions of libraries do, as the table says; and what unknown ones might do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_mlops.pipeline.effects import methods
from jupyter_mlops.pipeline.effects.core import OBJECTS_A_STATEMENT
from jupyter_mlops.pipeline.effects.functions import Functions
from jupyter_mlops.pipeline.effects.heap import (
    ATOM,
    BLOB,
    CONTAINERS,
    STREAMING,
    Edges,
    Missing,
    Obj,
    Value,
    reach,
    union,
)  # fmt: skip
from jupyter_mlops.pipeline.effects.paths import PathText, path_text
from jupyter_mlops.pipeline.effects.tables import Effect, effect_of, is_known_package
from jupyter_mlops.pipeline.effects.world import SOLID, STATE_ATTRIBUTES

#: Names of arguments that are files.
PATH_KEYWORDS = ("path", "path_or_buf", "filepath_or_buffer", "fname", "file", "filename", "io",
                 "filepath", "buf", "excel_writer")  # fmt: skip


#: Objects after which a function that is called back is not followed again in the same cell.
CALLED_BACK = 40


#: Functions that call their first argument; any function calls its ``key``.
CALLERS = frozenset(
    """
    builtins.map builtins.filter functools.reduce functools.partial itertools.starmap
    itertools.accumulate itertools.takewhile
    itertools.dropwhile itertools.filterfalse itertools.groupby numpy.vectorize
    numpy.apply_along_axis operator.call
    """.split()
)


#: Functions that give what their first argument makes of the items of the others.
MAPPING = frozenset({"builtins.map", "itertools.starmap", "itertools.accumulate"})


#: Functions that take all items of an iterator, or one of them, and let it go.
GATHERING = frozenset(
    """
    builtins.dict builtins.frozenset builtins.list builtins.max builtins.min builtins.next
    builtins.set builtins.sorted builtins.sum builtins.tuple collections.Counter
    collections.OrderedDict collections.deque functools.reduce pandas.DataFrame pandas.Series
    """.split()
)


#: Kinds whose items, or whose use, may run the notebook's code.
_RUNS_CODE = STREAMING | {"instance"}
#: Functions that give items of their first argument, or what is made of them.
ITEMS = frozenset({"builtins.max", "builtins.min", "builtins.next", "builtins.sum"})
ITEMS_OR_ARGUMENTS = frozenset({"builtins.max", "builtins.min"})


class Libraries(Functions):
    """Calls of functions that are not the notebook's; a part of the interpreter."""

    def _unknown_call(
        self, receivers: Sequence[Obj], arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """Assume the worst: all that can be reached is changed, linked, and called."""
        objs = [*receivers, *(o for v in (*arguments, *keywords.values()) for o in v.objs)]
        if not objs:
            return self.new("unknown")
        self._call_back(objs, objs)
        self.recorder.change(objs, deep=True)
        plain = [obj for obj in objs if obj.kind not in ("module", "state")]
        blob = next((obj for obj in plain if obj.kind == BLOB), None) or Obj(BLOB, self.number)
        blob.hold(plain)
        for obj in plain:
            if obj.kind not in ("function", "class"):
                obj.hold([blob])
        return Value(frozenset({blob}))

    def _call_back(
        self, objs: Sequence[Obj], others: Sequence[Obj], methods_too: bool = True
    ) -> Value:
        """Interpret the notebook's functions that a call was given: it may call them.

        ``methods_too`` means those of the instances it was given, too.
        """
        results: list[Value] = []
        functions = self._functions_in(frozenset(objs), methods_too)
        if not functions and self.rest is None:
            kinds = {obj.kind for obj in (*objs, *others)}
            if kinds.isdisjoint(_RUNS_CODE):
                return ATOM
        rest = Value(frozenset(o for o in others if o.kind not in ("function", "module")))
        inner = self.elements(rest, consume=False).objs
        given = Value(frozenset(o for o in rest.objs | inner if o.kind not in SOLID))
        if self.rest is not None:
            return Value(frozenset({self.rest}))
        for function in functions:
            if function in self.stack:
                continue
            before = self.called_back.setdefault(function, set())
            if before and given.objs <= before:
                continue  # nothing new for it to act on in this cell
            if len(before) > CALLED_BACK:
                self.recorder.change(given.objs, deep=True)
                continue
            before.update(given.objs, (function,))
            results.append(self.call_function(function, [], {}, unknown=given))
        for obj in objs:
            if obj.kind == "instance":
                self.implicit([Value(frozenset({obj}))])
        return union(results)

    def _functions_in(self, objs: frozenset[Obj], methods_too: bool) -> list[Obj]:
        """Return the notebook's functions that the objects may reach."""
        key = (objs, methods_too)
        count, found = self.found_functions.get(key, (-1, []))
        if count != Edges.count:
            reached = reach(objs) if methods_too else reach(objs, through=_not_a_class)
            self.budget -= len(reached) // OBJECTS_A_STATEMENT
            found = [obj for obj in reached if obj.kind == "function"]
            self.found_functions[key] = (Edges.count, found)
        return found

    def _patched(
        self, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value | None:
        """Call the functions that a cell has put into a library under this name."""
        functions = self.world.patched.get(name)
        if not functions:
            return None
        self.recorder.need_patch(name, functions)
        return union([self.call_function(f, arguments, keywords) for f in functions])

    def call_path(
        self, path: str, arguments: Sequence[Value], keywords: Mapping[str, Value], bare: bool
    ) -> Value:
        """Call the function at a dotted path, as the table says."""
        effect = effect_of(path)
        if effect.result == "open":
            return self.open_file(arguments, keywords)
        if effect.result == "path":
            return Value(
                const=PathText.joined([v.const for v in arguments]),
                fixed=all(v.fixed for v in arguments),
            )
        if effect.result == "join":
            text = PathText.joined([v.const for v in arguments]).text
            fixed = all(v.fixed for v in arguments)
            return Value(const=text, fixed=fixed) if text is not None else ATOM
        special = self._special_path(path, arguments, keywords)
        if special is not None:
            return special
        self._states(path, effect, keywords, bare)
        if effect.needs_seed and not _has_seed(arguments, keywords):
            self.flow.varies.add(f"it draws from the system's entropy ({path})")
        self._files(effect, arguments, keywords)
        every = [*arguments, *keywords.values()]
        objs = [obj for value in every for obj in value.objs if obj.kind != "module"]
        if not effect.known:
            return self._unknown_call([], arguments, keywords)
        if not (objs or keywords or effect.touches or effect.mutates or path in MAPPING):
            return self._result(path, effect, objs, ATOM, keywords)  # as below, at once
        self.implicit(every)
        called = self._call_back(objs, objs, methods_too=False) if objs else ATOM
        # Random generators are drawn from, figures are drawn on.
        caller = keywords["key"].objs if "key" in keywords else frozenset()
        if path in CALLERS and arguments:
            caller |= arguments[0].objs
        if path in MAPPING and arguments:
            objs += self._mapped(arguments[0], arguments[1:])
        if caller:
            unsure = [o for o in caller if o.kind in ("unknown", "instance", BLOB)]
            self.recorder.change(unsure, deep=True)
        drawn = (o for o in objs if o.kind in ("rng", "figure", "callable"))
        self.recorder.change(drawn, deep=True)
        for key in effect.touches:
            state = self.world.state(key)
            if not key.startswith("<rng:"):  # it gives numbers and keeps nothing
                state.hold(_drawn(objs) if key == "<figure>" else objs)
            self.recorder.change((o for o in state.content if o.kind != "module"), deep=True)
        if "file" in keywords:
            self.recorder.change(keywords["file"].objs, deep=True)
        for index in effect.mutates:
            if index < len(arguments):
                self.recorder.change(arguments[index].objs, deep=True)
                for value in every:
                    for obj in arguments[index].objs:
                        obj.hold(o for o in value.objs if o.kind != "module")
        if "out" in keywords:
            self.recorder.change(keywords["out"].objs)
        inplace = keywords.get("inplace")
        if inplace is not None and inplace.const is not False:
            for value in arguments:
                self.recorder.change(value.objs)
        lazy = effect.result == "view" and not path.startswith("builtins.")
        if objs and not lazy and not effect.result.startswith("wrap"):
            for value in every:  # a list of iterators is used up by whoever reads it
                if any(o.kind in STREAMING for o in value.objs):
                    self.elements(value)
        if path in ITEMS and (len(arguments) == 1 or path not in ITEMS_OR_ARGUMENTS):
            first = arguments[0].objs if arguments else frozenset()
            given = [o for o in first if o.kind in CONTAINERS]
            objs = [o for o in objs if o not in given]
            objs += self.elements(Value(frozenset(given))).objs
        result = self._result(path, effect, objs, called, keywords)
        if any(o.data == "builtins.object" for o in keywords.get("dtype", ATOM).objs):
            return result | self.new("unknown", objs)  # its copies hold the same objects
        return result

    def _mapped(self, function: Value, others: Sequence[Value]) -> frozenset[Obj]:
        """Return what functions of libraries make of the items of what they are mapped over."""
        paths = [o.data for o in function.objs if o.kind == "module"]
        items = [self.elements(value, consume=False) for value in others]
        return union(self.call_path(path, items, {}, bare=False) for path in paths).objs

    def _special_path(
        self, path: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value | None:
        """Handle the few functions whose effect is on modules themselves."""
        name = path.rpartition(".")[2]
        if path.startswith("builtins.") and name in self.world.patched:
            return self._patched(name, arguments, keywords)
        if path == "builtins.type" and len(arguments) == 1:
            objs = arguments[0].objs
            return Value(frozenset(c for o in objs for c in o.content if c.kind == "class"))
        if path == "importlib.reload" and arguments:
            for obj in arguments[0].objs:
                if obj.kind == "module":
                    self.import_module(obj.data)
                    self.recorder.change([obj])
            return arguments[0]
        if path == "importlib.import_module" and arguments:
            text = arguments[0].const
            if isinstance(text, str):
                self.import_module(text)
                return Value(frozenset({self.world.module(text)}))
        if path == "builtins.setattr" and arguments:
            if any(o.kind == "state" for o in arguments[0].objs):
                self.barrier("setattr() on a module may bind any name")
                return ATOM
            if len(arguments) == 3 and isinstance(arguments[1].const, str):
                self.set_attribute(arguments[0], arguments[1].const, arguments[2])
                return ATOM
        if path == "collections.defaultdict":
            held = [o for v in arguments[1:] for o in (*v.objs, *self.elements(v).objs)]
            made = self.new("dict", [*held, *(o for v in keywords.values() for o in v.objs)])
            for obj in made.objs:
                obj.data = Missing(arguments[0] if arguments else ATOM)
                obj.hold(o for o in obj.data.factory.objs if o.kind == "function")
            return made
        if path.startswith("unittest.mock."):
            texts = [v.const for v in arguments if isinstance(v.const, str)]
            modules = [self.world.module(text.partition(".")[0]) for text in texts]
            given = [o for v in (*arguments, *keywords.values()) for o in v.objs]
            return self.new("patch", [*given, *modules])
        if path == "logging.basicConfig" and "filename" in keywords:
            target = path_text(keywords["filename"])
            self.file("change", target)
            self.world.state("<logging>").hold([self.file_obj(target)])
        return None

    def _result(
        self, path: str, effect: Effect, objs: list[Obj], called: Value,
        keywords: Mapping[str, Value],
    ) -> Value:  # fmt: skip
        word, _, kind = effect.result.partition(":")
        if word == "atom":
            return ATOM
        if path in GATHERING:
            objs = self.gathered(objs)
        if word == "view":
            inner = {o for obj in objs for o in obj.content}
            made = self.new("array", objs) if path.startswith("numpy.") else ATOM
            if path in ("builtins.sum", "builtins.max", "builtins.min"):
                inner |= self.elements(Value(frozenset(objs)), consume=False).objs
                objs = [o for o in objs if o.kind not in STREAMING]
            return Value(frozenset({*objs, *inner}) | called.objs | made.objs)
        if word == "deep":
            return self.copied(objs)
        if word == "state":
            return Value(frozenset({self.world.state(kind)}))
        if word == "aswrap":  # may share the memory of what it was made from
            made = self.new(kind, [*objs, *self.elements(Value(frozenset(objs)), False).objs])
            return Value(
                made.objs | {o for o in objs if o.kind in ("array", "pandas", "unknown", BLOB)}
            )
        if word == "wrap":
            self.world.has_weak = self.world.has_weak or kind == "weak"
            if kind == "same" and objs:
                return self._copies(objs, called)
            kind = kind.replace("same", "unknown")
            held: list[Obj] = list(objs)
            if kind == "pairs":
                return self.pairing(self.new("iterator", [*held, *called.objs]))
            if kind in CONTAINERS:
                held += self.elements(Value(frozenset(objs))).objs
            return self.new(kind, [*held, *called.objs])
        if word == "estimator":
            name = path.rpartition(".")[2]
            if not name[:1].isupper():
                return Value(self.new("array", called.objs).objs)
            drawn = name not in methods.DETERMINISTIC and not _is_seeded(keywords)
            return self.new("estimator", [*objs, *called.objs], drawn)
        if kind == "same":
            return self.new(objs[0].kind if objs else "unknown")
        known = [c for o in objs for c in o.content] if path == "numpy.array" else []
        return self.filled(kind or "unknown", [*called.objs, *known])

    def _copies(self, objs: Sequence[Obj], called: Value) -> Value:
        """Return one new object for each kind of object that may be copied, one level deep."""
        copies: dict[tuple[str, int], Obj] = {}
        for obj in objs:
            key = (obj.kind, id(obj.data))
            if key not in copies:
                (copies[key],) = self.new(obj.kind, called.objs, obj.data).objs
            inner = self.elements(Value(frozenset({obj}))).objs if obj.kind in CONTAINERS else ()
            copies[key].hold([obj, *inner])
        return Value(frozenset(copies.values()))

    def _states(self, path: str, effect: Effect, keywords: Mapping[str, Value], bare: bool) -> None:
        for key in effect.sets:
            self.recorder.touch(key, replace=not self.weak and self.frame is None)
        for key in effect.touches:
            self.recorder.touch(key)
        self.flow.looks |= set(effect.reads)
        for key in effect.reads:
            if key in self.world.states:
                self.recorder.read(key)
        if effect.seeded and not _is_seeded(keywords):
            self.recorder.touch("<rng:numpy>")
        if effect.varies:
            self.flow.varies.add(f"{effect.varies} ({path})")
        root = path.partition(".")[0]
        if bare and not effect.known and not is_known_package(path) and root != "builtins":
            self.recorder.touch(f"<module:{root}>")
            self.flow.note(f"{path}() may change the state of {root}")

    def _files(
        self, effect: Effect, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> None:
        if effect.any_files:
            self.file("change", None)
        for mode, index in effect.paths:
            if index < 0:
                self.file(mode, None)
                continue
            value = arguments[index] if index < len(arguments) else None
            for name in PATH_KEYWORDS:
                if value is None and name in keywords:
                    value = keywords[name]
            if value is None:
                continue
            if value.objs:  # an open file or buffer
                self.recorder.change(value.objs, deep=True)
            else:
                self.file(mode, path_text(value))

    def member(self, module: Obj, name: str) -> Value:
        """Return ``module.name``."""
        return self.as_value(self.world.module(f"{module.data}.{name}"))

    def as_value(self, obj: Obj) -> Value:
        """Return what a part of a module is: some parts are hidden state."""
        key = STATE_ATTRIBUTES.get(obj.data)
        if key is not None:
            return Value(frozenset({self.world.state(key)}))
        return Value(frozenset({obj}))


def _drawn(objs: Sequence[Obj]) -> list[Obj]:
    """Return what plotting may keep and change: not the data that it draws."""
    found = reach(objs, through=lambda obj: obj.kind in CONTAINERS)
    return [o for o in found if o.kind not in (*CONTAINERS, "array", "pandas")]


def _not_a_class(obj: Obj) -> bool:
    return obj.kind != "class"


def _has_seed(arguments: Sequence[Value], keywords: Mapping[str, Value]) -> bool:
    """Tell whether what makes or sets a random generator is given something to begin with."""
    given = [*arguments, *keywords.values()]
    return any(value.objs or value.const is not None for value in given)


def _is_seeded(keywords: Mapping[str, Value]) -> bool:
    given = keywords.get("random_state") or keywords.get("seed")
    return given is not None and given.const is not None
