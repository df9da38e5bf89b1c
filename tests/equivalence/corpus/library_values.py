"""Values that libraries and built-in methods make, changed in a later cell."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="pieces_of_a_text",
        construct="the list that `str.split` gives, changed in place",
        cells=cells("""
text = "b a"
# %%
words = text.split()
# %%
words.append("c")
# %%
words.sort()
# %%
print(words)
"""),
        parameters={"text": "z y"},
        reached={1, 2, 3, 4, 5},
        target="words",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="defaultdict_items",
        construct="looking a key up in a defaultdict makes the item",
        cells=cells("""
words = ["apple", "bean", "ant"]
# %%
from collections import defaultdict

by_letter = defaultdict(list)
# %%
for word in words:
    by_letter[word[0]].append(word)
# %%
empty = by_letter["z"]
# %%
empty.append("zebra")
# %%
print(dict(by_letter))
"""),
        parameters={"words": ["corn", "cat"]},
        reached={1, 3, 4, 5, 6},
        target="by_letter",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="nested_json",
        construct="a list inside of what `json.loads` gives",
        cells=cells("""
text = '{"layers": [8, 4]}'
# %%
import json

config = json.loads(text)
# %%
config["layers"].append(1)
# %%
depth = len(config["layers"])
print(depth, config)
"""),
        parameters={"text": '{"layers": [2]}'},
        reached={1, 2, 3, 4},
        target="depth",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="deep_copy_changed_inside",
        construct="a part of a deep copy is changed; the original is not",
        cells=cells("""
extra = 3
# %%
import copy

first = {"rows": [[1], [2]]}
# %%
second = copy.deepcopy(first)
# %%
second["rows"][0].append(extra)
# %%
total = sum(second["rows"][0])
print(total, first)
"""),
        parameters={"extra": 5},
        reached={1, 4, 5},
        target="total",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="unbound_method",
        construct="a method called through its class",
        cells=cells("""
item = 4
# %%
numbers = [1, 2]
# %%
list.append(numbers, item)
# %%
numbers.__setitem__(0, 9)
# %%
print(numbers)
"""),
        parameters={"item": 7},
        reached={1, 3, 4, 5},
        target="numbers",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="method_given_to_map",
        construct="a bound method that `map` calls",
        cells=cells("""
more = [3, 4]
# %%
seen = [1]
# %%
_ = list(map(seen.append, more))
# %%
print(seen)
"""),
        parameters={"more": [5]},
        reached={1, 3, 4},
        target="seen",
        minimal={1, 2, 3},
        conservative=True,
    ),
    Case(
        name="pairs_of_items",
        construct="the values that `dict.items` gives, changed in a loop",
        cells=cells("""
step = 1
# %%
groups = {"a": [1], "b": [2]}
# %%
for name, members in groups.items():
    members.append(step)
# %%
for index, members in enumerate(groups.values()):
    members.append(index)
# %%
print(groups)
"""),
        parameters={"step": 7},
        reached={1, 3, 4, 5},
        target="groups",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="slice_of_a_list",
        construct="a slice of a list is a new list with the same items",
        cells=cells("""
item = 5
# %%
rows = [[1], [2], [3]]
# %%
rest = rows[1:]
# %%
rest.append([item])
# %%
rest[0].append(item)
# %%
print(rows, rest)
"""),
        parameters={"item": 6},
        reached={1, 4, 5, 6},
        target="rest",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="event_of_the_shell",
        construct="a function that IPython calls at the start of every later cell",
        cells=cells("""
weight = 2
# %%
calls = []
# %%
def note(info):
    calls.append(weight)

get_ipython().events.register("pre_run_cell", note)
# %%
other = 1
# %%
get_ipython().events.unregister("pre_run_cell", note)
# %%
total = sum(calls)
print(total, other)
"""),
        parameters={"weight": 5},
        reached={1, 4, 5, 6},
        target="total",
        minimal={1, 2, 3, 4, 6},
        expect="merged",
        conservative=True,
    ),
]
