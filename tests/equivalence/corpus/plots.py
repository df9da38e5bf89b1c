"""Figures: the current one is state, an axes object is a value."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="plot_in_one_cell",
        construct="plt.plot, title, savefig in one cell",
        cells=cells("""
points = 4
# %%
import matplotlib.pyplot as plt
# %%
xs = list(range(points))
# %%
plt.plot(xs, [x * x for x in xs])
plt.title("squares")
plt.savefig("squares.png")
# %%
last = xs[-1]
print(last)
"""),
        parameters={"points": 5},
        reached={1, 3, 4, 5},
        target="last",
        minimal={1, 3, 5},
        conservative=True,
    ),
    Case(
        name="plot_continued_figure",
        construct="current figure continued in later cells (close_figures=False)",
        cells=cells("""
slope = 2
# %%
%matplotlib inline
import matplotlib.pyplot as plt
%config InlineBackend.close_figures = False
# %%
plt.figure(figsize=(2, 2))
plt.plot([0, 1], [0, slope]);
# %%
plt.plot([0, 1], [1, 1]);
# %%
lines = [line.get_ydata().tolist() for line in plt.gca().get_lines()]
plt.close("all")
# %%
print(lines)
"""),
        parameters={"slope": 3},
        reached={1, 3, 4, 5, 6},
        target="lines",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="plot_axes_object",
        construct="ax object continued in the next cell; fig displayed",
        cells=cells("""
height = 3
# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(2, 2))
ax.bar(["a", "b"], [1, height]);
# %%
ax.set_title(f"height {height}");
# %%
ax.set_ylim(0, 10)
fig
# %%
title = ax.get_title()
bars = len(ax.patches)
print(title, bars)
"""),
        parameters={"height": 4},
        reached={1, 2, 3, 4, 5},
        target="title",
        minimal={1, 2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="plot_from_frame",
        construct="df.plot(ax=ax) draws on an axes that another name holds",
        cells=cells("""
scale = 2
# %%
import matplotlib.pyplot as plt
import pandas as pd

df = pd.DataFrame({"v": [1, 2, 3]}) * scale
# %%
fig, axes = plt.subplots(1, 2, figsize=(4, 2))
# %%
df.plot(ax=axes[0], legend=False)
df.plot.bar(ax=axes[1], legend=False);
# %%
drawn = len(axes[0].get_lines()), len(axes[1].patches)
plt.close("all")
drawn
"""),
        parameters={"scale": 3},
        reached={1, 2, 4},
        target="drawn",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="plot_function",
        construct="plotting function of the notebook, called in several cells",
        cells=cells("""
colour = "red"
# %%
import matplotlib.pyplot as plt
# %%
def draw(values, title):
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot(values, color=colour)
    axes.set_title(title)
    plt.show()
    return len(values)
# %%
n = draw([1, 2, 3], "first")
# %%
m = draw([3, 2], "second")
# %%
print(n + m)
"""),
        parameters={"colour": "blue"},
        reached={1, 4, 5},
        target="m",
        minimal={1, 2, 3, 5},
        conservative=True,
    ),
    Case(
        name="plot_cycler_state",
        construct="rcParams changed with rc_context and with rcdefaults",
        cells=cells("""
width = 4
# %%
import matplotlib as mpl
import matplotlib.pyplot as plt

mpl.rc("lines", linewidth=width)
# %%
with plt.rc_context({"lines.linewidth": 1}):
    inside = mpl.rcParams["lines.linewidth"]
# %%
outside = mpl.rcParams["lines.linewidth"]
# %%
mpl.rcParams["lines.linewidth"] = 1.5
default = mpl.rcParams["lines.linewidth"]
print(inside, outside, default)
"""),
        parameters={"width": 6},
        reached={1, 2, 4, 5},
        target="outside",
        minimal={1, 2, 4},
        conservative=True,
    ),
]
