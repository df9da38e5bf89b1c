"""Functions, classes and instances of the notebook: interpreted anew where they are called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jupyter_mlops.pipeline.effects.core import Core, Frame
from jupyter_mlops.pipeline.effects.heap import ATOM, BLOB, Obj, Value, reach, union
from jupyter_mlops.pipeline.effects.scope import FunctionNode, Scope, scope_of

DEPTH = 8
IMPLICIT = ("__", "_repr_", "_ipython_display_")
#: Methods that are not called by operators, built-in functions and the like.
NOT_IMPLICIT = frozenset({"__init__", "__new__", "__init_subclass__", "__class_getitem__"})


@dataclass(slots=True, eq=False)
class Code:
    """What a function object knows: its text, the scope around it, its defaults."""

    node: FunctionNode
    outer: Frame | None
    defaults: dict[str, Value]
    is_property: bool = False
    is_class_method: bool = False
    is_static: bool = False


@dataclass(slots=True, eq=False)
class Blueprint:
    """What a class object knows: its members and its bases."""

    name: str
    members: dict[str, Value]
    bases: list[Obj] = field(default_factory=list)
    foreign: bool = False  # a base comes from a library

    def find(self, name: str) -> Value | None:
        """Return a member of the class or of its bases."""
        found = self.members.get(name)
        if found is not None:
            return found
        for base in self.bases:
            if isinstance(base.data, Blueprint):
                found = base.data.find(name)
                if found is not None:
                    return found
        return None

    def functions(self) -> Iterable[tuple[str, Obj]]:
        """Return (name, function) of every method, the bases' too."""
        for name, value in list(self.members.items()):
            for obj in tuple(value.objs):
                if obj.kind == "function":
                    yield name, obj
        for base in self.bases:
            if isinstance(base.data, Blueprint):
                yield from base.data.functions()


