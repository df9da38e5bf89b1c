"""Decorators, caches and functions that remember."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="decorator_registry",
        construct="decorator registry (probe)",
        cells=cells("""
power = 2
# %%
REGISTRY = {}
def register(function):
    REGISTRY[function.__name__] = function
    return function
# %%
@register
def square(v):
    return v**power
# %%
@register
def negate(v):
    return -v
# %%
results = {name: f(3) for name, f in REGISTRY.items()}
results
"""),
        parameters={"power": 3},
        reached={1, 5},
        target="results",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
    Case(
        name="decorator_wraps",
        construct="decorator with functools.wraps that counts calls",
        cells=cells("""
bias = 1
# %%
import functools

calls = []
def logged(function):
    @functools.wraps(function)
    def inner(*args):
        calls.append(function.__name__)
        return function(*args)

    return inner
# %%
@logged
def shift(v):
    return v + bias
# %%
first = shift(1)
# %%
second = shift(first)
# %%
print(second, calls)
"""),
        parameters={"bias": 5},
        reached={1, 4, 5, 6},
        target="calls",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
        expect="merged",
    ),
    Case(
        name="lru_cache",
        construct="lru_cache: an earlier call decides what a later one returns",
        cells=cells("""
base = 100
# %%
from functools import lru_cache

@lru_cache
def price(item):
    return base + len(item)
# %%
before = price("tea")
# %%
base = 0
# %%
after = price("tea")
print(before, after)
"""),
        parameters={"base": 200},
        reached={1, 3, 5},
        target="after",
        minimal={1, 2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="contextmanager",
        construct="contextmanager that changes a global and puts it back",
        cells=cells("""
level = 3
# %%
from contextlib import contextmanager

settings = {"level": 0}
@contextmanager
def using(value):
    before = settings["level"]
    settings["level"] = value
    try:
        yield settings
    finally:
        settings["level"] = before
# %%
with using(level) as active:
    inside = dict(active)
# %%
outside = settings["level"]
print(inside, outside)
"""),
        parameters={"level": 9},
        reached={1, 3, 4},
        target="inside",
        minimal={1, 2, 3},
        conservative=True,
    ),
    Case(
        name="partial",
        construct="functools.partial binds a value and a shared list",
        cells=cells("""
rate = 2
# %%
from functools import partial

bag = []
def put(where, times, value):
    where.append(value * times)
# %%
put_scaled = partial(put, bag, rate)
# %%
rate = 1000
# %%
put_scaled(5)
# %%
print(bag)
"""),
        parameters={"rate": 3},
        reached={1, 3, 5, 6},
        target="bag",
        minimal={1, 2, 3, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="default_mutable_argument",
        construct="default mutable argument keeps values between calls",
        cells=cells("""
item = "a"
# %%
def collect(value, into=[]):
    into.append(value)
    return list(into)
# %%
first = collect(item)
# %%
second = collect("z")
print(first, second)
"""),
        parameters={"item": "q"},
        reached={1, 3, 4},
        target="second",
        minimal={1, 2, 3, 4},
        expect="merged",
    ),
    Case(
        name="function_attribute",
        construct="attribute store on a function",
        cells=cells("""
unit = "kg"
# %%
def weigh(v):
    weigh.calls += 1
    return f"{v} {weigh.unit}"
# %%
weigh.calls = 0
weigh.unit = unit
# %%
shown = weigh(3)
# %%
print(shown, weigh.calls)
"""),
        parameters={"unit": "g"},
        reached={1, 3, 4, 5},
        target="shown",
        minimal={1, 2, 3, 4},
        expect="merged",
    ),
]
