"""Random state: global generators, generator objects, estimators with a seed."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="numpy_global_seed",
        construct="np.random.seed / pd.set_option / sys.path (probe): np.random.seed",
        cells=cells("""
seed = 0
# %%
import numpy as np

np.random.seed(seed)
# %%
a = np.random.rand(2)
# %%
shape = (2, 2)
print(shape)
# %%
b = np.random.rand(2)
print(a.round(3), b.round(3))
"""),
        parameters={"seed": 1},
        reached={1, 2, 3, 5},
        target="b",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="python_random",
        construct="random.seed, random.random, random.shuffle in place",
        cells=cells("""
seed = 42
# %%
import random

random.seed(seed)
deck = list(range(6))
# %%
first = random.random()
# %%
random.shuffle(deck)
# %%
drawn = random.sample(deck, 2)
print(round(first, 4), deck, drawn)
"""),
        parameters={"seed": 7},
        reached={1, 2, 3, 4, 5},
        target="deck",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="generator_object",
        construct="iterator / RNG object consumed (probe): default_rng across cells",
        cells=cells("""
seed = 3
# %%
import numpy as np

rng = np.random.default_rng(seed)
# %%
noise = rng.normal(size=3)
# %%
picked = rng.integers(0, 10, size=4)
# %%
print(noise.round(3), picked)
"""),
        parameters={"seed": 4},
        reached={1, 2, 3, 4, 5},
        target="picked",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="generator_object_shared",
        construct="one generator under two names and inside an object",
        cells=cells("""
seed = 5
# %%
import numpy as np

rng = np.random.default_rng(seed)
class Sampler:
    def __init__(self, rng):
        self.rng = rng

    def draw(self):
        return int(self.rng.integers(1000))
# %%
sampler = Sampler(rng)
# %%
one = sampler.draw()
# %%
two = int(rng.integers(1000))
# %%
three = sampler.draw()
print(one, two, three)
"""),
        parameters={"seed": 6},
        reached={1, 2, 3, 4, 5, 6},
        target="three",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="shuffle_in_place",
        construct="np.random.shuffle and Generator.shuffle change their argument",
        cells=cells("""
seed = 11
# %%
import numpy as np

np.random.seed(seed)
rows = np.arange(5)
names = ["a", "b", "c", "d"]
# %%
np.random.shuffle(rows)
# %%
np.random.shuffle(names)
# %%
first_row, first_name = int(rows[0]), names[0]
print(rows, names)
"""),
        parameters={"seed": 12},
        reached={1, 2, 3, 4, 5},
        target="names",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="sklearn_random_state",
        construct="sklearn random_state as a number: no shared state",
        cells=cells("""
state = 0
# %%
import numpy as np
from sklearn.model_selection import train_test_split

X = np.arange(10).reshape(-1, 1)
# %%
train, test = train_test_split(X, test_size=3, random_state=state)
# %%
again, _ = train_test_split(X, test_size=3, random_state=99)
# %%
print(test.ravel(), again.ravel())
"""),
        parameters={"state": 1},
        reached={1, 3, 5},
        target="again",
        minimal={2, 4},
    ),
    Case(
        name="sklearn_global_state",
        construct="sklearn without random_state draws from numpy's global generator",
        cells=cells("""
seed = 0
# %%
import numpy as np
from sklearn.model_selection import train_test_split

X = np.arange(12)
# %%
np.random.seed(seed)
# %%
train, test = train_test_split(X, test_size=4)
# %%
jitter = np.random.randint(1000)
print(test, jitter)
"""),
        parameters={"seed": 2},
        reached={1, 3, 4, 5},
        target="jitter",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="pandas_sample",
        construct="DataFrame.sample draws from numpy's global generator",
        cells=cells("""
seed = 0
# %%
import numpy as np
import pandas as pd

np.random.seed(seed)
df = pd.DataFrame({"v": range(8)})
# %%
part = df.sample(3)
# %%
other = df.sample(2, random_state=1)
# %%
last = df.sample(1)
# %%
print(part["v"].tolist(), other["v"].tolist(), last["v"].tolist())
"""),
        parameters={"seed": 8},
        reached={1, 2, 3, 5, 6},
        target="last",
        minimal={1, 2, 3, 5},
        conservative=True,
    ),
    Case(
        name="random_in_function",
        construct="a function of the notebook draws from the global generator",
        cells=cells("""
seed = 1
# %%
import numpy as np

np.random.seed(seed)
# %%
def walk(steps):
    return np.random.choice([-1, 1], size=steps).cumsum()
# %%
short = walk(5)
# %%
long = walk(8)
# %%
end = int(long[-1]), int(short[-1])
end
"""),
        parameters={"seed": 9},
        reached={1, 2, 4, 5, 6},
        target="long",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="reseeded",
        construct="seed set again in the middle cuts the chain",
        cells=cells("""
seed = 0
# %%
import random
# %%
random.seed(seed)
# %%
a = random.randint(0, 10**6)
# %%
random.seed(123)
# %%
b = random.randint(0, 10**6)
# %%
print(a, b)
"""),
        parameters={"seed": 5},
        reached={1, 3, 4, 7},
        target="b",
        minimal={2, 5, 6},
        conservative=True,
    ),
    Case(
        name="random_state_saved",
        construct="random state saved, and put back by a later cell",
        cells=cells("""
seed = 21
# %%
import numpy as np

np.random.seed(seed)
saved = np.random.get_state()
# %%
a = np.random.rand()
# %%
np.random.set_state(saved)
# %%
b = np.random.rand()
# %%
print(a == b, round(b, 5))
"""),
        parameters={"seed": 22},
        reached={1, 2, 3, 4, 5, 6},
        target="b",
        minimal={1, 2, 5},
        conservative=True,
    ),
]
