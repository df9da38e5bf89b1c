"""soorgeon: what each cell needs and gives, and from whom; it keeps nothing for the next time."""

from __future__ import annotations

from contextlib import suppress

from serve import serve
from soorgeon.io import ProviderMapping, find_io


class Soorgeon:
    def whole(self, cells: list[str]) -> int:
        self.cells = cells
        io = find_io({str(index): text for index, text in enumerate(cells)})
        providers = ProviderMapping(io)
        self.upstream: dict[str, set[str]] = {}
        for name, (inputs, _) in io.items():
            with suppress(KeyError):  # a name whose cell it does not see: soorgeon would stop here
                self.upstream[name] = {providers.get(each, name) for each in inputs}
        return len(cells) - len(self.upstream)

    def changed(self, index: int, text: str) -> int:
        self.cells[index] = text
        return self.whole(self.cells)


serve(Soorgeon())
