"""Formats of trees, tables and statistics, all the way: trained, published, and asked in Docker."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import uv

from jupyter_mlops.environment import indexes
from tests.formats import ASKED, DATA, MARKS, check
from tests.notebooks import make
from tests.test_other_kernels import environment, kernelspec

pytestmark = MARKS


TABLES = [
    ("markdown", "# Trees and tables"),
    "import catboost\nimport lightgbm as lgb\nimport polars as pl\nimport pyarrow as pa\n"
    "import statsmodels.api as sm\nimport xgboost as xgb\n"
    "from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier\n"
    "from sklearn.model_selection import GridSearchCV\n"
    "from sklearn.neighbors import KNeighborsClassifier\n"
    "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler",
    DATA,
    "few = dict(n_estimators=8, random_state=0, n_jobs=1)\n"
    "words = y.map({0: 'no', 1: 'yes'}).to_numpy(dtype=object)\n"
    "xgb_labels = xgb.XGBClassifier(**few).fit(X, y)\n"
    "xgb_booster = xgb.train({'nthread': 1}, xgb.DMatrix(X, y), 5)\n"
    "lgb_labels = lgb.LGBMClassifier(verbose=-1, **few).fit(X, words)\n"
    "lgb_booster = lgb.LGBMRegressor(verbose=-1, **few).fit(X, y).booster_\n"
    "cat_labels = catboost.CatBoostClassifier(iterations=8, verbose=False, "
    "allow_writing_files=False, random_seed=0).fit(X, y)\n"
    "piped = make_pipeline(StandardScaler(), xgb.XGBRegressor(**few)).fit(X, y)\n"
    "boosted = make_pipeline(StandardScaler(), lgb.LGBMRegressor(verbose=-1, **few)).fit(X, y)",
    "forest = RandomForestClassifier(8, random_state=0).fit(X, y)\n"
    "hist = HistGradientBoostingClassifier(max_iter=8, random_state=0).fit(X, y)\n"
    "near = KNeighborsClassifier(algorithm='kd_tree').fit(X, y)\n"
    "searched = GridSearchCV(make_pipeline(StandardScaler(), KNeighborsClassifier()), "
    "{'kneighborsclassifier__n_neighbors': [3, 5]}, cv=2).fit(X, y)",
    "linear = sm.OLS(y.to_numpy(), sm.add_constant(X.to_numpy())).fit()\n"
    "glm = sm.GLM(y.to_numpy(), X.to_numpy(), family=sm.families.Binomial()).fit()",
    "shares = pl.DataFrame({'label': [0, 1], 'share': [float((y == 0).mean()), float(y.mean())]})\n"
    "names = pa.table({'label': [0, 1], 'name': ['low', 'high']})\n"
    "means = X.groupby(y).mean()\nspread = X.to_numpy().std(axis=0)\nweights = {0: 1.0, 1: 2.5}",
    ("predict", "def predict(rows):\n"
     "    table = rows[['a', 'b', 'c', 'd']]\n"
     "    plain = table.to_numpy()\n"
     "    label = xgb_labels.predict(table)\n"
     "    columns = {\n"
     "        'xgb': xgb_labels.predict_proba(table)[:, 1],\n"
     "        'xgb booster': xgb_booster.predict(xgb.DMatrix(table)),\n"
     "        'lgb': lgb_labels.predict(table),\n"
     "        'lgb booster': lgb_booster.predict(table),\n"
     "        'cat': cat_labels.predict_proba(table)[:, 1],\n"
     "        'piped': piped.predict(table),\n"
     "        'boosted': boosted.predict(table),\n"
     "        'forest': forest.predict_proba(table)[:, 1],\n"
     "        'hist': hist.predict_proba(table)[:, 1],\n"
     "        'near': near.predict_proba(table)[:, 1],\n"
     "        'searched': searched.predict(table),\n"
     "        'linear': linear.predict(sm.add_constant(plain, has_constant='add')),\n"
     "        'glm': glm.predict(plain),\n"
     "        'share': [shares.filter(pl.col('label') == int(i))['share'][0] for i in label],\n"
     "        'name': [names.column('name')[int(i)].as_py() for i in label],\n"
     "        'far': (np.abs(plain - means.loc[label].to_numpy()) / spread).sum(axis=1),\n"
     "        'weight': [weights[int(i)] for i in label],\n"
     "    }\n"
     "    return pd.DataFrame(columns)"),
    ASKED,
]  # fmt: skip
TABLE_FORMATS = {
    "catboost", "frame", "json", "lightgbm", "npy", "parquet", "skops", "statsmodels", "xgboost",
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the libraries of trees and tables, and none of ours."""
    packages = "catboost lightgbm pandas polars pyarrow scikit-learn statsmodels xgboost-cpu"
    return environment(tmp_path_factory.mktemp("tables") / "venv", *packages.split())


