"""What calls do: of names, of attributes, of code given as text."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from jupyter_mlops import parsed
from jupyter_mlops.pipeline.effects.blueprints import Blueprint
from jupyter_mlops.pipeline.effects.heap import ATOM, Obj, Value, union
from jupyter_mlops.pipeline.effects.receivers import Receivers

CODE_BUILTINS = frozenset({"exec", "eval", "compile"})
NAMESPACE_BUILTINS = frozenset({"globals", "locals", "vars", "dir"})
_SPECIAL = CODE_BUILTINS | NAMESPACE_BUILTINS


class Calls(Receivers):
    """Calls of every kind; a part of the interpreter."""

    def call(self, node: ast.Call, bare: bool = False) -> Value:
        """Interpret a call; ``bare``: its result is not used, so it is made for its effect."""
        if self.rest is not None:
            return self._rest_of(node, self.rest)
        function = node.func
        if isinstance(function, ast.Name) and function.id in _SPECIAL:
            special = self._special(function.id, node)
            if special is not None:
                return special
        if isinstance(function, ast.Attribute):
            own = self._own_of_super(function.value)
            base = own or self.evaluate(function.value)
            arguments, keywords = self._arguments(node)
            if own is not None:
                return self.method_of_bases(own, function.attr, arguments, keywords)
            return self._method(base, function.attr, arguments, keywords, bare)
        own = self._own_of_super(node)
        if own is not None:
            return own
        called = self.evaluate(function)
        arguments, keywords = self._arguments(node)
        return self.invoke(called, arguments, keywords, bare)

    def _own_of_super(self, node: ast.expr) -> Value | None:
        """Return the object of whose bases ``super()`` asks; None for any other expression."""
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "super"
            and self.stack
        ):
            return None
        if len(node.args) == 2:
            return [self.evaluate(argument) for argument in node.args][1]
        spec = self.stack[-1].data.node.args
        first = [*spec.posonlyargs, *spec.args][:1]
        return self.load(first[0].arg) if first and not node.args else None

    def _rest_of(self, node: ast.Call, rest: Obj) -> Value:
        """Interpret a call where everything is assumed to change already."""
        called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        arguments, keywords = self._arguments(node)
        for value in (self.evaluate(called), *arguments, *keywords.values()):
            for obj in value.objs:
                if obj.kind not in ("module", "state"):
                    rest.hold([obj])
                    if obj.kind not in ("function", "class"):
                        obj.hold([rest])
        return Value(frozenset({rest}))

    def _arguments(self, node: ast.Call) -> tuple[list[Value], dict[str, Value]]:
        arguments = [self.evaluate(argument) for argument in node.args]
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is None:
                value = self.elements(value)
            keywords[keyword.arg or "**"] = value
        return arguments, keywords

    def _special(self, name: str, node: ast.Call) -> Value | None:
        if self.world.names.get(name) is not None:
            return None
        if name in CODE_BUILTINS:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and not node.keywords and len(node.args) == 1:  # noqa: E501  # fmt: skip
                return self.run_text(first.value)
            self._arguments(node)
            self.barrier(f"{name}() runs code that cannot be read here")
            return self.new("unknown")
        if name in ("vars", "dir") and node.args:
            arguments, _ = self._arguments(node)
            owners = [obj for obj in arguments[0].objs if obj.kind in ("array", "pandas")]
            if name == "vars" and owners:  # its own methods are not those of a dictionary
                return arguments[0] | self.new("unknown", owners)
            return arguments[0]
        if self.frame is not None and name == "locals":
            return self.new("dict", [o for v in self.frame.names.values() for o in v.objs])
        self.barrier(f"{name}() gives access to every name")
        return self.new("unknown", [o for b in self.world.names.values() for o in b.value.objs])

    def add_missing(self, obj: Obj) -> None:
        """Handle a look into a ``defaultdict``: it may make the item."""
        with self.maybe():
            obj.hold(self.invoke(obj.data.factory, [], {}).objs)
        self.recorder.change([obj])

    def run_text(self, text: str) -> Value:
        """Interpret code given as a constant text."""
        try:
            tree = parsed.tree_of(text.strip())
        except (SyntaxError, ValueError):
            return ATOM
        result = ATOM
        for statement in tree.body:
            if isinstance(statement, ast.Expr):
                result = self.evaluate(statement.value)
            else:
                self.execute(statement)
        return result

    def invoke(
        self,
        function: Value,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        bare: bool = False,
    ) -> Value:
        """Call whatever an expression gave."""
        results = [self._invoke_one(obj, arguments, keywords, bare) for obj in function.objs]
        if not results:
            return self._unknown_call([], arguments, keywords)
        return union(results)

    def _invoke_one(
        self, obj: Obj, arguments: Sequence[Value], keywords: Mapping[str, Value], bare: bool
    ) -> Value:
        if obj.kind == "function":
            return self.call_function(obj, arguments, keywords)
        if obj.kind == "class":
            return self.instantiate(obj, arguments, keywords)
        if obj.kind == "bound":
            owner, method = obj.data
            return self.call_function(method, [Value(frozenset({owner})), *arguments], keywords)
        if obj.kind == "module":
            return self.call_path(obj.data, arguments, keywords, bare)
        if obj.kind == "instance" and isinstance(obj.data, Blueprint):
            return self._method(Value(frozenset({obj})), "__call__", arguments, keywords, False)
        return self._unknown_call([obj], arguments, keywords)
