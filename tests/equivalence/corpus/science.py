"""Whole small studies, as people write them."""

from __future__ import annotations

from ..case import Case, cells

CASES = [
    Case(
        name="study_groupby",
        construct="heavy: pandas groupby pipeline",
        cells=cells("""
min_amount = 20
# %% [markdown]
# # Sales
# %%
import pandas as pd
# %% [markdown]
# ## Load
# %%
sales = pd.read_csv("sales.csv", parse_dates=["day"])
sales.head(2)
# %% [markdown]
# ## Clean
# %%
sales = sales.dropna()
sales = sales[sales["amount"] >= min_amount]
# %%
sales["month"] = sales["day"].dt.month
# %% [markdown]
# ## Report
# %%
report = sales.groupby(["shop", "month"])["amount"].agg(["count", "sum"]).reset_index()
report
# %%
best = report.loc[report["sum"].idxmax(), "shop"]
print("best shop:", best)
"""),
        parameters={"min_amount": 30},
        reached={1, 4, 5, 6, 7},
        target="best",
        minimal={1, 2, 3, 4, 5, 6, 7},
        files={
            "sales.csv": "day,shop,amount\n2024-01-02,north,19\n2024-01-03,north,19\n"
            "2024-01-04,north,19\n2024-02-01,south,28\n2024-02-05,south,\n"
            "2024-02-07,south,26\n2024-03-01,east,31\n"
        },
        conservative=True,
    ),
    Case(
        name="study_sklearn",
        construct="heavy: sklearn full pipeline with metrics",
        cells=cells("""
C = 1.0
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
# %%
X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
# %%
model = make_pipeline(StandardScaler(), LogisticRegression(C=C))
# %%
model.fit(X_train, y_train);
# %%
importance = np.abs(model[-1].coef_).sum(axis=0).round(4)
importance
# %%
accuracy = accuracy_score(y_test, model.predict(X_test))
print(f"accuracy {accuracy:.3f}")
"""),
        parameters={"C": 0.0001},
        reached={1, 4, 5, 6, 7},
        target="accuracy",
        minimal={1, 2, 3, 4, 5, 7},
    ),
    Case(
        name="study_column_transformer",
        construct="heavy: sklearn ColumnTransformer",
        cells=cells("""
trees = 5
# %%
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
# %%
people = pd.DataFrame(
    {
        "age": [22, 38, 26, 35, 54, 2, 27, 14],
        "sex": ["m", "f", "f", "f", "m", "m", "f", "f"],
        "survived": [0, 1, 1, 1, 0, 0, 1, 1],
    }
)
# %%
features = people.drop(columns="survived")
labels = people["survived"]
# %%
prepare = ColumnTransformer(
    [("number", StandardScaler(), ["age"]), ("kind", OneHotEncoder(), ["sex"])]
)
forest = RandomForestClassifier(n_estimators=trees, random_state=0)
pipeline = Pipeline([("prepare", prepare), ("forest", forest)])
# %%
pipeline.fit(features, labels)
# %%
chances = pipeline.predict_proba(features)[:, 1].round(3)
print(chances)
# %%
used = len(pipeline["forest"].estimators_)
used
"""),
        parameters={"trees": 8},
        reached={1, 5, 6, 7, 8},
        target="used",
        minimal={1, 2, 3, 4, 5, 6, 8},
    ),
    Case(
        name="study_simulation",
        construct="heavy: numpy simulation with global random state and arrays in place",
        cells=cells("""
steps = 50
seed = 0
# %%
import numpy as np

np.random.seed(seed)
# %%
positions = np.zeros((10, 2))
history = np.zeros((steps, 2))
# %%
def move(positions):
    positions += np.random.normal(size=positions.shape)
    np.clip(positions, -5, 5, out=positions)
# %%
for t in range(steps):
    move(positions)
    history[t] = positions.mean(axis=0)
# %%
spread = positions.std()
print(round(float(spread), 6))
# %%
drift = np.abs(history[-1]).max()
drift.round(6)
"""),
        parameters={"seed": 3},
        reached={1, 2, 5, 6, 7},
        target="drift",
        minimal={1, 2, 3, 4, 5, 7},
    ),
    Case(
        name="study_plot",
        construct="heavy: matplotlib plot of a table",
        cells=cells("""
window = 3
# %%
%matplotlib inline
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

plt.rcParams["figure.figsize"] = (3, 2)
# %%
t = np.arange(24)
signal = pd.Series(np.sin(t / 3), index=t)
# %%
smooth = signal.rolling(window, center=True).mean()
# %%
fig, ax = plt.subplots()
ax.plot(signal, label="raw")
ax.plot(smooth, label="smooth")
ax.legend();
# %%
error = float((signal - smooth).abs().mean())
print(f"{error:.4f}")
"""),
        parameters={"window": 5},
        reached={1, 4, 5, 6},
        target="error",
        minimal={1, 2, 3, 4, 6},
        conservative=True,
        expect="merged",
    ),
    Case(
        name="study_gradient_descent",
        construct="heavy: a model class trained in a loop, with history and best state",
        cells=cells("""
lr = 0.05
# %%
import copy

import numpy as np

rng = np.random.default_rng(7)
X = rng.normal(size=(40, 2))
y = X @ np.array([1.5, -2.0]) + 0.5
# %%
class Model:
    def __init__(self):
        self.w, self.b = np.zeros(2), 0.0

    def predict(self, X):
        return X @ self.w + self.b
# %%
def train_step(model, lr):
    error = model.predict(X) - y
    model.w -= lr * X.T @ error / len(y)
    model.b -= lr * error.mean()
    return float((error**2).mean())
# %%
model, history, best = Model(), [], None
# %%
for epoch in range(20):
    loss = train_step(model, lr)
    if not history or loss < min(history):
        best = copy.deepcopy(model)
    history.append(loss)
# %%
print(f"{history[0]:.4f} -> {history[-1]:.4f}")
# %%
final = np.append(best.w, best.b).round(4)
final
"""),
        parameters={"lr": 0.1},
        reached={1, 6, 7, 8},
        target="final",
        minimal={1, 2, 3, 4, 5, 6, 8},
    ),
    Case(
        name="study_cross_validation",
        construct="heavy: grid search, best model, table of results",
        cells=cells("""
folds = 3
# %%
import pandas as pd
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold
# %%
X, y = make_regression(n_samples=40, n_features=4, noise=3.0, random_state=1)
# %%
splitter = KFold(n_splits=folds, shuffle=True, random_state=0)
search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, cv=splitter)
# %%
search.fit(X, y);
# %%
table = pd.DataFrame(search.cv_results_)[["param_alpha", "mean_test_score"]].round(6)
table
# %%
best_alpha = search.best_params_["alpha"]
del search
print(best_alpha)
"""),
        parameters={"folds": 5},
        reached={1, 4, 5, 6},
        target="table",
        minimal={1, 2, 3, 4, 5, 6},
        conservative=True,
    ),
    Case(
        name="study_text",
        construct="heavy: plain Python text study with helpers and constants",
        cells=cells("""
top_n = 2
# %%
import re
from collections import Counter

STOP = {"the", "a", "of"}
# %%
text = open("story.txt").read()
# %%
def tokens(text):
    return [w for w in re.findall(r"[a-z]+", text.lower()) if w not in STOP]
# %%
STOP.add("and")
# %%
counts = Counter(tokens(text))
# %%
top = counts.most_common(top_n)
# %%
for word, n in top:
    print(f"{word:>8} {'#' * n}")
"""),
        parameters={"top_n": 3},
        reached={1, 7, 8},
        target="counts",
        minimal={2, 3, 4, 5, 6},
        files={"story.txt": "The cat and the dog and a cat of cats and a dog. Cat!\n"},
    ),
    Case(
        name="study_metrics_dict",
        construct="heavy: metrics gathered in a dict over cells, two models compared",
        cells=cells("""
depth = 2
# %%
import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.tree import DecisionTreeRegressor

metrics = {}
X = np.linspace(0, 3, 30).reshape(-1, 1)
y = np.sin(X).ravel()
# %%
baseline = DummyRegressor().fit(X, y)
metrics["baseline"] = mean_absolute_error(y, baseline.predict(X))
# %%
tree = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(X, y)
metrics["tree"] = mean_absolute_error(y, tree.predict(X))
# %%
for name, value in metrics.items():
    print(f"{name}: {value:.4f}")
# %%
winner = min(metrics, key=metrics.get)
winner
"""),
        parameters={"depth": 3},
        reached={1, 4, 5},
        target="winner",
        minimal={1, 2, 4, 6},
        conservative=True,
    ),
]
