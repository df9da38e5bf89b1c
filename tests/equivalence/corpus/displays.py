"""What cells show, in which order, and names that stand for it."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="underscore_result",
        construct="`_` references: the last displayed result",
        cells=cells("""
n = 4
# %%
n * 10
# %%
before = _ + 1
# %%
[before, n]
# %%
kept = list(_)
print(before, kept)
"""),
        parameters={"n": 5},
        reached={1, 2, 3, 4, 5},
        target="before",
        minimal={1, 2, 3},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="out_reference",
        construct="`Out[n]` and `_n` references",
        cells=cells("""
base = 3
# %%
base + 1
# %%
"something else"
# %%
answer = Out[2] * 10 + len(_3)
print(answer)
"""),
        target="answer",
        minimal={1, 2, 3, 4},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="display_last_expression",
        construct="display of the last expression; `;` hides it; None shows nothing",
        cells=cells("""
n = 2
# %%
values = [n, n + 1]
values
# %%
values * 2;
# %%
print("shown")
values.append(0)
# %%
{"values": values, "n": n}
"""),
        parameters={"n": 7},
        reached={1, 2, 4, 5},
        target="values",
        minimal={1, 2, 4},
    ),
    Case(
        name="print_order",
        construct="print order between prints, displays and results",
        cells=cells("""
who = "ann"
# %%
from IPython.display import Markdown, display
# %%
print("one")
display(who)
print("two", end="")
print("!")
display(Markdown(f"**{who}**"))
who
# %%
print("three")
length = len(who)
length
"""),
        parameters={"who": "robert"},
        reached={1, 3, 4},
        target="length",
        minimal={1, 4},
    ),
    Case(
        name="raises_exception",
        construct="cell tagged raises-exception: what it did before the error stays",
        cells=cells("""
bad = 0
# %%
done = []
# %%
done.append("before")
1 / 0
done.append("never")
# %%
done.append(bad)
# %%
print(done)
"""),
        parameters={"bad": 5},
        reached={1, 4, 5},
        target="done",
        minimal={1, 2, 3, 4},
        tags={3: ["raises-exception"]},
        conservative=True,
        expect="merged",
    ),
    Case(
        name="rich_reprs",
        construct="an object with its own _repr_html_ that counts how often it was shown",
        cells=cells("""
name = "box"
# %%
class Shown:
    def __init__(self, name):
        self.name, self.times = name, 0

    def _repr_html_(self):
        self.times += 1
        return f"<b>{self.name}</b>"

    def __repr__(self):
        return f"Shown({self.name})"
# %%
thing = Shown(name)
# %%
thing
# %%
times = thing.times
print(times)
"""),
        parameters={"name": "can"},
        reached={1, 3, 4},
        target="times",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
        expect="merged",
    ),
    Case(
        name="redirected_output",
        construct="contextlib.redirect_stdout, sys.stdout.write",
        cells=cells("""
word = "text"
# %%
import contextlib
import io
import sys

buffer = io.StringIO()
# %%
with contextlib.redirect_stdout(buffer):
    print("caught", word)
# %%
_ = sys.stdout.write("direct\\n")
# %%
caught = buffer.getvalue().split()
print(caught)
"""),
        parameters={"word": "line"},
        reached={1, 3, 5},
        target="caught",
        minimal={1, 2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="frame_display",
        construct="display of frames, series and groupby results",
        cells=cells("""
rows = 2
# %%
import pandas as pd

df = pd.DataFrame({"team": ["x", "y", "x"], "points": [3, 5, 8]})
# %%
df.head(rows)
# %%
by_team = df.groupby("team")["points"].agg(["sum", "max"])
by_team
# %%
df["points"].mean()
"""),
        parameters={"rows": 1},
        reached={1, 3},
        target="by_team",
        minimal={2, 4},
        conservative=True,
    ),
    Case(
        name="empty_and_comment_cells",
        construct="cells without code: empty, comments, docstring",
        cells=cells("""
n = 3
# %%
# only a comment
# %%
'''A text that explains.'''
# %%
pass
# %% [markdown]
# The end.
# %%
total = n + 1
total
"""),
        parameters={"n": 4},
        reached={1, 5},
        target="total",
        minimal={1, 5},
        conservative=True,
    ),
]
