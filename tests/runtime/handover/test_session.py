"""Programs that run in steps compute what they compute in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.runtime.handover.models import HandoverError
from tests.runtime.handover.program import Program, same_as_direct

CLASS = """
class C:
    count = 0
    items = []
    def __init__(self, x):
        self.x = x
        C.count += 1
    def add(self, y):
        self.items.append(y)
        return self
"""
PROGRAMS: dict[str, tuple[str, ...]] = {
    "alias": ("a = [1]", "b = a", "b.append(2)", "shown = (a, a is b)"),
    "alias in a container": ("a = [1]", "d = {'k': a}", "d['k'].append(2)", "shown = (a, d)"),
    "alias through a tuple": ("a = [1]\nt = (a, 1)", "t[0].append(2)", "shown = a"),
    "rebound": ("a = [1]\nb = a", "a = [5]", "b.append(2)", "shown = (a, b)"),
    "rebound to one of two": ("a = [1]\nb = a", "a = a + [2]", "b += [9]", "shown = (a, b)"),
    "deleted": ("x = 1", "del x", "shown = 'x' in globals()"),
    "deleted and made again": ("x = 1", "del x", "x = 3", "shown = x"),
    "self reference": ("a = []\na.append(a)", "a.append(1)", "shown = (a[0] is a, a[1])"),
    "closure": (
        "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n"
        "        return n\n    def read():\n        return n\n    return up, read\n"
        "up, read = make()",
        "up(); up()",
        "shown = (read(), up(), read())",
    ),
    "recursive closure": (
        "def make():\n    def fact(n):\n        return 1 if n < 2 else n * fact(n - 1)\n"
        "    return fact\nf = make()",
        "shown = f(5)",
    ),
    "global read late": ("k = 1\nf = lambda: k", "k = 7", "shown = f()"),
    "global written": (
        "n = 0\ndef inc():\n    global n\n    n += 1",
        "inc()\ninc()",
        "inc()",
        "shown = n",
    ),
    "default is shared": (
        "log = []\ndef f(x, to=log):\n    to.append(x)",
        "f(1)",
        "f(2)",
        "shown = (log, f.__defaults__[0] is log)",
    ),
    "function attribute": ("def f():\n    f.n += 1\nf.n = 0", "f()", "f()", "shown = f.n"),
    "iterator": ("it = iter([1, 2, 3])", "x = next(it)", "shown = (x, next(it), list(it))"),
    "partial": (
        "import functools\nf = functools.partial(lambda a, b: (a, b), [1])",
        "f.args[0].append(2)",
        "shown = f(3)",
    ),
    "old function kept": (
        "def f():\n    return 1\ng = f",
        "def f():\n    return 2",
        "shown = (f(), g())",
    ),
    "exact scalars": (
        "v = [float('nan'), -0.0, 1e300, 10**30, True, None, 'é', '\\ud800', b'x', (1,), {1: 2}]",
        "shown = v",
    ),
    "big integer": ("v = 7 ** 20000", "shown = hash(v)"),
    "shared part of a list": ("x = [1]\nv = [x, x]", "v[0].append(2)", "shown = v"),
    "exception": ("e = ValueError('a', 1)", "shown = (e, e.args)"),
    "bound method": ("a = []\nm = a.append", "m(1)", "m(2)", "shown = a"),
    "order of a set": (
        "words = ['pear', 'fig', 'kiwi', 'plum', 'lime', 'date', 'apple', 'mango', 'melon']\n"
        "s = {w[:n] for w in words for n in range(1, 6)}\nt = {'s': s | {'x'}}",
        "shown = (list(s), list(t['s']))",
        "s.add('zz')",
        "shown = list(s)",
    ),
    "order of a dict": ("d = {'a': 1, 'b': 2}", "d['a'] = d.pop('a')", "shown = d"),
    "set": ("s = {1}\nt = s", "s.add(2)", "shown = (t, s is t)"),
    "loop variable": ("for i in range(3):\n    pass", "shown = i"),
    "lambda in a dict": ("d = {'f': lambda x: x + 1}", "shown = d['f'](2)"),
    "enum": (
        "import enum\nclass Color(enum.Enum):\n    RED = 1\nc = Color.RED",
        "shown = (c, c is Color.RED)",
    ),
    "named tuple": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y', defaults=[5])\np = P([1])",
        "p.x.append(2)",
        "shown = (p, P(1), type(p) is P)",
    ),
    "enum by a call": (
        "import enum\nK = enum.Enum('K', 'A B')\nk = [K.A]",
        "shown = (k, k[0] is K.A, K['B'])",
    ),
    "mapping proxy": ("import types\nm = types.MappingProxyType({'a': [1]})", "shown = m['a']"),
    "string buffer": ("import io\nf = io.StringIO('a b')\nf.read(1)", "shown = f.read()"),
    "regular expression": ("import re\nr = re.compile('a+')", "shown = r.match('aab')[0]"),
    "dates": (
        "import datetime as dt\nd = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)",
        "shown = d + dt.timedelta(1)",
    ),
    "counter and chain": (
        "import collections, itertools\nc = collections.Counter('aab')\nn = itertools.count(3)",
        "next(n)",
        "shown = (c.most_common(1), next(n))",
    ),
    "cached function": (
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x + 1",
        "shown = f(2)",
    ),
    "cached function, filled": (
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x if x < 2 else f(x - 1)",
        "f(3)",
        "shown = f(2)",
    ),
    "decorated": (
        "import functools\ndef deco(g):\n    calls = []\n    @functools.wraps(g)\n"
        "    def inner(*a):\n        calls.append(a)\n        return g(*a), len(calls)\n"
        "    return inner\n@deco\ndef f(x):\n    return x",
        "f(1)",
        "shown = f(2)",
    ),
    "property and super": (
        "class A:\n    def hi(self):\n        return 'A'\n"
        "class B(A):\n    @property\n    def p(self):\n        return super().hi() + 'B'\nb = B()",
        "b.q = 1",
        "shown = (b.p, b.q)",
    ),
    "data class": (
        "import dataclasses\n@dataclasses.dataclass\nclass D:\n    x: int\n"
        "    y: list = dataclasses.field(default_factory=list)\nd = D(1)",
        "d.y.append(3)",
        "shown = d",
    ),
    "slots": (
        "class S:\n    __slots__ = ('v', 'w')\ns = S()\ns.v = [1]\nt = s.v",
        "t.append(2)",
        "shown = (s.v, hasattr(s, 'w'))",
    ),
    "bytearray": ("b = bytearray(b'ab')\nc = b", "c.extend(b'd')", "shown = (b, b is c)"),
    "deque": (
        "from collections import deque\nd = deque([1], maxlen=2)\ne = d",
        "e.append(3); e.append(4)",
        "shown = d",
    ),
    "default dict": (
        "from collections import defaultdict\nd = defaultdict(lambda: [0])",
        "d['a'].append(1)",
        "shown = dict(d)",
    ),
}


WITH_TEXT = {
    name: PROGRAMS[name][0][: PROGRAMS[name][0].rindex("\n") + 1]
    for name in ("enum", "property and super", "data class")
} | {"slots": "class S:\n    __slots__ = ('v', 'w')\n"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_steps_compute_what_the_notebook_computes(name: str, tmp_path: Path) -> None:
    cells = PROGRAMS[name]
    define = WITH_TEXT.get(name, "")
    program = same_as_direct(tmp_path, *cells, define=define)
    assert not [problem for each in program.committed for problem in each.problems]


CLASSES = {
    "instance": ("c = C(3)", "c.x += 1", "shown = (c.x, type(c) is C)"),
    "class attribute": ("C.count = 5", "C(1)", "shown = C.count"),
    "class attribute through an instance": ("c = C(1)", "c.add(4)", "shown = (C.items, C.count)"),
    "shared with a class": (
        "a = []\nC.items = a",
        "a.append(1)",
        "shown = (C.items, C.items is a)",
    ),
    "patched method": ("C.twice = lambda self: self.x * 2", "shown = C(4).twice()"),
    "deleted class attribute": ("del C.items", "shown = hasattr(C, 'items')"),
    "instances share": (
        "c = C([1])\nd = C(c.x)",
        "d.x.append(2)",
        "shown = (c.x, c.x is d.x, C.count)",
    ),
    "class as a value": ("k = {'c': C}", "shown = k['c'] is C"),
    "bound method": ("c = C(0)\nm = c.add", "m(1)", "shown = (c.items, m.__self__ is c)"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_that_are_defined_by_text(name: str, tmp_path: Path) -> None:
    same_as_direct(tmp_path, *CLASSES[name], define=CLASS)


def test_a_class_made_by_the_step_itself(tmp_path: Path) -> None:
    program = Program(tmp_path)
    source = f"{CLASS}\nc = C([1])\nC.items.append(2)"
    program.step(source, wanted="C c", defines=["C"])
    program.define(CLASS, "C", cell=1)
    program.step("c.add(3)\nshown = C.count, C.items", reads="c C", wanted="c C")
    assert program["shown"] == (1, [2, 3])
    program.step("shown = c.items", reads="c")
    assert program["shown"] == [2, 3]


def test_definition_made_again_later(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.define("def f():\n    return 1", "f", cell=1)
    program.step("f = (lambda g: lambda: g() + 10)(f)", reads="f", wanted="f")
    program.step("shown = f()", reads="f")
    assert program["shown"] == 11
    program.define("def f():\n    return 2", "f", cell=3)
    program.step("shown = f()", reads="f")
    assert program["shown"] == 2


def test_only_what_is_wanted_and_changed_is_exported(tmp_path: Path) -> None:
    program = Program(tmp_path)
    first = program.step("a = 1\nb = [2]\nc = 3", wanted="a b", writes=["a", "b"])
    assert sorted(name for unit in first.exported for name in unit.names) == ["a", "b"]
    assert first.undeclared == []
    second = program.step("a\nb[0]", reads="a b", wanted="a b")
    assert second.exported == []
    assert second.loaded == {"a": 0, "b": 0}
    third = program.step("b.append(3)", reads="a b", wanted="a b")
    assert [unit.names for unit in third.exported] == [["b"]]
    assert third.undeclared == ["b"]


def test_needs_of_a_function_come_along(tmp_path: Path) -> None:
    program = Program(tmp_path)
    first = program.step("k = [1]\nf = lambda: inner()\ninner = lambda: k", wanted="f")
    assert {name for unit in first.exported for name in unit.names} == {"f", "inner", "k"}
    program.step("shown = f()", reads="f")
    assert program["shown"] == [1]


def test_missing_names_are_all_told(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step("a = 1\ng = (x for x in [1])", wanted="a g b")
    with pytest.raises(HandoverError) as caught:
        program.step("", reads="a b g", optional="z")
    assert str(caught.value) == (
        "b is needed here, but no earlier step made it. g is needed here, but the step s0 could "
        "not hand it over: A generator cannot be handed over to another process."
    )


def test_an_old_value_is_never_taken_for_one_that_could_not_be_carried(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step("a = 1", wanted="a")
    program.step("a = (x for x in [1])", wanted="a")
    with pytest.raises(HandoverError, match="s1 could not hand it over"):
        program.step("", reads="a")


def test_a_value_made_again_is_carried_again(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.step("a = (x for x in [1])", wanted="a")
    program.step("a = 3", wanted="a")
    program.step("shown = a", reads="a")
    assert program["shown"] == 3


PROBLEMS = {
    "d = {'k': [(x for x in 'a')]}": "A generator cannot be handed over to another process. "
    "It is d['k'][0].",
    "import threading\nd = threading.Lock()": "A lock cannot be handed over",
    "d = open('/dev/null')": "An open file cannot be handed over",
    "import sqlite3\nd = sqlite3.connect(':memory:')": "An open database connection",
    "class C: pass\nd = C()\nclass C: pass": "was defined earlier, and no name leads to it",
    "def f():\n    class C: pass\n    return C()\nd = f()": "was defined inside of a function",
    "d = [globals()]": "It holds the notebook's own namespace, of which",
    "import weakref\nclass C: pass\nc = C()\nd = weakref.ref(c)": "A weak reference",
    "d = {}.keys()": "A view of a mapping",
    "import socket\nd = socket.socket()\nd.close()": "An open socket",
    "import sys\nd = [sys.stdout, sys.path]": "It holds sys.path, of which each process has one.",
}


@pytest.mark.parametrize("source", PROBLEMS)
def test_what_cannot_be_carried_is_told(source: str, tmp_path: Path) -> None:
    committed = Program(tmp_path).step(source, wanted="d")
    (problem,) = committed.problems
    assert problem.name == "d"
    assert PROBLEMS[source] in problem.reason


def test_a_unit_that_was_altered_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path)
    committed = program.step("a = [1]", wanted="a")
    path = Path(program.before[0]) / committed.exported[0].file
    path.write_bytes(b"[2]")
    with pytest.raises(HandoverError, match="a is not what was committed: its SHA-256 differs"):
        program.step("", reads="a")


def test_a_failed_commit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_mlops.runtime.handover import store

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    program = Program(tmp_path)
    monkeypatch.setattr(store.msgspec.json, "encode", fail)
    with pytest.raises(OSError, match="No space"):
        program.step("a = 1", wanted="a")
    assert [path.name for path in tmp_path.iterdir()] == ["beside", "work0"] or {
        path.name for path in tmp_path.iterdir()
    } == {"beside", "work0"}


def test_a_deleted_definition_stays_deleted(tmp_path: Path) -> None:
    program = Program(tmp_path).define("def f():\n    return 1", "f", cell=1)
    program.step("del f", wanted="f")
    program.step("shown = 'f' in globals()", optional="f")
    assert program["shown"] is False
    program.define("def f():\n    return 2", "f", cell=3)
    program.step("shown = f()", reads="f")
    assert program["shown"] == 2


def test_a_filled_cache_that_matters_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path)
    source = "import functools\n@functools.cache\ndef f(x):\n    return x + k"
    program.define(source, "functools", "f", cell=0)
    committed = program.step("k = 1\nf(1)\nk = 2", wanted="f k")
    (problem,) = committed.problems
    assert (problem.name, problem.reason.startswith("Its cache was filled")) == ("f", True)
    with pytest.raises(HandoverError, match="f is needed here, but the step s0 could not hand"):
        program.step("f(1)", reads="f")


def test_what_cannot_be_carried_of_a_class_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path).define("class C:\n    lock = None", "C", cell=0)
    committed = program.step("import threading\nC.lock = threading.Lock()", wanted="C")
    assert [each.name for each in committed.problems] == ["C"]
    with pytest.raises(HandoverError, match="A lock cannot be handed over"):
        program.step("C.lock", reads="C")


def test_what_is_set_on_modules_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path).define("import calendar", "calendar", cell=0)
    committed = program.step("calendar.EXTRA = 3\ncalendar._private = 1\ndel calendar.EXTRA")
    assert committed.problems == []
    committed = program.step("calendar.EXTRA = 3")
    (problem,) = committed.problems
    assert problem.name == "<module:calendar>"
    assert problem.reason.startswith("calendar.EXTRA was set, and each process imports calendar")
    import calendar

    del calendar.EXTRA, calendar._private  # type: ignore[attr-defined]


def test_an_imported_object_that_was_changed_is_told(tmp_path: Path) -> None:
    source = "from types import SimpleNamespace\nimport sys\nsettings = SimpleNamespace(debug=0)"
    (tmp_path / "local_settings_.py").write_text(source)
    import sys

    sys.path.insert(0, str(tmp_path))
    program = Program(tmp_path)
    program.define("from local_settings_ import settings", "settings", cell=0)
    assert program.step("settings.debug", wanted="settings").problems == []
    (problem,) = program.step("settings.debug = 1", wanted="settings").problems
    assert problem.name == "settings"
    assert problem.reason.startswith("It was changed, but belongs to a module")


def test_private_names_of_the_shell_do_not_count(tmp_path: Path) -> None:
    committed = Program(tmp_path).step(
        "_ = __ = _1 = _i3 = In = Out = 1\n_mine = 2", wanted="_ __ _1 _i3 In Out _mine"
    )
    assert [unit.names for unit in committed.exported] == [["_mine"]]


def test_sharing_with_what_nobody_wants_does_not_matter(tmp_path: Path) -> None:
    committed = Program(tmp_path).step("a = [1]\ng = (a for _ in a)", wanted="a")
    assert committed.problems == []


def test_more_objects_than_can_be_looked_at_are_taken_to_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_mlops.runtime.handover import groups

    monkeypatch.setattr(groups.Walk.__init__, "__defaults__", (None, 5))
    committed = Program(tmp_path).step("a = [[] for _ in range(9)]\nb = 1\nc = []", wanted="a b c")
    assert [unit.names for unit in committed.exported] == [["a", "b", "c"]]


def test_a_class_that_shares_is_exported_only_when_it_changed(tmp_path: Path) -> None:
    program = Program(tmp_path).define("class C:\n    items = None", "C", cell=0)
    program.step("a = []\nC.items = a", wanted="C a")
    assert program.step("len(a)", reads="a C", wanted="C a").exported == []
    third = program.step("a.append(1)", reads="a C", wanted="C a")
    assert [unit.names for unit in third.exported] == [["C", "a"]]
