"""Files written by one cell and read by another: text, tables, arrays."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="file_pathlib",
        construct="write file, read file (pathlib) (probe)",
        cells=cells("""
greeting = "hello"
# %%
from pathlib import Path

target = Path("note.txt")
# %%
target.write_text(greeting);
# %%
size = 3
# %%
text = target.read_text().upper()
# %%
print(text, size)
"""),
        parameters={"greeting": "bye"},
        reached={1, 3, 5, 6},
        target="text",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="file_open",
        construct="write file, read file (open) (probe)",
        cells=cells("""
rows = 3
# %%
with open("data.txt", "w") as f:
    for i in range(rows):
        f.write(f"{i * i}\\n")
# %%
label = "squares"
# %%
with open("data.txt") as f:
    total = sum(int(line) for line in f)
# %%
print(label, total)
"""),
        parameters={"rows": 5},
        reached={1, 2, 4, 5},
        target="total",
        minimal={1, 2, 4},
    ),
    Case(
        name="file_append",
        construct="append mode: three cells write one file",
        cells=cells("""
who = "ann"
# %%
with open("log.txt", "w") as log:
    log.write("start\\n")
# %%
with open("log.txt", "a") as log:
    log.write(f"hello {who}\\n")
# %%
unrelated = who.upper()
# %%
with open("log.txt", "a") as log:
    log.write("end\\n")
# %%
lines = open("log.txt").read().splitlines()
# %%
print(lines, unrelated)
"""),
        parameters={"who": "bob"},
        reached={1, 3, 4, 5, 6, 7},
        target="lines",
        minimal={1, 2, 3, 5, 6},
    ),
    Case(
        name="file_csv",
        construct="to_csv → read_csv, path in a variable",
        cells=cells("""
factor = 2
# %%
import pandas as pd

path = "table.csv"
df = pd.DataFrame({"a": [1, 2, 3]})
# %%
df["b"] = df["a"] * factor
# %%
df.to_csv(path, index=False)
# %%
df = None
# %%
back = pd.read_csv(path)
total = int(back["b"].sum())
back
"""),
        parameters={"factor": 5},
        reached={1, 3, 4, 6},
        target="total",
        minimal={1, 2, 3, 4, 6},
    ),
    Case(
        name="file_f_string_path",
        construct="path built with an f-string and with `/`",
        cells=cells("""
version = 1
# %%
from pathlib import Path

folder = Path("out")
folder.mkdir(exist_ok=True)
# %%
(folder / f"v{version}.txt").write_text("x" * version)
# %%
(folder / "other.txt").write_text("zzz")
# %%
size = len(open(f"out/v{version}.txt").read())
print(size)
"""),
        parameters={"version": 4},
        reached={1, 3, 5},
        target="size",
        minimal={1, 2, 3, 5},
        conservative=True,
    ),
    Case(
        name="file_numpy",
        construct="np.save → np.load, np.savetxt → np.loadtxt",
        cells=cells("""
n = 4
# %%
import numpy as np
# %%
arr = np.arange(n) ** 2
np.save("arr.npy", arr)
# %%
np.savetxt("grid.txt", np.eye(2))
# %%
loaded = np.load("arr.npy")
# %%
trace = np.loadtxt("grid.txt").trace()
# %%
print(loaded, trace)
"""),
        parameters={"n": 6},
        reached={1, 3, 5, 7},
        target="trace",
        minimal={2, 4, 6},
        conservative=True,
    ),
    Case(
        name="file_json",
        construct="json.dump → json.load",
        cells=cells("""
lr = 0.1
# %%
import json

config = {"lr": lr, "layers": [64, 32]}
# %%
with open("config.json", "w") as f:
    json.dump(config, f)
# %%
config["lr"] = -1
# %%
with open("config.json") as f:
    loaded = json.load(f)
print(loaded, config)
"""),
        parameters={"lr": 0.3},
        reached={1, 2, 3, 5},
        target="loaded",
        minimal={1, 2, 3, 5},
        conservative=True,  # a cell is kept whole
    ),
    Case(
        name="file_pickle",
        construct="pickle file of an object of a class of the notebook",
        cells=cells("""
size = 3
# %%
import pickle

class Box:
    def __init__(self, size):
        self.size = size

    def volume(self):
        return self.size**3
# %%
with open("box.pkl", "wb") as f:
    pickle.dump(Box(size), f)
# %%
with open("box.pkl", "rb") as f:
    box = pickle.load(f)
# %%
volume = box.volume()
print(volume)
"""),
        parameters={"size": 4},
        reached={1, 3, 4, 5},
        target="volume",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="file_joblib",
        construct="joblib.dump → joblib.load of a fitted model",
        cells=cells("""
slope = 2.0
# %%
import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

X = np.arange(4.0).reshape(-1, 1)
# %%
model = LinearRegression().fit(X, slope * X.ravel())
# %%
joblib.dump(model, "model.joblib")
# %%
served = joblib.load("model.joblib")
# %%
answer = round(float(served.predict([[10.0]])[0]), 6)
answer
"""),
        parameters={"slope": 3.0},
        reached={1, 3, 4, 5, 6},
        target="answer",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="file_sqlite",
        construct="sqlite3 file: connection opened and closed in each cell",
        cells=cells("""
name = "ann"
# %%
import sqlite3

with sqlite3.connect("people.db") as db:
    db.execute("create table people (name text, age int)")
db.close()
# %%
db = sqlite3.connect("people.db")
db.execute("insert into people values (?, ?)", (name, 30))
db.commit()
db.close()
# %%
db = sqlite3.connect("people.db")
found = db.execute("select name, age from people").fetchall()
db.close()
# %%
print(found)
"""),
        parameters={"name": "bob"},
        reached={1, 3, 4, 5},
        target="found",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="file_beside",
        construct="file beside the notebook, read with a path in a variable",
        cells=cells("""
column = "height"
# %%
import csv

source = "measures.csv"
# %%
with open(source, newline="") as f:
    rows = list(csv.DictReader(f))
# %%
values = [float(row[column]) for row in rows]
# %%
print(column, sum(values), len(rows))
"""),
        parameters={"column": "weight"},
        reached={1, 4, 5},
        target="values",
        minimal={1, 2, 3, 4},
        files={"measures.csv": "height,weight\n1.5,60\n1.75,80\n"},
    ),
    Case(
        name="file_beside_changed",
        construct="a cell writes over a file beside the notebook",
        cells=cells("""
line = "carol"
# %%
before = open("names.txt").read().split()
# %%
with open("names.txt", "a") as f:
    f.write(line + "\\n")
# %%
after = open("names.txt").read().split()
# %%
print(before, after)
"""),
        parameters={"line": "dave"},
        reached={1, 3, 4, 5},
        target="after",
        minimal={1, 3, 4},
        files={"names.txt": "ann\nbob\n"},
    ),
    Case(
        name="file_json_lines",
        construct="DataFrame.to_json → read_json (lines)",
        cells=cells("""
top = 2
# %%
import pandas as pd

df = pd.DataFrame({"k": ["a", "b", "c"], "v": [3, 1, 2]})
# %%
df.nlargest(top, "v").to_json("top.jsonl", orient="records", lines=True)
# %%
rows = len(df)
# %%
best = pd.read_json("top.jsonl", orient="records", lines=True)
# %%
print(best["k"].tolist(), rows)
"""),
        parameters={"top": 1},
        reached={1, 3, 5, 6},
        target="best",
        minimal={1, 2, 3, 5},
    ),
]
