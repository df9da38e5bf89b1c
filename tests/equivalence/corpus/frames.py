"""pandas objects and estimators that are changed in place."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="frame_column_store",
        construct="`d[k]=`, `df[c]=`, `df.loc=` (probe): frame column",
        cells=cells("""
vat = 0.2
# %%
import pandas as pd

orders = pd.DataFrame({"item": ["a", "b", "a"], "price": [10.0, 20.0, 30.0]})
# %%
orders["gross"] = orders["price"] * (1 + vat)
# %%
orders["net"] = orders["price"]
# %%
gross = orders.groupby("item")["gross"].sum()
gross
"""),
        parameters={"vat": 0.5},
        reached={1, 3, 4, 5},
        target="gross",
        minimal={1, 2, 3, 5},
        conservative=True,
    ),
    Case(
        name="frame_loc_store",
        construct="`d[k]=`, `df[c]=`, `df.loc=` (probe): loc, iloc, at",
        cells=cells("""
cap = 25
# %%
import pandas as pd

df = pd.DataFrame({"x": [10, 20, 30], "y": [1, 2, 3]})
# %%
df.loc[df["x"] > cap, "x"] = cap
# %%
df.iloc[0, 1] = 100
# %%
df.at[1, "y"] = -5
# %%
total = int(df["x"].sum())
print(total)
df
"""),
        parameters={"cap": 15},
        reached={1, 3, 4, 5, 6},
        target="total",
        minimal={1, 2, 3, 6},
        conservative=True,
    ),
    Case(
        name="frame_drop_inplace",
        construct="`df.drop(inplace=True)` (probe)",
        cells=cells("""
drop = "b"
# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]})
# %%
df.drop(columns=drop, inplace=True)
# %%
df.head(1)
# %%
columns = df.columns.tolist()
columns
"""),
        parameters={"drop": "c"},
        reached={1, 3, 4, 5},
        target="columns",
        minimal={1, 2, 3, 5},
    ),
    Case(
        name="frame_inplace_methods",
        construct="fillna, sort_values, rename, reset_index with inplace=True",
        cells=cells("""
default = 0.0
# %%
import pandas as pd

df = pd.DataFrame({"k": ["b", "a", "c"], "v": [1.0, None, 3.0]})
# %%
df.fillna({"v": default}, inplace=True)
# %%
df.sort_values("k", inplace=True, ignore_index=True)
# %%
df.rename(columns={"v": "value"}, inplace=True)
# %%
first = df.loc[0, "value"]
print(first)
df
"""),
        parameters={"default": 9.0},
        reached={1, 3, 4, 5, 6},
        target="first",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="frame_insert_pop",
        construct="df.insert, df.pop, del df[c]",
        cells=cells("""
where = 0
# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2], "b": [3, 4], "z": [0, 0]})
# %%
df.insert(where, "id", [7, 8])
# %%
target = df.pop("b")
# %%
del df["z"]
# %%
order = list(df.columns)
print(order, target.tolist())
"""),
        parameters={"where": 1},
        reached={1, 3, 4, 5, 6},
        target="order",
        minimal={1, 2, 3, 4, 5, 6},
    ),
    Case(
        name="frame_columns_attribute",
        construct="`df.columns =`, `df.index =`, `series.name =`",
        cells=cells("""
name = "height"
# %%
import pandas as pd

df = pd.DataFrame([[1, 2], [3, 4]])
heights = pd.Series([1.5, 1.8])
# %%
df.columns = [name, "weight"]
# %%
df.index = ["ann", "bob"]
# %%
heights.name = "metres"
# %%
tallest = df[name].idxmax()
print(tallest, heights.name)
df
"""),
        parameters={"name": "size"},
        reached={1, 3, 4, 6},
        target="tallest",
        minimal={1, 2, 3, 4, 6},
        conservative=True,
    ),
    Case(
        name="series_update",
        construct="Series.update and DataFrame.update",
        cells=cells("""
patch = 99
# %%
import pandas as pd

