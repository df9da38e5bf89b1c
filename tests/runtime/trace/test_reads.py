"""Which names a cell is said to have read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Trace = Callable[..., list[Any]]

READS = {
    "module level": (["a = 1", "b = a + 1"], {"a"}, set()),
    "bound by the cell itself": (["a = 1", "a = 2\nb = a"], set(), {"a"}),
    "bound by the cell after it was read": (["a = 1", "b = a\na = 2"], {"a"}, set()),
    "augmented": (["a = 1", "a += 1"], {"a"}, set()),
    "a function that runs later": (["k = 1\ndef f(): return k", "f()"], {"f", "k"}, set()),
    "a function that is only mentioned": (["k = 1\ndef f(): return k", "g = f"], {"f"}, set()),
    "locals and parameters": (
        ["k = 1\nx = 5\ndef f(x):\n    k = x\n    return k", "f(2)"],
        {"f"},
        set(),
    ),
    "nested functions": (
        ["k = 1\ndef f():\n    def g(): return k\n    return g", "h = f()", "h()"],
        {"h", "k"},
        set(),
    ),
    "a branch that ran": (
        ["k = m = 1\ndef f(x):\n    if x:\n        return k\n    else:\n        return m", "f(1)"],
        {"f", "k"},
        set(),
    ),
    "a branch of the cell": (["k = m = 1", "if k:\n    k\nelse:\n    m"], {"k"}, set()),
    "what comes after a return": (
        ["k = m = 1\ndef f(x):\n    if x:\n        return k\n    return m", "f(1)"],
        {"f", "k"},
        set(),
    ),
    "a handler that did not run": (
        ["k = m = 1", "try:\n    k\nexcept ValueError:\n    m"],
        {"k"},
        set(),
    ),
    "a case": (
        ["k = m = 1", "match k:\n    case 1: k\n    case _: m"],
        {"k"},
        set(),
    ),
    "lambda": (["k = 1\nf = lambda x, k2=k: x + k", "f(1)"], {"f", "k"}, set()),
    "comprehension": (["k = x = 1", "[x * k for x in [1]]"], {"k"}, set()),
    "generator expression": (["k = 1", "g = (k for _ in [1, 2])", "next(g)"], {"g", "k"}, set()),
    "generator that goes on": (
        ["k = m = 1\ndef f():\n    yield 1\n    if k: yield m", "g = f(); next(g)", "next(g)"],
        {"g", "k", "m"},
        set(),
    ),
    "default argument": (["k = 1", "def f(x=k): return x", "f()"], {"f"}, set()),
    "class body": (["k = 1", "class C:\n    a = k\n    b = a"], {"k"}, set()),
    "method": (["k = 1\nclass C:\n    def m(self): return k\nc = C()", "c.m()"], {"c", "k"}, set()),
    "method of a class with the same name": (
        ["k = 1", "class C:\n    k = 2\n    def m(self): return k\nC().m()"],
        {"k"},
        {"C"},
    ),
    "global": (["k = 1\ndef f():\n    global k\n    k += 1", "f()"], {"f", "k"}, set()),
    "walrus": (["k = 1", "[(w := k) for _ in [1]]\nw"], {"k", "w"}, set()),
    "for target": (["xs = [1]", "for i in xs:\n    i"], {"xs"}, {"i"}),
    "with": (
        ["import contextlib\nk = 1", "with contextlib.suppress() as s:\n    s, k"],
        {"contextlib", "k"},
        {"s"},
    ),
    "safe decorators": (
        [
            "import functools\nk = 1\n@functools.lru_cache\ndef f(): return k",
            "f()",
            "f()",
        ],
        {"f"},
        set(),
    ),
    "decorator of the notebook": (
        ["k, R = 1, {}\ndef reg(f):\n    R['f'] = f\n    return f",
         "@reg\ndef f(): return k", "R['f']()"],
        {"R", "k"},
        set(),
    ),
    "unknown decorator": (
        ["import functools\nk = m = 1",
         "@functools.partial\ndef f(x):\n    if x: return k\n    return m", "f(1)"],
        {"f", "k", "m"},
        set(),
    ),
    "exec": (["k = 1", "exec('r = k')"], {"k", "r"}, set()),
    "eval of a text made elsewhere": (["k = 1\nt = 'k' + '+ 1'", "eval(t)"], {"k", "t"}, set()),
    "query": (
        ["import pandas as pd\nk = 1\ndf = pd.DataFrame({'x': [1]})\nt = 'x > @k'", "df.query(t)"],
        {"df", "k", "t"},
        set(),
    ),
    "globals": (["k = 1\nm = 2", "globals()['k']"], {"k", "m"}, set()),
    "f-string": (["k = 1", "f'{k:>{k}}'"], {"k"}, set()),
    "time magic": (["k = 1", "%time k"], {"k"}, set()),
    "timeit magic": (["k = 1\ndef f(): return k", "%timeit -n1 -r1 f()"], {"f", "k"}, set()),
    "capture": (["k = 1", "%%capture out\nk"], {"k"}, set()),
    "shell": (["k = 1", "!echo $k {k}"], {"k"}, set()),
    "async": (["k = 1\nasync def f(): return k", "await f()"], {"f", "k"}, set()),
    "shown before": (["7", "_ + 1"], {"_"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", READS)
def test_reads(trace: Trace, case: str) -> None:
    cells, read, own = READS[case]
    last = trace(*cells)[-1]
    assert last.error == ""
    assert (set(last.read) - set(last.own), set(last.own)) == (read, own)


def test_functions_left_alone_read_all_that_is_within_reach(trace: Trace) -> None:
    cells = [
        "k = m = n = 1\ndef g(): return n",
        "def f(x):\n    if x: return k\n    return m + g()",
        "def h(): return k",
        "class C:\n    def run(self): return f(1)\nc = C()",
        "c.run()",
    ]
    last = trace(*cells, functions_too=False)[-1]
    assert last.read == ["c", "f", "g", "k", "m", "n"]
    assert trace(*cells)[-1].read == ["c", "f", "k"]


def test_what_runs_in_another_process_counts_as_read(trace: Trace) -> None:
    cells = [
        "import os\nk = m = 1\ndef f(x):\n    if x: return k\n    return m",
        "child = os.fork()\nif child == 0:\n    f(1)\n    os._exit(0)\nos.waitpid(child, 0)",
    ]
    assert {"f", "k", "m"} <= set(trace(*cells)[-1].read)


def test_functions_go_into_other_processes(ran: Any) -> None:
    pytest.importorskip("joblib")
    cells = [
        "from joblib import Parallel, delayed\nk = 2\ndef f(x): return k * x",
        "Parallel(n_jobs=2)(delayed(f)(i) for i in [1, 2])",
        "from joblib.externals.loky import get_reusable_executor\n"
        "get_reusable_executor().shutdown(wait=True, kill_workers=True)",
    ]
    answer = ran(*cells)
    assert answer["shown"][1]["value"] == "[2, 4]"
    assert {"f", "k"} <= set(answer["lines"][1]["read"])
