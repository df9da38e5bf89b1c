"""What an annotation says: type, choices, range, description, and the form of its values.

Read from the syntax tree: ``Annotated`` metadata counts by its name and its keywords, so that
annotated_types, pydantic and msgspec all do and none of them is needed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from jupyter_mlops.parsed import unwarned
from jupyter_mlops.pipeline.parameters.forms import Container, Form, by_call, by_member, contained
from jupyter_mlops.pipeline.parameters.literals import NotLiteral, evaluate
from jupyter_mlops.pipeline.parameters.scope import Scope
from jupyter_mlops.runtime.parameters import Type

HEADS: dict[str, Type] = {
    **dict.fromkeys(("bool", "bool_"), "bool"),
    **dict.fromkeys(("int", "integer", "integral"), "int"),
    **{f"{sign}int{bits}": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **dict.fromkeys(("float", "real", "number", "float16", "float32", "float64"), "float"),
    **dict.fromkeys(("str", "text"), "str"),
    "date": "date",
    **dict.fromkeys(("datetime", "timestamp"), "datetime"),
    **dict.fromkeys(("path", "purepath", "posixpath", "pathlike"), "path"),
    **dict.fromkeys(("list", "sequence", "iterable", "collection", "ndarray"), "list"),
    **dict.fromkeys(("tuple", "set", "frozenset"), "list"),
    **dict.fromkeys(("dict", "mapping", "mutablemapping"), "dict"),
}
DATES = {"datetime.date": "{}.fromisoformat", "datetime.datetime": "{}.fromisoformat"}
CALLED = {"pathlib.Path": "{}", "pathlib.PurePath": "{}", "pandas.Timestamp": "{}", **DATES}
BOUNDS = {
    **dict.fromkeys(("ge", "min", "minimum", "lower"), "minimum"),
    **dict.fromkeys(("le", "max", "maximum", "upper"), "maximum"),
    **dict.fromkeys(("gt", "exclusive_minimum"), "exclusive_minimum"),
    **dict.fromkeys(("lt", "exclusive_maximum"), "exclusive_maximum"),
}
LENGTHS = {"min_length": "min_length", "max_length": "max_length"}
RANGES = frozenset({"range", "valuerange", "between", "inrange"})
TEXTS = frozenset({"description", "doc", "title", "help"})


@dataclass(frozen=True)
class Declared:
    """What an annotation declares; ``type`` is empty where it says nothing of it."""

    type: Type | None = None
    nullable: bool = False
    choices: list[Any] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    items: Type | None = None
    int_keys: bool = False
    description: str = ""
    form: Form | None = None


ANY = Declared(type="any")


def read(node: ast.expr | None, scope: Scope) -> Declared:
    """Return what an annotation declares; one that is not understood allows any value."""
    return Declared() if node is None else _Reader(scope).read(node, 0)


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def read(self, node: ast.expr, depth: int) -> Declared:
        if depth > 10:
            return ANY
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parsed = _parsed(node.value)
            return self.read(parsed, depth + 1) if parsed else ANY
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, depth)
        return self._name(node, depth)

    def _name(self, node: ast.expr, depth: int) -> Declared:
        name = last_name(node)
        if isinstance(node, ast.Name) and node.id in self.scope.enums:
            members = list(self.scope.enums[node.id])
            return Declared(type="str", choices=list(members), form=by_member(node.id))
        if isinstance(node, ast.Name) and node.id in self.scope.aliases:
            return self.read(self.scope.aliases[node.id], depth + 1)
        if name == "Final":
            return Declared()
        if isinstance(node, ast.Name) and node.id in self.scope.own:
            return ANY
        kind = HEADS.get(name.lower())
        if kind is None:
            return ANY
        return Declared(type=kind, form=self._form(node))

    def _form(self, node: ast.expr) -> Form | None:
        qualified = self.scope.qualified(node)
        if qualified in CALLED:
            return by_call(CALLED[qualified].replace("{}", ast.unparse(node)))
        container = _container(node)
        return contained(container, None) if container else None

    def _union(self, sides: list[ast.expr], depth: int) -> Declared:
        every = [self.read(side, depth + 1) for side in sides if not _is_none(side)]
        nullable = len(every) < len(sides) or any(each.nullable for each in every)
        if len(every) == 1:
            return replace(every[0], nullable=nullable)
        kinds = {each.type for each in every}
        plain = all(each.form is None and not each.choices for each in every)
        if kinds <= {"int", "float"} and plain:
            return Declared(type="float", nullable=nullable)
        if kinds <= {"str", "path"}:
            return Declared(type="path", nullable=nullable)
        return Declared(type="any", nullable=nullable)

    def _subscript(self, node: ast.Subscript, depth: int) -> Declared:
        head = last_name(node.value)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match head:
            case "Optional":
                return replace(self.read(inner[0], depth + 1), nullable=True)
            case "Union":
                return self._union(inner, depth)
            case "Final" | "Required":
                return self.read(inner[0], depth + 1)
            case "Literal":
                return _literal(inner)
            case "Annotated":
                return self._annotated(self.read(inner[0], depth + 1), inner[1:])
        kind = HEADS.get(head.lower())
        if kind == "list":
            return self._list(node.value, inner, depth)
        if kind == "dict" and len(inner) == 2:
            return self._mapping(inner, depth)
        return Declared(type=kind or "any")

    def _list(self, head: ast.expr, inner: list[ast.expr], depth: int) -> Declared:
        container = _container(head) or "list"
        lengths: dict[str, int] = {}
        if container == "tuple":
            if any(isinstance(each, ast.Constant) and each.value is ... for each in inner):
                inner = inner[:1]
            else:
                lengths = {"min_length": len(inner), "max_length": len(inner)}
        every = [self.read(each, depth + 1) for each in inner]
        kinds, forms = {_item_type(each) for each in every}, {each.form for each in every}
        if last_name(head).lower() == "ndarray":
            return Declared(type="list")
        return Declared(
            type="list",
            items=kinds.pop() if len(kinds) == 1 else None,
            lengths=lengths,
            form=contained(container, forms.pop()) if len(forms) == 1 else None,
        )

    def _mapping(self, inner: list[ast.expr], depth: int) -> Declared:
        value = self.read(inner[1], depth + 1)
        int_keys = self.read(inner[0], depth + 1).type == "int"
        form = contained("dict", value.form, int_keys)
        return Declared(type="dict", items=_item_type(value), int_keys=int_keys, form=form)

    def _annotated(self, found: Declared, metadata: list[ast.expr]) -> Declared:
        for item in metadata:
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                found = replace(found, description=found.description or item.value)
            elif isinstance(item, ast.Call):
                found = self._constrained(found, item)
        return found

    def _constrained(self, found: Declared, call: ast.Call) -> Declared:
        name = last_name(call.func).lower()
        given = [_value(argument) for argument in call.args]
        named = {keyword.arg: _value(keyword.value) for keyword in call.keywords if keyword.arg}
        limits, lengths = dict(found.limits), dict(found.lengths)
        if name in BOUNDS and len(given) == 1:
            named[name] = given[0]
        elif name in RANGES and len(given) == 2:
            named |= {"ge": given[0], "le": given[1]}
            if name == "range" and isinstance(given[1], int):
                named["le"] = given[1] - 1
        elif name in ("len", "minlen", "maxlen"):
            keys = ["max_length"] if name == "maxlen" else ["min_length", "max_length"]
            named |= dict(zip(keys, given, strict=False))
        elif name in ("doc", "description") and given:
            named["description"] = given[0]
        for key, value in named.items():
            if key in BOUNDS and _is_number(value):
                limits[BOUNDS[key]] = float(value)
            elif key in LENGTHS and isinstance(value, int) and not isinstance(value, bool):
                lengths[LENGTHS[key]] = value
        said = [named[key] for key in named if key in TEXTS and isinstance(named[key], str)]
        description = found.description or (said[0] if said else "")
        return replace(found, limits=limits, lengths=lengths, description=description)


def last_name(node: ast.expr) -> str:
    """Return ``date`` of ``dt.date``; an empty string for what is no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _parsed(text: str) -> ast.expr | None:
    try:
        with unwarned():
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _container(node: ast.expr) -> Container:
    match last_name(node).lower():
        case "tuple":
            return "tuple"
        case "set":
            return "set"
        case "frozenset":
            return "frozenset"
    return ""


def _item_type(declared: Declared) -> Type | None:
    """Return the type of items where it says all there is to say of them."""
    more = declared.nullable or declared.choices or declared.limits or declared.lengths
    return None if more or declared.type == "any" else declared.type


def _literal(members: list[ast.expr]) -> Declared:
    values = [_value(member) for member in members]
    if not all(value is None or isinstance(value, bool | int | float | str) for value in values):
        return ANY
    kinds = {type(value).__name__ for value in values if value is not None}
    kind = HEADS.get(kinds.pop(), "any") if len(kinds) == 1 else "any"
    return Declared(type=kind, nullable=None in values, choices=values)


def _value(node: ast.expr) -> Any:
    """Return the value of a literal, and the node itself of anything else."""
    try:
        return evaluate(node, lambda _: None, frozenset())
    except NotLiteral:
        return node


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
