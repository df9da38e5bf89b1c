"""Why a value cannot leave its process, in words."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import io
import mmap
import socket
import subprocess
import sys
import threading
import types
import weakref
from collections import OrderedDict
from typing import Any

# Class -> words; looked up along the class's ancestors.
LIVE: dict[type, str] = {
    types.GeneratorType: "a generator",
    types.CoroutineType: "a coroutine",
    types.AsyncGeneratorType: "an asynchronous generator",
    types.FrameType: "a frame of running code",
    types.TracebackType: "a traceback",
    io.TextIOWrapper: "an open file",
    io.BufferedIOBase: "an open file",
    io.RawIOBase: "an open file",
    threading.Thread: "a thread",
    _thread.LockType: "a lock",
    type(threading.RLock()): "a lock",
    threading.Condition: "a lock",
    threading.Semaphore: "a lock",
    threading.Event: "a lock",
    threading.local: "a value that belongs to its thread",
    socket.socket: "an open socket",
    subprocess.Popen: "a running process",
    mmap.mmap: "a mapped file",
    asyncio.Future: "a task of an event loop",
    asyncio.AbstractEventLoop: "an event loop",
    contextvars.ContextVar: "a context variable",
    contextvars.Context: "a context",
    weakref.ref: "a weak reference",
    weakref.WeakValueDictionary: "a dictionary of weak references",
    weakref.WeakKeyDictionary: "a dictionary of weak references",
    weakref.WeakSet: "a set of weak references",
    memoryview: "a view of another object's memory",
    # Pickle would make iterators over lists of them, which know nothing of the original.
    type(iter({})): "an iterator over a mapping",
    type(iter({}.values())): "an iterator over a mapping",
    type(iter({}.items())): "an iterator over a mapping",
    type(reversed({})): "an iterator over a mapping",
    type(reversed({}.values())): "an iterator over a mapping",
    type(reversed({}.items())): "an iterator over a mapping",
    type(iter(OrderedDict())): "an iterator over a mapping",
    type(iter(set())): "an iterator over a set",
    type({}.keys()): "a view of a mapping",
    type({}.values()): "a view of a mapping",
    type({}.items()): "a view of a mapping",
}
# Classes of libraries that may not be there: (module, name) -> words.
NAMED = {
    ("sqlite3", "Connection"): "an open database connection",
    ("sqlite3", "Cursor"): "a cursor of a database",
    ("h5py._hl.files", "File"): "an open file",
    ("tempfile", "_TemporaryFileWrapper"): "an open file",
    ("tempfile", "TemporaryDirectory"): "a temporary folder that ends with its process",
    ("numpy", "memmap"): "an array that is mapped to a file",
    ("numpy", "nditer"): "an iterator over an array",
    ("concurrent.futures.thread", "ThreadPoolExecutor"): "a pool of threads",
    ("concurrent.futures.process", "ProcessPoolExecutor"): "a pool of processes",
    ("multiprocessing.pool", "Pool"): "a pool of processes",
}
# Streams in memory hold nothing of the system: they are carried.
CARRIED = (io.StringIO, io.BytesIO)
# Objects of which a process has one, which its libraries use: a copy would be another thing.
SINGLES = (
    ("random", "_inst"),
    ("numpy.random.mtrand", "_rand"),
    ("os", "environ"),
    ("os", "environb"),
    ("matplotlib", "rcParams"),
    ("matplotlib", "rcParamsDefault"),
    ("pandas", "options"),
    ("warnings", "filters"),
    ("sys", "stdout"),
    ("sys", "stderr"),
    ("sys", "stdin"),
    ("sys", "path"),
    ("sys", "modules"),
    ("sys", "argv"),
    ("sys", "meta_path"),
    ("logging", "root"),
    ("torch", "default_generator"),
)


def words(value: Any) -> str | None:
    """Return what a value is when it cannot be handed over, or None."""
    if isinstance(value, CARRIED):
        return None
    for kind in type(value).__mro__:
        found = LIVE.get(kind) or NAMED.get((kind.__module__, kind.__name__))
        if found:
            return found
    return None


def sentence(what: str) -> str:
    """Return the sentence for something that cannot be handed over."""
    return f"{what[:1].upper()}{what[1:]} cannot be handed over to another process."


def singles() -> dict[int, tuple[str, str]]:
    """Return the objects of which this process has only one, by identity."""
    found: dict[int, tuple[str, str]] = {}
    for module, name in SINGLES:
        value = getattr(sys.modules.get(module), "__dict__", {}).get(name)
        if value is not None:
            found[id(value)] = (module, name)
    return found


def own_containers(namespace: dict[str, Any]) -> dict[int, str]:
    """Return the lists and dicts that belong to this process; pickle would copy them unasked."""
    found = {
        key: ".".join(path)
        for key, path in singles().items()
        if type(vars(sys.modules[path[0]])[path[1]]) in (list, dict)
    }
    return {**found, id(namespace): "the notebook's own namespace"}
