"""What the interpreter says of each cell."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class DefinitionText:
    """A top-level statement that can be executed again as text to get what it binds.

    ``needs`` maps the names it reads while it is executed to the bindings it found: executed
    later it gives the same only while these are unchanged.
    """

    cell: int
    names: tuple[str, ...]
    source: str
    is_class: bool = False
    needs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class CellFlow:
    """What one code cell does. Keys are names, or hidden state in angle brackets.

    ``uses`` maps each key whose value at the cell's start matters to the cells that may have
    given it; ``inherits`` are the names that an earlier cell may have bound, and not only made
    what they refer to; ``loads`` are all names it mentions at run time; ``held`` maps names that
    it uses to (cell that made it, why it cannot leave that process). ``needed_texts`` are the
    definitions of other cells that it needs, ``shared_texts`` those of which objects are made
    that hold what it uses, ``by_text`` the names that these give it, ``stale`` those whose text
    no longer gives what the notebook has; ``leaves_text`` are names that the cell leaves bound by
    its own definitions. ``varies`` says why its results may differ from run to run;
    ``looks`` is the hidden state that it reads, whoever has set it.
    """

    number: int
    uses: dict[str, set[int]] = field(default_factory=dict)
    inherits: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    may_bind: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    may_delete: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    files_in: set[str] = field(default_factory=set)
    files_out: set[str] = field(default_factory=set)
    held: dict[str, tuple[int, str]] = field(default_factory=dict)
    undefined: set[str] = field(default_factory=set)
    definitions: list[DefinitionText] = field(default_factory=list)
    needed_texts: list[DefinitionText] = field(default_factory=list)
    shared_texts: list[DefinitionText] = field(default_factory=list)
    by_text: set[str] = field(default_factory=set)
    leaves_text: set[str] = field(default_factory=set)
    stale: list[DefinitionText] = field(default_factory=list)
    deleted_uses: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    varies: set[str] = field(default_factory=set)
    looks: set[str] = field(default_factory=set)
    tree: ast.Module | None = None

    @property
    def writes(self) -> set[str]:
        """Return every name that the cell may bind or change."""
        return self.binds | self.may_bind | self.mutates

    def hold(self, name: str, origin: int, why: str) -> None:
        """Say that what a name reaches cannot leave the process of the cell that made it.

        Of several such things, the one that was made first counts.
        """
        self.held[name] = min(self.held.get(name, (origin, why)), (origin, why))

    def note(self, text: str) -> None:
        """Say once why something is handled conservatively."""
        if text not in self.notes:
            self.notes.append(text)
