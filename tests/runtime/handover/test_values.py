"""Arrays, frames and models."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.runtime.handover.fingerprint import Fingerprints
from jupyter_mlops.runtime.handover.scope import Scope
from tests.runtime.handover.program import Program, same_as_direct

IMPORTS = "import numpy as np\nimport pandas as pd\n"
PROGRAMS: dict[str, tuple[str, ...]] = {
    "view": ("a = np.arange(6.0)\nb = a[1:4]", "b[0] = 9", "shown = (a, b)"),
    "view made later": (
        "a = np.arange(6.0)",
        "b = a[::-2]",
        "b[0] = 9",
        "a[1] = 7",
        "shown = a, b",
    ),
    "views of what has no name": (
        "a = np.arange(12).reshape(3, 4)\nb = a.T\nc = a[1:, 1:]\ndel a",
        "c[0, 0] = 99",
        "shown = (b, c)",
    ),
    "view in an object": (
        "a = np.zeros(3)\nd = {'v': a.view('i8')}",
        "a[0] = 1.0",
        "shown = d['v']",
    ),
    "fields": (
        "a = np.zeros(2, dtype=[('x', 'i4'), ('y', 'f8')])\nx = a['x']",
        "x[1] = 5",
        "shown = a",
    ),
    "buffer": ("b = bytearray(8)\na = np.frombuffer(b, 'u1')\nc = a[2:]", "c[0] = 3", "shown = a"),
    "in place": ("a = np.ones(3)\nb = a", "a += 1", "shown = b"),
    "objects": ("l = [1]\na = np.array([l, None], dtype=object)", "l.append(2)", "shown = a"),
    "order and flags": (
        "a = np.asfortranarray(np.ones((2, 3)))\nb = np.ones(2)\nb.flags.writeable = False",
        "shown = (a.flags.f_contiguous, b.flags.writeable, a.dtype)",
    ),
    "scalar": ("a = np.float32(1.5)\nb = np.array(3)", "shown = (a, type(a), b.shape)"),
    "frame": ("df = pd.DataFrame({'a': [1, 2], 'b': ['x', None]})", "df['c'] = 1", "shown = df"),
    "frame in place": (
        "df = pd.DataFrame({'a': [2, 1]})\nd2 = df",
        "df.sort_values('a', inplace=True)",
        "df.loc[0, 'a'] = 5",
        "shown = (d2, df is d2)",
    ),
    "copy on write": (
        "df = pd.DataFrame({'a': [1, 2, 3]})\nd2 = df[:]\ns = df['a']",
        "d2.iloc[0, 0] = 99",
        "s.iloc[1] = 77",
        "shown = (df, d2, s)",
    ),
    "lists in frames": (
        "df = pd.DataFrame({'a': [[1], [2]]})\nd2 = df.copy()\nd3 = df[:]",
        "d2.loc[0, 'a'].append(5)",
        "shown = (df, d2, d3)",
    ),
    "notes of frames": (
        "l = [1]\ndf = pd.DataFrame({'a': [1]})\ndf.attrs['l'] = l",
        "l.append(2)",
        "shown = df.attrs",
    ),
    "array of a column": (
        "df = pd.DataFrame({'a': [1, 2]})\na = df['a'].array",
        "a[0] = 5",
        "shown = (df, a)",
    ),
    "rolling": (
        "df = pd.DataFrame({'b': [1, 2, 3]})\nr = df.rolling(2)\ns = df['b'].expanding()",
        "df['b'] = 0",
        "shown = (r.sum(), s.sum())",
    ),
    "frame and its array": (
        "a = np.zeros((2, 2))\ndf = pd.DataFrame(a, copy=False)",
        "a[0, 0] = 5",
        "shown = (df, a)",
    ),
    "index": (
        "i = pd.Index([3, 1], name='n')\ns = pd.Series([1, 2], index=i)\n"
        "t = pd.Series([1, 2], index=i)",
        "i.name = 'm'",
        "shown = (s, t)",
    ),
    "dates": (
        "df = pd.DataFrame({'t': pd.date_range('2020', periods=3, tz='UTC'), 'c': "
        "pd.Categorical(list('aba'))}, index=pd.MultiIndex.from_product([[1], list('xyz')]))\n"
        "df.attrs['k'] = [1]",
        "shown = (df, df.dtypes, df.attrs, df.index)",
    ),
    "group by": (
        "df = pd.DataFrame({'a': [1, 1, 2], 'b': [1, 2, 3]})\ng = df.groupby('a')",
        "df['b'] = 0",
        "shown = g.sum()",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_arrays_and_frames(name: str, tmp_path: Path) -> None:
    program = same_as_direct(tmp_path, *PROGRAMS[name], define=IMPORTS)
    assert not [each.problems for each in program.committed if each.problems]


def test_frames_that_pandas_keeps_apart_are_units_of_their_own(tmp_path: Path) -> None:
    import pandas as pd

    if int(pd.__version__.split(".")[0]) < 3:
        pytest.skip("needs pandas with copy-on-write")
    program = Program(tmp_path).define(IMPORTS, "np", "pd", cell=0)
    source = (
        "a = pd.DataFrame({'x': [1, 2], 's': ['q', None]})\nb = a.set_index('s')\nc = a.copy()\n"
        "d = a[::-1]\nx = a['x']"
    )
    first = program.step(source, wanted="a b c d x")
    assert sorted(unit.names[0] for unit in first.exported) == ["a", "b", "c", "d", "x"]
    second = program.step("a.loc[0, 'x'] = 9", reads="a b c d x", wanted="a b c d x")
    assert [unit.names for unit in second.exported] == [["a"]]


def test_formats_by_type(tmp_path: Path) -> None:
    program = Program(tmp_path).define(IMPORTS, "np", "pd", cell=0)
    committed = program.step(
        "a = np.ones(2)\nj = {'a': [1, 'x']}\no = np.array([[]], dtype=object)\nt = (1,)",
        wanted="a j o t",
    )
    found = {unit.names[0]: unit.format for unit in committed.exported}
    assert found == {"a": "npy", "j": "json", "o": "pickle", "t": "pickle"}


def test_models_come_back_and_stay_unchanged_by_predict(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.define(
        "import numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
        "from sklearn.ensemble import RandomForestClassifier",
        "np",
        "LogisticRegression",
        "RandomForestClassifier",
        cell=0,
    )
    first = program.step(
        "X = np.arange(20.0).reshape(10, 2)\ny = np.arange(10) % 2\n"
        "m = LogisticRegression()\nf = RandomForestClassifier(3, random_state=0).fit(X, y)",
        wanted="X y m f",
    )
    assert not first.problems
    second = program.step("m.fit(X, y)", reads="X y m f", wanted="X y m f")
    assert [unit.names for unit in second.exported] == [["m"]]
    third = program.step("m.predict(X); f.predict(X)", reads="X y m f", wanted="X y m f")
    assert third.exported == []


def test_looking_at_a_frame_does_not_change_it() -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2]})
    frame["b"] = 2.0
    frame["c"] = 3.0
    prints = Fingerprints(Scope({}))
    first = prints.of(frame)
    assert frame.values.sum() and frame.index.is_unique and frame.columns.get_loc("b") == 1
    frame._consolidate_inplace() if hasattr(frame, "_consolidate_inplace") else None
    frame.groupby("a").sum()
    assert prints.of(frame) == first
    frame.attrs["x"] = 1
    assert prints.of(frame) != first


@pytest.mark.parametrize(
    "change",
    [
        "v['a'] = v.pop('a')",
        "v['l'][0] = 1.0",
        "v['l'].append(v['l'].pop())\nv['l'][0] = True",
        "v['n'][0] = -0.0",
        "v['s'].add(9)",
        "v['f'].__defaults__ = ([2],)",
        "v['l2'] = list(v['l'])",
        "v['r'].random()",
    ],
)
def test_every_change_is_seen(change: str) -> None:
    scope = {"__name__": "__main__"}
    exec(
        "import numpy as np, random\n"
        "l = [1, 2]\nv = {'a': 1, 'l': l, 'l2': l, 'n': np.zeros(2), 's': {1}, "
        "'f': lambda x=[1]: x, 'r': random.Random(1)}",
        scope,
    )
    prints = Fingerprints(Scope(scope))
    first = prints.of(scope["v"])
    assert first is not None
    assert prints.of(scope["v"]) == first
    exec(change, scope)
    assert prints.of(scope["v"]) != first
