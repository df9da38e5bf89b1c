"""Names bound, bound again and unbound by plain statements."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="chain",
        construct="chain / redefinition / irrelevant read (probe: chain)",
        cells=cells("""
price = 100.0
rate = 0.2
# %% [markdown]
# ## Taxes
# %%
tax = price * rate
# %%
weight = 3.5
print(f"weighs {weight} kg, costs {price}")
# %%
total = price + tax
print("total", total)
"""),
        parameters={"rate": 0.25},
        reached={1, 2, 4},
        target="total",
        minimal={1, 2, 4},
    ),
    Case(
        name="redefinition",
        construct="redefinition (probe: redefinition)",
        cells=cells("""
scale = 2
# %%
x = 10
y = x * scale
# %%
x = 99
print("x is", x)
# %%
z = x + 1
# %%
result = y + z
result
"""),
        parameters={"scale": 3},
        reached={1, 2, 5},
        target="z",
        minimal={3, 4},
    ),
    Case(
        name="irrelevant_read",
        construct="irrelevant read (probe: irrelevant read)",
        cells=cells("""
n = 5
# %%
squares = [i * i for i in range(n)]
# %%
print(len(squares), sum(squares))
# %%
label = f"first {n}"
# %%
print(label, squares[-1])
"""),
        parameters={"n": 6},
        reached={1, 2, 3, 4, 5},
        target="label",
        minimal={1, 4},
    ),
    Case(
        name="loop_variable_leaks",
        construct="loop variable leaks (probe)",
        cells=cells("""
stop = 4
# %%
i = 100
j = 7
# %%
for i in range(stop):
    pass
# %%
k = i * 2
print(k, j)
"""),
        parameters={"stop": 6},
        reached={1, 3, 4},
        target="i",
        minimal={1, 3},
        conservative=True,  # a loop may run no times
    ),
    Case(
        name="augmented_in_loop",
        construct="augmented assignment: `t += v` in loop (probe)",
        cells=cells("""
step = 2
# %%
t = 0
seen = "nothing"
# %%
for v in (1, 2, 3):
    t += v * step
# %%
print(seen)
# %%
mean = t / 3
mean
"""),
        parameters={"step": 5},
        reached={1, 3, 5},
        target="mean",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="augmented_across_cells",
        construct="augmented assignment on a list and a string in other cells",
        cells=cells("""
extra = 3
# %%
numbers = [1, 2]
text = "a"
# %%
numbers += [extra]
# %%
text += "b"
# %%
text *= 2
# %%
print(numbers, text)
"""),
        parameters={"extra": 9},
        reached={1, 3, 6},
        target="text",
        minimal={2, 4, 5},
    ),
    Case(
        name="walrus",
        construct="walrus (probe)",
        cells=cells("""
limit = 3
# %%
data = [5, 1, 4, 3]
# %%
if (count := len(data)) >= 2:
    print(f"{count} rows")
# %%
big = [last := v for v in data if v > limit]
# %%
both = (count, last)
both
"""),
        parameters={"limit": 2},
        reached={1, 4, 5},
        target="both",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="unpacking",
        construct="unpacking, starred targets, swap",
        cells=cells("""
record = ("ann", 3, 4, 5)
# %%
name, *marks = record
(low, high), label = (0, 10), "range"
# %%
low, high = high, low
# %%
average = sum(marks) / len(marks)
# %%
print(name, average, low, high, label)
"""),
        parameters={"record": ["bob", 6, 7]},
        reached={1, 2, 4, 5},
        target="high",
        minimal={1, 2, 3},
    ),
    Case(
        name="chained_assignment",
        construct="chained assignment shares one object",
        cells=cells("""
start = 1
# %%
a = b = []
c = d = start
# %%
a.append(start)
# %%
c += 1
# %%
print(a, b, c, d)
"""),
        parameters={"start": 5},
        reached={1, 2, 3, 4, 5},
        target="b",
        minimal={1, 2, 3},
    ),
    Case(
        name="shadowed_builtin",
        construct="shadowed builtins",
        cells=cells("""
base = 10
# %%
numbers = [1, 2, 3]
total_before = sum(numbers)
# %%
sum = base
max = lambda *values: "shadowed"
# %%
answer = sum + total_before
# %%
word = max(1, 2)
print(answer, word)
"""),
        parameters={"base": 20},
        reached={1, 3, 4, 5},
        target="total_before",
        minimal={2},
    ),
    Case(
        name="unicode_identifiers",
        construct="unicode identifiers (normalised by Python)",
        cells=cells("""
α = 0.5
# %%
ﬁt = 3
naïve = α * 2
# %%
λ = naïve + fit
# %%
größe = "groß"
# %%
print(λ, größe)
"""),
        parameters={"α": 0.75},
        reached={1, 2, 3, 5},
        target="λ",
        minimal={1, 2, 3},
    ),
    Case(
        name="type_hints",
        construct="type hints and string annotations",
        cells=cells("""
width: int = 3  # columns
# %%
from typing import Optional

later: "Optional[int]"
names: list[str] = ["a", "b"]
# %%
def widen(by: "Scale") -> "list[int]":
    return [width] * by
# %%
Scale = int
# %%
row: list[int] = widen(2)
row
"""),
        parameters={"width": 4},
        reached={1, 5},
        target="row",
        minimal={1, 3, 5},
        conservative=True,
    ),
]
