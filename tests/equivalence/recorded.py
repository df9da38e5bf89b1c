"""What one run of a notebook showed and left behind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# Clocks and addresses differ between two runs of one notebook.
_CLOCK = re.compile(r"^ *(CPU times|Wall time|Compiler *):?.*(\n|$)", re.MULTILINE)
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+|\b0x[0-9a-f]{8,16}\b")


@dataclass(frozen=True)
class CellRecord:
    """What one code cell showed."""

    number: int
    """From 1; 0 is the injected cell of the parameters."""
    outputs: list[str] = field(default_factory=list)
    """In order: ``stdout: …``, ``display: …``, ``result: …`` (text/plain), without clocks."""
    images: int = 0
    error: str = ""
    """The exception's class name; empty where the cell succeeded."""


@dataclass(frozen=True)
class Recorded:
    """A whole run."""

    cells: list[CellRecord]
    values: dict[str, str] = field(default_factory=dict)
    """Final values, as ``canonical`` writes them."""
    snapshots: list[Snapshot] = field(default_factory=list)
    """After each cell, in the order of ``cells``; only where they were asked for."""

    @property
    def failed(self) -> CellRecord | None:
        """The cell at which the run stopped, if it did."""
        return self.cells[-1] if self.cells and self.cells[-1].error else None

    def cell(self, number: int) -> CellRecord | None:
        """The record of one cell, if it ran."""
        return next((one for one in self.cells if one.number == number), None)


@dataclass(frozen=True)
class Snapshot:
    """Names, hidden state and pictures after a cell."""

    values: dict[str, str]
    state: dict[str, str]
    images: list[str]


class Outputs:
    """Collects what a cell shows, as ``CellRecord`` wants it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.images: list[str] = []

    def stdout(self, text: str) -> None:
        """Add text of standard output; neighbours are joined."""
        if self.texts and self.texts[-1].startswith("stdout: "):
            self.texts[-1] += text
        elif text:
            self.texts.append(f"stdout: {text}")

    def show(self, kind: str, data: dict[str, Any]) -> None:
        """Add a displayed bundle of MIME types; ``kind`` is display or result."""
        self.images += [str(data[mime]) for mime in sorted(data) if mime.startswith("image/")]
        self.texts.append(f"{kind}: {data.get('text/plain', '')}")

    def record(self, number: int, error: str) -> CellRecord:
        """What was collected, cleaned of clocks and addresses."""
        texts = [clean(text) for text in self.texts]
        texts = [text for text in texts if text != "stdout: "]
        return CellRecord(number, texts, len(self.images), error)


def clean(text: str) -> str:
    """A text without clocks and addresses."""
    head, colon, rest = text.partition(": ")
    rest = _CLOCK.sub("", rest.replace("\r\n", "\n"))
    return head + colon + _ADDRESS.sub("at 0x…", rest)
