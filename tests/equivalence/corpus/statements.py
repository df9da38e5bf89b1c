"""Statements that bind under a condition, or for a while."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="match_statement",
        construct="match",
        cells=cells("""
kind = "circle"
# %%
shape = {"kind": kind, "size": 4}
unused = [0]
# %%
match shape:
    case {"kind": "circle", "size": r}:
        area = 3 * r * r
    case {"kind": "square", "size": side, **rest}:
        area = side * side
    case _:
        area = 0
# %%
unused.append(1)
# %%
print("area", area)
"""),
        parameters={"kind": "square"},
        reached={1, 2, 3, 5},
        target="area",
        minimal={1, 2, 3},
    ),
    Case(
        name="conditional_rebinding",
        construct="conditional rebinding (probe)",
        cells=cells("""
use_log = True
# %%
values = [1.0, 10.0, 100.0]
# %%
if use_log:
    import math

    values = [math.log10(v) for v in values]
# %%
spread = max(values) - min(values)
print(spread)
"""),
        parameters={"use_log": False},
        reached={1, 3, 4},
        target="spread",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="branch_only_name",
        construct="name defined only in a branch",
        cells=cells("""
debug = True
# %%
if debug:
    note = "debugging"
else:
    remark = "quiet"
# %%
message = note if debug else remark
# %%
message.upper()
"""),
        parameters={"debug": False},
        reached={1, 2, 3, 4},
        target="message",
        minimal={1, 2, 3},
    ),
    Case(
        name="try_except_finally",
        construct="try/except/finally",
        cells=cells("""
divisor = 0
# %%
log = []
# %%
try:
    quotient = 10 / divisor
except ZeroDivisionError as problem:
    quotient = float("inf")
    log.append(str(problem))
else:
    log.append("fine")
finally:
    log.append("done")
# %%
flag = "kept"
# %%
print(quotient, log, flag)
"""),
        parameters={"divisor": 4},
        reached={1, 3, 5},
        target="quotient",
        minimal={1, 2, 3},
    ),
    Case(
        name="with_statement",
        construct="with … as binds a name",
        cells=cells("""
digits = 4
# %%
from decimal import Decimal, localcontext

one, three = Decimal(1), Decimal(3)
# %%
with localcontext() as context:
    context.prec = digits
    third = one / three
# %%
outside = one / three
# %%
print(third, outside)
"""),
        parameters={"digits": 7},
        reached={1, 3, 5},
        target="outside",
        minimal={2, 4},
        conservative=True,
    ),
    Case(
        name="del_name",
        construct="`del x` (probe)",
        cells=cells("""
size = 3
# %%
list = [0] * size
# %%
first = len(list)
# %%
del list
# %%
pair = list((first, size))
pair
"""),
        parameters={"size": 4},
        reached={1, 2, 3, 5},
        target="pair",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="del_item",
        construct="deletes of items and slices: `del d[k]`",
        cells=cells("""
drop = "b"
# %%
table = {"a": 1, "b": 2, "c": 3}
row = [0, 1, 2, 3, 4]
# %%
del table[drop]
# %%
del row[1:3]
# %%
print(table, row)
"""),
        parameters={"drop": "c"},
        reached={1, 3, 5},
        target="row",
        minimal={2, 4},
    ),
    Case(
        name="nested_targets",
        construct="attribute, subscript and slice stores as targets of for and with",
        cells=cells("""
k = 3
# %%
box = {}
arr = [0, 0, 0, 0, 0]
# %%
for box["last"] in range(k):
    pass
# %%
arr[1:k] = [7] * (k - 1)
# %%
out = (box["last"], arr)
out
"""),
        parameters={"k": 4},
        reached={1, 3, 4, 5},
        target="box",
        minimal={1, 2, 3},
    ),
]
