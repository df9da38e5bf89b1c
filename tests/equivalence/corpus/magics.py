"""Magics and shell lines."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="magic_time_line",
        construct="`%time x=5` / `%%capture out` (probe): `%time x = …`",
        cells=cells("""
n = 1000
# %%
%time total = sum(range(n))
# %%
spare = 1
# %%
half = total // 2
# %%
print(half, spare)
"""),
        parameters={"n": 10},
        reached={1, 2, 4, 5},
        target="half",
        minimal={1, 2, 4},
    ),
    Case(
        name="magic_time_cell",
        construct="`%%time`: the body of the cell is Python",
        cells=cells("""
n = 5
# %%
%%time
rows = [i * i for i in range(n)]
print("rows", len(rows))
# %%
%%time
rows.append(-1)
# %%
total = sum(rows)
total
"""),
        parameters={"n": 7},
        reached={1, 2, 3, 4},
        target="total",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="magic_capture",
        construct="`%time x=5` / `%%capture out` (probe): `%%capture out`",
        cells=cells("""
word = "hello"
# %%
%%capture out
print(word)
length = len(word)
# %%
text = out.stdout.strip()
# %%
print(text.upper(), length)
"""),
        parameters={"word": "goodbye"},
        reached={1, 2, 3, 4},
        target="text",
        minimal={1, 2, 3},
        conservative=True,
    ),
    Case(
        name="magic_matplotlib",
        construct="`%matplotlib inline` (probe)",
        cells=cells("""
n = 3
# %%
%matplotlib inline
import matplotlib.pyplot as plt
# %%
values = list(range(n))
# %%
plt.plot(values)
plt.title("values");
# %%
print(values)
"""),
        parameters={"n": 4},
        reached={1, 3, 4, 5},
        target="values",
        minimal={1, 3},
    ),
    Case(
        name="shell_assignment",
        construct="`x = !cmd` (probe)",
        cells=cells("""
word = "hi"
# %%
lines = !echo {word} there
# %%
count = 1
# %%
first = lines[0].split()
# %%
print(first, count)
"""),
        parameters={"word": "hello"},
        reached={1, 2, 4, 5},
        target="first",
        minimal={1, 2, 4},
    ),
    Case(
        name="shell_writes_file",
        construct="`!echo > f` then open (probe)",
        cells=cells("""
name = "ann"
# %%
!echo "name: $name" > who.txt
# %%
size = 2
# %%
text = open("who.txt").read().strip()
# %%
print(text, size)
"""),
        parameters={"name": "bob"},
        reached={1, 2, 4, 5},
        target="text",
        minimal={1, 2, 4},
        conservative=True,
    ),
    Case(
        name="magic_env",
        construct="`%env`",
        cells=cells("""
times = 2
# %%
%env STUDY_COLOUR=blue
# %%
import os

colour = os.environ["STUDY_COLOUR"]
# %%
text = colour * times
print(text)
"""),
        parameters={"times": 3},
        reached={1, 4},
        target="colour",
        minimal={2, 3},
        conservative=True,
    ),
    Case(
        name="magic_writefile_import",
        construct="`%%writefile` then import",
        cells=cells("""
value = 4
# %%
%%writefile helpers_local.py
RATE = 3

def scale(v):
    return v * RATE
# %%
import helpers_local
# %%
scaled = helpers_local.scale(value)
print(scaled)
"""),
        parameters={"value": 5},
        reached={1, 4},
        target="scaled",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="magic_writefile_open",
        construct="`%%writefile` then open, with `-a` in another cell",
        cells=cells("""
column = 0
# %%
%%writefile grid.txt
1 2
# %%
%%writefile -a grid.txt
3 4
# %%
with open("grid.txt") as f:
    grid = [[int(v) for v in line.split()] for line in f if line.strip()]
# %%
total = sum(row[column] for row in grid)
print(total)
"""),
        parameters={"column": 1},
        reached={1, 5},
        target="total",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="magic_bash",
        construct="`%%bash` writing a file",
        cells=cells("""
divisor = 3
# %%
%%bash
mkdir -p made
for i in 3 6 9; do echo $i; done > made/numbers.txt
echo written
# %%
numbers = [int(line) for line in open("made/numbers.txt")]
# %%
result = [n // divisor for n in numbers]
result
"""),
        parameters={"divisor": 1},
        reached={1, 4},
        target="numbers",
        minimal={2, 3},
        conservative=True,
    ),
    Case(
        name="magic_run_script",
        construct="`%run` of a script beside the notebook binds its names",
        cells=cells("""
bonus = 1
# %%
%run prepare.py
# %%
total = base + bonus
# %%
print(total, shout("done"))
"""),
        parameters={"bonus": 10},
        reached={1, 3, 4},
        target="total",
        minimal={1, 2, 3},
        files={"prepare.py": "base = 40\n\n\ndef shout(text):\n    return text.upper()\n"},
        conservative=True,
        expect="refused",
    ),
    Case(
        name="magic_help",
        construct="`obj?` and `?obj`: harmless, nothing is bound",
        cells=cells("""
x = 3
# %%
def twice(v):
    "Double."
    return v * 2
# %%
twice?
# %%
?x
# %%
y = twice(x)
y
"""),
        parameters={"x": 4},
        reached={1, 5},
        target="y",
        minimal={1, 2, 5},
        conservative=True,
    ),
    Case(
        name="magic_load_ext",
        construct="`%load_ext autoreload`, `%autoreload 2`",
        cells=cells("""
power = 2
# %%
%load_ext autoreload
%autoreload 2
# %%
import shapes_local
# %%
area = shapes_local.area(3, power)
print(area)
"""),
        parameters={"power": 3},
        reached={1, 4},
        target="area",
        minimal={1, 3, 4},
        files={"shapes_local.py": "def area(side, power):\n    return side**power\n"},
        conservative=True,
    ),
    Case(
        name="magic_precision",
        construct="`%precision` changes how floats are displayed",
        cells=cells("""
a = 2
# %%
%precision 3
# %%
ratio = a / 3
# %%
ratio
# %%
print(ratio)
"""),
        parameters={"a": 1},
        reached={1, 3, 4, 5},
        target="ratio",
        minimal={1, 3},
        conservative=True,
    ),
    Case(
        name="magic_cd_and_pwd",
        construct="`%cd` changes the working directory",
        cells=cells("""
name = "a.txt"
# %%
%cd -q inner
# %%
text = open(name).read().strip()
# %%
%cd -q ..
# %%
print(text, open("a.txt").read().strip())
"""),
        parameters={"name": "b.txt"},
        reached={1, 3, 5},
        target="text",
        minimal={1, 2, 3},
        files={"a.txt": "outer\n", "inner/a.txt": "inner a\n", "inner/b.txt": "inner b\n"},
        conservative=True,
    ),
    Case(
        name="magic_under_if",
        construct="line magic in the middle of a cell, under `if`",
        cells=cells("""
verbose = True
# %%
data = [3, 1, 2]
# %%
if verbose:
    %time ordered = sorted(data)
else:
    ordered = data
# %%
smallest = ordered[0]
print("%s is the smallest" % smallest)
"""),
        parameters={"verbose": False},
        reached={1, 3, 4},
        target="smallest",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="magic_store_in_variable",
        construct="`x = %magic` assigns what a magic returns",
        cells=cells("""
suffix = "!"
# %%
pair = %sx echo one two
# %%
joined = pair[0] + suffix
# %%
print(joined)
"""),
        parameters={"suffix": "?"},
        reached={1, 3, 4},
        target="joined",
        minimal={1, 2, 3},
        conservative=True,
    ),
]
