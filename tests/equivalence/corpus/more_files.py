"""Files whose names or presence are decided while the notebook runs."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="file_exists_branch",
        construct="os.path.exists decides a branch: a cache file",
        cells=cells("""
value = 5
# %%
import json
import os
# %%
def expensive():
    if os.path.exists("cache.json"):
        return json.load(open("cache.json")), "cached"
    with open("cache.json", "w") as f:
        json.dump(value, f)
    return value, "computed"
# %%
first = expensive()
# %%
value = -1
# %%
second = expensive()
print(first, second)
"""),
        parameters={"value": 8},
        reached={1, 4, 6},
        target="second",
        minimal={1, 2, 3, 4, 6},
        conservative=True,
    ),
    Case(
        name="file_glob",
        construct="glob over files that a loop wrote",
        cells=cells("""
parts = 3
# %%
from pathlib import Path

Path("parts").mkdir()
# %%
for i in range(parts):
    Path(f"parts/part-{i}.txt").write_text(str(i * 10))
# %%
Path("parts/readme.md").write_text("not a part");
# %%
from glob import glob

found = sorted(glob("parts/*.txt"))
# %%
total = sum(int(open(name).read()) for name in found)
print(len(found), total)
"""),
        parameters={"parts": 2},
        reached={1, 3, 5, 6},
        target="total",
        minimal={1, 2, 3, 5, 6},
        conservative=True,
    ),
    Case(
        name="file_removed",
        construct="os.remove and rename",
        cells=cells("""
content = "draft"
# %%
import os

open("a.txt", "w").write(content)
open("b.txt", "w").write("old");
# %%
os.rename("a.txt", "c.txt")
# %%
os.remove("b.txt")
# %%
left = sorted(name for name in os.listdir() if name.endswith(".txt"))
# %%
text = open("c.txt").read()
print(left, text)
"""),
        parameters={"content": "final"},
        reached={1, 2, 3, 6},
        target="left",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="file_tempfile",
        construct="tempfile: a path outside the notebook's folder, kept in a name",
        cells=cells("""
word = "spam"
# %%
import os
import tempfile

folder = tempfile.mkdtemp()
where = os.path.join(folder, "words.txt")
# %%
with open(where, "w") as f:
    f.write(word * 2)
# %%
with open(where) as f:
    read = f.read()
# %%
import shutil

shutil.rmtree(folder)
del folder, where
print(read)
"""),
        target="read",
        minimal={1, 2, 3, 4},
        expect="merged",
    ),
    Case(
        name="file_written_in_function",
        construct="a function of the notebook writes, another reads; the path is an argument",
        cells=cells("""
rate = 0.5
# %%
import json

def save(name, value):
    with open(f"{name}.json", "w") as f:
        json.dump(value, f)
def load(name):
    with open(f"{name}.json") as f:
        return json.load(f)
# %%
save("metrics", {"rate": rate})
# %%
save("notes", ["ok"])
# %%
metrics = load("metrics")
print(metrics, load("notes"))
"""),
        parameters={"rate": 0.7},
        reached={1, 3, 5},
        target="metrics",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
    Case(
        name="file_open_handle_across_cells",
        construct="open file handle written by several cells, closed by the last",
        cells=cells("""
title = "Report"
# %%
report = open("report.txt", "w")
# %%
report.write(f"# {title}\\n");
# %%
report.write("body\\n");
# %%
report.close()
# %%
text = open("report.txt").read()
print(text)
"""),
        parameters={"title": "Summary"},
        reached={1, 5, 6},
        target="text",
        minimal={1, 2, 3, 4, 5, 6},
        expect="merged",
        conservative=True,
    ),
    Case(
        name="file_local_module_written",
        construct="a cell writes a Python module with open(), a later cell imports it",
        cells=cells("""
limit = 3
# %%
with open("generated.py", "w") as f:
    f.write(f"LIMIT = {limit}\\n\\ndef check(v):\\n    return v < LIMIT\\n")
# %%
import generated
# %%
answers = [generated.check(v) for v in (1, 5)]
print(answers)
"""),
        parameters={"limit": 10},
        reached={1, 2, 3, 4},
        target="answers",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="file_figure",
        construct="savefig in one cell, the size of the file read in another",
        cells=cells("""
points = 3
# %%
import matplotlib.pyplot as plt
from pathlib import Path

plt.plot(range(points))
plt.savefig("plot.png")
plt.close()
# %%
written = Path("plot.png").read_bytes()[:4]
# %%
print(written, points)
"""),
        parameters={"points": 5},
        reached={1, 2, 4},
        target="written",
        minimal={1, 2, 3},
        conservative=True,
    ),
    Case(
        name="file_zip_archive",
        construct="zipfile written and read",
        cells=cells("""
body = "one"
# %%
import zipfile

with zipfile.ZipFile("bundle.zip", "w") as z:
    z.writestr(zipfile.ZipInfo("a.txt"), body)
# %%
with zipfile.ZipFile("bundle.zip", "a") as z:
    z.writestr(zipfile.ZipInfo("b.txt"), "two")
# %%
with zipfile.ZipFile("bundle.zip") as z:
    inside = {name: z.read(name).decode() for name in z.namelist()}
inside
"""),
        parameters={"body": "uno"},
        reached={1, 2, 3, 4},
        target="inside",
        minimal={1, 2, 3, 4},
        conservative=True,
    ),
    Case(
        name="file_same_path_two_spellings",
        construct="one file under two spellings of its path",
        cells=cells("""
answer = 42
# %%
import os
from pathlib import Path

os.makedirs("data", exist_ok=True)
# %%
with open("data/answer.txt", "w") as f:
    f.write(str(answer))
# %%
raw = Path.cwd().joinpath("data", "answer.txt").read_text()
# %%
value = int(raw) + 1
print(value)
"""),
        parameters={"answer": 7},
        reached={1, 3, 4, 5},
        target="value",
        minimal={1, 2, 3, 4, 5},
        conservative=True,
    ),
]
