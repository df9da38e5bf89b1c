"""What notebooks of every day do: idioms that stand in many of them."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="class_value_is_a_default",
        construct="attribute of an instance that hides a value of its class",
        cells=cells("""
first = 1
# %%
class Shelf:
    books = None

    def fill(self, books):
        self.books = books
# %%
titles = [first]
shelf = Shelf()
shelf.fill(titles)
# %%
shelf.books.append(2)
# %%
note = "between"
# %%
count = sum(titles)
print(count)
"""),
        parameters={"first": 5},
        reached={1, 3, 4, 6},
        target="count",
        minimal={1, 2, 3, 4, 6},
    ),
    Case(
        name="super_keeps_its_argument",
        construct="argument kept by super().__init__()",
        cells=cells("""
start = 1
# %%
class Keeper:
    def __init__(self, items):
        self.items = items

    def add(self, item):
        self.items.append(item)


class Counted(Keeper):
    def __init__(self, items):
        super().__init__(items)
        self.added = 0

    def add(self, item):
        super().add(item)
        self.added += 1
# %%
values = [start]
counted = Counted(values)
# %%
counted.add(2)
# %%
counted.items.append(3)
# %%
total = sum(values)
print(total)
"""),
        parameters={"start": 4},
        reached={1, 3, 4, 5, 6},
        target="total",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="generators_used_up_at_once",
        construct="list(), sum(), min(), next(), extend() and += of generator expressions",
        cells=cells("""
n = 4
# %%
squares = list(k * k for k in range(n))
lowest = min((k for k in squares), default=None)
# %%
total = sum(k for k in squares)
first = next(k for k in squares if k > 1)
# %%
cards = []
cards.extend(f"{k}h" for k in range(n))
cards += (f"{k}d" for k in range(n))
# %%
ranks = dict((card, len(card)) for card in cards)
# %%
answer = (total, first, lowest, len(ranks), sorted(card for card in cards)[0])
answer
"""),
        parameters={"n": 6},
        reached={1, 2, 3, 4, 5, 6},
        target="answer",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="list_of_iterators",
        construct="iterators inside a list are used up one by one",
        cells=cells("""
n = 3
# %%
rows = list(map(iter, [[1, n], [3, 4]]))
# %%
head = next(rows[0])
# %%
print("between")
# %%
rest = list(rows[0])
print(rest)
"""),
        parameters={"n": 7},
        reached={1, 5},
        target="rest",
        minimal={1, 2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="shown_by_names_in_texts",
        construct="__repr__ that evaluates texts, of what a call returns",
        cells=cells("""
factor = 2
# %%
class side_by_side:
    def __init__(self, *texts):
        self.texts = texts

    def __repr__(self):
        return " | ".join(f"{text} = {eval(text)}" for text in self.texts)
# %%
left = [factor]
right = [factor * 2]
# %%
left.append(1)
# %%
side_by_side("left", "right", "left + right")
"""),
        parameters={"factor": 3},
        reached={1, 3, 4, 5},
        target="left",
        minimal={1, 3, 4},
        conservative=True,
    ),
    Case(
        name="shared_with_an_instance",
        construct="a name that shares its object with an instance that is not used",
        cells=cells("""
size = 3
# %%
class Model:
    def __init__(self, grid):
        self.grid = grid
        self.points = len(grid)
# %%
grid = list(range(size))
model = Model(grid)
# %%
total = sum(grid)
print(total)
# %%
grid.append(100)
# %%
print(model.points, sum(model.grid))
"""),
        parameters={"size": 5},
        reached={1, 3, 4, 5, 6},
        target="total",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="file_above_the_notebook",
        construct="file in a folder above the notebook's",
        cells=cells("""
limit = 4
# %%
words = open("../shared-words.txt").read().split()
# %%
short = [word for word in words if len(word) <= limit]
print(short)
# %%
import os
shown = sorted(os.listdir("."))
"""),
        files={"../shared-words.txt": "one two three four five"},
        parameters={"limit": 3},
        reached={1, 3},
        target="short",
        minimal={1, 2, 3},
    ),
    Case(
        name="file_made_above_the_notebook",
        construct="file written and read in a folder above the notebook's",
        cells=cells("""
count = 2
# %%
with open("../made-above.txt", "w") as target:
    target.write("x" * count)
# %%
print("between")
# %%
text = open("../made-above.txt").read()
print(text)
"""),
        parameters={"count": 5},
        reached={1, 4},
        target="text",
        minimal={1, 2, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="wide_frame_shown",
        construct="wide frame shown by a cell that does not name pandas",
        cells=cells("""
width = 30
# %%
import pandas as pd
# %%
frame = pd.DataFrame({f"column {n}": [n, n * 1000.5] for n in range(width)})
# %%
frame
# %%
print(frame.describe())
"""),
        parameters={"width": 12},
        reached={1, 3, 4, 5},
        target="frame",
        minimal={1, 2, 3},
    ),
    Case(
        name="grouped_by_a_function",
        construct="frame used while its groups, made by a function, are not",
        cells=cells("""
import pandas as pd
scale = 2
# %%
frame = pd.DataFrame({"key": ["a", "b", "a"], "value": [1, 2, 3]})
# %%
def parity(index):
    return index % 2
# %%
groups = frame.groupby(parity)
means = groups["value"].mean()
# %%
print(frame["value"].sum() * scale)
# %%
print(groups["value"].max().tolist(), means.tolist())
"""),
        parameters={"scale": 5},
        reached={1, 5},
        target="means",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="part_of_an_import",
        construct="a method of an imported object under a name of its own",
        cells=cells("""
limit = 4
# %%
from string import capwords
from random import Random
import numpy as np
# %%
title = capwords
rng = Random(limit)
draw = rng.random
# %%
words = title("one two")
# %%
first = round(draw(), 6)
print(words, first)
# %%
second = round(rng.random(), 6)
print(second)
"""),
        parameters={"limit": 5},
        reached={1, 3, 5, 6},
        target="second",
        minimal={1, 2, 3, 4, 5, 6},
        conservative=True,
    ),
    Case(
        name="same_names_for_passing_things",
        construct="loop variable and caught exception of the same name in several cells",
        cells=cells("""
n = 3
# %%
for i in range(n):
    try:
        {}[i]
    except KeyError as error:
        print("missing", error)
# %%
found = []
for i in range(2):
    try:
        found.append([10][i])
    except IndexError as error:
        found.append(str(error))
# %%
print(found)
"""),
        parameters={"n": 5},
        reached={1, 2},
        target="found",
        minimal={3},
    ),
]
