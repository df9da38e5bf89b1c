"""Things that live in a process: threads, locks, connections, loggers, weak references."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="thread_appends",
        construct="threads: started in one cell, joined in another",
        cells=cells("""
n = 3
# %%
import threading

results = []
# %%
def work(k):
    results.append(k * k)
# %%
threads = [threading.Thread(target=work, args=(k,)) for k in range(n)]
# %%
for t in threads:
    t.start()
# %%
for t in threads:
    t.join()
total = sum(results)
print(total)
"""),
        parameters={"n": 5},
        reached={1, 4, 5, 6},
        target="total",
        minimal={1, 2, 3, 4, 5, 6},
        expect="merged",
    ),
    Case(
        name="thread_pool",
        construct="ThreadPoolExecutor kept open over cells, futures asked later",
        cells=cells("""
base = 2
# %%
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(2)
# %%
futures = [pool.submit(pow, base, k) for k in range(4)]
# %%
powers = [f.result() for f in futures]
# %%
pool.shutdown()
print(powers)
"""),
        parameters={"base": 3},
        reached={1, 4, 5},
        target="powers",
        minimal={1, 2, 3, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="lock_object",
        construct="locks are held and released in different cells",
        cells=cells("""
start = 0
# %%
import threading

lock = threading.Lock()
counter = {"n": start}
# %%
lock.acquire();
# %%
counter["n"] += 1
held = lock.locked()
# %%
lock.release()
free = not lock.locked()
print(held, free, counter)
"""),
        parameters={"start": 5},
        reached={1, 2, 4, 5},
        target="held",
        minimal={1, 2, 3, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="sqlite_in_memory",
        construct="open connections (sqlite3 in memory)",
        cells=cells("""
limit = 2
# %%
import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table points (x int)")
# %%
db.executemany("insert into points values (?)", [(1,), (2,), (3,)])
# %%
rows = db.execute("select x from points where x >= ?", (limit,)).fetchall()
# %%
db.close()
print(rows)
"""),
        parameters={"limit": 3},
        reached={1, 4, 5},
        target="rows",
        minimal={1, 2, 3, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="logging_configuration",
        construct="logging configuration: level and handler decide what is written",
        cells=cells("""
level = "INFO"
# %%
import io
import logging

stream = io.StringIO()
log = logging.getLogger("study")
log.addHandler(logging.StreamHandler(stream))
log.propagate = False
# %%
log.setLevel(level)
# %%
log.info("loaded")
# %%
log.warning("odd row")
# %%
written = stream.getvalue().splitlines()
print(written)
"""),
        parameters={"level": "ERROR"},
        reached={1, 3, 4, 5, 6},
        target="written",
        minimal={1, 2, 3, 4, 5, 6},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="logging_to_file",
        construct="logging configuration: basicConfig to a file",
        cells=cells("""
name = "run"
# %%
import logging

logging.basicConfig(filename="run.log", level=logging.INFO, format="%(message)s", force=True)
# %%
logging.info("%s started", name)
# %%
logging.info("done")
# %%
lines = open("run.log").read().splitlines()
print(lines)
"""),
        parameters={"name": "job"},
        reached={1, 3, 4, 5},
        target="lines",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="weak_reference",
        construct="weakref: the object is gone when its last name is",
        cells=cells("""
label = "a"
# %%
import weakref

class Node:
    def __init__(self, label):
        self.label = label
# %%
node = Node(label)
ref = weakref.ref(node)
# %%
alive = ref().label
# %%
del node
# %%
gone = ref() is None
# %%
print(alive, gone)
"""),
        parameters={"label": "b"},
        reached={1, 3, 4, 7},
        target="gone",
        minimal={1, 2, 3, 5, 6},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="string_io",
        construct="io.StringIO as a place that cells write to and read from",
        cells=cells("""
header = "a,b"
# %%
import io

buffer = io.StringIO()
# %%
buffer.write(header + "\\n");
# %%
print("1,2", file=buffer)
# %%
buffer.seek(0)
import pandas as pd

df = pd.read_csv(buffer)
df
"""),
        parameters={"header": "x,y"},
        reached={1, 3, 4, 5},
        target="df",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="context_variable",
        construct="contextvars: set in one cell, read in another",
        cells=cells("""
user = "ann"
# %%
import contextvars

current = contextvars.ContextVar("current", default="nobody")
# %%
def who():
    return current.get()
# %%
token = current.set(user)
# %%
seen = who()
print(seen)
"""),
        target="seen",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
        parameters={"user": "bob"},
        reached={1, 4, 5},
    ),
    Case(
        name="subprocess_pipe",
        construct="a child process that lives over cells",
        cells=cells("""
word = "ping"
# %%
import subprocess
import sys

code = "import sys; [print(line.strip().upper(), flush=True) for line in sys.stdin]"
child = subprocess.Popen(
    [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
# %%
answer = child.communicate(word + "\\n")[0].strip()
# %%
print(answer)
"""),
        parameters={"word": "pong"},
        reached={1, 3, 4},
        target="answer",
        minimal={1, 2, 3},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="clock_replaced",
        construct="unittest.mock.patch held open over cells",
        cells=cells("""
moment = 1000.0
# %%
import time
from unittest import mock

patcher = mock.patch("time.time", return_value=moment)
# %%
patcher.start();
# %%
stamp = time.time()
# %%
patcher.stop();
# %%
print(stamp)
"""),
        parameters={"moment": 2000.0},
        reached={1, 4, 6},
        target="stamp",
        minimal={1, 2, 3, 4},
        expect="refused",
        conservative=True,
    ),
]
