"""Functions, classes and instances of the notebook: interpreted anew where they are called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from jupyter_mlops.pipeline.effects.blueprints import (
    Blueprint,
    Code,
    functions_of,
    own_attribute,
)  # fmt: skip
from jupyter_mlops.pipeline.effects.core import Core, Frame
from jupyter_mlops.pipeline.effects.heap import (
    ATOM,
    BLOB,
    CONTAINERS,
    PAIRS,
    STREAMING,
    Obj,
    Value,
    reach,
    union,
)
from jupyter_mlops.pipeline.effects.scope import FunctionNode, Scope, scope_of

DEPTH = 8
IMPLICIT = ("__", "_repr_", "_ipython_display_")
#: With any of these an attribute may be something else than what was put into it.
ATTRIBUTE_HOOKS = ("__setattr__", "__getattribute__", "__getattr__", "__new__")
#: Methods that are not called by operators, built-in functions and the like.
NOT_IMPLICIT = frozenset({"__init__", "__new__", "__init_subclass__", "__class_getitem__"})

#: What is put there is used by every cell from then on.
STREAMS = frozenset(
    {("sys", name) for name in ("stdout", "stderr", "stdin", "displayhook", "excepthook")}
)


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
        gathering = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
        for argument in (*positional, *arguments.kwonlyargs, *gathering):
            if argument.annotation is not None:
                self.evaluate_annotation(argument.annotation)
        if not isinstance(node, ast.Lambda) and node.returns is not None:
            self.evaluate_annotation(node.returns)
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
                for function in functions_of(parent.data.find("__init_subclass__")):
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
            given = frozenset(everything)
            if given and given not in self.stopped:
                self.stopped[given] = self.new("unknown", everything)
            return self.stopped.get(given, ATOM)
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
            if kind in STREAMING:
                if consume:
                    self.recorder.change([obj])
                    inner = [o for o in reach([obj]) if o.kind in STREAMING]
                    self.recorder.change(inner)
                    self.recorder.change(
                        (o for o in obj.content if o.kind == "callable"), deep=True
                    )
                given = self._produced(obj)
                found |= self.new("tuple", given).objs if obj.data is PAIRS and given else given
            elif kind in CONTAINERS or kind == "pandas":
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

    def gathered(self, objs: Iterable[Obj]) -> list[Obj]:
        """Return what is kept of objects whose items are all taken: of a generator, its items."""
        found: list[Obj] = []
        for obj in objs:
            alone = obj.kind == "generator" and not any(
                other.kind in ("iterator", "generator") for other in reach(obj.content)
            )
            if alone:
                found += self.elements(Value(frozenset({obj}))).objs
            else:
                found.append(obj)
        return found

    def _produced(self, obj: Obj) -> set[Obj]:
        """Return what an iterator gives, running the functions that it calls on the way."""
        found: set[Obj] = set()
        iterators, waiting = {obj}, [obj]
        while waiting:
            for inner in tuple(waiting.pop().content):
                if inner.kind == "function":
                    found |= self._run_lazily(obj, inner)
                elif inner.kind in CONTAINERS:
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
        if found is None and obj.fields is not None and name in obj.fields:
            return own_attribute(obj, name)
        if found is None:
            hook = blueprint.find("__getattr__")
            results = [self.call_function(f, [own, ATOM], {}) for f in functions_of(hook)]
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
        if obj.kind == "instance" and (not functions_of(found) or name in (obj.fields or ())):
            results.append(own_attribute(obj, name))  # what the class has is a default
        return union(results) if results else ATOM

    def set_attribute(self, base: Value, name: str, value: Value) -> None:
        """Handle ``base.name = value``; a setter of the notebook's own is called."""
        if name == "__dict__":
            self.store(base, value | self.elements(value))
            return
        for obj in base.objs:
            if obj.fields is not None:
                obj.set_field(name, value.objs)
            if obj.kind == "instance" and isinstance(obj.data, Blueprint):
                for found in (obj.data.find(name), obj.data.find("__setattr__")):
                    for function in functions_of(found):
                        self.call_function(function, [Value(frozenset({obj})), value, value], {})
            elif obj.kind == "class" and isinstance(obj.data, Blueprint):
                obj.data.members[name] = obj.data.members.get(name, ATOM) | value
            elif obj.kind == "module":
                if obj.data == "__main__":
                    self.bind(name, value)
                self.world.patched.setdefault(name, []).extend(functions_of(value))
                if (obj.data, name) in STREAMS:
                    self.hook(reach(value.objs, through=lambda o: o.kind != "module"))
        for obj in base.objs:
            if obj.fields is None:
                obj.hold(value.objs)
        self.recorder.change(base.objs)

    def instantiate(
        self, cls: Obj, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """Make an instance of a notebook's class."""
        blueprint: Blueprint = cls.data
        content = [o for v in (*arguments, *keywords.values()) for o in v.objs]
        keeps = blueprint.foreign or blueprint.find("__init__") is None
        made = self.new("instance", [cls, *(content if keeps else [])], blueprint)
        if not blueprint.foreign and not any(blueprint.find(hook) for hook in ATTRIBUTE_HOOKS):
            for obj in made.objs:
                obj.keep_fields()
        for name in ("__new__", "__init__", "__post_init__"):
            for function in functions_of(blueprint.find(name)):
                given = [] if name == "__post_init__" else arguments
                self.call_function(function, [made, *given], keywords if given else {})
        if blueprint.find("__del__") is not None:
            self.hook(functions_of(blueprint.find("__del__")))  # whenever the last name goes
        return made


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
