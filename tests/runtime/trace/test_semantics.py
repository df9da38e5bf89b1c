# ruff: noqa: E501
"""A traced notebook does what it does untraced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Ran = Callable[..., dict[str, Any]]

SAME = {
    "docstring": ["def f():\n    'doc'\n    return k", "k = 1\nf.__doc__, f()"],
    "source": ["import inspect\nk = 1\ndef f(x):\n    return k\ninspect.getsource(f)"],
    "future": ["from __future__ import annotations\ndef f(x: Unknown): return f\nf.__annotations__"],
    "line of an error": ["k = 0\ndef f(x):\n    if x:\n        k\n\n        return 1 / k\n\nf(1)"],
    "line of an error in a lambda": ["k = 0\nf = lambda: (\n    k,\n    1 / k)\nf()"],
    "lambda's values": ["k = []\nf = lambda: k\ng = lambda x: x or k\nf(), g(0), g(3)"],
    "generator": ["k = 3\ndef f():\n    for i in range(k):\n        x = yield i\n        if x: return x\nlist(f())"],
    "send": ["k = 3\ndef f():\n    x = yield k\n    yield x\ng = f(); next(g), g.send(7)"],
    "generator expression": ["k = 2\nlist(x * k for x in range(4) if x != k)"],
    "nested generator expression": ["k = 2\nlist((x, y) for x in range(k) for y in range(x))"],
    "async": ["k = 2\nasync def f():\n    async def g():\n        for i in range(k): yield i\n"
              "    return [x async for x in g()]\nawait f()"],
    "async with": ["import contextlib\n@contextlib.asynccontextmanager\nasync def c(): yield k\nk = 1\n"
                   "async def f():\n    async with c() as x: return x\nawait f()"],
    "decorators": ["import functools, dataclasses\nk = 1\n@functools.lru_cache\ndef f(): return k\n"
                   "@dataclasses.dataclass\nclass C:\n    x: int = 1\n    @property\n    def y(self): return k\n"
                   "    @staticmethod\n    def z(): return k\nf(), C(), C().y, C.z()"],
    "enum": ["import enum\nk = 1\nclass E(enum.Enum):\n    A = k\n    if k: B = 2\nlist(E)"],
    "last value in a branch": ["k = 1\nif k:\n    k\nk"],
    "elif": ["k = 2\ndef f(x):\n    if x == 1: return 1\n    elif x == k: return 'k'\n    else: return None\nf(2)"],
    "match": ["k = 1\ndef f(x):\n    match x:\n        case [a, *b] if a == k: return b\n        case _: return k\nf([1, 2]), f(0)"],
    "try": ["k = 1\ndef f():\n    try:\n        raise ValueError\n    except ValueError as e:\n        return k\n"
            "    finally:\n        print('end')\nf()"],
    "global and nonlocal": ["k = 1\ndef f():\n    global k\n    k += 1\n    n = k\n    def g():\n        nonlocal n\n        n += k\n"
                            "        return n\n    return g()\nf()"],
    "continue": ["k = 2\nr = []\nfor i in range(5):\n    if i == k: continue\n    r.append(i)\nr"],
    "recursion": ["k = 1\ndef f(n): return k if n == 0 else n * f(n - 1)\nf(100)"],
    "class": ["k = 1\nclass C:\n    k = k + 1\n    def m(self):\n        return k, __class__\nC.k, C().m()[0]"],
    "capture": ["%%capture out\nprint(1)", "out.stdout"],
    "names": ["[n for n in globals() if 'mlops' in n and n != '__mlops_seen__']"],
    "profile": ["import cProfile, pstats, io\nk = 1\ndef f(): return k\np = cProfile.Profile()\np.runcall(f)\npstats.Stats(p).total_calls"],
    "yield from": ["k = [1, 2]\ndef f():\n    r = yield from k\n    return r\nlist(f())"],
    "starred": ["k = [1]\ndef f(*a, b=k, **c): return a, b, c, k\nf(1, z=2)"],
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_same(ran: Ran, case: str) -> None:
    traced, plain = ran(*SAME[case]), ran(*SAME[case], traced=False)
    assert traced["shown"] == plain["shown"]
    assert len(traced["lines"]) == len(SAME[case])
    assert not any("problem" in line for line in traced["lines"])


def test_a_failure_of_the_tracer_is_a_line_and_no_more(ran: Ran) -> None:
    cells = ["k = 1\ndef f(): return k", "f()", "x = f() + 1", "x"]
    answer = ran(*cells, breaks=3)
    assert answer["shown"] == ran(*cells, traced=False)["shown"]
    assert [sorted(line)[0] for line in answer["lines"]] == ["bound", "bound", "problem"]
    assert answer["lines"][-1]["problem"].startswith("Tracing ended at cell 3: TypeError")


def test_cells_that_are_not_the_notebooks_are_left_out(ran: Ran) -> None:
    cells = ["a = 1", "a = 2", "b = a", "hidden = 1", "c = b"]
    answer = ran(*cells, numbers=[1, 1, 2, None, 5])
    assert [line["number"] for line in answer["lines"]] == [1, 1, 2, 5]


def test_values_that_misbehave(ran: Ran) -> None:
    cells = [
        "class Odd:\n    def __getattr__(self, n): raise RuntimeError\n"
        "    def __eq__(self, o): raise RuntimeError\n    __hash__ = None\n"
        "    def __iter__(self): raise RuntimeError\n    def __bool__(self): raise RuntimeError\n"
        "    def __len__(self): raise RuntimeError\n"
        "    def __getattribute__(self, n): raise RuntimeError(n)\no = Odd()",
        "p = [o]",
        "a = []\na.append(a)",
        "d = {}\nfor i in range(3000): d = {'d': d}",
        "class L(list):\n    def __iter__(self): raise RuntimeError\nl = L([1])",
        "l.append(2)",
        "from unittest.mock import MagicMock\nm = MagicMock()",
        "m.x",
    ]
    lines = ran(*cells)["lines"]
    assert [line.get("error") for line in lines] == [None] * len(cells)
    assert lines[5]["mutated"] == ["l"]
