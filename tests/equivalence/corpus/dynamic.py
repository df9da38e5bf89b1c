"""What only running can tell: exec, star imports, patched modules, names by string."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="exec_string",
        construct="`exec(str)` (probe)",
        cells=cells("""
value = 3
# %%
code = "made = value * 2"
# %%
exec(code)
# %%
other = "x"
# %%
total = made + 1
# %%
print(total, other)
"""),
        parameters={"value": 4},
        reached={1, 3, 5, 6},
        target="total",
        minimal={1, 2, 3, 5},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="eval_expression",
        construct="eval of a string that reads names",
        cells=cells("""
rule = "price * 2"
# %%
price = 10
tax = 3
# %%
answer = eval(rule)
# %%
print(answer)
"""),
        parameters={"rule": "price + tax"},
        reached={1, 3, 4},
        target="answer",
        minimal={1, 2, 3},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="star_import",
        construct="star import (probe)",
        cells=cells("""
angle = 0.0
# %%
from math import *
# %%
height = cos(angle) + floor(2.5)
# %%
print(height, round(pi, 2))
"""),
        parameters={"angle": 1.0},
        reached={1, 3, 4},
        target="height",
        minimal={1, 2, 3},
    ),
    Case(
        name="star_import_local",
        construct="star import of a local module that shadows a name of the notebook",
        cells=cells("""
rate = 2
# %%
scale = 1
# %%
from constants_local import *
# %%
value = rate * scale
print(value)
"""),
        parameters={"rate": 3},
        reached={1, 4},
        target="value",
        minimal={1, 3, 4},
        files={"constants_local.py": "scale = 50\n_private = 1\n"},
        conservative=True,
    ),
    Case(
        name="importlib_module",
        construct="importlib.import_module with a name in a variable",
        cells=cells("""
module_name = "math"
# %%
import importlib

library = importlib.import_module(module_name)
# %%
size = 16
# %%
root = library.sqrt(size)
print(root)
"""),
        parameters={"module_name": "cmath"},
        reached={1, 2, 4},
        target="root",
        minimal={1, 2, 3, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="importlib_reload",
        construct="importlib.reload after the module's file was written again",
        cells=cells("""
limit = 5
# %%
from pathlib import Path

Path("conf_local.py").write_text("LIMIT = 1\\n")
import conf_local
# %%
before = conf_local.LIMIT
# %%
Path("conf_local.py").write_text(f"LIMIT = {limit}00\\n");
# %%
import importlib

importlib.reload(conf_local)
after = conf_local.LIMIT
# %%
print(before, after)
"""),
        parameters={"limit": 6},
        reached={1, 4, 5, 6},
        target="after",
        minimal={1, 2, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="monkeypatch_module",
        construct="monkeypatch module (probe)",
        cells=cells("""
fake = 7
# %%
import math
# %%
math.gcd = lambda *values: fake
# %%
def simplify(a, b):
    d = math.gcd(a, b)
    return a / d, b / d
# %%
pair = simplify(84, 126)
print(pair)
"""),
        parameters={"fake": 21},
        reached={1, 5},
        target="pair",
        minimal={1, 2, 3, 4, 5},
        expect="refused",
    ),
    Case(
        name="monkeypatch_library_class",
        construct="monkeypatch class method of a library",
        cells=cells("""
factor = 2
# %%
import pandas as pd
# %%
pd.Series.scaled = lambda self: self * factor
# %%
s = pd.Series([1, 2])
# %%
values = s.scaled().tolist()
print(values)
"""),
        parameters={"factor": 3},
        reached={1, 5},
        target="values",
        minimal={1, 2, 3, 4, 5},
        expect="refused",
    ),
    Case(
        name="patched_builtin",
        construct="builtins patched: print of every later cell changes",
        cells=cells("""
mark = ">>"
# %%
import builtins

plain = builtins.print
# %%
builtins.print = lambda *values: plain(mark, *values)
# %%
print("hello")
# %%
builtins.print = plain
print("normal")
"""),
        parameters={"mark": "--"},
        reached={1, 4},
        target="mark",
        minimal={1},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="globals_store",
        construct="`globals()['x'] =` in a loop",
        cells=cells("""
first = 10
# %%
for index, name in enumerate(["north", "south"]):
    globals()[f"{name}_total"] = first + index
# %%
other = 5
# %%
both = north_total + south_total
# %%
print(both, other)
"""),
        parameters={"first": 20},
        reached={1, 2, 4, 5},
        target="both",
        minimal={1, 2, 4},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="setattr_module_level",
        construct="`setattr(sys.modules[__name__], …)` and `getattr` by string",
        cells=cells("""
level = 2
# %%
import sys

setattr(sys.modules[__name__], "threshold", level * 10)
# %%
padding = 0
# %%
value = threshold + 1
print(value)
"""),
        parameters={"level": 3},
        reached={1, 2, 4},
        target="value",
        minimal={1, 2, 4},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="locals_vars_read",
        construct="`locals()` and `vars()` at top level read every name",
        cells=cells("""
alpha = 1
# %%
beta = 2
# %%
wanted = ["alpha", "beta"]
# %%
table = locals()
values = [table[name] for name in wanted]
del table
# %%
print(values)
"""),
        parameters={"alpha": 5},
        reached={1, 4, 5},
        target="values",
        minimal={1, 2, 3, 4},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="user_ns_push",
        construct="get_ipython().push and run_cell",
        cells=cells("""
size = 3
# %%
shell = get_ipython()
shell.push({"pushed": size * 2})
# %%
shell.run_line_magic("precision", "2");
# %%
doubled = pushed * 2
del shell
print(doubled)
"""),
        parameters={"size": 4},
        reached={1, 2, 4},
        target="doubled",
        minimal={1, 2, 4},
        expect="refused",
        conservative=True,
    ),
    Case(
        name="import_in_function",
        construct="import inside a function and inside try",
        cells=cells("""
value = 9.0
# %%
def root(v):
    from math import sqrt

    return sqrt(v)
# %%
try:
    import no_such_module_anywhere as fast
except ImportError:
    fast = None
# %%
answer = root(value) if fast is None else -1
answer
"""),
        parameters={"value": 16.0},
        reached={1, 4},
        target="answer",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="class_made_by_type",
        construct="class made with `type()` and namedtuple",
        cells=cells("""
default = 7
# %%
from collections import namedtuple

Point = namedtuple("Point", "x y")
Maker = type("Maker", (), {"value": default})
# %%
origin = Point(0, default)
maker = Maker()
# %%
moved = origin._replace(x=maker.value)
print(moved)
"""),
        parameters={"default": 8},
        reached={1, 2, 3, 4},
        target="moved",
        minimal={1, 2, 3, 4},
        expect="merged",
    ),
]
