"""Which name is meant: comprehensions, lambdas, global, nonlocal, async."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="comprehension_scope",
        construct="comprehension scope (probe)",
        cells=cells("""
x = 10
# %%
squares = [x * x for x in range(4)]
# %%
y = x + 1
# %%
lookup = {x: y for x in "ab"}
unique = {x % 2 for x in squares}
# %%
print(squares, lookup, sorted(unique))
"""),
        parameters={"x": 20},
        reached={1, 3, 4, 5},
        target="squares",
        minimal={2},
        conservative=True,
    ),
    Case(
        name="comprehension_reads_global",
        construct="set/dict comprehension, nested, with condition from a global",
        cells=cells("""
threshold = 2
# %%
words = ["a", "bb", "ccc", "dd"]
# %%
by_length = {n: [w for w in words if len(w) == n] for n in range(1, 4) if n >= threshold}
# %%
letters = {c for w in words for c in w}
# %%
print(by_length, sorted(letters))
"""),
        parameters={"threshold": 3},
        reached={1, 3, 5},
        target="letters",
        minimal={2, 4},
    ),
    Case(
        name="default_binds_early",
        construct="default arg binds early (probe)",
        cells=cells("""
rate = 0.1
# %%
def grow(value, by=rate):
    return value * (1 + by)
# %%
rate = 0.9
# %%
grown = grow(100)
print(grown, rate)
"""),
        parameters={"rate": 0.5},
        reached={1, 2, 4},
        target="grown",
        minimal={1, 2, 4},
        conservative=True,
    ),
    Case(
        name="lambda_reads_late",
        construct="lambda: free names are read when called",
        cells=cells("""
factor = 2
# %%
scale = lambda v: v * factor
early = lambda v, f=factor: v * f
# %%
factor = factor + 10
# %%
late_value, early_value = scale(1), early(1)
print(late_value, early_value)
"""),
        parameters={"factor": 3},
        reached={1, 2, 3, 4},
        target="late_value",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="lambdas_in_loop",
        construct="lambdas made in a loop share the loop variable",
        cells=cells("""
count = 3
# %%
shared = [lambda: i for i in range(count)]
bound = [lambda i=i: i for i in range(count)]
# %%
i = 50
# %%
results = [f() for f in shared], [f() for f in bound]
results
"""),
        parameters={"count": 4},
        reached={1, 2, 4},
        target="results",
        minimal={1, 2, 4},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="global_statement",
        construct="`global`: function writes global (probe: function writes global)",
        cells=cells("""
gain = 5
# %%
score = 0
calls = 0
# %%
def hit():
    global score
    score += gain
# %%
hit()
# %%
calls += 1
# %%
final = score * 2
print(final, calls)
"""),
        parameters={"gain": 7},
        reached={1, 4, 6},
        target="final",
        minimal={1, 2, 3, 4, 6},
        conservative=True,  # a cell is kept whole
    ),
    Case(
        name="global_defines_new_name",
        construct="`global` defines a name that no cell assigns at top level",
        cells=cells("""
path = "a.b.c"
# %%
def configure(text):
    global parts, depth
    parts = text.split(".")
    depth = len(parts)
# %%
configure(path)
# %%
head = parts[0]
# %%
print(head, depth)
"""),
        parameters={"path": "x.y"},
        reached={1, 3, 4, 5},
        target="depth",
        minimal={1, 2, 3},
    ),
    Case(
        name="nonlocal_counter",
        construct="`nonlocal`: closure with a counter, called in several cells",
        cells=cells("""
start = 10
# %%
def counter(first):
    n = first

    def tick():
        nonlocal n
        n += 1
        return n

    return tick
# %%
tick = counter(start)
# %%
one = tick()
# %%
two = tick()
print(one, two)
"""),
        parameters={"start": 20},
        reached={1, 3, 4, 5},
        target="two",
        minimal={1, 2, 3, 4, 5},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="class_body_scope",
        construct="class body reads globals, methods skip the class scope",
        cells=cells("""
unit = "m"
# %%
size = 1
# %%
class Ruler:
    size = 5
    doubled = size * 2

    def read(self):
        return f"{size} {unit}"
# %%
size = 3
# %%
text = Ruler().read()
doubled = Ruler.doubled
print(text, doubled)
"""),
        parameters={"unit": "cm"},
        reached={1, 5},
        target="text",
        minimal={1, 3, 4, 5},
    ),
    Case(
        name="nested_functions",
        construct="nested functions read names of two outer scopes",
        cells=cells("""
offset = 1
# %%
def outer(a):
    def middle(b):
        def inner(c):
            return a + b + c + offset

        return inner(3)

    return middle(2)
# %%
offset = offset * 10
# %%
value = outer(1)
# %%
print("value", value)
"""),
        parameters={"offset": 2},
        reached={1, 3, 4, 5},
        target="value",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="async_top_level",
        construct="async: top-level await, async for, async with",
        cells=cells("""
rounds = 3
# %%
import asyncio


async def fetch(n):
    await asyncio.sleep(0)
    return n * n


async def stream(n):
    for value in range(n):
        yield value
# %%
squares = await asyncio.gather(*(fetch(n) for n in range(rounds)))
# %%
seen = []
async for value in stream(rounds):
    seen.append(value)
# %%
lock = asyncio.Lock()
async with lock:
    held = lock.locked()
# %%
print(squares, seen, held)
"""),
        parameters={"rounds": 4},
        reached={1, 3, 4, 6},
        target="squares",
        minimal={1, 2, 3},
    ),
    Case(
        name="star_arguments",
        construct="star-args and keyword dictionaries",
        cells=cells("""
options = {"sep": "-", "end": "!"}
# %%
def join(*parts, sep=" ", end=""):
    return sep.join(parts) + end
# %%
words = ["a", "b"]
# %%
text = join(*words, "c", **options)
# %%
merged = {**options, "sep": "+"}
print(text, merged)
"""),
        parameters={"options": {"sep": "_"}},
        reached={1, 4, 5},
        target="text",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="f_string_expressions",
        construct="f-strings with expressions, nested formats, `=`",
        cells=cells("""
places = 2
# %%
ratio = 2 / 3
table = {"k": [1, 2]}
# %%
text = f"{ratio:.{places}f} {table['k'][-1]!r}"
# %%
echo = f"{ratio > 0.5 = }"
# %%
print(text, echo)
"""),
        parameters={"places": 4},
        reached={1, 3, 5},
        target="echo",
        minimal={2, 4},
    ),
    Case(
        name="conditional_definition",
        construct="conditional definition of functions",
        cells=cells("""
fast = True
# %%
if fast:
    def total(values):
        return sum(values)
else:
    def total(values):
        return -1
# %%
data = [1, 2, 3]
# %%
answer = total(data)
print(answer)
"""),
        parameters={"fast": False},
        reached={1, 4},
        target="answer",
        minimal={1, 2, 3, 4},
        conservative=True,
    ),
]
