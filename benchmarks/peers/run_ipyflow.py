"""ipyflow: its static checker's live and dead names of each cell, linked in program order.

Only the linking is written here: ipyflow itself links cells while they run in its kernel.
"""

from __future__ import annotations

from typing import Any

from ipyflow.analysis.live_refs import compute_live_dead_symbol_refs
from ipyflow.shell.interactiveshell import IPyflowInteractiveShell
from serve import serve


class Ipyflow:
    def whole(self, cells: list[str]) -> int:
        self.names = [self._names(text) for text in cells]
        return self._link()

    def changed(self, index: int, text: str) -> int:
        self.names[index] = self._names(text)
        return self._link()

    def _names(self, text: str) -> tuple[set[str], set[str]] | None:
        try:
            live, dead, _ = compute_live_dead_symbol_refs(text)
        except Exception:
            return None
        return {_root(each.ref) for each in live}, {_root(each) for each in dead}

    def _link(self) -> int:
        self.edges: set[tuple[int, int, str]] = set()
        last: dict[str, int] = {}
        for index, names in enumerate(self.names):
            live, dead = names or (set(), set())
            self.edges |= {(last[name], index, name) for name in live if name in last}
            last.update(dict.fromkeys(dead, index))
        return sum(names is None for names in self.names)


def _root(ref: Any) -> str:
    return str(ref.chain[0].value)


IPyflowInteractiveShell.instance()
serve(Ipyflow())
