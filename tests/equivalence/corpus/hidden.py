"""Notebooks whose saved form is not what was run: to be listed before anything runs."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="hidden_out_of_order",
        construct="hidden state: out-of-order execution counts",
        cells=cells("""
n = 2
# %%
values = [1, 2, 3]
# %%
total = sum(values) * n
# %%
print(total)
"""),
        parameters={"n": 3},
        reached={1, 3, 4},
        target="total",
        minimal={1, 2, 3},
        counts=[1, 5, 3, 4],
        hidden=["order", "cell 2"],
    ),
    Case(
        name="hidden_undefined_name",
        construct="hidden state: a name that no saved cell defines",
        cells=cells("""
limit = 2
# %%
rows = [1, 2, 3]
# %%
kept = [r for r in clean_rows if r >= limit]
# %%
print(kept)
"""),
        counts=[1, 2, 5, 6],
        hidden=["clean_rows", "cell 3"],
        expect="refused",
    ),
    Case(
        name="hidden_run_twice",
        construct="hidden state: cells run twice (a count is missing, the saved output says so)",
        cells=cells("""
step = 1
# %%
counter = 0
# %%
counter += step
# %%
print(counter)
"""),
        parameters={"step": 2},
        reached={1, 3, 4},
        target="counter",
        minimal={1, 2, 3},
        counts=[1, 2, 4, 5],
        hidden=["cell 3", "twice"],
    ),
    Case(
        name="hidden_deleted_definition",
        construct="hidden state: a definition was deleted, its function is still called",
        cells=cells("""
size = 3
# %%
data = list(range(size))
# %%
score = evaluate(data)
# %%
print(score)
"""),
        counts=[1, 2, 4, 5],
        hidden=["evaluate", "cell 3"],
        expect="refused",
    ),
    Case(
        name="hidden_used_before_defined",
        construct="hidden state: a name is used above the cell that defines it",
        cells=cells("""
base = 10
# %%
result = base * factor
# %%
factor = 3
# %%
print(result)
"""),
        counts=[1, 3, 2, 4],
        hidden=["factor", "cell 2", "cell 3"],
        expect="refused",
    ),
    Case(
        name="hidden_deleted_import",
        construct="hidden state: an import was deleted, its alias is still used in a function",
        cells=cells("""
n = 4
# %%
def centre(values):
    return np.mean(values)
# %%
values = list(range(n))
# %%
middle = centre(values)
middle
"""),
        counts=[2, 3, 4, 5],
        hidden=["np", "cell 2"],
        expect="refused",
    ),
    Case(
        name="hidden_never_run",
        construct="hidden state: a cell that was never run",
        cells=cells("""
a = 1
# %%
b = a + 1
# %%
c = b * 2
# %%
print(b, c)
"""),
        parameters={"a": 4},
        reached={1, 2, 3, 4},
        target="c",
        minimal={1, 2, 3},
        counts=[1, 2, None, 3],
        hidden=["cell 3", "never"],
    ),
    Case(
        name="hidden_deleted_by_del",
        construct="hidden state: a name is used after the cell that deletes it",
        cells=cells("""
n = 3
# %%
buffer = [0] * n
# %%
del buffer
# %%
print(len(buffer))
"""),
        counts=[1, 2, 4, 3],
        hidden=["buffer", "cell 4"],
        expect="refused",
    ),
]
