"""What the notebook's functions and classes are to the interpreter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from jupyter_mlops.pipeline.effects.core import Frame
from jupyter_mlops.pipeline.effects.heap import Obj, Value
from jupyter_mlops.pipeline.effects.scope import FunctionNode


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

    def inherited(self, name: str) -> Iterable[Obj]:
        """Return the functions of this name in the bases, and in theirs."""
        for base in self.bases:
            if isinstance(base.data, Blueprint):
                yield from functions_of(base.data.members.get(name))
                yield from base.data.inherited(name)

    def functions(self) -> Iterable[tuple[str, Obj]]:
        """Return (name, function) of every method, the bases' too."""
        for name, value in list(self.members.items()):
            for obj in tuple(value.objs):
                if obj.kind == "function":
                    yield name, obj
        for base in self.bases:
            if isinstance(base.data, Blueprint):
                yield from base.data.functions()


def own_attribute(obj: Obj, name: str) -> Value:
    """Return what may have been put into an attribute of an instance."""
    held = obj.content if obj.fields is None else obj.loose
    objs = obj.fields.get(name, frozenset()) if obj.fields is not None else frozenset()
    return Value(objs.union(o for o in held if o.kind != "class"))


def functions_of(value: Value | None) -> list[Obj]:
    """Return the notebook's functions among what a value may be."""
    return [obj for obj in value.objs if obj.kind == "function"] if value is not None else []
