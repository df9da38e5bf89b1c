"""What the processes of a service use, under the names that every Prometheus client uses."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def lines(pids: Sequence[int], dead_cpu: float) -> list[str]:
    """Return the lines of ``process_*``, summed over processes; none where /proc is not.

    ``dead_cpu`` are the seconds of workers that have died: what is counted does not fall.
    """
    fields = [found for pid in dict.fromkeys(pids) if (found := _stat(pid)) is not None]
    if not fields:
        return []
    cpu = dead_cpu + sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS
    resident = sum(int(each[21]) for each in fields) * _PAGE
    files = sum(_files(pid) for pid in dict.fromkeys(pids))
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    started = time.time() - uptime + min(int(each[19]) for each in fields) / _TICKS
    values = (
        ("process_cpu_seconds_total", "counter", "Processor time of all processes.", cpu),
        ("process_resident_memory_bytes", "gauge", "Memory of all processes.", float(resident)),
        ("process_open_fds", "gauge", "Open files of all processes.", float(files)),
        ("process_start_time_seconds", "gauge", "When the service started.", started),
    )
    told = []
    for name, kind, text, value in values:
        told += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {value:.10g}"]
    return told


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 — a path for each is not needed
    except OSError:
        return 0