def test_trees_and_tables(
    tables: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker_registry: Any
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    metadata = kernelspec(tmp_path / "share", "tables", [str(tables)])
    notebook = make(tmp_path / "tables.ipynb", TABLES, metadata=metadata)
    check(tables, notebook, f"{docker_registry.url}/lab/tables:latest", TABLE_FORMATS)


# Each alone in a namespace, as in a notebook without `predict`: it answers by itself.
ALONE = """
import sys, tempfile
from pathlib import Path
import catboost, lightgbm, xgboost
import numpy as np, pandas as pd
from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest
from jupyter_mlops.capture.protocol import CannotLoad
from jupyter_mlops.capture.rows import arguments
from jupyter_mlops.capture.store import load
X = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 3)), columns=["a b", "c", "d"])
y = (X.c > 0).astype(int).to_numpy()
mixed = X.assign(word=np.where(X.d > 0, "x", "y"))
few = {"n_estimators": 4}
cat = {"iterations": 4, "verbose": False, "allow_writing_files": False}
cases = [
    (xgboost.XGBClassifier(**few), X), (xgboost.XGBRegressor(booster="dart", **few), X.to_numpy()),
    (xgboost.XGBRegressor(gamma=5, tree_method="exact", **few), X),
    (xgboost.XGBRFClassifier(**few), X), (xgboost.XGBRegressor(booster="gblinear", **few), X),
    (lightgbm.LGBMClassifier(verbose=-1, **few), X),
    (lightgbm.LGBMRegressor(verbose=-1, linear_tree=True, **few), X.to_numpy()),
    (lightgbm.LGBMClassifier(verbose=-1, max_cat_to_onehot=1, **few), X.assign(
        word=pd.Categorical(mixed.word))),
    (catboost.CatBoostClassifier(**cat), X), (catboost.CatBoostRegressor(**cat), X.to_numpy()),
    (catboost.CatBoostClassifier(cat_features=["word"], **cat), mixed),
]
for model, data in cases:
    model.fit(data, y)
    folder = Path(tempfile.mkdtemp())
    request = CaptureRequest(fit_inputs={"model": ["data"]})
    report = collect({"model": model, "data": data}, request, folder)
    assert report.problems == [], report.problems
    capture, golden = report.captures[0], report.golden
    loaded = load(capture, folder)
    assert type(loaded) is type(model)
    answers = loaded.predict(arguments(golden.inputs, report.signature)).tolist()
    assert answers == golden.outputs, (model, answers, golden.outputs)
    again = collect({"model": model, "data": data}, request, folder)
    assert again.captures[0].sha256 == capture.sha256, model
    path = folder / capture.file
    path.write_bytes(path.read_bytes()[:-40])
    try:
        load(capture, folder)
    except CannotLoad:
        pass
    else:
        raise AssertionError("a shorter file was opened")
print("same", len(cases))
"""


def test_boosters_answer_alone_and_are_written_the_same_each_time(tables: Path) -> None:
    tool, root = uv.find_uv_bin(), Path(__file__).parent.parent
    install = [tool, "pip", "install", "-q", "--python", str(tables), "msgspec", "skops"]
    subprocess.run(install, check=True, env=indexes.environment())
    variables = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [str(tables), "-W", "ignore", "-c", ALONE]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("same 11\n")
