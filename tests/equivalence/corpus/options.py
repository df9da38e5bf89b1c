"""State of the process and of packages that no name stands for."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="pandas_option",
        construct="np.random.seed / pd.set_option / sys.path (probe): pd.set_option",
        cells=cells("""
places = 2
# %%
import pandas as pd

df = pd.DataFrame({"v": [1 / 3, 2 / 3]})
# %%
pd.set_option("display.precision", places)
# %%
count = len(df)
# %%
text = df.to_string()
print(text)
df
"""),
        parameters={"places": 4},
        reached={1, 3, 5},
        target="text",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="pandas_option_attribute",
        construct="options set by attribute: pd.options.display…",
        cells=cells("""
width = 10
# %%
import pandas as pd

s = pd.DataFrame({"t": ["a long text that is cut somewhere"]})
# %%
pd.options.display.max_colwidth = width
# %%
shown = repr(s)
s
"""),
        parameters={"width": 20},
        reached={1, 3, 4},
        target="shown",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="numpy_print_options",
        construct="np.set_printoptions",
        cells=cells("""
digits = 2
# %%
import numpy as np

ratios = np.array([1 / 3, 22 / 7])
# %%
np.set_printoptions(precision=digits, suppress=True)
# %%
mean = ratios.mean()
# %%
shown = str(ratios)
# %%
print(shown, round(float(mean), 3))
"""),
        parameters={"digits": 5},
        reached={1, 3, 5, 6},
        target="shown",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="rc_params",
        construct="rcParams",
        cells=cells("""
size = 3
# %%
import matplotlib.pyplot as plt

plt.rcParams["figure.figsize"] = (size, 2)
# %%
values = [1, 3, 2]
# %%
fig, ax = plt.subplots()
ax.plot(values)
width = float(fig.get_figwidth())
plt.show()
# %%
print(width, sum(values))
"""),
        parameters={"size": 5},
        reached={1, 2, 4, 5},
        target="width",
        minimal={1, 2, 3, 4},
        conservative=True,
    ),
    Case(
        name="plot_style",
        construct="plt.style.use",
        cells=cells("""
style = "ggplot"
# %%
import matplotlib as mpl
import matplotlib.pyplot as plt
# %%
plt.style.use(style)
# %%
grid = mpl.rcParams["axes.grid"]
face = mpl.rcParams["axes.facecolor"]
print(grid, face)
"""),
        parameters={"style": "grayscale"},
        reached={1, 3, 4},
        target="face",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="warnings_filter",
        construct="warnings filter",
        cells=cells("""
action = "error"
# %%
import warnings

def risky():
    warnings.warn("careful", UserWarning)
    return "went on"
# %%
warnings.simplefilter(action)
# %%
try:
    outcome = risky()
except UserWarning as warning:
    outcome = f"stopped: {warning}"
print(outcome)
"""),
        parameters={"action": "ignore"},
        reached={1, 3, 4},
        target="outcome",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="decimal_context",
        construct="decimal context",
        cells=cells("""
digits = 6
# %%
from decimal import Decimal, getcontext
# %%
getcontext().prec = digits
# %%
third = Decimal(1) / 3
# %%
print(third)
"""),
        parameters={"digits": 10},
        reached={1, 3, 4, 5},
        target="third",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="environment_variable",
        construct="os.environ (probe)",
        cells=cells("""
mode = "fast"
# %%
import os
# %%
os.environ["PIPELINE_MODE"] = mode
# %%
def steps():
    return 10 if os.environ.get("PIPELINE_MODE") == "fast" else 1000
# %%
n = steps()
print(n)
"""),
        parameters={"mode": "full"},
        reached={1, 3, 5},
        target="n",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="environment_methods",
        construct="os.environ.update, setdefault, pop; os.getenv; a child process inherits",
        cells=cells("""
level = "3"
# %%
import os
import subprocess
import sys

os.environ.update(STUDY_LEVEL=level, STUDY_NAME="demo")
# %%
os.environ.pop("STUDY_NAME")
# %%
code = "import os; print(os.getenv('STUDY_LEVEL'), os.getenv('STUDY_NAME'))"
seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
# %%
print(seen.strip(), os.getenv("STUDY_LEVEL"))
"""),
        parameters={"level": "4"},
        reached={1, 2, 3, 4, 5},
        target="seen",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="sys_path_module",
        construct="np.random.seed / pd.set_option / sys.path (probe): sys.path + local module",
        cells=cells("""
factor = 2
# %%
import sys
# %%
sys.path.insert(0, "lib")
# %%
from tools import stretch
# %%
long = stretch([1, 2], factor)
print(long)
"""),
        parameters={"factor": 3},
        reached={1, 5},
        target="long",
        minimal={1, 2, 3, 4, 5},
        files={"lib/tools.py": "def stretch(values, by):\n    return [v * by for v in values]\n"},
    ),
    Case(
        name="local_module_state",
        construct="a local module's attribute is set in one cell and read through it in another",
        cells=cells("""
unit = "km"
# %%
import settings
# %%
settings.UNIT = unit
# %%
length = settings.show(5)
# %%
print(length)
"""),
        parameters={"unit": "mi"},
        reached={1, 3, 4, 5},
        target="length",
        minimal={1, 2, 3, 4},
        files={"settings.py": 'UNIT = "m"\n\n\ndef show(v):\n    return f"{v} {UNIT}"\n'},
        expect="merged",
    ),
    Case(
        name="working_directory",
        construct="os.chdir",
        cells=cells("""
folder = "north"
# %%
import os
# %%
os.chdir(folder)
# %%
with open("value.txt") as file:
    value = int(file.read())
# %%
os.chdir("..")
# %%
here = sorted(name for name in os.listdir() if not name.startswith("notebook"))
print(value, here)
"""),
        parameters={"folder": "south"},
        reached={1, 3, 4, 6},
        target="value",
        minimal={1, 2, 3, 4},
        files={"north/value.txt": "1\n", "south/value.txt": "2\n"},
        conservative=True,
    ),
    Case(
        name="numpy_error_state",
        construct="np.seterr: error state of the process",
        cells=cells("""
how = "raise"
# %%
import numpy as np

np.seterr(divide=how)
# %%
ones = np.ones(2)
# %%
try:
    ratio = ones / 0
    outcome = "inf"
except FloatingPointError:
    outcome = "refused"
outcome
"""),
        parameters={"how": "ignore"},
        reached={1, 4},
        target="outcome",
        minimal={1, 2, 3, 4},
    ),
    Case(
        name="recursion_limit",
        construct="state inside a standard module: sys.setrecursionlimit",
        cells=cells("""
limit = 1500
# %%
import sys

sys.setrecursionlimit(limit)
# %%
unused = 1
# %%
allowed = sys.getrecursionlimit()
print(allowed)
"""),
        parameters={"limit": 1700},
        reached={1, 4},
        target="allowed",
        minimal={1, 2, 4},
        expect="merged",
        conservative=True,
    ),
]
