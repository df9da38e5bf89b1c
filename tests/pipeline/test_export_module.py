from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotebookError
from jupyter_mlops.pipeline.boundaries import How
from tests.notebooks import Cell
from tests.pipeline.exported import FLAT, as_module, as_notebook, module, read

FUNCTIONS: dict[str, list[Cell]] = {
    "chain": ["x = 1", "y = x + 1", "z = y * 2\nprint(z)"],
    "constant_in_function": ["K = 2\ndef f(a):\n    return a * K", "r = f(3)", "print(f(r))"],
    "value_in_function": ["k = [2]", "def f(a):\n    return a * k[0]", "k[0] = 5", "print(f(3))"],
    "defined_before_its_value": ["def f():\n    return d[0]", "d = [1]", "print(f())"],
    "may_be_bound": ["on = len('a') > 0", "if on:\n    w = 3", "print(w)"],
    "may_be_bound_anew": ["x = 1", "if x > 5:\n    x = 10", "print(x)"],
    "loop_variable": ["for i in range(3):\n    t = [i]", "t.append(i)", "print(i, t)"],
    "shared": ["a = [1]", "b = a", "b.append(2)", "print(a)", "a += [3]", "print(b, a is b)"],
    "augmented": ["t = 0", "for i in range(4):\n    t += i", "t += 1", "print(t)"],
    "deleted": ["a = 1\nb = 2", "del a", "print(b)", "a = 3\nprint(a)"],
    "generator": ["g = (i for i in range(3))", "print(next(g))", "print(list(g))"],
    "class": [
        "class A:\n    n = 0\n    def up(self):\n        A.n += 1\n        return self",
        "a = A().up()",
        "print(A.n, isinstance(a, A))",
        "A.extra = 5",
        "print(a.extra)",
    ],
    "registry": [
        "R = {}\ndef reg(f):\n    R[f.__name__] = f\n    return f",
        "@reg\ndef one():\n    return 1",
        "print(R['one'](), list(R))",
    ],
    "closure": [
        "def outer():\n    t = 1\n    def up():\n        nonlocal t\n        t += 1\n"
        "        return t\n    return up",
        "h = outer()",
        "print(h(), h())",
    ],
    "early_default": ["base = 3\ndef f(x, b=base):\n    return x + b", "base = 10", "print(f(1))"],
    "redefined": ["def f():\n    return 1", "print(f())", "def f():\n    return 2", "print(f())"],
    "imports_twice": [
        "import math",
        "import math, os.path\nfrom math import pi",
        "print(math.pi - pi)",
    ],
    "texts": [
        't = """a\n  b\n"""',
        "f = f'''x\n{t}\ny'''",
        "if f:\n    u = '''\nz'''\nprint(t, f, u)",
    ],
    "semicolons": ["a = 1; b = 2", "import math; c = math.pi; print(a + b)", "c;"],
    "walrus": [
        "if (n := 5) > 3:\n    print('big')",
        "m = [last := j for j in range(3)]",
        "print(n, last)",
    ],
    "magics": [
        "%matplotlib inline\nimport math",
        "%time q = math.sqrt(16)",
        "q",
        "!true",
        "%%time\nw = q + 1\nprint(w)",
        "x = 1\nx?",
    ],
    "shell": [
        "out = !echo hello",
        "print(out[0])",
        "%%bash\necho 1 > n.txt",
        "print(open('n.txt').read())",
        "%%writefile h.txt\nhi",
        "print(open('h.txt').read())",
    ],
    "future": [
        "from __future__ import annotations\nimport dataclasses",
        "@dataclasses.dataclass\nclass P:\n    x: int = 0",
        "p = P(3)",
        "print(p)",
    ],
    "try_import": [
        "try:\n    import notthere\nexcept ImportError:\n    notthere = None",
        "print(notthere)",
    ],
    "handlers": [
        "try:\n    a = int('x')\nexcept ValueError as error:\n    a = 0\n    print(error)",
        "try:\n    b = int('y')\nexcept ValueError as error:\n    b = a\n    print(error)",
        "print(a, b)",
    ],
    "names_of_ours": [
        "def main():\n    return [1]",
        "parser = main()",
        "copy = parser",
        "print(copy)",
    ],
    "steps_named_as_functions": [
        "def load_data():\n    return [1]",
        "data = load_data()",
        "print(data)",
    ],
    "comments": ["# just words", "# one\nx = abs(1)  # one\n", "# after\n", "print(x)"],
    "async": ["import asyncio\nasync def go():\n    return 3", "print(asyncio.run(go()))"],
    "numpy": [
        "import numpy as np\nrng = np.random.default_rng(0)\nX = rng.normal(size=(20, 2))",
        "def norm(a):\n    return (a - a.mean()) / a.std()",
        "Z = norm(X)",
        "X[0] = 0\nprint(float(X.sum()))",
        "print((Z.T @ Z).round(3))",
    ],
    "seeded": [
        "import random\nrandom.seed(1)",
        "a = random.random()",
        "b = random.random()",
        "print(a, b)",
    ],
    "parameters": [
        ("parameters", "n: int = 3  # how many\nwidths = [1, 2]\nname = 'ab'"),
        "v = [n] * len(widths)",
        "widths.append(3)\nprint(v, name, widths)",
    ],
    "derived": [
        ("parameters", "import datetime\nday = datetime.date(2024, 1, 2)\nn = 3\nm = n + 1"),
        "print(day.year, m)",
        "end = day + datetime.timedelta(days=n)",
        "print(end)",
    ],
    "parameter_in_function": [
        ("parameters", "n = 3"),
        "def f():\n    return n * 2",
        "r = f() + n",
        "print(r, f())",
    ],
    "parameter_rebound": [("parameters", "n = 3"), "n = n + 1", "print(n)"],
}

