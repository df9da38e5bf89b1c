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
