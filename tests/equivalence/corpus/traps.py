"""Parameters, and what papermill does with them."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="parameter_derived_in_same_cell",
        construct="a value derived in the parameters cell keeps the old parameter",
        cells=cells("""
alpha = 1
beta = alpha * 10
# %%
first = alpha + 1
# %%
second = beta + 1
# %%
print(first, second)
"""),
        parameters={"alpha": 5},
        reached={1, 2, 4},
        target="second",
        minimal={1, 3},
    ),
    Case(
        name="parameter_rebound",
        construct="a parameter bound again by a later cell",
        cells=cells("""
n = 3
# %%
start = n * 2
# %%
n = 100
# %%
stop = n + 1
# %%
print(start, stop)
"""),
        parameters={"n": 4},
        reached={1, 2, 5},
        target="stop",
        minimal={3, 4},
    ),
    Case(
        name="parameter_list_mutated",
        construct="a parameter that is a list and is changed in place",
        cells=cells("""
layers = [8, 4]
# %%
layers.append(1)
# %%
shape = "-".join(str(size) for size in layers)
# %%
depth = 3
print(shape, depth)
"""),
        parameters={"layers": [16]},
        reached={1, 2, 3, 4},
        target="shape",
        minimal={1, 2, 3},
    ),
    Case(
        name="parameter_text_with_equals",
        construct='parameters like "a=b", with # and with several lines',
        cells=cells("""
query = "a=b"  # the query, as k=v
source = "s3://bucket#part"
text = '''one
two = 2'''
# %%
key, value = query.split("=")
# %%
fragment = source.partition("#")[2]
# %%
rows = text.splitlines()
# %%
print(key, value, fragment, rows)
"""),
        parameters={"query": "left=right=no"[:10]},
        reached={1, 2, 5},
        target="fragment",
        minimal={1, 3},
    ),
    Case(
        name="parameter_typed",
        construct="parameters with annotations, several on one line, None as default",
        cells=cells("""
epochs: int = 2  # passes over the data
rate: float = 0.5
label = None
h = i = 3
# %%
total = epochs * rate
# %%
name = label or "none"
# %%
size = h * i
# %%
print(total, name, size)
"""),
        parameters={"label": "named"},
        reached={1, 3, 5},
        target="size",
        minimal={1, 4},
    ),
    Case(
        name="parameter_unused",
        construct="a parameter that reaches nothing",
        cells=cells("""
verbose = False
n = 2
# %%
values = [n] * 3
# %%
print(values)
"""),
        parameters={"verbose": True},
        reached={1},
        target="values",
        minimal={1, 2},
    ),
    Case(
        name="parameter_used_only_in_function",
        construct="a parameter that only a method of a class reads",
        cells=cells("""
scale = 2.0
# %%
class Scaler:
    def apply(self, values):
        return [v * scale for v in values]
# %%
data = [1, 2]
# %%
scaler = Scaler()
# %%
scaled = scaler.apply(data)
# %%
print(len(data), scaled)
"""),
        parameters={"scale": 3.0},
        reached={1, 5, 6},
        target="scaled",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="parameter_controls_loop",
        construct="a parameter decides how often a loop mutates",
        cells=cells("""
rounds = 2
# %%
stack = []
extra = ["kept"]
# %%
while len(stack) < rounds:
    stack.append(len(stack))
# %%
extra.extend(["more"])
# %%
height = len(stack)
print(height, extra)
"""),
        parameters={"rounds": 5},
        reached={1, 3, 5},
        target="extra",
        minimal={2, 4},
    ),
    Case(
        name="wide_diamond",
        construct="independent branches that meet: two steps may run in parallel",
        cells=cells("""
left_n = 3
right_n = 4
# %% [markdown]
# ## Left
# %%
left = [i for i in range(left_n)]
# %%
left_sum = sum(left)
# %% [markdown]
# ## Right
# %%
right = [i * i for i in range(right_n)]
# %%
right_sum = sum(right)
# %% [markdown]
# ## Together
# %%
both = left_sum, right_sum
print(both)
"""),
        parameters={"left_n": 5},
        reached={1, 2, 3, 6},
        target="right_sum",
        minimal={1, 4, 5},
    ),
    Case(
        name="copies_before_mutation",
        construct="copy, deepcopy and slices cut the tie before a mutation",
        cells=cells("""
value = 9
# %%
import copy

source = {"rows": [1, 2], "name": "s"}
# %%
shallow = dict(source)
deep = copy.deepcopy(source)
# %%
shallow["rows"].append(value)
# %%
deep["rows"].append(-1)
# %%
shallow["name"] = "changed"
# %%
print(source, deep, shallow)
"""),
        parameters={"value": 8},
        reached={1, 4, 6, 7},
        target="source",
        minimal={1, 2, 3, 4},
        conservative=True,
    ),
]
