"""A small language for random notebooks: assignments, mutations, functions, aliases, deletes."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = ["a", "b", "c", "d"]
START = "a = [1]\nb = [a, 2]\nc = {'k': a}\nd = 3"

EXPRESSIONS = [
    "{y}", "[{y}]", "[{x}, {y}]", "{{'k': {x}}}", "({x}, {y})", "list({x})", "{x}[0]", "{x} + {x}",
    "len({x})", "f({x})", "g({x}, {y})", "[v for v in {x}]", "dict(k={x})", "{x}['k']",
    "(lambda q: [q, {y}])({x})", "{x}.copy()", "sorted({x}, key=lambda v: str(type(v)))",
    "{x} if {y} else {x}", "{x} and {y}", "list(map(f, list({x})))",
]  # fmt: skip

BODIES = [
    "return p",
    "p.append({n})\n    return {n}",
    "return [p, {z}]",
    "global {z}\n    {z} = p\n    return p",
    "{z}.append(p)\n    return {z}",
    "return len(p) + {n}",
    "p['k'] = {n}\n    return p",
    "return [p]",
    "def inner(v):\n        p.append(v)\n        return p\n    return inner({n})",
]

CLASS = (
    "class K:\n    items = []\n    v = {n}\n    def add(self, p):\n"
    "        self.items.append(p)\n        self.v = p"
)

# Nothing here iterates over what it makes longer: such programs would not end.
STATEMENTS = [
    "{x} = {e}", "{x} = {e}", "{x} = {z}", "{x} = [{z}, {n}]", "{x} = {{'k': {z}}}",
    "{x}.append({z})", "{x}.append({n})", "{x}[0] = {z}", "{x}['k'] = {e}", "{x} += [{z}]",
    "{x} += list({e})", "{x} += {n}", "{x}.extend(list({z}))", "{x}.clear()", "del {x}",
    "del {x}[0]", "{x}.pop()",
    "{x}, {z} = {z}, {x}", "{x} = {z} = [{n}]", "for {x} in {z}:\n    {w} = {x}",
    "for i in list({z}):\n    i.append({n})", "if {x}:\n    {z} = {e}\nelse:\n    {x} = [{n}]",
    "if {x}:\n    {z}.append({n})", "def f(p):\n    {body}", "def g(p, q=None):\n    {body}",
    "{f}({x})", "{x} = {f}({z})", "print({x})", "{x}.insert(0, {z})",
    "{x}.setdefault('k', []).append({n})", "{x} = lambda v: {z}", "{x}({n})", "{z} = {x}({n})",
    "{x}.sort(key=lambda v: str(type(v)))", "{x} = iter({z})", "{z} = next({x})",
    "{x}.update({z})", "globals()['{x}'] = {n}", "{x} = (v for v in {z})",
    "{x} = type('T', (), {{}})", "{x} = [{z}] * 2", "exec('{x} = {n}')", "{x}.k = {z}", CLASS,
    "{x} = K()", "{x}.add({z})", "{z} = {x}.items", "{z} = {x}.v",
]  # fmt: skip

#: Statements that cannot fail, so that definitions stand at the top level as they do in life.
SAFE = [
    "{x} = [{n}]", "{x} = {n}", "{x} = {{'k': [{n}]}}", "def f(p):\n    return p",
    "def f(p):\n    return [p, {z}]", "def f(p):\n    {z}.append(p)\n    return {z}",
    "def g(p, q={n}):\n    return [p, {z}]", "def g(p, q={n}):\n    {z}.append(p)\n    return {z}",
    "{x} = lambda v: [v, {n}]", CLASS,
]  # fmt: skip

name = st.sampled_from(NAMES)
number = st.integers(0, 5).map(str)


@st.composite
def _filled(draw: st.DrawFn, templates: list[str]) -> str:
    template = draw(st.sampled_from(templates))
    x, z, w, n = draw(name), draw(name), draw(name), draw(number)
    y = draw(st.one_of(number, name))
    parts = {"x": x, "z": z, "w": w, "n": n, "y": y, "f": draw(st.sampled_from("fg"))}
    if "{e}" in template:
        parts["e"] = draw(st.sampled_from(EXPRESSIONS)).format(**parts)
    if "{body}" in template:
        parts["body"] = draw(st.sampled_from(BODIES)).format(**parts)
    return template.format(**parts)


def _guarded(text: str) -> str:
    """Random statements may fail: the failure is part of what must be the same."""
    inside = text.replace("\n", "\n    ")
    return f"try:\n    {inside}\nexcept Exception as error:\n    print(type(error).__name__)"


def program() -> st.SearchStrategy[list[str]]:
    """Return notebooks of three to seven cells."""
    guarded = _filled(STATEMENTS).map(_guarded)
    statement = st.one_of(guarded, guarded, _filled(SAFE))
    cell = st.lists(statement, min_size=1, max_size=3).map("\n".join)
    return st.lists(cell, min_size=2, max_size=6).map(lambda cells: [START, *cells])
