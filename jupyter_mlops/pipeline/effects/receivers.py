"""What methods do to the object that they are called on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jupyter_mlops.pipeline.effects import methods
from jupyter_mlops.pipeline.effects.functions import Blueprint
from jupyter_mlops.pipeline.effects.heap import ATOM, BLOB, Obj, Value, reach, union
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
        results = [self._method_of(obj, name, arguments, keywords, bare) for obj in base.objs]
        return union(results)

    def _atom_method(
        self, base: Value, name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]
    ) -> Value:
        if isinstance(base.const, PathText):
            return self._path_method(base, name, arguments, keywords)
        for value in arguments:
            self.elements(value)
        self.implicit(arguments)
        return ATOM

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
    ) -> Value:
        kind = obj.kind
        if kind == "module":
            return self._invoke_member(obj, name, arguments, keywords, bare)
        if kind in ("instance", "class") and isinstance(obj.data, Blueprint):
            return self._class_method(obj, name, arguments, keywords)
        if kind == "state":
            return self._state_method(obj, name, arguments, keywords)
        others = [o for v in (*arguments, *keywords.values()) for o in v.objs if o.kind != "module"]
        callbacks = [obj, *others] if kind in ("callable", "estimator", "unknown", BLOB) else others
        called = self._call_back(callbacks, others) if callbacks else ATOM
        self.recorder.change((o for o in others if o.kind == "figure"), deep=True)
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
            if name in ("extend", "update", "extendleft") or kind == "rng":
                inner = [*others, *self.elements(Value(frozenset(others))).objs]
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
        return self._method_result(obj, name, others, called)

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
        copies = keywords.get("copy")
        if copies is not None and copies.const is False:
            return True
        mutators = methods.MUTATORS.get(obj.kind, frozenset())
        if mutators is None:
            return not (obj.kind == "figure" and name.startswith("get_"))
        return name in mutators

    def _method_result(self, obj: Obj, name: str, others: list[Obj], called: Value) -> Value:
        kind = obj.kind
        if kind == "atom":
            return ATOM
        if kind in ("list", "dict", "set", "tuple", "deque"):
            if name in ("copy", "union", "difference", "intersection", "__or__"):
                return self.new(kind, [*obj.content, *others])
            if name in ("items", "keys", "values"):
                return self.new("list", obj.content)
            return Value(frozenset(obj.content) | frozenset(others) | called.objs)
        if kind in ("array", "pandas"):
            given = methods.RESULTS[kind].get(name, kind)
            if given == "atom":
                return ATOM
            holds = name in ("groupby", "rolling", "expanding", "ewm", "resample", "items",
                             "iterrows", "itertuples")  # fmt: skip
            made = self.new(given, [*called.objs, *([obj] if holds else [])])
            return Value(made.objs | {obj, *obj.content}) if name in methods.VIEWS else made
        if kind == "estimator":
            if name.startswith(("fit", "partial_fit", "set_")) and "transform" not in name:
                return Value(frozenset({obj}))
            return self.new("array", called.objs)
        if kind in ("file", "stream", "connection", "figure", "thread", "iterator", "generator"):
            made = self.new("unknown" if kind in ("file", "stream") else kind, [obj, *others])
            return Value(made.objs | {obj, *obj.content})
        if kind == BLOB:
            return Value(frozenset({obj})) | called
        if kind == "unknown":
            made = self.new("unknown", [obj, *others])
            return Value(made.objs | {obj, *obj.content} | called.objs)
        return self._unknown_call([obj], [Value(frozenset(others))], {}) | called

    def _method_state(self, obj: Obj, name: str) -> None:
        if obj.kind == "estimator" and name in methods.ESTIMATOR:
            if any(o.kind == "estimator" and o.data is True for o in reach([obj])):
                self.recorder.touch("<rng:numpy>")
        elif obj.kind in ("pandas", "unknown", BLOB) and name in ("plot", "hist", "boxplot"):
            self.recorder.touch("<figure>")
        elif obj.kind == "pandas" and name == "sample":
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
        if found is None:
            if obj.kind == "class" and not blueprint.foreign:
                return ATOM
            return self._foreign_method(obj, blueprint, arguments, keywords)
        results: list[Value] = []
        for function in found.objs:
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

    def _foreign_method(
        self, obj: Obj, blueprint: Blueprint, arguments: Sequence[Value],
        keywords: Mapping[str, Value],
    ) -> Value:  # fmt: skip
        """Call a method that a library's base class has: it may call all of ours."""
        own = Value(frozenset({obj}))
        given = union([*arguments, *keywords.values(), ATOM])
        inner = [o for o in obj.content if o.kind != "class"]
        if not blueprint.foreign:
            return self._unknown_call(inner, arguments, keywords) if inner else ATOM
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
        called = self._patched(name, arguments, keywords)
        if called is not None:
            return called | self.call_path(f"{obj.data}.{name}", arguments, keywords, bare)
        return self.call_path(f"{obj.data}.{name}", arguments, keywords, bare)
