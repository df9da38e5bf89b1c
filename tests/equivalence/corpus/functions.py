"""What calling a function reads and changes."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="function_reads_later_global",
        construct="function reads later-changed global (probe)",
        cells=cells("""
rate = 0.1
# %%
bonus = 1
# %%
def pay(hours):
    return hours * rate + bonus
# %%
bonus = 100
# %%
wage = pay(10)
print(wage)
"""),
        parameters={"rate": 0.2},
        reached={1, 5},
        target="wage",
        minimal={1, 3, 4, 5},
    ),
    Case(
        name="function_defined_before_global",
        construct="function reads a global that a later cell defines",
        cells=cells("""
low = 2
# %%
def clip(value):
    return max(low, min(value, HIGH))
# %%
HIGH = 8
# %%
clipped = [clip(v) for v in (1, 5, 10)]
clipped
"""),
        parameters={"low": 3},
        reached={1, 4},
        target="clipped",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="function_mutates_argument",
        construct="function mutates argument (probe)",
        cells=cells("""
tag = "new"
# %%
def mark(rows, text):
    for row in rows:
        row["tag"] = text
# %%
rows = [{"id": 1}, {"id": 2}]
other = [{"id": 3}]
# %%
mark(rows, tag)
# %%
mark(other, "old")
# %%
print(rows, other)
"""),
        parameters={"tag": "hot"},
        reached={1, 4, 6},
        target="other",
        minimal={2, 3, 5},
    ),
    Case(
        name="function_mutates_global_container",
        construct="function mutates a global container without `global`",
        cells=cells("""
prefix = "run"
# %%
history = []
# %%
def note(step):
    history.append(f"{prefix}-{step}")
# %%
note("load")
# %%
unrelated = 5
# %%
note("fit")
# %%
history
"""),
        parameters={"prefix": "job"},
        reached={1, 4, 6, 7},
        target="history",
        minimal={1, 2, 3, 4, 6},
    ),
    Case(
        name="function_calls_function",
        construct="a function's free names are uses of its callers, through two calls",
        cells=cells("""
unit = 3
# %%
def area(side):
    return side * side * unit
# %%
def cost(side):
    return area(side) * price
# %%
price = 2
# %%
bill = cost(4)
# %%
def area(side):
    return -1
# %%
again = cost(4)
print(bill, again)
"""),
        parameters={"unit": 5},
        reached={1, 5, 7},
        target="bill",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="higher_order",
        construct="higher-order function: what is passed decides what is touched",
        cells=cells("""
times = 2
# %%
trace = []
# %%
def record(value):
    trace.append(value)
    return value
# %%
def apply(function, values):
    return [function(v) for v in values]
# %%
doubled = apply(lambda v: v * times, [1, 2])
# %%
kept = apply(record, [3, 4])
# %%
print(doubled, kept, trace)
"""),
        parameters={"times": 3},
        reached={1, 5, 7},
        target="trace",
        minimal={2, 3, 4, 6},
    ),
    Case(
        name="recursion",
        construct="recursion with a memo in a global dictionary",
        cells=cells("""
n = 12
# %%
memo = {0: 0, 1: 1}
# %%
def fib(k):
    if k not in memo:
        memo[k] = fib(k - 1) + fib(k - 2)
    return memo[k]
# %%
value = fib(n)
# %%
entries = len(memo)
print(value, entries)
"""),
        parameters={"n": 15},
        reached={1, 4, 5},
        target="entries",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="callback_in_dict",
        construct="callback stored in a dict, called by key in another cell",
        cells=cells("""
mode = "double"
# %%
state = {"sum": 0}
# %%
def double(v):
    state["sum"] += 2 * v
def triple(v):
    state["sum"] += 3 * v
# %%
handlers = {"double": double, "triple": triple}
# %%
handlers[mode](5)
# %%
total = state["sum"]
print(total)
"""),
        parameters={"mode": "triple"},
        reached={1, 5, 6},
        target="total",
        minimal={1, 2, 3, 4, 5, 6},
        conservative=True,
    ),
    Case(
        name="generator_function",
        construct="generator function: its body runs where it is consumed",
        cells=cells("""
limit = 3
# %%
offset = 0
# %%
def numbers():
    for k in range(limit):
        yield k + offset
# %%
stream = numbers()
# %%
offset = 10
# %%
values = list(stream)
print(values)
"""),
        parameters={"limit": 5},
        reached={1, 6},
        target="values",
        minimal={1, 3, 4, 5, 6},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="closure_keeps_object",
        construct="closure over a mutable object that another cell changes",
        cells=cells("""
weight = 2
# %%
table = {"w": weight}
# %%
def make(source):
    def read(key):
        return source[key] * 10

    return read
# %%
read = make(table)
# %%
table["w"] += 1
# %%
value = read("w")
value
"""),
        parameters={"weight": 4},
        reached={1, 2, 4, 5, 6},
        target="value",
        minimal={1, 2, 3, 4, 5, 6},
        expect="merged",
    ),
    Case(
        name="helper_returns_global_object",
        construct="a function returns a global object that the caller changes",
        cells=cells("""
seed_row = 1
# %%
rows = [seed_row]
# %%
def latest():
    return rows
# %%
latest().append(2)
# %%
count = len(rows)
print(count, rows)
"""),
        parameters={"seed_row": 7},
        reached={1, 2, 4, 5},
        target="count",
        minimal={1, 2, 3, 4, 5},
    ),
]
