"""What a traced run tells about which cell depends on which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from jupyter_mlops.runtime.trace.models import CellTrace

# What IPython remembers of earlier cells; `_` alone is the last value that was shown.
_HISTORY = re.compile(r"__|___|_\d+|Out|_oh")
_LISTS = tuple(
    name for name in CellTrace.__struct_fields__ if name not in ("number", "seconds", "error")
)


def read(path: Path) -> list[CellTrace]:
    """Return what a traced run recorded, by cell in the order in which they ran.

    A cell whose parts ran one after the other (its own lines, then the parameters given) is one
    record. A last line that was cut off is left out, and so are lines about the tracer itself:
    see ``problems``. Raises ``OSError`` where there is no such file.
    """
    found: dict[int, CellTrace] = {}
    for line in path.read_bytes().splitlines():
        try:
            trace = msgspec.json.decode(line, type=CellTrace)
        except msgspec.DecodeError:
            continue
        before = found.get(trace.number)
        found[trace.number] = trace if before is None else _joined(before, trace)
    return list(found.values())


def problems(path: Path) -> list[str]:
    """Return why the tracer stopped, if it did: nothing is recorded of the cells after that."""
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(msgspec.json.decode(line, type=dict[str, str])["problem"])
        except (msgspec.DecodeError, KeyError):
            continue
    return found


def _joined(first: CellTrace, second: CellTrace) -> CellTrace:
    known = set(first.bound)
    fields: dict[str, list[str]] = {
        name: sorted({*getattr(first, name), *getattr(second, name)})
        for name in _LISTS
        if name not in ("shared", "own")
    }
    # What the second part read may come from the first.
    outside = ({*first.read} - {*first.own}) | ({*second.read} - {*second.own} - known)
    return CellTrace(
        number=first.number,
        seconds=first.seconds + second.seconds,
        own=sorted(set(fields["read"]) - outside),
        shared=[*first.shared, *(g for g in second.shared if g not in first.shared)],
        error=second.error or first.error,
        **fields,
    )


def edges(traces: Sequence[CellTrace]) -> list[tuple[int, int, str]]:
    """Return which cell needs which for what: (producer, consumer, key), sorted.

    A cell needs the last cell before it that bound or changed a name that it read or changed,
    under this name or another one of the same object; the last that changed a state that it
    changed; the last that wrote a file that it read.
    """
    found: set[tuple[int, int, str]] = set()
    makers = _Makers()
    for trace in traces:
        own = set(trace.own)
        for name in {*trace.read, *trace.mutated, *trace.unchecked, *trace.deleted} - own:
            found |= {(maker, trace.number, name) for maker in makers.of_name(name)}
        for key in trace.state:
            found |= {(maker, trace.number, key) for maker in makers.of_state(key)}
        for path in trace.files_read:
            found |= {(m, trace.number, f"<file:{p}>") for m, p in makers.of_file(path)}
        makers.add(trace)
    return sorted(edge for edge in found if edge[0] != edge[1])


class _Makers:
    """The last cell that made each thing."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.changes: dict[str, int] = {}
        self.shown: list[int] = []
        self.states: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self.anything: list[int] = []
        self.group: dict[str, frozenset[str]] = {}

    def of_name(self, name: str) -> set[int]:
        if _HISTORY.fullmatch(name):
            return set(self.shown)
        own = max(self.names.get(name, -1), self.changes.get(name, -1))
        # A later change may have been made under another name of the same object.
        mates = self.group.get(name, frozenset())
        later = {self.changes[m] for m in mates if self.changes.get(m, -1) > own}
        return later | ({own} if own >= 0 else set())

    def of_state(self, key: str) -> set[int]:
        return {self.states[key]} if key in self.states else set()

    def of_file(self, path: str) -> Iterator[tuple[int, str]]:
        for each, maker in self.files.items():
            listed = path == "*" or (path.endswith("/") and _within(each, path))
            if each in (path, "*") or listed:
                yield maker, each

    def add(self, trace: CellTrace) -> None:
        """Remember what a cell made."""
        for name in trace.bound:
            self.names[name] = trace.number
            self._leave(name)
            self.changes.pop(name, None)
        for name in trace.deleted:
            self.names[name] = trace.number
            self._leave(name)
            self.changes.pop(name, None)
        for name in (*trace.mutated, *trace.unchecked):
            self.changes[name] = trace.number
        if "_" in trace.bound:
            self.shown.append(trace.number)
        self.states.update(dict.fromkeys(trace.state, trace.number))
        self.files.update(dict.fromkeys(trace.files_written, trace.number))
        for group in trace.shared:
            self._join(group)

    def _leave(self, name: str) -> None:
        rest = self.group.pop(name, frozenset()) - {name}
        for mate in rest:
            self.group[mate] = rest

    def _join(self, group: Iterable[str]) -> None:
        joined = frozenset(group)
        for name in joined:
            self._leave(name)
        for name in joined:
            self.group[name] = joined


def _within(path: str, folder: str) -> bool:
    return (folder == "./" and not path.startswith("/")) or path.startswith(folder)
