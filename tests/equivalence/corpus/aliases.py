"""Two names, or a name and a place, for one object."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="alias_simple",
        construct="alias `b=a; b.append` (probe)",
        cells=cells("""
extra = 4
# %%
a = [1, 2]
# %%
b = a
# %%
b.append(extra)
# %%
total = sum(a)
print(a, total)
"""),
        parameters={"extra": 40},
        reached={1, 4, 5},
        target="total",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="alias_in_container",
        construct="alias inside container (probe)",
        cells=cells("""
bump = 1
# %%
row = [0, 0]
# %%
table = {"first": row, "rows": [row]}
# %%
table["rows"][0][1] = bump
# %%
spare = list(row)
print(row, spare)
"""),
        parameters={"bump": 8},
        reached={1, 4, 5},
        target="spare",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="alias_attribute",
        construct="attribute aliasing: an object holds a list that has its own name",
        cells=cells("""
value = 9
# %%
class Holder:
    def __init__(self, items):
        self.items = items
# %%
items = [1]
# %%
holder = Holder(items)
# %%
items.append(value)
# %%
held = len(holder.items), holder.items[-1]
held
"""),
        parameters={"value": 5},
        reached={1, 5, 6},
        target="held",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="alias_optimizer",
        construct="optimizer holds params (alias) (probe)",
        cells=cells("""
lr = 0.1
# %%
import numpy as np

class Linear:
    def __init__(self):
        self.weight = np.array([1.0, -2.0])

    def parameters(self):
        return [self.weight]
class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self, gradients):
        for p, g in zip(self.params, gradients):
            p -= self.lr * g
# %%
net = Linear()
# %%
optimizer = SGD(net.parameters(), lr)
# %%
for _ in range(3):
    optimizer.step([net.weight * 2])
# %%
weights = net.weight.round(4).tolist()
weights
"""),
        parameters={"lr": 0.2},
        reached={1, 4, 5, 6},
        target="weights",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="alias_numpy_view",
        construct="views: numpy slice view mutated",
        cells=cells("""
fill = 7
# %%
import numpy as np

grid = np.zeros((3, 3), dtype=int)
# %%
middle = grid[1]
copy = grid[0].copy()
# %%
middle[:] = fill
# %%
copy[:] = -1
# %%
total = int(grid.sum())
print(total)
"""),
        parameters={"fill": 2},
        reached={1, 4, 6},
        target="total",
        minimal={1, 2, 3, 4, 6},
        conservative=True,
    ),
    Case(
        name="alias_numpy_reshape",
        construct="views: reshape, transpose and ravel share memory",
        cells=cells("""
value = 5
# %%
import numpy as np

flat = np.arange(6)
# %%
square = flat.reshape(2, 3)
turned = square.T
# %%
turned[0, 1] = value
# %%
result = flat.tolist()
result
"""),
        parameters={"value": 50},
        reached={1, 4, 5},
        target="result",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="alias_frame",
        construct="alias of a DataFrame: `df2 = df`, then a column",
        cells=cells("""
factor = 2
# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3]})
# %%
df2 = df
backup = df.copy()
# %%
df2["b"] = df2["a"] * factor
# %%
columns = list(df.columns)
print(columns, int(df["b"].sum()), list(backup.columns))
"""),
        parameters={"factor": 3},
        reached={1, 4, 5},
        target="columns",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="frame_column_is_a_copy",
        construct="DataFrame column view: a write to the column does not reach the frame",
        cells=cells("""
mark = -1
# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
# %%
column = df["a"]
# %%
column.iloc[0] = mark
# %%
total = int(df["a"].sum())
# %%
print(total, column.tolist())
"""),
        parameters={"mark": -9},
        reached={1, 4, 6},
        target="total",
        minimal={2, 5},
        conservative=True,
    ),
    Case(
        name="alias_through_function",
        construct="alias made by a function that returns its argument",
        cells=cells("""
item = "x"
# %%
def same(thing):
    return thing
def fresh(thing):
    return list(thing)
# %%
original = ["o"]
# %%
alias, other = same(original), fresh(original)
# %%
alias.append(item)
# %%
other.append("only here")
# %%
print(original, other)
"""),
        parameters={"item": "y"},
        reached={1, 5, 7},
        target="original",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="alias_swap_rebinding",
        construct="rebinding one alias leaves the other",
        cells=cells("""
new = 3
# %%
a = [1]
b = a
# %%
a = a + [new]
# %%
b.append(2)
# %%
print(a, b)
"""),
        parameters={"new": 30},
        reached={1, 3, 5},
        target="b",
        minimal={2, 4},
        conservative=True,
    ),
    Case(
        name="alias_repeated_list",
        construct="alias inside container: `[[0] * n] * m` rows are one object",
        cells=cells("""
n = 3
# %%
board = [[0] * n] * 2
# %%
top = board[0]
# %%
top[0] = 1
# %%
state = str(board)
state
"""),
        parameters={"n": 4},
        reached={1, 2, 3, 4, 5},
        target="state",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="alias_identity_is_read",
        construct="identity of two names is asked for in a later cell",
        cells=cells("""
size = 2
# %%
left = [0] * size
# %%
right = left
# %%
pair = (left, right)
# %%
same = pair[0] is pair[1] and left is right
print("same object:", same, size)
"""),
        parameters={"size": 3},
        reached={1, 2, 3, 4, 5},
        target="same",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="alias_estimator_in_pipeline",
        construct="aliasing: an estimator inside a list of tuples is fitted by its own name",
        cells=cells("""
slope = 2.0
# %%
import numpy as np
from sklearn.linear_model import LinearRegression

X = np.arange(4.0).reshape(-1, 1)
y = slope * X.ravel()
# %%
reg = LinearRegression()
models = [("linear", reg)]
# %%
reg.fit(X, y)
# %%
scores = {name: round(float(m.coef_[0]), 6) for name, m in models}
scores
"""),
        parameters={"slope": 3.0},
        reached={1, 2, 4, 5},
        target="scores",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="alias_loop_variable",
        construct="the loop variable is an alias of each element",
        cells=cells("""
key = "n"
# %%
people = [{"name": "ann"}, {"name": "bob"}]
# %%
for person in people:
    person[key] = len(person["name"])
# %%
person["name"] = "ROBERT"
# %%
names = [p["name"] for p in people]
print(names, people)
"""),
        parameters={"key": "length"},
        reached={1, 3, 4, 5},
        target="names",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
]
