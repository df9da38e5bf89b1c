"""What methods do to the object that they are called on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from jupyter_mlops.pipeline.effects import methods
from jupyter_mlops.pipeline.effects.blueprints import Blueprint, functions_of, own_attribute
from jupyter_mlops.pipeline.effects.heap import ATOM, BLOB, CONTAINERS, Obj, Value, reach, union
from jupyter_mlops.pipeline.effects.libraries import PATH_KEYWORDS, Libraries
from jupyter_mlops.pipeline.effects.paths import PathText, path_text


class Receivers(Libraries):
    """Calls of methods; a part of the interpreter."""

    def _method(
        self,
        base: Value,
        name: str,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        bare: bool,
    ) -> Value:
        if not base.objs:
            return self._atom_method(base, name, arguments, keywords)
        made: dict[str, Obj] = {}
        return union(
            [self._method_of(obj, name, arguments, keywords, bare, made) for obj in base.objs]
        )

    def _atom_method(
        self, base: Value, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        if isinstance(base.const, PathText):
            return self._path_method(base, name, arguments, keywords)
        for value in arguments:
            self.elements(value)
        self.implicit(arguments)
        return self.filled("list") if name in methods.SPLITTING else ATOM

    def _path_method(
        self, base: Value, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        if name == "open":
            return self.open_file([base, *arguments], keywords)
        if name == "joinpath":
            text = PathText.joined([base.const, *(v.const for v in arguments)])
            return Value(const=text, fixed=base.fixed and all(v.fixed for v in arguments))
        mode = methods.PATH_METHODS.get(name)
        if mode == "all":
            self.file("in", None)
        elif mode is not None:
            self.file(mode, path_text(base))
            if name in ("rename", "replace") and arguments:
                self.file("out", path_text(arguments[0]))
        return base if name in ("resolve", "absolute") else ATOM

    def _method_of(
        self,
        obj: Obj,
        name: str,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        bare: bool,
        made: dict[str, Obj],
    ) -> Value:
        """Call the method of one object; ``made`` holds what the call makes, by kind."""
        kind = obj.kind
        if kind == "module":
            return self._invoke_member(obj, name, arguments, keywords, bare)
        if kind in ("instance", "class") and isinstance(obj.data, Blueprint):
            return self._class_method(obj, name, arguments, keywords)
        if kind == "state":
            return self._state_method(obj, name, arguments, keywords)
        others = [o for v in (*arguments, *keywords.values()) for o in v.objs if o.kind != "module"]
        callbacks = [obj, *others] if kind in ("callable", "estimator", "unknown", BLOB) else others
        given = others if kind in ("callable", "estimator") else [obj, *others]
        called = self._call_back(callbacks, given) if callbacks else ATOM
        self.recorder.change((o for o in others if o.kind == "figure"), deep=True)
        if name in self.world.patched:
            self._patched(name, [Value(frozenset({obj})), *arguments], keywords)
        if name in ("query", "eval"):
            self._queried(arguments)
        if kind == "patch":
            self.recorder.change(o for o in obj.content if o.kind == "module")
        self._method_files(name, arguments, keywords)
        self._method_state(obj, name)
        if self._changes(obj, name, arguments, keywords):
            deep = kind in ("unknown", BLOB, "iterator", "generator", "file", "figure", "estimator",
                            "connection", "thread", "stream")  # fmt: skip
            self.recorder.change([obj], deep=deep)
            inner = others
            if name in methods.EMPTYING or kind == "rng":
                inner = self._taken(obj, arguments, keywords)
            obj.hold(inner)
            if kind == "rng":
                if name == "shuffle":
                    self.recorder.change(others)
                return self.new("array")
        for value in (*arguments, *keywords.values()):
            if any(o.kind in ("iterator", "generator") for o in value.objs):
                self.elements(value)
        if kind in ("unknown", BLOB) and name not in methods.HARMLESS:
            return self._unknown_call([obj], arguments, keywords)
        result = self._method_result(obj, name, others, called, made)
        return result | Value(frozenset({obj})) if _shares(keywords) else result

    def _taken(
        self, obj: Obj, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> list[Obj]:
        """Return what an object holds once it has taken the items of its arguments."""
        given = Value(frozenset(o for v in arguments for o in v.objs if o.kind != "module"))
        items = self.elements(given).objs
        pairs = Value(frozenset(o for o in items if o.kind == "tuple"))
        kept = [o for o in given.objs if not (obj.kind in CONTAINERS and o.kind in CONTAINERS)]
        if obj.kind in CONTAINERS:
            kept = self.gathered(kept)
        named = [o for v in keywords.values() for o in v.objs if o.kind != "module"]
        return [*kept, *items, *self.elements(pairs).objs, *named]

    def _state_method(
        self, obj: Obj, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """Call a method of hidden state, such as a logger or ``os.environ``."""
        if name in ("get", "keys", "items", "values", "copy", "index", "count"):
            self.recorder.read(obj.data)
            return ATOM
        self.recorder.touch(obj.data)
        obj.hold(o for v in (*arguments, *keywords.values()) for o in v.objs if o.kind != "module")
        self.recorder.change(obj.content, deep=True)
        return Value(frozenset({obj})) if name.startswith("get") else ATOM

    def _queried(self, arguments: Sequence[Value]) -> None:
        """Note the names that ``df.query("x > @name")`` reads."""
        for value in arguments:
            for name in re.findall(r"@(\w+)", value.const) if isinstance(value.const, str) else ():
                self.load(name)

    def _changes(
        self, obj: Obj, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> bool:
        inplace = keywords.get("inplace")
        if inplace is not None and inplace.const is not False:
            return True
        if _shares(keywords):
            return True
        return self.changes(obj, name)

    def changes(self, obj: Obj, name: str) -> bool:
        """Tell whether the method of this name changes its object."""
        if name[:2] == "__" and obj.kind in methods.CLOSED:
            return name not in methods.READING
        mutators = methods.MUTATORS.get(obj.kind, frozenset())
        if mutators is None:
            return not (obj.kind == "figure" and name.startswith("get_"))
        return name in mutators

    def _result_of_call(
        self, made: dict[str, Obj], kind: str, content: Iterable[Obj], filled: bool = False
    ) -> Value:
        """Return the one new object of a kind that a call makes, whatever it is called on.

        One for each object that it may be called on would double with each ``x = x.f()``.
        """
        if kind not in made:
            (made[kind],) = (self.filled(kind) if filled else self.new(kind)).objs
        made[kind].hold(content)
        return Value(frozenset({made[kind]}))

    def _method_result(
        self, obj: Obj, name: str, others: list[Obj], called: Value, made: dict[str, Obj]
    ) -> Value:
        kind = obj.kind
        if kind == "atom":
            return ATOM
        if kind in CONTAINERS:
            if name in ("copy", "union", "difference", "intersection", "__or__"):
                taken = self.gathered(others)
                result = self._result_of_call(made, kind, [*obj.content, *taken])
                made[kind].data = made[kind].data or obj.data
                return result
            if name == "items":
                return self.new("list", self.new("tuple", obj.content).objs)
            if name in ("keys", "values"):
                return self.new("list", obj.content)
            return Value(frozenset(obj.content).union(self.gathered(others)) | called.objs)
        if kind in ("array", "pandas"):
            given = methods.RESULTS[kind].get(name, kind)
            if given == "atom":
                return ATOM
            held = [obj, *obj.content, *others] if name in methods.HOLDING else []
            result = self._result_of_call(made, given, [*called.objs, *held], filled=True)
            if given == "iterator" and name != "itertuples":
                self.pairing(result)
            return Value(result.objs | {obj, *obj.content}) if name in methods.VIEWS else result
        if kind == "estimator":
            if name.startswith(("fit", "partial_fit", "set_")) and "transform" not in name:
                return Value(frozenset({obj}))
            return self._result_of_call(made, "array", called.objs)
        if kind in ("file", "stream", "connection", "figure", "thread", "iterator", "generator"):
            if name in methods.TEXT_OF_FILE:
                return self.filled("list") if name == "readlines" else ATOM
            given = "unknown" if kind in ("file", "stream") else kind
            result = self._result_of_call(made, given, [obj, *others])
            return Value(result.objs | {obj, *obj.content})
        if kind == BLOB:
            return Value(frozenset({obj})) | called
        if kind == "unknown":
            result = self._result_of_call(made, "unknown", [obj, *others])
            return Value(result.objs | {obj, *obj.content} | called.objs)
        return self._unknown_call([obj], [Value(frozenset(others))], {}) | called

    def _method_state(self, obj: Obj, name: str) -> None:
        if obj.kind == "estimator" and name in methods.ESTIMATOR:
            if any(o.kind == "estimator" and o.data is True for o in reach([obj])):
                self.recorder.touch("<rng:numpy>")
        elif obj.kind in ("pandas", "unknown", BLOB) and name in ("plot", "hist", "boxplot"):
            self.recorder.touch("<figure>")
        elif name == "rvs" or (obj.kind == "pandas" and name == "sample"):
            self.recorder.touch("<rng:numpy>")

    def _method_files(
        self, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> None:
        entry = methods.FILE_METHODS.get(name)
        if entry is None or entry[0] == "none":
            return
        value = arguments[0] if arguments else None
        for key in PATH_KEYWORDS:
            if value is None and key in keywords:
                value = keywords[key]
        if value is None:
            return
        if value.objs:
            self.recorder.change(value.objs, deep=True)
        elif value.const is not None:
            self.file(entry[0], path_text(value))

    def _class_method(
        self, obj: Obj, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        blueprint: Blueprint = obj.data
        own = Value(frozenset({obj}))
        found = blueprint.find(name)
        if found is None and blueprint.foreign:
            return self._foreign_method(obj, blueprint, arguments, keywords)
        results: list[Value] = []
        if obj.kind == "instance" and (not functions_of(found) or name in (obj.fields or ())):
            if name in methods.DICT:  # vars(x).update(...) puts values into attributes
                objs = [o for v in (*arguments, *keywords.values()) for o in v.objs]
                self.store(own, Value(frozenset(objs)) | self.elements(Value(frozenset(objs))))
            known = found is not None or (obj.fields is not None and name in obj.fields)
            inner = own_attribute(obj, name).objs if known else obj.content
            called = Value(frozenset(o for o in inner if o.kind != "class"))
            if called.objs:
                results.append(self.invoke(called, arguments, keywords))
        for function in found.objs if found is not None else ():
            if function.kind != "function":
                results.append(self.invoke(Value(frozenset({function})), arguments, keywords))
                continue
            code = function.data
            bound = not code.is_static and (obj.kind == "instance" or code.is_class_method)
            first = [own] if bound else []
            if code.is_class_method and obj.kind == "instance":
                first = [Value(frozenset(o for o in obj.content if o.kind == "class"))]
            results.append(self.call_function(function, [*first, *arguments], keywords))
        return union(results)

    def method_of_bases(
        self, own: Value, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """Call ``super().name(...)`` on an object: the method of any of its class's bases."""
        results: list[Value] = []
        given = [o for v in (*arguments, *keywords.values()) for o in v.objs]
        for obj in own.objs:
            blueprint = obj.data
            if not isinstance(blueprint, Blueprint):
                results.append(self._method(own, name, arguments, keywords, bare=False))
                continue
            functions = list(blueprint.inherited(name))
            for function in functions:
                bound = name != "__new__" and not function.data.is_static
                first = [Value(frozenset({obj}))] if bound else []
                results.append(self.call_function(function, [*first, *arguments], keywords))
            if name in ("__init__", "__new__"):
                obj.hold(given if blueprint.foreign else ())
            elif blueprint.foreign:
                results.append(self._foreign_method(obj, blueprint, arguments, keywords))
            elif not functions:  # one of object's own, such as __setattr__
                self.store(Value(frozenset({obj})), Value(frozenset(given)))
            if name == "__new__":
                results.append(Value(frozenset({obj})))
        return union(results)

    def _foreign_method(
        self, obj: Obj, blueprint: Blueprint, arguments: Sequence[Value],
        keywords: Mapping[str, Value],
    ) -> Value:  # fmt: skip
        """Call a method that a library's base class has: it may call all of ours."""
        own = Value(frozenset({obj}))
        given = union([*arguments, *keywords.values(), ATOM])
        inner = [o for o in obj.content if o.kind != "class"]
        results = [
            self.call_function(function, [own], {}, unknown=given)
            for name, function in blueprint.functions()
            if name != "__init__"
        ]
        self.recorder.change([obj, *inner])
        return union([*results, self._unknown_call([obj], arguments, keywords)])

    def _invoke_member(
        self,
        obj: Obj,
        name: str,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        bare: bool,
    ) -> Value:
        if obj.data == "builtins.get_ipython":
            return ATOM
        if arguments and arguments[0].objs and obj.data.rpartition(".")[2] in methods.CLASSES:
            return self._method(arguments[0], name, arguments[1:], keywords, bare)
        called = self._patched(name, arguments, keywords)
        if called is not None:
            return called | self.call_path(f"{obj.data}.{name}", arguments, keywords, bare)
        return self.call_path(f"{obj.data}.{name}", arguments, keywords, bare)


def _shares(keywords: Mapping[str, Value]) -> bool:
    """Tell whether ``copy=False`` was asked for."""
    copies = keywords.get("copy")
    return copies is not None and copies.const is False