class Functions(Core):
    """Makes and calls functions and classes; a part of the interpreter."""

    # --- making ---------------------------------------------------------------------------
    def make_function(self, node: FunctionNode, name: str) -> Value:
        """Return a function object; its defaults are evaluated here and now."""
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: dict[str, Value] = {}
        tail = positional[len(positional) - len(arguments.defaults) :]
        for argument, default in zip(tail, arguments.defaults, strict=True):
            defaults[argument.arg] = self.evaluate(default)
        for argument, only in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if only is not None:
                defaults[argument.arg] = self.evaluate(only)
        for argument in (*positional, *arguments.kwonlyargs):
            if argument.annotation is not None:
                self.evaluate(argument.annotation)
        if not isinstance(node, ast.Lambda) and node.returns is not None:
            self.evaluate(node.returns)
        outer = self.frame
        while outer is not None and outer in self.class_frames:
            outer = outer.outer
        content = [obj for value in defaults.values() for obj in value.objs]
        frame = outer
        while frame is not None:
            content += [obj for value in frame.names.values() for obj in value.objs]
            frame = frame.outer
        made = self.new("function", content, Code(node, outer, defaults))
        frame = outer
        while frame is not None:
            frame.captured_by.extend(made.objs)
            frame = frame.outer
        return made

    def make_class(self, name: str, members: Mapping[str, Value], bases: Sequence[Value]) -> Value:
        """Return a class object."""
        parents = [obj for base in bases for obj in base.objs]
        foreign = any(
            obj.kind != "class" and obj.data != "builtins.object" for obj in parents
        ) or any(isinstance(o.data, Blueprint) and o.data.foreign for o in parents)
        blueprint = Blueprint(name, dict(members), parents, foreign)
        content = [obj for value in members.values() for obj in value.objs]
        made = self.new("class", [*content, *parents], blueprint)
        for parent in parents:
            if isinstance(parent.data, Blueprint):
                for function in _functions(parent.data.find("__init_subclass__")):
                    self.call_function(function, [made], {})
        return made

    def decorated(self, decorator: ast.expr, value: Value) -> Value:
        """Return what a decorator makes of a function or class."""
        text = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
        plain = {"property": "is_property", "staticmethod": "is_static",
                 "classmethod": "is_class_method"}.get(text)  # fmt: skip
        if plain or text.endswith((".setter", ".getter", "cached_property")):
            for obj in value.objs:
                if isinstance(obj.data, Code):
                    setattr(obj.data, plain or "is_property", True)
            return value
        applied = self.evaluate(decorator)
        known = [obj for obj in applied.objs if obj.kind == "module"]
        if known and len(known) == len(applied.objs):
            return value  # a library's decorator wraps and no more
        return self.invoke(applied, [value], {}) | (
            value if any(o.kind in ("unknown", BLOB) for o in applied.objs) else ATOM
        )

    # --- calling --------------------------------------------------------------------------
    def call_function(
        self,
        function: Obj,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        unknown: Value | None = None,
    ) -> Value:
        """Interpret a function's body with these arguments; ``unknown`` fills all others."""
        if self.rest is not None:
            return Value(frozenset({self.rest}))
        code: Code = function.data
        key = (
            function, self.weak > 0,
            tuple((v.objs, str(v.const)) for v in arguments),
            tuple((k, v.objs, str(v.const)) for k, v in keywords.items()),
            unknown.objs if unknown else None,
        )  # fmt: skip
        known = self.calls_seen.get(key)
        if known is not None:
            return known
        everything = [obj for v in (*arguments, *keywords.values()) for obj in v.objs]
        if function in self.stack or len(self.stack) >= DEPTH:
            return self.new("unknown", everything) if everything else ATOM
        scope = scope_of(code.node)
        if scope.yields:
            return self._generator(function, everything)
        self.calls_seen[key] = ATOM
        result = self._run(function, code, scope, arguments, keywords, unknown).results
        found = union(result)
        self.calls_seen[key] = found
        return found

    def _run(
        self,
        function: Obj,
        code: Code,
        scope: Scope,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        unknown: Value | None,
    ) -> Frame:
        frame = Frame(scope, code.outer)
        _fill(frame, code, arguments, keywords, unknown, self)
        outer, self.frame = self.frame, frame
        weak, self.weak = self.weak, 0
        bound, self._bound = self._bound, []
        self.stack.append(function)
        try:
            if isinstance(code.node, ast.Lambda):
                frame.results.append(self.evaluate(code.node.body))
            else:
                self.execute_all(code.node.body)
        finally:
            self.stack.pop()
            self.frame, self.weak, self._bound = outer, weak, bound
        return frame

    def _generator(self, function: Obj, arguments: list[Obj]) -> Value:
        made = self.new("generator", [function, *arguments])
        for obj in made.objs:
            obj.data = Value(frozenset(arguments))
        return made

    def yielded(self, value: Value) -> None:
        """Note what a generator yields."""
        if self.frame is not None:
            self.frame.yields.append(value)

    def sent(self) -> Value:
        """Return what a generator may be sent."""
        return ATOM

    # --- iteration and implicit calls -----------------------------------------------------
    def elements(self, value: Value, consume: bool = True) -> Value:
        """Return what iterating over a value may give; iterators are used up by it."""
        found: set[Obj] = set()
        for obj in value.objs:
            kind = obj.kind
            if kind in ("iterator", "generator", "file", "stream"):
                if consume:
                    self.recorder.change([obj])
                    inner = [o for o in reach([obj]) if o.kind in ("iterator", "generator", "file")]
                    self.recorder.change(inner)
                found |= self._produced(obj)
            elif kind in ("list", "dict", "set", "tuple", "deque", "pandas"):
                found |= obj.content  # a frame gives names, a column values: no part of itself
            elif kind == "module":
                continue
            elif kind == BLOB:
                found.add(obj)
            elif kind == "instance":
                self.implicit([Value(frozenset({obj}))])
                found |= obj.content | {obj}
            else:
                found |= obj.content | {obj}
        return Value(frozenset(found))

    def _produced(self, obj: Obj) -> set[Obj]:
        """Return what an iterator gives, running the functions that it calls on the way."""
        found: set[Obj] = set()
        iterators, waiting = {obj}, [obj]
        while waiting:
            for inner in tuple(waiting.pop().content):
                if inner.kind == "function":
                    found |= self._run_lazily(obj, inner)
                elif inner.kind in ("list", "dict", "set", "tuple", "deque"):
                    found |= inner.content
                elif inner.kind in ("iterator", "generator"):
                    if inner not in iterators:
                        iterators.add(inner)
                        waiting.append(inner)
                elif inner.kind not in ("module", "class"):
                    found.add(inner)
        return found

    def _run_lazily(self, obj: Obj, function: Obj) -> set[Obj]:
        if self.rest is not None:
            return {self.rest}
        key = ("lazy", obj, function)
        known = self.calls_seen.get(key)
        if known is not None:
            return set(known.objs)
        if function in self.stack or len(self.stack) >= DEPTH:
            return set()
        self.calls_seen[key] = ATOM
        others = Value(frozenset(o for o in reach(obj.content) if o.kind != "function"))
        scope = scope_of(function.data.node)
        frame = self._run(function, function.data, scope, [], {}, others)
        found = union([*frame.yields, *frame.results])
        self.calls_seen[key] = found
        return set(found.objs)

    def implicit(self, values: Iterable[Value]) -> None:
        """Note what operators, printing and the like do to instances of the notebook's classes."""
        for value in values:
            for obj in value.objs:
                if obj.kind == "instance" and isinstance(obj.data, Blueprint):
                    for name, function in obj.data.functions():
                        if name.startswith(IMPLICIT) and name not in NOT_IMPLICIT:
                            self.call_function(
                                function, [Value(frozenset({obj}))], {}, unknown=ATOM
                            )

    # --- members --------------------------------------------------------------------------
    def member_of_class(self, obj: Obj, name: str) -> Value:
        """Return ``obj.name`` of an instance or a class of the notebook."""
        blueprint = obj.data
        own = Value(frozenset({obj}))
        if not isinstance(blueprint, Blueprint):
            return Value(frozenset({obj, *obj.content}))
        found = blueprint.find(name)
        if found is None:
            hook = blueprint.find("__getattr__")
            results = [self.call_function(f, [own, ATOM], {}) for f in _functions(hook)]
            inner = frozenset(o for o in obj.content if o.kind != "class")
            return union([Value(inner | {obj}), *results])
        results = []
        for function in found.objs:
            if function.kind != "function":
                results.append(Value(frozenset({function})))
            elif function.data.is_property:
                results.append(self.call_function(function, [own], {}) | own)
            elif function.data.is_static:
                results.append(Value(frozenset({function})))
            else:
                results.append(self.new("bound", [obj, function], (obj, function)))
        return union(results) if results else ATOM

    def set_attribute(self, base: Value, name: str, value: Value) -> None:
        """Handle ``base.name = value``; a setter of the notebook's own is called."""
        for obj in base.objs:
            if obj.kind == "instance" and isinstance(obj.data, Blueprint):
                for found in (obj.data.find(name), obj.data.find("__setattr__")):
                    for function in _functions(found):
                        self.call_function(function, [Value(frozenset({obj})), value, value], {})
            elif obj.kind == "class" and isinstance(obj.data, Blueprint):
                obj.data.members[name] = obj.data.members.get(name, ATOM) | value
            elif obj.kind == "module":
                if obj.data == "__main__":
                    self.bind(name, value)
                self.world.patched.setdefault(name, []).extend(_functions(value))
        self.store(base, value)

    def instantiate(
        self, cls: Obj, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """Make an instance of a notebook's class."""
        blueprint: Blueprint = cls.data
        content = [o for v in (*arguments, *keywords.values()) for o in v.objs]
        keeps = blueprint.foreign or blueprint.find("__init__") is None
        made = self.new("instance", [cls, *(content if keeps else [])], blueprint)
        for name in ("__new__", "__init__", "__post_init__"):
            for function in _functions(blueprint.find(name)):
                given = [] if name == "__post_init__" else arguments
                self.call_function(function, [made, *given], keywords if given else {})
        return made


def _functions(value: Value | None) -> list[Obj]:
    return [obj for obj in value.objs if obj.kind == "function"] if value is not None else []


def _fill(
    frame: Frame,
    code: Code,
    arguments: Sequence[Value],
    keywords: Mapping[str, Value],
    unknown: Value | None,
    core: Core,
) -> None:
    """Bind a function's parameters."""
    spec = code.node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    given = list(arguments)
    for name in names:
        if given:
            frame.names[name] = given.pop(0)
        elif name in keywords:
            frame.names[name] = keywords[name]
        else:
            frame.names[name] = _default(code, name, keywords, unknown)
    for argument in spec.kwonlyargs:
        found = keywords.get(argument.arg)
        frame.names[argument.arg] = found or _default(code, argument.arg, keywords, unknown)
    if spec.vararg is not None:
        rest = [o for v in given for o in v.objs] + list(unknown.objs if unknown else ())
        frame.names[spec.vararg.arg] = core.new("tuple", rest)
    if spec.kwarg is not None:
        rest = [o for k, v in keywords.items() if k not in frame.names for o in v.objs]
        frame.names[spec.kwarg.arg] = core.new("dict", [*rest, *(unknown.objs if unknown else ())])


def _default(code: Code, name: str, keywords: Mapping[str, Value], unknown: Value | None) -> Value:
    default = code.defaults.get(name)
    spread = keywords.get("**")
    values = [v for v in (default, unknown, spread) if v is not None]
    return union(values) if values else ATOM
