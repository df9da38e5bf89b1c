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

#: Built-in containers: what they hold is what is found in them.
CONTAINERS: Final = frozenset({"list", "dict", "set", "tuple", "deque"})

#: What is used up by whoever reads it.
STREAMING: Final = frozenset({"iterator", "generator", "file", "stream"})


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
    names bound to it now. ``fields`` is what is known to be in single attributes, where that is
    kept, and ``loose`` what may be in any of them.
    """

    __slots__ = (
        "content", "data", "fields", "kind", "last", "loose", "names", "origin", "parents",
    )  # fmt: skip

    def __init__(self, kind: str, last: int, data: Any = None) -> None:
        self.kind = kind
        self.last = self.origin = last
        self.data = data
        self.content: set[Obj] = set()
        self.parents: set[Obj] = set()
        self.names: set[str] = set()
        self.fields: dict[str, frozenset[Obj]] | None = None
        self.loose: set[Obj] = set()

    def keep_fields(self) -> None:
        """Tell attributes apart from now on; what is held already may be in any of them."""
        self.fields, self.loose = {}, set(self.content)

    def set_field(self, name: str, objs: frozenset[Obj]) -> None:
        """Say that an attribute may refer to objects, whatever it referred to before."""
        assert self.fields is not None
        self.fields[name] = self.fields.get(name, frozenset()) | objs
        self._refer(objs)

    def hold(self, others: Iterable[Obj]) -> None:
        """Say that this object may refer to others from now on."""
        if self.fields is not None:
            others = tuple(others)
            self.loose.update(others)
        self._refer(others)

    def _refer(self, others: Iterable[Obj]) -> None:
        for other in others:
            if other is not self and other not in self.content:
                self.content.add(other)
                other.parents.add(self)
                Edges.count += 1

    def __repr__(self) -> str:
        return f"<{self.kind} of cell {self.last}>"


class Pairs:
    """Marks an iterator that gives tuples of what it holds, as ``enumerate`` and ``zip`` do."""


PAIRS: Final = Pairs()


class Missing:
    """What a ``defaultdict`` makes of a key that it has not: what its factory gives."""

    __slots__ = ("factory",)

    def __init__(self, factory: Value) -> None:
        self.factory = factory


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
    every = list(values)
    if len(every) < 2:
        return every[0] if every else ATOM
    const = every[0].const
    same = const is not NOTHING and all(value.const == const for value in every)
    objs = frozenset().union(*(value.objs for value in every))
    return Value(objs, const if same else NOTHING, all(value.fixed for value in every))
