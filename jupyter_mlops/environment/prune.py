"""Environments made from locks take much space: the ones used least recently go, none in use."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
from filelock import FileLock, Timeout

from jupyter_mlops import settings

READY = "ready.json"
IN_USE = "in-use"
ASIDE = ".gone-"
#: How many environments stay, and how many bytes they may have together.
KEEP = 12
AT_MOST = 20 * 2**30
#: After so many seconds a marker of another machine, which cannot be asked, counts no longer.
FOREIGN_SECONDS = 7 * 24 * 3600


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, with the bytes that are free again, and what stays."""

    removed: list[str]
    freed: int
    kept: list[str]
    size: int


@dataclass(frozen=True)
class _Found:
    root: Path
    used: float
    size: int


def hold(root: Path) -> None:
    """Mark an environment as used by this process, now. It is not pruned before that ends."""
    folder = root / IN_USE
    folder.mkdir(exist_ok=True)
    mark = {"host": socket.gethostname(), "started": _started(os.getpid())}
    (folder / str(os.getpid())).write_text(json.dumps(mark))
    os.utime(root / READY)


def in_use(root: Path) -> bool:
    """Return whether a process that still runs holds the environment; old marks are removed."""
    used = False
    for mark in sorted((root / IN_USE).glob("*")):
        if _holds(mark):
            used = True
        else:
            mark.unlink(missing_ok=True)
    return used


def prune(keep: int = KEEP, at_most: int = AT_MOST) -> Pruned:
    """Remove environments beyond ``keep`` in number or ``at_most`` bytes, the oldest use first.

    One that a process holds, or that is being made, stays whatever it costs.
    """
    for left in settings.environments().glob(f"{ASIDE}*"):
        shutil.rmtree(left, ignore_errors=True)  # a removal that was interrupted
    found = sorted(_environments(), key=lambda item: item.used, reverse=True)
    number, size = 0, 0
    removed: list[_Found] = []
    kept: list[_Found] = []
    for item in found:
        fits = number < keep and size + item.size <= at_most
        if fits or not _remove(item.root):
            number, size = number + 1, size + item.size
            kept.append(item)
        else:
            removed.append(item)
    return Pruned(
        removed=[item.root.name for item in removed],
        freed=sum(item.size for item in removed),
        kept=[item.root.name for item in kept],
        size=size,
    )


def _environments() -> Iterator[_Found]:
    for ready in settings.environments().glob(f"*-py*/{READY}"):
        # Bare interpreters are small, and services that run now were started from them.
        if not ready.parent.name.startswith("bare-"):
            with contextlib.suppress(OSError):
                yield _Found(ready.parent, ready.stat().st_mtime, size_of(ready.parent))


def _remove(root: Path) -> bool:
    """Remove one environment unless it is in use; return whether it is gone."""
    try:
        with FileLock(f"{root}.lock", timeout=0):
            if in_use(root):
                return False
            aside = root.with_name(f"{ASIDE}{uuid.uuid4().hex}")
            root.rename(aside)
    except (Timeout, OSError):
        return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def size_of(root: Path) -> int:
    """Return the bytes of an environment's files that are freed with it.

    A file that uv's cache shares (a hard link) takes no space of its own.
    """
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(OSError):
                stat = os.lstat(Path(folder) / name)
                total += stat.st_size if stat.st_nlink == 1 else 0
    return total


def _holds(mark: Path) -> bool:
    try:
        noted = json.loads(mark.read_text())
        host, started = str(noted["host"]), float(noted["started"])
        written = mark.stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if host != socket.gethostname():
        return time.time() - written < FOREIGN_SECONDS
    # The same number may belong to another process by now: it started at another time.
    return mark.name.isdigit() and abs(_started(int(mark.name)) - started) < 1


def _started(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return float("-inf")
