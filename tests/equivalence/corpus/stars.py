"""Star imports: of libraries, of modules beside the notebook, over each other and over values."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="star_numpy_over_builtins",
        construct="star import of numpy: it binds sum and max, too",
        cells=cells("""
n = 3
# %%
values = [[1, 2], [3, 4]]
# %%
from numpy import *
# %%
result = float(sum(arange(n)) + max([1, 5]))
print(result)
# %%
rows = sum(values, axis=0).tolist()
print(rows)
"""),
        parameters={"n": 5},
        reached={1, 4},
        target="rows",
        minimal={2, 3, 5},
    ),
    Case(
        name="star_over_a_value",
        construct="star import that binds a name of the notebook anew",
        cells=cells("""
radius = 2
# %%
pi = 3
e = 1
# %%
from math import *
# %%
area = round(pi * radius**2, 6)
print(area)
# %%
e = e + 1
print(round(e, 6))
"""),
        parameters={"radius": 3},
        reached={1, 4},
        target="area",
        minimal={1, 3, 4},
    ),
    Case(
        name="stars_over_each_other",
        construct="two star imports that bind the same names: the last one counts",
        cells=cells("""
area = 16.0
# %%
from math import *
# %%
from numpy import *
# %%
root = sqrt(area)
kind = type(root).__name__
print(root, kind)
# %%
big = factorial(4)
print(big)
"""),
        parameters={"area": 25.0},
        reached={1, 4},
        target="kind",
        minimal={1, 3, 4},
    ),
    Case(
        name="star_used_in_a_function",
        construct="a name of a star import that only a function uses",
        cells=cells("""
scale = 2.0
# %%
from numpy import *
# %%
def length(vector):
    return float(sqrt(sum(square(vector)))) * scale
# %%
other = 1
# %%
found = length([3.0, 4.0])
print(found)
"""),
        parameters={"scale": 3.0},
        reached={1, 5},
        target="found",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="star_then_rebound",
        construct="a name of a star import that a later cell binds anew",
        cells=cells("""
rate = 2
# %%
from star_constants import *
# %%
scale = 9
# %%
value = rate * scale
print(value)
# %%
doubled = double(rate)
print(doubled)
"""),
        parameters={"rate": 3},
        reached={1, 4, 5},
        target="value",
        minimal={1, 3, 4},
        files={
            "star_constants.py": "__all__ = ['scale', 'double']\n\nscale = 50\nhidden = 7\n\n\n"
            "def double(value):\n    return value * 2\n"
        },
    ),
    Case(
        name="star_passed_on",
        construct="star import of a module beside the notebook that itself star-imports numpy",
        cells=cells("""
top = 4
# %%
import numpy

arange = 5
# %%
from star_through import *
# %%
steps = arange(limit + top).tolist()
print(steps)
# %%
shown = limit
print(shown)
"""),
        parameters={"top": 2},
        reached={1, 4},
        target="steps",
        minimal={1, 3, 4},
        files={"star_through.py": "from numpy import *\n\nlimit = 2\n"},
    ),
    Case(
        name="star_of_random",
        construct="random numbers by names of a star import",
        cells=cells("""
first = 3
# %%
from numpy.random import *
# %%
seed(first)
# %%
drawn = rand(2).round(4).tolist()
print(drawn)
# %%
more = rand(1).round(4).tolist()
print(more)
"""),
        parameters={"first": 4},
        reached={1, 3, 4, 5},
        target="more",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="star_that_cannot_be_told",
        construct="star import of a module whose names are computed",
        cells=cells("""
rate = 2
# %%
level = 1
# %%
from star_computed import *
# %%
value = rate * level
print(value)
"""),
        parameters={"rate": 3},
        reached={1, 4},
        target="value",
        minimal={1, 3, 4},
        files={"star_computed.py": "globals().update(level=50)\n"},
        conservative=True,
    ),
]
