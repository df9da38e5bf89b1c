# ruff: noqa: E501
"""What a cell is said to have bound, changed, shared, and done to state and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Trace = Callable[..., list[Any]]

CHANGES = {
    "append": ("a = [1]\nb = a\nc = [1]", "b.append(2)", {"a", "b"}),
    "inside of a list": ("a = [1, [2]]\nb = [0]", "a[1].append(3)", {"a"}),
    "an alias of a part": ("a = [1, [2]]\nb = a[1]", "b.append(3)", {"a", "b"}),
    "item": ("a = {'x': 1}", "a['x'] = -1", {"a"}),
    "a number like another": ("a = [-1, True]", "a[0] = -2", {"a"}),
    "True for 1": ("a = [1]", "a[0] = True", {"a"}),
    "big numbers": ("a = [2.5, 10**30]", "a[1] += 1", {"a"}),
    "order": ("a = [2, 1]", "a.sort()", {"a"}),
    "set": ("a = {1}", "a.add(2)", {"a"}),
    "dequeue": ("import collections\na = collections.deque([1])", "a.append(2)", {"a"}),
    "counter": ("import collections\na = collections.Counter()", "a['x'] += 1", {"a"}),
    "default": ("import collections\na = collections.defaultdict(list)", "a['x']", {"a"}),
    "bytes": ("a = bytearray(b'x')", "a[0] = 1", {"a"}),
    "attribute": ("class C: pass\nc = C()", "c.x = 1", {"c"}),
    "attribute again": ("class C: pass\nc = C()\nc.x = 1000", "c.x += 1; c.x += 1", {"c"}),
    "attribute renamed": ("class C: pass\nc = C()\nc.x = 1", "c.y = c.x; del c.x", {"c"}),
    "slot": ("class C: __slots__ = ['x']\nc = C()\nc.x = 1", "c.x = 2", {"c"}),
    "class": ("class C: n = 0\nc = C()", "C.n = 1", {"C", "c"}),
    "closure": (
        "def make():\n    n = 0\n    def f():\n        nonlocal n\n        n += 1\n    return f\nf = make()",
        "f()",
        {"f"},
    ),
    "a function's attribute": ("def f(): pass", "f.calls = 1", {"f"}),
    "partial": ("import functools\na = []\nf = functools.partial(a.append)", "f(1)", {"a", "f"}),
    "in a function": ("a = []\ndef f(x): x.append(1)", "f(a)", {"a"}),
    "iterator": ("a = iter([1, 2])", "next(a)", {"a"}),
    "dictionary's iterator": ("a = iter({1: 2, 3: 4})", "next(a)", {"a"}),
    "generator": ("a = (i for i in [1, 2])", "next(a)", {"a"}),
    "enumerate": ("a = enumerate([1, 2])", "next(a)", {"a"}),
    "array": ("import numpy as np\na = np.zeros(5)", "a[2] = 1", {"a"}),
    "view": ("import numpy as np\na = np.zeros(5)\nb = a[:2]", "a[0] = 1", {"a", "b"}),
    "beside the view": ("import numpy as np\na = np.zeros(5)\nb = a[:2]", "a[3] = 1", {"a"}),
    "big array": ("import numpy as np\na = np.zeros(3_000_001)", "a[1234567] = 1", {"a"}),
    "Fortran": ("import numpy as np\na = np.zeros((900, 900), order='F')", "a[7, 7] = 1", {"a"}),
    "strided": ("import numpy as np\na = np.zeros((900, 900))[::2, ::2]", "a[7, 7] = 1", {"a"}),
    "objects": ("import numpy as np\na = np.array([[1], None], dtype=object)", "a[0].append(1)", {"a"}),
    "many texts": (
        "import numpy as np\na = np.array([str(i) for i in range(20_000)], dtype=object)",
        "a[777] = 'x'",
        {"a"},
    ),
    "random generator": ("import numpy as np\na = np.random.default_rng(0)", "a.normal()", {"a"}),
    "random state": ("import numpy as np\na = np.random.RandomState(0)", "a.normal()", {"a"}),
    "random.Random": ("import random\na = random.Random(0)", "a.random()", {"a"}),
    "column": ("import pandas as pd\na = pd.DataFrame({'x': [1]})", "a['y'] = 2", {"a"}),
    "cell of a frame": ("import pandas as pd\na = pd.DataFrame({'x': [1]})", "a.loc[0, 'x'] = 2", {"a"}),
    "text in a frame": (
        "import pandas as pd\na = pd.DataFrame({'x': ['s', 't']})",
        "a.loc[0, 'x'] = 'u'",
        {"a"},
    ),
    "category": (
        "import pandas as pd\na = pd.Series(list('aab'), dtype='category')",
        "a.iloc[0] = 'b'",
        {"a"},
    ),
    "missing integer": ("import pandas as pd\na = pd.array([1, None], dtype='Int64')", "a[0] = 5", {"a"}),
    "time": (
        "import pandas as pd\na = pd.DataFrame({'t': pd.to_datetime(['2020-01-01'])})",
        "a['t'] += pd.Timedelta('1D')",
        {"a"},
    ),
    "drop in place": ("import pandas as pd\na = pd.DataFrame({'x': [1, 2]})", "a.drop(0, inplace=True)", {"a"}),
    "index": ("import pandas as pd\na = pd.DataFrame({'x': [1, 2]})", "a.index = [5, 6]", {"a"}),
    "rename": ("import pandas as pd\na = pd.Series([1])", "a.name = 'n'", {"a"}),
    "copied frame": ("import pandas as pd\na = pd.DataFrame({'x': [1]})\nb = a[:]", "b['x'] = 2", {"b"}),
    "reading a frame": (
        "import pandas as pd\na = pd.DataFrame({'g': [1, 1], 'x': [1, 2]})",
        "a.groupby('g').x.mean(); a.x; a.describe(); a.to_numpy(); repr(a); a.T; len(a)",
        set(),
    ),
    "looking at an instance": ("class C: pass\nc = C()\nc.x = 1", "vars(c); c.__dict__; dir(c)", set()),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_mutated(trace: Trace, case: str) -> None:
    before, cell, mutated = CHANGES[case]
    last = trace(before, "1", cell)[-1]
    assert last.error == ""
    assert set(last.mutated) == mutated
    assert set(last.bound) <= {"_"}
    assert not last.unchecked


def test_fit_and_predict(trace: Trace) -> None:
    pytest.importorskip("sklearn")
    lines = trace(
        "from sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier(3)",
        "m.fit([[0], [1]], [0, 1])",
        "m.predict([[0]])",
    )
    assert [line.mutated for line in lines] == [[], ["m"], []]
    assert not lines[-1].unchecked


def test_bound_and_deleted(trace: Trace) -> None:
    lines = trace("a = 1\nb = []", "a = 2\nb = b\nc = 1", "del a, c", "import os", "_x = 1")
    assert [line.bound for line in lines] == [["a", "b"], ["a", "c"], [], ["os"], ["_x"]]
    assert lines[2].deleted == ["a", "c"]
    assert all(not line.mutated for line in lines)


def test_an_object_at_the_place_of_a_dead_one(trace: Trace) -> None:
    lines = trace("class C: pass\na = C()", "i = id(a)\ndel a\na = C()")
    assert "a" in lines[1].bound


def test_objects_do_not_live_longer(ran: Any) -> None:
    cells = [
        "class C:\n    def __del__(self): print('gone')\nc = C()\nd = [C()]",
        "c = None\nprint('after')\nd.clear()\nprint('end')",
    ]
    for traced in (True, False):
        assert ran(*cells, traced=traced)["shown"][1]["out"] == "gone\nafter\ngone\nend\n"


def test_shared(trace: Trace) -> None:
    lines = trace(
        "a = [1]\nb = {'x': a}\nc = [1]\ns = t = 'text'",
        "d = (c, 1)\ne = (c, 2)",
        "1",
        "import numpy as np\nv = np.zeros(4)\nw = v[1:]\nx = [w]",
        "def f(): return a\ng = f",
        "b = None",
    )
    shared = [line.shared for line in lines]
    assert shared == [[["a", "b"]], [["c", "d", "e"]], [], [["v", "w", "x"]], [], []]


STATE = {
    "import random\nrandom.seed(1)": {"<rng:python>"},
    "np.random.rand()": {"<rng:numpy>"},
    "import os\nos.environ['MLOPS_X'] = '1'": {"<environ>"},
    "import os\nos.makedirs('d')\nos.chdir('d')": {"<cwd>"},
    "import sys\nsys.path.append('x')": {"<sys.path>"},
    "pd.options.display.max_rows = 7": {"<pandas options>"},
    "np.set_printoptions(precision=3)": {"<numpy options>"},
    "import warnings\nwarnings.simplefilter('error')": {"<warnings>"},
    "import decimal\ndecimal.getcontext().prec = 5": {"<decimal>"},
    "import logging\nlogging.getLogger('x').setLevel(10)": {"<logging>"},
    "np.random.seed = None": {"<module:numpy.random>"},
    "setattr(pd, 'concat', None)": {"<module:pandas>"},
    "np.zeros(3)": set(),
}


def test_a_seed_beside_the_import(trace: Trace) -> None:
    lines = trace("import random\nrandom.seed(1)", "import tabnanny")
    assert ["<rng:python>" in line.state for line in lines] == [True, False]


@pytest.mark.parametrize("cell", STATE)
def test_state(trace: Trace, cell: str) -> None:
    assert set(trace("import numpy as np, pandas as pd", "1", cell)[-1].state) == STATE[cell]


def test_figures(trace: Trace) -> None:
    pytest.importorskip("matplotlib")
    lines = trace(
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt",
        "fig, ax = plt.subplots()",
        "plt.plot([1])",
        "1",
        "ax.set_title('t')",
        "matplotlib.rcParams['font.size'] = 3",
    )
    assert ["<figure>" in line.state for line in lines] == [False, True, True, False, True, False]
    assert lines[4].unchecked == ["ax", "fig"]
    assert lines[5].state == ["<rcParams>"]


def test_files(trace: Trace) -> None:
    lines = trace(
        "import numpy as np, pandas as pd, os, pathlib, shutil, sqlite3, glob",
        "np.save('a.npy', [1])\nopen('b.txt', 'w').write('x')",
        "np.load('a.npy')\npathlib.Path('b.txt').read_text()\npathlib.Path('absent').exists()",
        "pd.DataFrame({'x': [1]}).to_csv('c.csv')",
        "pd.read_csv('c.csv')",
        "open('b.txt', 'a').write('y')",
        "shutil.copy('b.txt', 'd.txt')\nos.remove('c.csv')",
        "os.makedirs('sub/e')\nopen('sub/e/f', 'w').close()",
        "glob.glob('sub/e/*')\nos.listdir('.')",
        "sqlite3.connect('g.db').execute('create table t (x)')",
        "!echo hi > h.txt",
        "import ctypes, ctypes.util\nc = ctypes.CDLL(None)\nc.creat(b'i.bin', 0o600)",
        "1",
        "open('/proc/self/stat').read(); open('/dev/null', 'w').close(); import wave",
    )
    read = [line.files_read for line in lines]
    written = [line.files_written for line in lines]
    assert read[1:10] == [
        [], ["a.npy", "b.txt"], [], ["c.csv"], ["b.txt"], ["b.txt"], [], ["./", "sub/e/"], ["g.db"],
    ]  # fmt: skip
    assert written[1:7] == [
        ["a.npy", "b.txt"], [], ["c.csv"], [], ["b.txt"], ["c.csv", "d.txt"],
    ]  # fmt: skip
    assert "sub/e/f" in written[7]
    assert written[8:] == [[], ["g.db"], ["h.txt"], ["i.bin"], [], []]
    assert read[10] == ["*"]
    assert read[0] == read[12] == read[13] == []


def test_what_cannot_be_checked_is_said(trace: Trace) -> None:
    lines = trace(
        "import numpy as np\nhuge = np.zeros(20_000_000)\nsmall = 1\nf = open('x', 'w')",
        "small",
        "huge.sum()",
        "huge[:] = 1",
        "f.tell()",
    )
    assert [line.unchecked for line in lines] == [[], [], ["huge"], [], ["f"]]
    assert lines[3].mutated == ["huge"]


def test_what_is_too_much_to_walk_through(trace: Trace) -> None:
    lines = trace(
        "many = [[i] for i in range(30_000)]\nlast, first = many[0], many[-1]\nother = []",
        "other",
        "len(many)",
        "last.append(1)",
        "first.append(1)",
    )
    assert all("many" in {*line.unchecked, *line.mutated} for line in lines[2:])
    assert lines[1].unchecked == []


def test_modules_and_errors(trace: Trace) -> None:
    lines = trace("import wave, sys", "1 / 0", "a b", "from colorsys import *", "import wave")
    assert [line.modules for line in lines] == [["wave"], [], [], ["colorsys"], []]
    assert [line.error for line in lines] == ["", "ZeroDivisionError", "SyntaxError", "", ""]
    assert "rgb_to_hsv" in lines[3].bound


def test_a_module_that_the_cell_asks_for_and_does_without_is_noted(trace: Trace) -> None:
    run = trace(
        "try:\n    import no_such_library\nexcept ImportError:\n    no_such_library = None",
        "import importlib.util\nimportlib.util.find_spec('nor_this_one')",
        "import json",
    )
    assert [cell.absent for cell in run] == [["no_such_library"], ["nor_this_one"], []]