prices = pd.Series([1, 2, 3], index=["a", "b", "c"])
stock = pd.DataFrame({"n": [5, 6, 7]}, index=["a", "b", "c"])
# %%
prices.update(pd.Series([patch], index=["b"]))
# %%
stock.update(pd.DataFrame({"n": [0]}, index=["c"]))
# %%
worth = int((prices * stock["n"]).sum())
print(worth)
"""),
        parameters={"patch": 50},
        reached={1, 3, 5},
        target="stock",
        minimal={2, 4},
    ),
    Case(
        name="estimator_fit",
        construct="estimator.fit (probe)",
        cells=cells("""
alpha = 1.0
# %%
import numpy as np
from sklearn.linear_model import Ridge

X = np.array([[0.0], [1.0], [2.0]])
y = np.array([0.0, 1.0, 2.5])
# %%
model = Ridge(alpha=alpha)
# %%
model.fit(X, y)
# %%
print(X.shape)
# %%
coef = round(float(model.coef_[0]), 6)
coef
"""),
        parameters={"alpha": 5.0},
        reached={1, 3, 4, 6},
        target="coef",
        minimal={1, 2, 3, 4, 6},
    ),
    Case(
        name="estimator_partial_fit",
        construct="partial_fit in several cells",
        cells=cells("""
passes = 2
# %%
import numpy as np
from sklearn.linear_model import SGDClassifier

X = np.array([[0.0, 1.0], [1.0, 0.0], [0.2, 0.9], [0.8, 0.1]])
y = np.array([0, 1, 0, 1])
# %%
clf = SGDClassifier(random_state=0)
# %%
clf.partial_fit(X[:2], y[:2], classes=[0, 1])
# %%
for _ in range(passes):
    clf.partial_fit(X[2:], y[2:])
# %%
margin = clf.decision_function(X).round(6).tolist()
margin
"""),
        parameters={"passes": 4},
        reached={1, 5, 6},
        target="margin",
        minimal={1, 2, 3, 4, 5, 6},
        conservative=True,
    ),
    Case(
        name="fit_transform",
        construct="fit_transform changes the transformer that later cells use",
        cells=cells("""
shift = 10.0
# %%
import numpy as np
from sklearn.preprocessing import StandardScaler

train = np.array([[1.0], [2.0], [3.0]]) + shift
test = np.array([[2.0], [4.0]])
# %%
scaler = StandardScaler()
# %%
scaled = scaler.fit_transform(train)
# %%
print(scaled.ravel().round(3))
# %%
test_scaled = scaler.transform(test)
test_scaled.round(3)
"""),
        parameters={"shift": 20.0},
        reached={1, 2, 4, 6},
        target="test_scaled",
        minimal={1, 2, 3, 4, 6},
    ),
    Case(
        name="set_params",
        construct="estimator.set_params after construction; chained call whose result is dropped",
        cells=cells("""
depth = 1
# %%
import numpy as np
from sklearn.tree import DecisionTreeRegressor

X = np.arange(6.0).reshape(-1, 1)
y = X.ravel() ** 2
# %%
tree = DecisionTreeRegressor(random_state=0)
# %%
tree.set_params(max_depth=depth);
# %%
leaves = tree.fit(X, y).get_n_leaves()
leaves
"""),
        parameters={"depth": 2},
        reached={1, 4, 5},
        target="leaves",
        minimal={1, 2, 3, 4, 5},
    ),
    Case(
        name="frame_method_chain",
        construct="method chain that does not mutate (assign, query, pipe)",
        cells=cells("""
minimum = 2
# %%
import pandas as pd

df = pd.DataFrame({"k": list("aabb"), "v": [1, 2, 3, 4]})
# %%
kept = (
    df.query("v >= @minimum")
    .assign(w=lambda d: d["v"] * 10)
    .pipe(lambda d: d[d["k"] == "b"])
)
# %%
df.describe();
# %%
shape = df.shape
# %%
print(shape, kept["w"].tolist())
"""),
        parameters={"minimum": 4},
        reached={1, 3, 6},
        target="shape",
        minimal={2, 5},
        conservative=True,
    ),
]
