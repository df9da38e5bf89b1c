"""Estimators: round trip, the same bytes in every process, and files that must be refused."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from jupyter_mlops.capture.archive import write
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave
from jupyter_mlops.capture.sklearn import SklearnFormat

X, Y = load_iris(return_X_y=True, as_frame=True)
MIXED = X.assign(word=np.where(Y == 1, "a", "b"), group=pd.Categorical(np.where(Y == 2, "u", "v")))
TEXTS = pd.Series(["a cat sat", "the dog house", "no bird"] * 50)
FORMAT = SklearnFormat()


def columns() -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include=np.number)),
            ("words", words, ["word", "group"]),
        ]
    )


MODELS: list[tuple[Any, Any]] = [
    (RandomForestClassifier(8, random_state=0, n_jobs=2), X),
    (RandomForestRegressor(8, random_state=0), X),
    (ExtraTreesClassifier(8, max_leaf_nodes=5, random_state=0), X),
    (DecisionTreeClassifier(random_state=0), X),
    (GradientBoostingClassifier(n_estimators=5), X),
    (GradientBoostingRegressor(n_estimators=5), X),
    (HistGradientBoostingClassifier(max_iter=5), X),
    (HistGradientBoostingRegressor(max_iter=5), X),
    (
        HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
        MIXED.drop(columns="word"),
    ),
    (KNeighborsClassifier(), X),
    (KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"), X),
    (make_pipeline(columns(), LogisticRegression()), MIXED),
    (GridSearchCV(RandomForestClassifier(4), {"max_depth": [2, 3]}, cv=2, scoring="f1_macro"), X),
    (GridSearchCV(make_pipeline(columns(), Ridge()), {"ridge__alpha": [1, 2]}, cv=2), MIXED),
    (LogisticRegression(max_iter=500), X),
    (SVC(), X),
    (KMeans(3, n_init=1), X),
    (GaussianNB(), X),
    (GaussianProcessRegressor(), X),
    (MLPClassifier((4,), max_iter=3), X),
    (CalibratedClassifierCV(SVC(), cv=2), X),
    (StackingClassifier([("tree", DecisionTreeClassifier())], cv=2), X),
    (IsolationForest(n_estimators=5), X),
    (make_pipeline(FunctionTransformer(np.log1p), Ridge()), X),
    (make_pipeline(TfidfVectorizer(stop_words="english"), LogisticRegression()), TEXTS),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("model", "data"), MODELS, ids=lambda each: type(each).__name__)
def test_round_trip(model: Any, data: Any, tmp_path: Path) -> None:
    model.fit(data, Y)
    path = tmp_path / "model.skops"
    FORMAT.save(model, path)
    loaded = FORMAT.load(path)
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict(data), model.predict(data))
    assert "sklearn" in FORMAT.describe(model).modules


DUMP = """
import sys, hashlib, numpy as np
from pathlib import Path
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, GradientBoostingRegressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from jupyter_mlops.capture.sklearn import SklearnFormat
junk = [bytearray(int(sys.argv[1]) * 1000) for _ in range(100)]
X, y = load_iris(return_X_y=True, as_frame=True)
words = {"the", "an", "is", "of", "no", "to"}
texts = make_pipeline(CountVectorizer(stop_words=sorted(words)), LogisticRegression())
models = [RandomForestClassifier(8, random_state=0), GradientBoostingRegressor(n_estimators=5,
    random_state=0), HistGradientBoostingClassifier(max_iter=3,
    random_state=0), KNeighborsClassifier(), texts]
path = Path(sys.argv[2])
for model in models:
    model.fit(X if model is not texts else ["a cat", "the dog", "an owl"] * 50, y)
    if model is texts:
        model.steps[0][1].extra_ = words
    SklearnFormat().save(model, path)
    print(type(model).__name__, hashlib.sha256(path.read_bytes()).hexdigest())
