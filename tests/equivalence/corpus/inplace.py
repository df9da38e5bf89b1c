"""Methods and operators that change a built-in container or an array in place."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="list_append",
        construct="list.append (probe)",
        cells=cells("""
last = 3
# %%
items = [1, 2]
# %%
items.append(last)
# %%
other = "untouched"
# %%
total = sum(items)
# %%
print(total, other)
"""),
        parameters={"last": 30},
        reached={1, 3, 5, 6},
        target="total",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="list_methods",
        construct="list.extend, insert, pop, sort, reverse, remove, clear",
        cells=cells("""
more = [9, 4]
# %%
values = [5, 3]
trash = [0]
# %%
values.extend(more)
values.insert(0, 7)
# %%
taken = values.pop()
# %%
values.sort()
# %%
trash.clear()
# %%
values.reverse()
print(values, taken, trash)
"""),
        parameters={"more": [1]},
        reached={1, 3, 4, 5, 7},
        target="taken",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="dict_item_store",
        construct="`d[k]=`, `df[c]=`, `df.loc=` (probe): dict",
        cells=cells("""
lr = 0.1
# %%
config = {"epochs": 3}
# %%
config["lr"] = lr
# %%
config["name"] = "net"
# %%
line = ", ".join(f"{k}={v}" for k, v in config.items())
print(line)
"""),
        parameters={"lr": 0.9},
        reached={1, 3, 4, 5},
        target="line",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="dict_methods",
        construct="dict.update, setdefault, pop, `|=`, defaultdict, Counter.update",
        cells=cells("""
word = "banana"
# %%
from collections import Counter, defaultdict

counts = Counter()
groups = defaultdict(list)
plain = {"a": 1, "z": 0}
# %%
counts.update(word)
# %%
for letter, n in counts.items():
    groups[n].append(letter)
# %%
plain.setdefault("b", 5)
plain |= {"c": 6}
plain.pop("z")
# %%
top = counts.most_common(1)
print(top, dict(groups), plain)
"""),
        parameters={"word": "mississippi"},
        reached={1, 3, 4, 6},
        target="plain",
        minimal={2, 5},
    ),
    Case(
        name="set_methods",
        construct="set.add, discard, update, `&=`",
        cells=cells("""
extra = 5
# %%
seen = {1, 2, 9}
allowed = {1, 2, 3}
# %%
seen.add(extra)
# %%
allowed.discard(3)
allowed.update({extra, 7})
# %%
seen &= allowed
# %%
print(sorted(seen), sorted(allowed))
"""),
        parameters={"extra": 6},
        reached={1, 3, 4, 5, 6},
        target="seen",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="deque_and_heap",
        construct="deque.append, rotate; heapq and bisect change their argument",
        cells=cells("""
new = 2
# %%
import bisect
import heapq
from collections import deque

recent = deque(maxlen=3)
heap = [5, 9]
ordered = [1, 4, 6]
# %%
recent.extend([1, 2, 3])
recent.append(new)
# %%
heapq.heappush(heap, new)
# %%
bisect.insort(ordered, new)
# %%
smallest = heapq.heappop(heap)
print(list(recent), smallest, heap, ordered)
"""),
        parameters={"new": 7},
        reached={1, 3, 4, 5, 6},
        target="smallest",
        minimal={1, 2, 4, 6},
        conservative=True,  # a cell is kept whole
    ),
    Case(
        name="nested_item_store",
        construct="nested store: `d[a][b].append`, `d.x.y = `",
        cells=cells("""
score = 0.8
# %%
results = {"runs": [{"scores": []}]}
# %%
results["runs"][0]["scores"].append(score)
# %%
results["runs"].append({"scores": [1.0]})
# %%
best = max(max(run["scores"]) for run in results["runs"])
best
"""),
        parameters={"score": 1.5},
        reached={1, 3, 4, 5},
        target="best",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="array_in_place",
        construct="np.ndarray.sort, fill, `arr[...] *=`, `out=`",
        cells=cells("""
scale = 10
# %%
import numpy as np

arr = np.array([3, 1, 2])
buffer = np.zeros(3, dtype=int)
blank = np.ones(2)
# %%
arr.sort()
# %%
arr[1:] *= scale
# %%
np.add(arr, 1, out=buffer)
# %%
blank.fill(3)
# %%
print(arr, buffer, blank)
"""),
        parameters={"scale": 100},
        reached={1, 4, 5, 7},
        target="buffer",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="array_functions_that_write",
        construct="functions that write into an argument: np.fill_diagonal, np.put, np.copyto",
        cells=cells("""
diagonal = 4
# %%
import numpy as np

m = np.zeros((2, 2))
v = np.zeros(3)
# %%
np.fill_diagonal(m, diagonal)
# %%
np.put(v, [0, 2], [1, 9])
# %%
np.copyto(v, 5, where=v == 0)
# %%
print(np.trace(m), v)
"""),
        parameters={"diagonal": 6},
        reached={1, 3, 6},
        target="v",
        minimal={2, 4, 5},
    ),
    Case(
        name="slice_store",
        construct="slice stores, `+=` on an element, delete of a slice",
        cells=cells("""
n = 2
# %%
tape = list(range(6))
# %%
tape[:n] = ["start"]
# %%
tape[-1] += 100
# %%
del tape[1:3]
# %%
text = "|".join(map(str, tape))
print(text)
"""),
        parameters={"n": 3},
        reached={1, 3, 4, 5, 6},
        target="text",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="bytearray_and_memoryview",
        construct="memoryview of a bytearray: a view written through",
        cells=cells("""
code = 65
# %%
raw = bytearray(4)
# %%
view = memoryview(raw)[1:3]
# %%
view[0] = code
# %%
text = raw.hex()
text
"""),
        parameters={"code": 66},
        reached={1, 4, 5},
        target="text",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
    Case(
        name="method_kept_in_a_name",
        construct="a bound method kept in a name mutates its object",
        cells=cells("""
word = "hello"
# %%
log = []
# %%
add = log.append
# %%
add(word)
# %%
for part in ("a", "b"):
    add(part)
# %%
count = len(log)
print(count, log)
"""),
        parameters={"word": "bye"},
        reached={1, 4, 5, 6},
        target="log",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
]
