"""Objects that are used up by reading them."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="iterator_consumed",
        construct="iterator / RNG object consumed (probe): iterator",
        cells=cells("""
skip = 1
# %%
letters = iter("abcdef")
# %%
for _ in range(skip):
    next(letters)
# %%
print("between")
# %%
rest = list(letters)
rest
"""),
        parameters={"skip": 3},
        reached={1, 5},
        target="rest",
        minimal={1, 2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="generator_consumed",
        construct="generator expression consumed in two cells",
        cells=cells("""
n = 6
# %%
squares = (k * k for k in range(n))
# %%
head = next(squares), next(squares)
# %%
remaining = sum(squares)
# %%
nothing = list(squares)
print(head, remaining, nothing)
"""),
        parameters={"n": 4},
        reached={1, 4, 5},
        target="remaining",
        minimal={1, 2, 3, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="zip_map_enumerate",
        construct="zip, map and enumerate objects consumed",
        cells=cells("""
factor = 3
# %%
pairs = zip("abc", range(3))
scaled = map(lambda v: v * factor, [1, 2, 3])
numbered = enumerate(["x", "y"], start=1)
# %%
first_pair = next(pairs)
# %%
first = next(scaled)
# %%
left = dict(pairs)
# %%
more = list(scaled)
lines = [f"{i}: {w}" for i, w in numbered]
# %%
print(first_pair, first, left, more, lines)
"""),
        parameters={"factor": 5},
        reached={1, 4, 6, 7},
        target="left",
        minimal={2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="file_lines_consumed",
        construct="open file read line by line in two cells",
        cells=cells("""
header_lines = 1
# %%
source = open("table.txt")
# %%
header = [next(source).strip() for _ in range(header_lines)]
# %%
rows = [line.strip() for line in source]
# %%
source.close()
print(header, rows)
"""),
        parameters={"header_lines": 2},
        reached={1, 3, 4, 5},
        target="rows",
        minimal={1, 2, 3, 4},
        files={"table.txt": "name\nann\nbob\neve\n"},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="csv_reader_consumed",
        construct="csv.reader consumed, file opened by the same cell",
        cells=cells("""
delimiter = ","
# %%
import csv

handle = open("people.csv", newline="")
reader = csv.reader(handle, delimiter=delimiter)
# %%
header = next(reader)
# %%
people = [dict(zip(header, row)) for row in reader]
# %%
handle.close()
people
"""),
        parameters={"delimiter": ";"},
        reached={1, 3, 4, 5},
        target="people",
        minimal={1, 2, 3, 4},
        files={"people.csv": "name,age;x\nann,3;1\nbob,4;2\n"},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="itertools_shared",
        construct="itertools.count, cycle and tee shared by cells",
        cells=cells("""
start = 100
# %%
import itertools

ids = itertools.count(start)
colours = itertools.cycle(["red", "blue"])
# %%
ann = (next(ids), next(colours))
# %%
bob = (next(ids), next(colours))
# %%
eve = (next(ids), next(colours))
print(ann, bob, eve)
"""),
        parameters={"start": 7},
        reached={1, 2, 3, 4, 5},
        target="eve",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
    Case(
        name="iterator_inside_object",
        construct="iterator kept inside an object and advanced by a method",
        cells=cells("""
batch_size = 2
# %%
class Loader:
    def __init__(self, data, size):
        self.batches = (data[i : i + size] for i in range(0, len(data), size))

    def take(self):
        return next(self.batches)
# %%
loader = Loader(list(range(7)), batch_size)
# %%
warmup = loader.take()
# %%
batch = loader.take()
print(warmup, batch)
"""),
        parameters={"batch_size": 3},
        reached={1, 4, 5},
        target="batch",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="generator_send",
        construct="coroutine-style generator fed with send",
        cells=cells("""
first = 10.0
# %%
def averager():
    total, count, mean = 0.0, 0, None
    while True:
        total += yield mean
        count += 1
        mean = total / count
# %%
avg = averager()
next(avg)
# %%
a = avg.send(first)
# %%
b = avg.send(20.0)
print(a, b)
"""),
        parameters={"first": 30.0},
        reached={1, 4, 5},
        target="b",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
]