"""


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for seed in ("1", "2"):
        root = str(Path(__file__).parents[2])
        done = subprocess.run(
            [sys.executable, "-c", DUMP, seed, str(tmp_path / f"model{seed}")],
            env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]
    assert found[0].count("\n") == 5


class Foreign:
    pass


def test_what_is_not_trusted_is_named(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(os.path.basename), Ridge())
    with pytest.raises(CannotSave, match=r"posixpath\.basename"):
        FORMAT.save(model, tmp_path / "model.skops")
    tree = DecisionTreeClassifier().fit(X, Y)
    tree.extra_ = Foreign()
    with pytest.raises(CannotSave, match=r"Foreign"):
        FORMAT.save(tree, tmp_path / "model.skops")


def saved(model: Any, path: Path) -> dict[str, bytes]:
    FORMAT.save(model, path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewritten(path: Path, members: dict[str, bytes]) -> Path:
    write(path, members.items())
    return path


def test_a_type_written_into_the_file_is_refused(tmp_path: Path) -> None:
    members = saved(Ridge().fit(X, Y), tmp_path / "model.skops")
    schema = members["schema.json"].replace(b'"Ridge"', b'"system"')
    members["schema.json"] = schema.replace(b'"sklearn.linear_model._ridge"', b'"os"')
    with pytest.raises(CannotLoad, match=r"os\.system"):
        FORMAT.load(rewritten(tmp_path / "wrong.skops", members))


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10**6), ("left_child", 0), ("right_child", -5), ("feature", 4)],
)
def test_tree_nodes_that_point_elsewhere(tmp_path: Path, field: str, value: int) -> None:
    members = saved(DecisionTreeClassifier().fit(X, Y), tmp_path / "model.skops")
    with pytest.raises(CannotLoad, match="points outside"):
        FORMAT.load(_with_node(members, tmp_path, field, value))


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 4), ("feature_idx", -1)]
)
def test_boosted_nodes_that_point_elsewhere(tmp_path: Path, field: str, value: int) -> None:
    model = HistGradientBoostingRegressor(max_iter=2).fit(X, Y)
    members = saved(model, tmp_path / "model.skops")
    with pytest.raises(CannotLoad, match="tree"):
        FORMAT.load(_with_node(members, tmp_path, field, value))


def _with_node(members: dict[str, bytes], folder: Path, field: str, value: int) -> Path:
    for name, data in members.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(data))
            if array.dtype.names and field in array.dtype.names and len(array):
                array[field][0] = value
                buffer = io.BytesIO()
                np.save(buffer, array)
                members[name] = buffer.getvalue()
    return rewritten(folder / "wrong.skops", members)


def test_files_that_ask_for_too_much(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    members = saved(Ridge().fit(X, Y), path)
    name = next(name for name in members if name.endswith(".npy"))
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        huge, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
    )
    with pytest.raises(CannotLoad, match="another size"):
        FORMAT.load(rewritten(path, {**members, name: huge.getvalue()}))
    objects = io.BytesIO()
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(CannotLoad, match="objects"):
        FORMAT.load(rewritten(path, {**members, name: objects.getvalue()}))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, data in members.items():
            file.writestr(member, data)
    with pytest.raises(CannotLoad, match="compressed"):
        FORMAT.load(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(CannotLoad):
        FORMAT.load(path)
    with pytest.raises(CannotLoad):
        FORMAT.load(rewritten(path, {"schema.json": b"[" * 100_000}))
    with pytest.raises(CannotLoad):
        FORMAT.load(rewritten(path, {}))


def test_no_byte_of_a_file_depends_on_memory(tmp_path: Path) -> None:
    members = saved(DecisionTreeClassifier().fit(X, Y), tmp_path / "model.skops")
    names = [name for name in members if name != "schema.json"]
    assert names == [f"{number}.npy" for number in range(len(names))]
    ids = [int(part) for part in _ids(json.loads(members["schema.json"]))]
    assert max(ids) < 1000


def _ids(node: Any) -> list[int]:
    if isinstance(node, dict):
        own = [node["__id__"]] if isinstance(node.get("__id__"), int) else []
        return own + [each for value in node.values() for each in _ids(value)]
    if isinstance(node, list):
        return [each for value in node for each in _ids(value)]
    return []
