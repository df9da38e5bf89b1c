"""marimo: every cell compiled and registered in its graph, as its runtime does."""

from __future__ import annotations

from marimo._ast.compiler import compile_cell
from marimo._runtime.dataflow import DirectedGraph
from serve import serve


class Marimo:
    def whole(self, cells: list[str]) -> int:
        self.graph = DirectedGraph()
        self.unread: set[int] = set()
        for index, text in enumerate(cells):
            self._register(index, text)
        return len(self.unread)

    def _register(self, index: int, text: str) -> None:
        try:
            cell = compile_cell(text, cell_id=str(index))
        except SyntaxError:
            self.unread.add(index)
            return
        self.graph.register_cell(str(index), cell)

    def changed(self, index: int, text: str) -> int:
        if index not in self.unread:
            self.graph.delete_cell(str(index))
        self.unread.discard(index)
        self._register(index, text)
        return len(self.unread)


serve(Marimo())