LINES: dict[str, tuple[str, list[Cell]]] = {
    "late_value": (
        "which is set later",
        ["k = 2\ndef f():\n    return k", "r = f()", "k = 5", "print(r, f())"],
    ),
    "late_lambda": (
        "which is set later",
        ["n = 2", "fs = [lambda v: v * n]", "n = 10", "print(fs[0](2))"],
    ),
    "global": (
        "changes global names",
        ["c = 0\ndef up():\n    global c\n    c += 1", "up()", "print(c)"],
    ),
    "builtin": ("built-in name", ["s = sum([1, 2])", "sum = abs(5)", "print(s, sum)"]),
    "two_imports": (
        "bound to something else",
        ["from math import sqrt\nr = sqrt(4)", "from cmath import sqrt", "print(r, sqrt(-4))"],
    ),
    "exec": ("looks at its names", ["exec('zz = 3')", "print(zz)"]),
    "star": ("import *", ["from math import *", "print(floor(pi))"]),
    "query": (
        "in a text",
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})",
            "k = abs(2)",
            "print(len(df.query('a >= @k')))",
        ],
    ),
    "sys_path": (
        "may depend on",
        [
            "import sys, pathlib\npathlib.Path('own_mod_x.py').write_text('V = 4')\n"
            "sys.path.insert(0, '.')",
            "import own_mod_x",
            "print(own_mod_x.V)",
        ],
    ),
    "caught": (
        "handles errors",
        ["for i in []:\n    v = i", "try:\n    v\nexcept NameError:\n    v = 1", "print(v)"],
    ),
    "parameters": (
        "import *",
        [("parameters", "n = 3  # how many"), "from math import *", "print(floor(pi) + n)"],
    ),
}


