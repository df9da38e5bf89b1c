"""The order of sets: it is told by their tables, which pickle does not keep.

A notebook that goes through a set of texts sees one order; so must the step that gets the set.
The table is read where it is, an order of insertion is found that gives the same table, and
whether it does is tried before it is relied on.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any

_LINEAR_PROBES = 9
_MIN_TABLE = 8
_WORD = struct.calcsize("P")
Plan = tuple[list[Any], int]


def needs_plan(value: Any) -> bool:
    """Say whether a set is gone through in another order after pickle."""
    plain: Any = object.__hash__
    if len(value) < 2 or any(type(each).__hash__ is plain for each in value):
        # By their addresses objects come in any order, in the notebook too.
        return False
    return not keeps_order(value)


def keeps_order(value: set[Any] | frozenset[Any]) -> bool:
    """Say whether pickle alone gives back a set that is gone through in the same order."""
    order = list(value)
    again: set[Any] = set()
    # As unpickling does it: in batches, one by one.
    for start in range(0, len(order), 1000):
        again.update(order[start : start + 1000])
    return list(again) == order


def plan(value: set[Any]) -> Plan | None:
    """Return elements in an order of insertion, and the size of the table; None if unknown."""
    if sys.implementation.name != "cpython":
        return None
    table = _table(value)
    if table is None:
        return None
    size, slots = table
    order = _insertion(size, slots)
    if order is None:
        return None
    tried: set[Any] = set()
    refill(tried, order, size)
    return (order, size) if list(tried) == list(value) else None


def _table(value: set[Any]) -> tuple[int, dict[int, Any]] | None:
    """Read where each element is in the table of a set: fill, used, mask, table."""
    head = object.__basicsize__
    fill, used, mask, table = struct.unpack("nnnP", ctypes.string_at(id(value) + head, 4 * _WORD))
    size = mask + 1
    if used != len(value) or fill < used or size & mask or not used <= size <= 1 << 26:
        return None
    raw = ctypes.string_at(table, size * 2 * _WORD)
    places = {id(each): each for each in value}
    slots = {
        number: places[key]
        for number, (key, _) in enumerate(struct.iter_unpack("Pn", raw))
        if key in places
    }
    return (size, slots) if len(slots) == used else None


def _probes(value: Any, size: int) -> Any:
    mask = size - 1
    hashed = hash(value)
    perturb = hashed & ((1 << (8 * _WORD)) - 1)
    place = hashed & mask
    while True:
        reach = _LINEAR_PROBES if place + _LINEAR_PROBES <= mask else 0
        yield from range(place, place + reach + 1)
        perturb >>= 5
        place = (place * 5 + 1 + perturb) & mask


def _insertion(size: int, slots: dict[int, Any]) -> list[Any] | None:
    """Return an order in which every element finds its place: after those in its way."""
    ordered: dict[int, Any] = {}

    for first in slots:
        pending = [(first, False)]
        open_: set[int] = set()
        while pending:
            slot, ready = pending.pop()
            if slot in ordered:
                continue
            if ready:
                ordered[slot] = slots[slot]
                continue
            if slot in open_:
                return None
            open_.add(slot)
            pending.append((slot, True))
            for probe in _probes(slots[slot], size):
                if probe == slot:
                    break
                if probe not in slots:
                    return None  # something was there that is gone by now
                pending.append((probe, False))
    return list(ordered.values())


def refill(value: set[Any], order: list[Any], size: int) -> None:
    """Fill a set anew so that its table has this size and its elements come in this order."""
    set.clear(value)
    if size > _MIN_TABLE:
        # A set takes a table of more than twice the size of a dict that it is filled from.
        first = min(len(order), size // 2 - 1)
        fillers = [object() for _ in range(max(0, size // 4 - first))]
        set.update(value, dict.fromkeys([*order[:first], *fillers]))
        set.difference_update(value, fillers)
        order = order[first:]
    for each in order:
        set.add(value, each)
