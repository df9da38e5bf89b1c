"""Which names share objects: they must be handed over together, or one would become two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jupyter_mlops.runtime.handover import sets
from jupyter_mlops.runtime.handover.arrays import Memory, copy_on_write, is_array, is_pandas
from jupyter_mlops.runtime.handover.walking import children, is_atom, pandas_parts

BUDGET = 2_000_000
# Objects of pandas that keep a frame's arrays and never write into them.
PANDAS_VIEWS = (
    "pandas.api.typing",
    "pandas.core.groupby",
    "pandas.core.resample",
    "pandas.core.window",
)


class Partition:
    """Names that are put together, step by step."""

    def __init__(self, names: Iterable[str]) -> None:
        self._leader = {name: name for name in names}

    def top(self, name: str) -> str:
        """Return the name that stands for its group."""
        while self._leader[name] != name:
            self._leader[name] = self._leader[self._leader[name]]
            name = self._leader[name]
        return name

    def join(self, first: str, second: str) -> None:
        """Put two names into one group."""
        self._leader[self.top(second)] = self.top(first)

    def groups(self) -> list[list[str]]:
        """Return the groups, in the order in which the names were given."""
        gathered: dict[str, list[str]] = {}
        for name in self._leader:
            gathered.setdefault(self.top(name), []).append(name)
        return list(gathered.values())


class Walk:
    """Looks at what names hold, and which of it more than one of them holds.

    ``stop`` says which objects every process makes for itself (those that definitions bind).
    ``own`` are containers that belong to the process itself, by identity, with what they are
    called; ``refused`` tells which names hold one. More than ``budget`` objects are not looked
    at: then all names are taken to share.
    """

    def __init__(
        self,
        stop: Callable[[Any], bool],
        own: Mapping[int, str] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._stop = stop
        self._own = own or {}
        self.refused: dict[str, str] = {}
        self._budget = budget
        self._owner: dict[int, str] = {}
        self._inner: dict[int, set[str]] = {}
        self._kept: list[Any] = []
        self._memory: dict[int, str] = {}
        self.memory = Memory()
        self.orders: dict[str, list[tuple[Any, ...]]] = {}

    def groups(
        self, values: Mapping[str, Any], parts: Mapping[str, Iterable[Any]]
    ) -> list[list[str]]:
        """Group names; ``parts`` gives what a name holds that is itself made from text."""
        partition = Partition(values)
        for name, value in values.items():
            if not self._enter(name, parts.get(name, (value,)), partition):
                first, *others = values
                for other in others:
                    partition.join(first, other)
                break
        return partition.groups()

    def _enter(self, name: str, roots: Iterable[Any], partition: Partition) -> bool:
        pending = [(root, False) for root in roots]
        while pending:
            current, inside = pending.pop()
            if isinstance(current, set | frozenset) and id(current) not in self._owner:
                self._look_at_set(current, name)
            if is_atom(current):
                continue
            if id(current) in self._own:
                self.refused[name] = f"{self._own[id(current)]}, of which each process has one"
                continue
            if self._stop(current) or not self._is_new(current, inside, name, partition):
                continue
            if len(self._kept) >= self._budget:
                return False
            if is_array(current):
                key = self.memory.add(current, inside)
                self._look_at(key, name, partition)
                inside = False
            elif type(current) is bytearray:
                self._look_at(self.memory.add_buffer(current), name, partition)
            elif is_pandas(current):
                values, rest = pandas_parts(current)
                pending.extend([(each, copy_on_write()) for each in values])
                pending.extend([(each, False) for each in rest])
                continue
            elif type(current).__module__.startswith(PANDAS_VIEWS):
                inside = copy_on_write()
            pending.extend([(child, inside) for child in children(current)])
        return True

    def _look_at_set(self, value: Any, name: str) -> None:
        if not sets.needs_plan(value):
            return
        found = None if isinstance(value, frozenset) else sets.plan(value)
        if found is None:
            self.refused[name] = "a set whose order cannot be kept"
        else:
            self.orders.setdefault(name, []).append((value, *found))

    def orders_of(self, group: Iterable[str]) -> list[tuple[Any, ...]]:
        """Return the sets that these names hold, with how to get their order again."""
        return [each for name in group for each in self.orders.get(name, ())]

    def _is_new(self, current: Any, inside: bool, name: str, partition: Partition) -> bool:
        """Note that a name holds an object; say whether to look into it."""
        key = id(current)
        known = self._owner.get(key)
        if known is not None and known != name:
            partition.join(known, name)
        if inside and not is_pandas(current):
            # pandas lets frames share it, and copies it before it writes: they stay apart.
            holders = self._inner.setdefault(key, set())
            if name in holders:
                return False
            holders.add(name)
        elif known is not None:
            return False
        else:
            self._owner[key] = name
            for each in self._inner.get(key, ()):
                partition.join(each, name)
        self._kept.append(current)
        return True

    def _look_at(self, key: int, name: str, partition: Partition) -> None:
        known = self._memory.setdefault(key, name)
        # Frames that share memory only among themselves may go different ways.
        if known != name and self.memory.is_open(key):
            partition.join(known, name)
