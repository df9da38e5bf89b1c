"""Abstract objects and values: what a name may refer to, and what that may reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

#: What unknown code has had in its hands is one such object: changing it may change all it holds.
BLOB: Final = "blob"
#: Why an object of such a kind cannot leave its process.
UNCARRYABLE: Final[dict[str, str]] = {
    "generator": "a generator cannot be handed over",
    "file": "an open file cannot be handed over",
    "connection": "an open connection cannot be handed over",
    "lock": "a lock cannot be handed over",
    "thread": "a thread or a pool cannot be handed over",
}


class Edges:
    """Counts the references found so far: while it stands, what objects reach is the same."""

    count = 0


class Nothing:
    """The type of ``NOTHING``: no constant is known."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = Nothing()


class Obj:
    """One abstract object: all real objects that one place in the notebook makes.

    ``origin`` is the cell (number) that made it, ``last`` the one that changed it last;
    ``content`` is what it may refer to, ``parents`` who may refer to it, ``names`` the notebook
    names bound to it now.
    """

    __slots__ = ("content", "data", "kind", "last", "names", "origin", "parents")

    def __init__(self, kind: str, last: int, data: Any = None) -> None:
        self.kind = kind
        self.last = self.origin = last
        self.data = data
        self.content: set[Obj] = set()
        self.parents: set[Obj] = set()
        self.names: set[str] = set()

    def hold(self, others: Iterable[Obj]) -> None:
        """Say that this object may refer to others from now on."""
        for other in others:
            if other is not self and other not in self.content:
                self.content.add(other)
                other.parents.add(self)
                Edges.count += 1

    def __repr__(self) -> str:
        return f"<{self.kind} of cell {self.last}>"


class Value:
    """What an expression may give: objects, or a constant; neither means an immutable atom.

    ``fixed`` tells whether the constant is the same whatever the parameters are.
    """

    __slots__ = ("const", "fixed", "objs")

    def __init__(
        self, objs: frozenset[Obj] = frozenset(), const: Any = NOTHING, fixed: bool = True
    ) -> None:
        self.objs = objs
        self.const = const
        self.fixed = fixed

    def __or__(self, other: Value) -> Value:
        if other is self:
            return self
        same = self.const is not NOTHING and self.const == other.const
        return Value(self.objs | other.objs, self.const if same else NOTHING)

    def __repr__(self) -> str:
        return f"Value({set(self.objs) or '{}'}, {self.const!r})"


ATOM: Final = Value()


def reach(objs: Iterable[Obj], through: Callable[[Obj], bool] | None = None) -> set[Obj]:
    """Return the objects and everything that they may refer to, at any depth.

    ``through`` says which objects are followed; all of them, if it is not given.
    """
    found: set[Obj] = set(objs)
    waiting = list(found)
    while waiting:
        current = waiting.pop()
        if through is not None and not through(current):
            continue
        for other in current.content:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def owners(objs: Iterable[Obj]) -> set[Obj]:
    """Return the objects and everything that may refer to them, at any depth."""
    found: set[Obj] = set(objs)
    waiting = list(found)
    while waiting:
        for other in waiting.pop().parents:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def union(values: Iterable[Value]) -> Value:
    """Return what may be any of the values."""
    result: Value | None = None
    for value in values:
        result = value if result is None else result | value
    return ATOM if result is None else result
