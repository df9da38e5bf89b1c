"""How a comparison is shown: ours, the peer, and the ratio of their medians."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass
class Row:
    """One comparison: seconds of every round, ours and the peer's, measured in turn."""

    name: str
    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    note: str = ""

    def text(self) -> str:
        """Return ours / peer / ratio, each the median with its range."""
        ratio = median(self.peer) / median(self.ours)
        return (
            f"{self.name:<34} {_figure(self.ours)}  {_figure(self.peer)}  "
            f"{ratio:7.2f} x  {self.note}"
        )


@dataclass
class Table:
    """The rows of one benchmark."""

    title: str
    rows: list[Row]

    def text(self) -> str:
        """Return the table with its head; times in seconds, median (fastest–slowest)."""
        head = f"{'':<34} {'ours':^24}  {'peer':^24}  {'ratio':>9}"
        return "\n".join(["", self.title, head, *(row.text() for row in self.rows)])


@dataclass
class Grid:
    """One benchmark of several tools: a row for each task, a column for each tool.

    ``unread`` says what could not be read, with the greatest share of it.
    """

    title: str
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    unread: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: str, column: str, value: float) -> None:
        """Add what one round gave."""
        self.figures.setdefault(row, {}).setdefault(column, []).append(value)

    def text(self) -> str:
        """Return the grid with its head; each figure is a median (lowest-highest)."""
        shown = {
            row: {name: _figure(values) for name, values in found.items()}
            for row, found in self.figures.items()
        }
        lines = [f"{text}: up to {share:.0%}" for text, share in self.unread.items()]
        return "\n".join([Words(self.title, shown).text(), *lines, *self.notes])


@dataclass
class Words:
    """A table whose cells say what is no time: a row for each task, a column for each tool."""

    title: str
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the table with its head."""
        columns = list(dict.fromkeys(name for row in self.cells.values() for name in row))
        lines = ["", self.title, f"{'':<34}" + "".join(f"{name:<25}" for name in columns)]
        for row, found in self.cells.items():
            shown = [found.get(name, f"{'-':>8}") for name in columns]
            lines.append(f"{row:<34}" + "".join(f"{each:<25}" for each in shown))
        return "\n".join([*lines, *self.notes])


@dataclass
class Tables:
    """What one benchmark shows one after another."""

    parts: list[Grid | Words]

    def text(self) -> str:
        """Return all of them."""
        return "\n".join(part.text() for part in self.parts)


def _figure(values: list[float]) -> str:
    return f"{median(values):8.3f} ({min(values):.3f}-{max(values):.3f})".ljust(24)


def machine() -> str:
    """Return a line about the machine that measures."""
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        model = names[0] if names else ""
    except OSError:
        pass
    return (
        f"{os.cpu_count()} cores, {model}, {platform.system()}, Python {platform.python_version()}"
    )
