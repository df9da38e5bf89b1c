"""What expressions give and do."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from jupyter_mlops.pipeline.effects import methods
from jupyter_mlops.pipeline.effects.core import Core
from jupyter_mlops.pipeline.effects.heap import (
    ATOM,
    BLOB,
    CONTAINERS,
    NOTHING,
    Missing,
    Obj,
    Value,
    union,
)  # fmt: skip
from jupyter_mlops.pipeline.effects.paths import PathText

#: Kinds for which an operator gives a new object that shares nothing.
ARITHMETIC = frozenset({"array", "pandas"})
_DISPLAYED: dict[type[ast.expr], str] = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}
_COMPREHENDED: dict[type[ast.expr], str] = {
    ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict",
}  # fmt: skip


class Expressions(Core):
    """Evaluates expressions; a part of the interpreter."""

    def evaluate(self, node: ast.expr) -> Value:
        """Return what an expression may give, noting what it does on the way."""
        return _EVALUATE[type(node)](self, node)

    def evaluate_all(self, nodes: Iterable[ast.expr | None]) -> list[Value]:
        """Evaluate expressions in order."""
        return [self.evaluate(node) for node in nodes if node is not None]

    # --- names and constants --------------------------------------------------------------
    def _constant(self, node: ast.Constant) -> Value:
        plain = node.value is None or isinstance(node.value, str | int)
        return Value(const=node.value) if plain else ATOM

    def _name(self, node: ast.Name) -> Value:
        return self.load(node.id)

    def _joined(self, node: ast.JoinedStr) -> Value:
        text, fixed, known = "", True, True
        for part in node.values:
            value = self.evaluate(part.value if isinstance(part, ast.FormattedValue) else part)
            if isinstance(part, ast.FormattedValue):
                self.implicit([value])
                if part.format_spec is not None:
                    self.evaluate(part.format_spec)
                    known = False
            known = known and isinstance(value.const, str | int | PathText)
            text += str(value.const)
            fixed = fixed and value.fixed
        return Value(const=text, fixed=fixed) if known else ATOM

    def _formatted(self, node: ast.FormattedValue) -> Value:
        self.implicit([self.evaluate(node.value)])
        return ATOM

    def _named(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        frame = self.frame
        while self.frame is not None and self.frame.inner:
            self.frame = self.frame.outer
        self.assign(node.target, value)
        self.frame = frame
        return value

    # --- operators ------------------------------------------------------------------------
    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if not left.objs and not right.objs:
            return _folded(node.op, left, right)
        self.implicit([left, right])
        return self.combined([left, right])

    def combined(self, values: list[Value]) -> Value:
        """Return what an operator makes of its operands: something new, of the same kind."""
        objs = [obj for value in values for obj in value.objs]
        kinds = {obj.kind for obj in objs}
        for kind in ("pandas", "array"):
            if kind in kinds and kinds <= ARITHMETIC | {"list", "module"}:
                return self.new(kind)
        if kinds and kinds <= CONTAINERS:
            held = [c for obj in objs for c in obj.content]
            firsts = {(obj.kind, id(obj.data)): obj for obj in values[0].objs or objs}
            return union(self.new(obj.kind, held, obj.data) for obj in firsts.values())
        return self.new("unknown", objs) if objs else ATOM

    def _unary(self, node: ast.UnaryOp) -> Value:
        value = self.evaluate(node.operand)
        self.implicit([value])
        if isinstance(node.op, ast.Not) or not value.objs:
            return ATOM
        return self.combined([value])

    def _boolean(self, node: ast.BoolOp) -> Value:
        first = self.evaluate(node.values[0])
        self.implicit([first])
        with self.maybe():
            return union([first, *self.evaluate_all(node.values[1:])])

    def _compare(self, node: ast.Compare) -> Value:
        values = self.evaluate_all([node.left, *node.comparators])
        if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            self.elements(values[-1])
        self.implicit(values)
        kinds = {obj.kind for value in values for obj in value.objs}
        for kind in ("pandas", "array"):
            if kind in kinds:
                return self.new(kind)
        return self.new("unknown") if "unknown" in kinds else ATOM

    def _choice(self, node: ast.IfExp) -> Value:
        self.implicit([self.evaluate(node.test)])
        with self.maybe():
            return self.evaluate(node.body) | self.evaluate(node.orelse)

    # --- parts ----------------------------------------------------------------------------
    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.evaluate(node.value), node.attr)

    def attribute(self, base: Value, name: str) -> Value:
        """Return what ``base.name`` may be: the object itself (a view), or what it holds."""
        if isinstance(base.const, PathText):
            return Value(const=base.const.parent()) if name == "parent" else ATOM
        found: list[Value] = []
        for obj in base.objs:
            found.append(self._part(obj, name))
        return union(found) if found else ATOM

    def _part(self, obj: Obj, name: str) -> Value:
        kind = obj.kind
        if kind == "module":
            return self.member(obj, name)
        if name in methods.TEXT_ATTRIBUTES or (
            name in methods.ATOM_ATTRIBUTES and kind not in ("instance", "class")
        ):
            return ATOM
        if kind in ("instance", "class"):
            return self.member_of_class(obj, name)
        if kind == "state":
            return Value(frozenset({obj}))
        if kind == BLOB:
            return Value(frozenset({obj}))
        if kind == "file" and name == "closed":
            return ATOM
        if self.changes(obj, name) or name == "__dict__":
            return self.new("callable", [obj])  # a method that waits for its call
        return Value(frozenset({obj, *obj.content}))

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.evaluate(node.value)
        key = self.evaluate(node.slice)
        self.implicit([base])
        if isinstance(node.slice, ast.Slice):  # a part of a list is a list
            parts = self._parts_of(base)
            rest = Value(frozenset(o for o in base.objs if o.kind not in CONTAINERS))
            return union([*parts, self.item(rest, key)])
        return self.item(base, key)

    def _parts_of(self, base: Value) -> list[Value]:
        """Return one new container for each kind of container in a value."""
        kinds = sorted({obj.kind for obj in base.objs if obj.kind in CONTAINERS})
        return [
            self.new(kind, [c for obj in base.objs if obj.kind == kind for c in obj.content])
            for kind in kinds
        ]

    def item(self, base: Value, key: Value) -> Value:
        """Return what ``base[key]`` may be."""
        if not base.objs:
            return ATOM
        found: set[Obj] = set()
        for obj in base.objs:
            if obj.kind == "state":
                self.recorder.read(obj.data)
                if obj.data == "<module:sys>":
                    found.add(obj)
            elif obj.kind in CONTAINERS:
                if isinstance(obj.data, Missing):
                    self.add_missing(obj)
                found |= obj.content
            elif obj.kind == BLOB:
                found.add(obj)
            elif obj.kind == "atom":
                continue
            else:
                found.add(obj)
                found |= obj.content
        return Value(frozenset(found))

    def _slice(self, node: ast.Slice) -> Value:
        self.evaluate_all([node.lower, node.upper, node.step])
        return ATOM

    # --- containers -----------------------------------------------------------------------
    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        kind = _DISPLAYED[type(node)]
        objs: list[Obj] = []
        fixed = True
        for element in node.elts:
            value = self.evaluate(element)
            objs.extend(value.objs)
            fixed = fixed and value.fixed
        if kind == "tuple" and not objs:
            return ATOM
        return self.new(kind, objs)

    def _dict(self, node: ast.Dict) -> Value:
        objs: list[Obj] = []
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item)
            if key is None:
                value = self.elements(value)
            else:
                objs.extend(self.evaluate(key).objs)
            objs.extend(value.objs)
        return self.new("dict", objs)

    def _starred(self, node: ast.Starred) -> Value:
        return self.elements(self.evaluate(node.value))

    def _comprehension(self, node: Any) -> Value:
        with self.inner_names(), self.maybe():
            for generator in node.generators:
                self.assign(generator.target, self.elements(self.evaluate(generator.iter)))
                for test in generator.ifs:
                    self.implicit([self.evaluate(test)])
            if isinstance(node, ast.DictComp):
                objs = self.evaluate(node.key).objs | self.evaluate(node.value).objs
            else:
                objs = self.evaluate(node.elt).objs
        return self.new(_COMPREHENDED.get(type(node), "generator"), objs)

    # --- functions ------------------------------------------------------------------------
    def _lambda(self, node: ast.Lambda) -> Value:
        return self.make_function(node, "<lambda>")

    def _await(self, node: ast.Await | ast.YieldFrom) -> Value:
        value = self.evaluate(node.value)
        if isinstance(node, ast.YieldFrom):
            value = self.elements(value)
            self.yielded(value)
        return value

    def _yield(self, node: ast.Yield) -> Value:
        self.yielded(self.evaluate(node.value) if node.value is not None else ATOM)
        return self.sent()

    def _call(self, node: ast.Call) -> Value:
        return self.call(node)


def _folded(operator: ast.operator, left: Value, right: Value) -> Value:
    """Fold the few constants that paths are made of."""
    fixed = left.fixed and right.fixed
    a, b = left.const, right.const
    if isinstance(operator, ast.Div) and (isinstance(a, PathText) or isinstance(b, PathText)):
        return Value(const=PathText.joined([a, b]), fixed=fixed)
    if isinstance(operator, ast.Add) and isinstance(a, str) and isinstance(b, str):
        return Value(const=a + b, fixed=fixed)
    if fixed:
        return ATOM
    return Value(const=NOTHING, fixed=False)


_EVALUATE: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.JoinedStr: Expressions._joined,
    ast.FormattedValue: Expressions._formatted,
    ast.NamedExpr: Expressions._named,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.BoolOp: Expressions._boolean,
    ast.Compare: Expressions._compare,
    ast.IfExp: Expressions._choice,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions._slice,
    ast.List: Expressions._display,
    ast.Tuple: Expressions._display,
    ast.Set: Expressions._display,
    ast.Dict: Expressions._dict,
    ast.Starred: Expressions._starred,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.Lambda: Expressions._lambda,
    ast.Await: Expressions._await,
    ast.YieldFrom: Expressions._await,
    ast.Yield: Expressions._yield,
    ast.Call: Expressions._call,
}
