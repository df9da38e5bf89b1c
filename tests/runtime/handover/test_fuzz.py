"""Random objects and random programs: what is shared stays shared, and nothing else is."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.runtime.handover import pickling
from jupyter_mlops.runtime.handover.fingerprint import Fingerprints
from jupyter_mlops.runtime.handover.scope import Scope
from tests.runtime.handover.program import Program

QUICK = settings(
    max_examples=int(os.environ.get("MLOPS_FUZZ", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ATOMS: tuple[Any, ...] = (0, 1, -5, 1.5, "x", "é", None, True, b"b", 10**20)
KINDS = ("list", "dict", "tuple", "object", "closure", "array", "view", "set")


class Holder:
    """An object with attributes."""


def shape(value: Any, seen: dict[int, int] | None = None, kept: list[Any] | None = None) -> Any:
    """Return what a value is, with a number for every object that is met again."""
    import numpy as np

    seen = {} if seen is None else seen
    kept = [] if kept is None else kept
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        return (type(value).__name__, repr(value))
    if id(value) in seen:
        return ("again", seen[id(value)])
    seen[id(value)] = len(seen)
    kept.append(value)
    kind = type(value).__name__

    def inner(each: Any) -> Any:
        return shape(each, seen, kept)

    if isinstance(value, list | tuple):
        return (kind, [inner(each) for each in value])
    if isinstance(value, dict):
        return (kind, [(inner(key), inner(each)) for key, each in value.items()])
    if isinstance(value, set):
        return (kind, sorted(map(repr, value)))
    if isinstance(value, np.ndarray):
        return (kind, value.tolist())
    if hasattr(value, "__next__"):
        # One that ended forgets what it went through.
        left = list(copy.copy(value))
        return (kind, [inner(each) for each in left])
    if callable(value):
        return (kind, [inner(cell.cell_contents) for cell in value.__closure__ or ()])
    return (kind, inner(vars(value)))


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Any]:
    """Make names that hold a few objects, each of which holds some of the others."""
    import numpy as np

    made: list[Any] = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(KINDS))
        some = st.sampled_from([*range(len(made)), *(-i - 1 for i in range(len(ATOMS)))])
        parts = [
            made[each] if each >= 0 else ATOMS[-each - 1]
            for each in draw(st.lists(some, max_size=3))
        ]
        made.append(_make(kind, parts, np, made))
    for value in made:
        # Cycles, and parts that were made later.
        if isinstance(value, list) and draw(st.booleans()):
            value.append(draw(st.sampled_from(made)))
    chosen = draw(st.lists(st.sampled_from(range(len(made))), min_size=1, max_size=5))
    return {f"n{number}": made[each] for number, each in enumerate(chosen)}


def _make(kind: str, parts: list[Any], np: Any, made: list[Any]) -> Any:
    if kind == "list":
        return list(parts)
    if kind == "dict":
        return {f"k{number}": each for number, each in enumerate(parts)}
    if kind == "tuple":
        return tuple(parts)
    if kind == "set":
        return {each for each in parts if isinstance(each, int | str)}
    if kind == "array":
        return np.arange(6.0)
    if kind == "view":
        arrays = [each for each in made if isinstance(each, np.ndarray)]
        return arrays[-1][1:4] if arrays else np.zeros(2)
    if kind == "closure":
        return (lambda held: lambda: held)(parts)
    holder = Holder()
    holder.__dict__.update({f"a{number}": each for number, each in enumerate(parts)})
    return holder


@QUICK
@given(graphs())
def test_objects_come_back_with_what_they_share(values: dict[str, Any]) -> None:
    scope = Scope({})
    data, _ = pickling.dumps(values, scope)
    again = pickling.loads(data, Scope({}))
    assert shape(again) == shape(values)
    prints = Fingerprints(scope)
    assert prints.of(values) == prints.of(values) is not None


NAMES = ("a", "b", "c", "d")
names = st.sampled_from(NAMES)
numbers = st.integers(0, 3)
STATEMENTS = st.one_of(
    st.builds("{} = [{}]".format, names, numbers),
    st.builds("{} = {}".format, names, numbers),
    st.builds("{} = {}".format, names, names),
    st.builds("{} = [{}, {}]".format, names, names, names),
    st.builds("{} = ({}, [1])".format, names, names),
    st.builds("{} = {{'k': {}}}".format, names, names),
    st.builds("{} = list({})".format, names, names),
    st.builds("{}.append({})".format, names, numbers),
    st.builds("{}.append({})".format, names, names),
    st.builds("{}[0] = {}".format, names, names),
    st.builds("{}['k'] = {}".format, names, numbers),
    st.builds("{} = {}[0]".format, names, names),
    st.builds("{} += [{}]".format, names, numbers),
    st.builds("del {}".format, names),
    st.builds("{} = Box({})".format, names, names),
    st.builds("{}.held = {}".format, names, names),
    st.builds("{} = {}.held".format, names, names),
    st.builds("Box.common.append({})".format, names),
    st.builds("{} = Box.common".format, names),
    st.builds("keep({})".format, names),
    st.builds("{} = keep.__defaults__[0]".format, names),
    st.builds("{} = (lambda h: lambda x: (h.append(x), h)[1])([{}])".format, names, names),
    st.builds("{} = {}({})".format, names, names, numbers),
    st.builds("{} = lambda x: {}".format, names, names),
    st.builds("{} = np.arange(4)".format, names),
    st.builds("{} = {}[1:]".format, names, names),
    st.builds("{} = random.random()".format, names),
    st.builds("{} = iter({})".format, names, names),
    st.builds("{} = next({})".format, names, names),
)
DEFINE = (
    "import random\nimport numpy as np\n"
    "class Box:\n    common = []\n    def __init__(self, held):\n        self.held = held\n"
    "def keep(x, kept=[]):\n    kept.append(x)\n"
)


def guarded(statements: list[str]) -> str:
    """Return a cell in which a statement that does not apply does nothing."""
    lines = "".join(
        f"try:\n    {each}\nexcept Exception as problem:\n    pass\n" for each in statements
    )
    return lines or "pass"


def outcome(namespace: dict[str, Any]) -> Any:
    """Return what all names hold, with what they share."""
    found = {name: namespace[name] for name in NAMES if name in namespace}
    found["common"] = namespace["Box"].common
    found["kept"] = namespace["keep"].__defaults__[0]
    return shape(found)


@QUICK
@given(st.lists(st.lists(STATEMENTS, max_size=4), min_size=1, max_size=6))
def test_random_programs_in_steps(cells: list[list[str]]) -> None:
    direct: dict[str, Any] = {"__name__": "__main__"}
    exec(DEFINE + "random.seed(0)", direct)
    with tempfile.TemporaryDirectory() as folder:
        program = Program(Path(folder))
        program.define(DEFINE, "random", "np", "Box", "keep", cell=0)
        program.step("random.seed(0)")
        wanted = " ".join(NAMES) + " Box keep"
        for cell in cells:
            source = guarded(cell)
            state = direct["random"].getstate()
            exec(source, direct)
            after = direct["random"].getstate()
            direct["random"].setstate(state)
            committed = program.step(source, optional=wanted, wanted=wanted)
            assert committed.problems == []
            assert outcome(program.namespace) == outcome(direct)
            assert direct["random"].getstate() == after
