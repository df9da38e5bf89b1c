"""Classes, their instances and what their methods change."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="attribute_store",
        construct="attribute store (probe)",
        cells=cells("""
alpha = 0.1
# %%
class Model:
    pass
# %%
model = Model()
spare = Model()
# %%
model.alpha = alpha
spare.alpha = "none"
# %%
model.trained = True
# %%
summary = vars(model)
print(sorted(summary))
summary["alpha"]
"""),
        parameters={"alpha": 0.5},
        reached={1, 4, 5, 6},
        target="model",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="class_attribute_store",
        construct="class attribute store (probe)",
        cells=cells("""
rate = 0.2
# %%
class Account:
    rate = 0.0

    def interest(self, amount):
        return amount * self.rate
# %%
mine = Account()
# %%
Account.rate = rate
# %%
earned = mine.interest(100)
print(earned)
"""),
        parameters={"rate": 0.3},
        reached={1, 4, 5},
        target="earned",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
    Case(
        name="instance_mutated_by_method",
        construct="instance mutated by method",
        cells=cells("""
amount = 50
# %%
class Account:
    def __init__(self):
        self.balance = 0
        self.log = []

    def deposit(self, value):
        self.balance += value
        self.log.append(value)
# %%
account = Account()
# %%
account.deposit(amount)
# %%
label = type(account).__name__
# %%
account.deposit(1)
# %%
print(label, account.balance, account.log)
"""),
        parameters={"amount": 70},
        reached={1, 4, 6, 7},
        target="account",
        minimal={1, 2, 3, 4, 6},
    ),
    Case(
        name="inheritance",
        construct="inheritance: a method of the base class in another cell",
        cells=cells("""
legs = 4
# %%
class Animal:
    def describe(self):
        return f"{self.name} has {self.legs()} legs"
# %%
class Dog(Animal):
    name = "dog"

    def legs(self):
        return legs
# %%
text = Dog().describe()
# %%
print(text)
"""),
        parameters={"legs": 3},
        reached={1, 4, 5},
        target="text",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="property_with_effect",
        construct="property that changes its object when read",
        cells=cells("""
step = 2
# %%
class Counter:
    def __init__(self, step):
        self.step, self.n = step, 0

    @property
    def next(self):
        self.n += self.step
        return self.n
# %%
counter = Counter(step)
# %%
counter.next
# %%
value = counter.next
print(value)
"""),
        parameters={"step": 3},
        reached={1, 3, 4, 5},
        target="value",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="callable_instance",
        construct="`__call__` that remembers",
        cells=cells("""
decay = 0.5
# %%
class Smoother:
    def __init__(self, decay):
        self.decay, self.value = decay, 0.0

    def __call__(self, new):
        self.value = self.decay * self.value + (1 - self.decay) * new
        return self.value
# %%
smooth = Smoother(decay)
# %%
a = smooth(10)
# %%
b = smooth(20)
print(a, b)
"""),
        parameters={"decay": 0.25},
        reached={1, 3, 4, 5},
        target="b",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="dunder_mutates",
        construct="operator overloading: dunder methods that mutate (`<<`, `in`, `+`, `len`)",
        cells=cells("""
first = 3
# %%
class Bag:
    def __init__(self):
        self.items, self.looks = [], 0

    def __lshift__(self, item):
        self.items.append(item)
        return self

    def __contains__(self, item):
        self.looks += 1
        return item in self.items
# %%
bag = Bag()
# %%
bag << first << 4
# %%
found = 4 in bag
# %%
print(bag.items, bag.looks, found)
"""),
        parameters={"first": 5},
        reached={1, 4, 5, 6},
        target="bag",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="operator_overloading",
        construct="operator overloading: `+=` in place and `@`",
        cells=cells("""
x = 1
# %%
class Vector:
    def __init__(self, *parts):
        self.parts = list(parts)

    def __iadd__(self, other):
        self.parts = [a + b for a, b in zip(self.parts, other.parts)]
        return self

    def __matmul__(self, other):
        return sum(a * b for a, b in zip(self.parts, other.parts))
# %%
v, w = Vector(x, 2), Vector(3, 4)
alias = v
# %%
v += w
# %%
dot = alias @ w
print(dot)
"""),
        parameters={"x": 5},
        reached={1, 3, 4, 5},
        target="dot",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="class_redefinition",
        construct="redefinition of a class: old instances keep the old one",
        cells=cells("""
scale = 2
# %%
class Unit:
    def size(self):
        return 1 * scale
# %%
old = Unit()
# %%
class Unit:
    def size(self):
        return 100 * scale
# %%
new = Unit()
sizes = old.size(), new.size()
sizes
"""),
        parameters={"scale": 3},
        reached={1, 5},
        target="sizes",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
    Case(
        name="dataclass",
        construct="dataclass with default factory, replaced and compared",
        cells=cells("""
lr = 0.01
# %%
from dataclasses import dataclass, field, replace

@dataclass
class Config:
    lr: float
    layers: list = field(default_factory=list)
# %%
base = Config(lr)
# %%
wide = replace(base, lr=1.0)
# %%
wide.layers.append(64)
# %%
print(base, wide)
"""),
        parameters={"lr": 0.02},
        reached={1, 3, 5, 6},
        target="base",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="classmethod_registry",
        construct="`__init_subclass__` registers subclasses; class state in a list",
        cells=cells("""
wanted = "CSV"
# %%
class Reader:
    known = {}

    def __init_subclass__(cls):
        Reader.known[cls.__name__] = cls
# %%
class CSV(Reader):
    kind = "comma"
# %%
class TSV(Reader):
    kind = "tab"
# %%
kind = Reader.known[wanted].kind
# %%
names = list(Reader.known)
# %%
print(kind, names)
"""),
        parameters={"wanted": "TSV"},
        reached={1, 5, 7},
        target="names",
        minimal={2, 3, 4, 6},
        expect="merged",
    ),
    Case(
        name="instance_counter_on_class",
        construct="class attribute store inside `__init__`",
        cells=cells("""
how_many = 2
# %%
class Item:
    made = 0

    def __init__(self):
        Item.made += 1
        self.number = Item.made
# %%
items = [Item() for _ in range(how_many)]
# %%
one_more = Item()
# %%
print(one_more.number, len(items), Item.made)
"""),
        parameters={"how_many": 5},
        reached={1, 3, 4, 5},
        target="one_more",
        minimal={1, 2, 3, 4},
        expect="merged",
    ),
    Case(
        name="slots_and_setattr",
        construct="`setattr` / `delattr` / `__setitem__` called by name",
        cells=cells("""
field = "width"
# %%
from types import SimpleNamespace

shape = SimpleNamespace(width=1, height=2)
sizes = {}
# %%
setattr(shape, field, 10)
# %%
sizes.__setitem__(field, 3)
# %%
delattr(shape, "height")
# %%
print(shape, sizes)
"""),
        parameters={"field": "depth"},
        reached={1, 3, 4, 5, 6},
        target="shape",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="method_added_to_class",
        construct="monkeypatch class method: a function stored on a notebook's class",
        cells=cells("""
suffix = "!"
# %%
class Greeter:
    def hello(self):
        return "hello"
# %%
greeter = Greeter()
# %%
Greeter.hello = lambda self: "HELLO" + suffix
# %%
text = greeter.hello()
print(text)
"""),
        parameters={"suffix": "?"},
        reached={1, 5},
        target="text",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
    ),
]
