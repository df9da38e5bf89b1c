"""The objects below the notebook's names after a cell: what changed, and who shares what."""

from __future__ import annotations

import time
import types
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from jupyter_mlops.runtime.handover.groups import Partition
from jupyter_mlops.runtime.trace.content import look
from jupyter_mlops.runtime.trace.tokens import PLAIN, Seen, ends

# Objects below one name.
NODES = 20_000
# Seconds for looking closely at what the cell could not reach.
FAR = 0.005
# Names that are bound to these, or whose objects are met below others, share nothing by it.
CLEAR = (tuple, frozenset, types.FunctionType, types.MethodType, type)


class Heap:
    """What the names reached at one moment; holds no object, so that none lives longer.

    Atoms are the exception: they are kept, to be compared by identity.
    """

    def __init__(self) -> None:
        self.roots: dict[str, int] = {}
        self.atoms: dict[str, Any] = {}
        self.weak: dict[str, weakref.ref[Any]] = {}
        self.seen: dict[int, Seen] = {}
        self.below: dict[int, tuple[int, ...]] = {}
        self.cut: set[str] = set()
        self.late: set[int] = set()
        self.groups: set[tuple[str, ...]] = set()

    def same(self, name: str, value: Any) -> bool:
        """Tell whether a name is still bound to the object that it was bound to."""
        if self.roots.get(name) != id(value):
            return False
        if name in self.atoms:
            return self.atoms[name] is value
        known = self.weak.get(name)
        return known is None or known() is value

    def reaching(self, targets: Iterable[int]) -> set[str]:
        """Return the names from which any of these objects can be reached."""
        above: dict[int, list[int]] = {}
        for upper, lower in self.below.items():
            for each in lower:
                above.setdefault(each, []).append(upper)
        reached = set(targets)
        waiting = list(reached)
        while waiting:
            for upper in above.get(waiting.pop(), ()):
                if upper not in reached:
                    reached.add(upper)
                    waiting.append(upper)
        return {name for name, root in self.roots.items() if root in reached}

    def mates(self, names: Iterable[str]) -> set[str]:
        """Return these names and those that share objects with them."""
        chosen = set(names)
        return chosen.union(*(group for group in self.groups if not chosen.isdisjoint(group)))


class _Sharing(Partition):
    """Names that share objects, or memory below their objects."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(names)
        self.linked: dict[Any, str] = {}

    def several(self) -> set[tuple[str, ...]]:
        """Return the groups of more than one name."""
        return {tuple(sorted(group)) for group in self.groups() if len(group) > 1}


def take(
    values: Mapping[str, Any], near: set[str], before: Heap | None, seconds: float = 0.1
) -> Heap:
    """Look at everything below some names, at those first that the cell could reach.

    ``before`` is what was seen at the last time. After ``seconds``, big things are no longer
    compared in full, and what was not looked at is ``cut``.
    """
    heap, sharing = Heap(), _Sharing(values)
    owners: dict[Any, str] = {}
    close = time.perf_counter() + FAR
    deadline = time.perf_counter() + seconds
    for name in sorted(values, key=lambda each: each not in near):
        value = values[name]
        heap.roots[name] = id(value)
        if ends(value):
            if type(value) not in PLAIN or (type(value) in (str, bytes) and len(value) > 1 << 20):
                continue
            heap.atoms[name] = value
            continue
        with suppress(TypeError):
            heap.weak[name] = weakref.ref(value)
        limit = deadline if name in near else close
        _walk(heap, name, value, limit, deadline, owners, sharing)
    if before is not None:
        _carry(heap, before)
    heap.groups = sharing.several()
    return heap


def _walk(
    heap: Heap,
    name: str,
    value: Any,
    close: float,
    deadline: float,
    owners: dict[Any, str],
    sharing: _Sharing,
) -> None:
    """Walk through one name's objects; until ``close`` each of them is looked at closely."""
    waiting, nodes = [value], 0
    passed: set[int] = set()
    while waiting:
        current = waiting.pop()
        key = id(current)
        owner = owners.get(key)
        if owner is None:
            nodes += 1
            late = not nodes % 64 and time.perf_counter() > deadline
            if nodes > NODES or late:
                heap.cut.add(name)
                return
            owners[key] = name
            if key in sharing.linked:
                sharing.join(sharing.linked[key], name)
            on_time = time.perf_counter() < close
            try:
                seen = look(current, near=on_time)
            except Exception:
                seen = Seen(0, 0, opaque=True)
            if close == deadline and not on_time:
                heap.late.add(key)
            heap.below[key] = tuple(map(id, seen.below))
            heap.seen[key] = seen._replace(below=(), links=())
            waiting.extend(seen.below)
            for link in seen.links:
                sharing.join(owners.get(link) or sharing.linked.setdefault(link, name), name)
        elif owner != name:
            if not issubclass(type(current), CLEAR):
                sharing.join(owner, name)
            elif key not in passed and not issubclass(type(current), type):
                passed.add(key)
                waiting.extend(look(current, near=False).below)


def _carry(heap: Heap, before: Heap) -> None:
    """Keep what was compared in full of a big thing that a quick look finds unchanged."""
    for key, seen in heap.seen.items():
        if seen.full is None and key not in heap.late:
            old = before.seen.get(key)
            if old is not None and old.quick == seen.quick and old.full is not None:
                heap.seen[key] = seen._replace(full=old.full)
    if heap.cut:
        for key, old in before.seen.items():
            if key not in heap.seen:
                heap.seen[key] = old
                heap.below[key] = before.below[key]


def changed(before: Heap, after: Heap) -> set[int]:
    """Return the objects whose own content is not what it was."""
    found = set()
    for key, old in before.seen.items():
        new = after.seen.get(key)
        if new is None:
            continue
        if old.full is not None and new.full is not None:
            if old.full != new.full or old.quick != new.quick:
                found.add(key)
        elif old.quick != new.quick:
            found.add(key)
    return found


def unsure(before: Heap, after: Heap) -> set[int]:
    """Return the objects that may have changed without being seen to."""
    return {
        key
        for key, new in after.seen.items()
        if new.opaque or new.full is None or (key in before.seen and before.seen[key].full is None)
    }