@pytest.mark.parametrize("how", ["auto", "cells", "none"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_module_of_functions_computes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, how: How
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = read(tmp_path, FUNCTIONS[name])
    text = module(notebook, how)
    assert FLAT not in text, text
    values, printed = as_notebook(notebook)
    results, said = as_module(text, tmp_path)
    assert said == printed
    for key, value in results.items():
        if " at 0x" not in repr(value):
            assert repr(value) == repr(values[key])


@pytest.mark.parametrize("name", LINES)
def test_where_functions_would_be_wrong_the_cells_stand_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    why, cells = LINES[name]
    notebook = read(tmp_path, cells)
    text = module(notebook, "cells")
    about = " ".join(str(ast.get_docstring(ast.parse(text))).split())
    assert FLAT in about and why in about
    _, printed = as_notebook(notebook)
    _, said = as_module(text, tmp_path)
    assert said == printed


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("%%capture out\nprint(1)", "%%capture is a magic"),
        ("%run other.py", "%run is a magic"),
        ("n = 3\n!echo {n}", "holds values of the notebook"),
        ("n = 'a'\n!echo $n", "holds values of the notebook"),
        ("import asyncio\nawait asyncio.sleep(0)", "awaits"),
        ("x = %pwd", "what %pwd returns"),
        ("get_ipython().user_ns", "get_ipython()"),
        ("1 +", "not valid Python"),
        ("1\n", ""),
    ],
)
def test_what_needs_ipython_is_refused(tmp_path: Path, cell: str, why: str) -> None:
    notebook = read(tmp_path, ["x = 1", cell])
    if not why:
        assert module(notebook)
        return
    with pytest.raises(NotebookError) as caught:
        module(notebook)
    assert why in str(caught.value)
    assert "cell 2" in str(caught.value)


def test_ipythons_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="only IPython keeps"):
        module(read(tmp_path, ["1 + 1", "x = _ + 1"]))


@pytest.mark.parametrize("flat", [False, True])
def test_the_command_line_sets_parameters(tmp_path: Path, flat: bool) -> None:
    cells: list[Cell] = [
        (
            "parameters",
            "n: int = 3  # how 100% many\nrate: float = 0.5\nsides = [1, 2]\non = False\n"
            "double = n * 2",
        ),
        "from math import *" if flat else "from math import floor",
        "print(n, rate, sides, on, double, floor(rate))",
    ]
    text = module(read(tmp_path, cells))
    assert (FLAT in text) == flat
    path = tmp_path / "out.py"
    path.write_text(text)
    given = ["--n", "5", "--rate", "2.5", "--sides", "[7]", "--on"]
    done = subprocess.run([sys.executable, path, *given], capture_output=True, text=True)
    assert done.stdout == "5 2.5 [7] True 10 2\n", done.stderr
    shown = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True)
    assert "how 100% many" in shown.stdout


def test_a_default_list_is_not_shared_by_calls(tmp_path: Path) -> None:
    cells: list[Cell] = [("parameters", "sides = [1]"), "sides.append(2)", "total = sum(sides)"]
    path = tmp_path / "out.py"
    path.write_text(module(read(tmp_path, cells), "cells"))
    namespace: dict[str, Any] = {"__name__": "out"}
    exec(path.read_text(), namespace)
    assert namespace["main"]() == namespace["main"]() == {"total": 3}


def test_it_reads_well(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("markdown", "# Forest\n\nHow trees grow."),
        ("parameters", "n_trees: int = 100  # how many"),
        "import math",
        "LIMIT = 5\n\n\ndef grow(n):\n    '''Grow.'''\n    return math.sqrt(n) + LIMIT",
        ("markdown", "## Plant"),
        "trees = [grow(n) for n in range(n_trees)]",
        "mean = sum(trees) / len(trees)",
        ("markdown", "## Look"),
        "# the best\nbest = max(trees)\nbest",
    ]
    assert (
        module(read(tmp_path, cells))
        == '''"""Forest.

How trees grow.

Made by jupyter mlops from notebook.ipynb. Steps: plant, look.
"""

import argparse

import math


LIMIT = 5


def grow(n):
    \'\'\'Grow.\'\'\'
    return math.sqrt(n) + LIMIT


def plant(n_trees):
    """Plant (cells 1 to 5)."""
    # cell 4
    trees = [grow(n) for n in range(n_trees)]

    # cell 5
    mean = sum(trees) / len(trees)
    return trees


def look(trees):
    """Look (cell 6)."""
    # the best
    best = max(trees)
    print(best)
    return best


def main(n_trees: int = 100) -> dict:
    """Run every step, in the order of the notebook, and return its results."""
    trees = plant(n_trees)
    best = look(trees)
    return {"best": best}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-trees", type=int, default=100, help="how many")
    main(**vars(parser.parse_args()))
'''
    )
