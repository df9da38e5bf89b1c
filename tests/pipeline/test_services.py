"""The code of a service, made of what a notebook does to its rows before it asks its model."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from jupyter_mlops import notebook
from jupyter_mlops.capture.models import Route
from jupyter_mlops.pipeline import services
from jupyter_mlops.pipeline.services import Services
from tests.notebooks import Cell, make

START = "import numpy as np\nimport pandas as pd\nfrom somewhere import Scaler, Model\n"
LOAD = f"{START}df = pd.read_csv('table.csv')"
FIT = "model = Model()\nmodel.fit(X, df['y'])\nmodel.predict(X)"


def found(tmp_path: Path, *cells: Cell, model: str = "model") -> Services:
    read = notebook.read(make(tmp_path / "n.ipynb", cells))
    return without_plain(services.find(read, set(), [model]))


def without_plain(made: Services) -> Services:
    """Leave out the candidate that only asks the model, which is the last."""
    *routes, plain = made.routes
    assert plain.root == "" and plain.source.endswith("    return model.predict(rows)\n")
    return dataclasses.replace(made, routes=routes)


def rawest(tmp_path: Path, *cells: Cell) -> Route:
    return found(tmp_path, *cells).routes[0]


def body(route: Route) -> list[str]:
    """The statements of the function, without its first line and its comments."""
    function = ast.parse(route.source).body[-1]
    assert isinstance(function, ast.FunctionDef)
    return [ast.unparse(each) for each in function.body[1:]]


def test_a_readable_text_with_the_cell_beside_each_block(tmp_path: Path) -> None:
    route = rawest(
        tmp_path,
        LOAD,
        "FLOORS = 3\n\ndef add_ratio(d):\n    return d.assign(r=d.a / d.b / FLOORS)",
        "unused = df.describe()\ndf = add_ratio(df)\nX = df[['r', 'a']]",
        "scaler = Scaler()\nX_scaled = scaler.fit_transform(X)",
        "model = Model()\nmodel.fit(X_scaled, df['y'])",
        "model.predict(X_scaled)",
    )
    assert route.source == (
        '"""What answers: predict(rows), made from the notebook\'s cells."""\n'
        "# Captured from the run and set before this is executed: model, scaler\n"
        "\n"
        "# cell 2\n"
        "FLOORS = 3\n"
        "\n"
        "def add_ratio(d):\n"
        "    return d.assign(r=d.a / d.b / FLOORS)\n"
        "\n\n"
        "def predict(rows):\n"
        '    """Answer for rows like those of df in the notebook."""\n'
        "    df = rows\n"
        "    df = add_ratio(df)  # cell 3\n"
        "    X = df[['r', 'a']]  # cell 3\n"
        "    X_scaled = scaler.transform(X)  # cell 4\n"
        "    return model.predict(X_scaled)\n"
    )
    assert (route.captured, route.root, route.cell) == (["model", "scaler"], "df", 1)
    assert route.target == ["y"] and route.same_rows


def test_rows_are_not_chosen_by_a_service(tmp_path: Path) -> None:
    route = rawest(
        tmp_path,
        LOAD,
        "df = df.dropna().reset_index(drop=True)\ndf = df[df.a > 0]\n"
        "df.drop_duplicates(inplace=True)",
        "df['r'] = df.a / df.b\nX = df.drop(columns='y')\ny = df['y']",
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
        "model = Model()\nmodel.fit(X_train, y_train)\nprint(rmse(y_test, model.predict(X_test)))",
    )
    assert body(route) == [
        "df = rows.copy()",
        "df['r'] = df.a / df.b",
        "X = df.drop(columns='y', errors='ignore')",
        "X_test = X",
        "return model.predict(X_test)",
    ]
    assert not route.same_rows


def test_what_was_learned_of_many_rows_is_kept_by_the_run(tmp_path: Path) -> None:
    made = found(
        tmp_path,
        LOAD,
        "df['age'] = df['age'].fillna(df['age'].median())\nX = (df[['age']] - df[['age']].mean())",
        FIT,
    )
    route = made.routes[0]
    assert "df['age'] = df['age'].fillna(age_median)" in body(route)
    assert "X = df[['age']] - age_mean" in body(route)
    assert route.learned == {"age_mean": "learned:age_mean", "age_median": "learned:age_median"}
    assert {tap.kind for tap in made.taps if tap.key.startswith("learned:")} == {"value"}


def test_a_loop_over_columns_keeps_what_each_turn_fitted(tmp_path: Path) -> None:
    made = found(
        tmp_path,
        LOAD,
        "kept = {}\nfor c in ['k', 'l']:\n    le = Scaler()\n    df[c] = le.fit_transform(df[c])\n"
        "    kept[c] = le",
        "X = df[['k', 'l']]",
        FIT,
    )
    assert body(made.routes[0])[1] == (
        "for c in ['k', 'l']:\n    df[c] = le_by_c[c].transform(df[c])"
    )
    (tap,) = [tap for tap in made.taps if tap.key == "learned:le_by_c"]
    assert (tap.kind, tap.by) == ("fitted", "c")


def test_one_hot_columns_are_those_of_the_run(tmp_path: Path) -> None:
    route = rawest(tmp_path, LOAD, "X = pd.get_dummies(df[['city']], drop_first=True)", FIT)
    assert body(route)[1] == (
        "X = pd.get_dummies(df[['city']]).reindex(columns=dummy_columns, fill_value=0)"
    )


def test_the_target_is_neither_made_nor_needed(tmp_path: Path) -> None:
    route = rawest(
        tmp_path,
        LOAD,
        "df['y'] = df['y'].map({'no': 0, 'yes': 1})\ny = df.pop('y')\nX = np.log1p(df)",
        "model = Model()\nmodel.fit(X, y)",
    )
    assert body(route) == [
        "df = rows",
        "df = df.drop(columns=['y'], errors='ignore')",
        "X = np.log1p(df)",
        "return model.predict(X)",
    ]


def test_several_names_at_once_are_taken_apart(tmp_path: Path) -> None:
    route = rawest(
        tmp_path,
        LOAD,
        "df['a'] = np.log(df['a'])\nX, y = df[['a']], df['y']",
        "model = Model()\nmodel.fit(X, y)",
    )
    assert body(route)[1:] == [
        "df['a'] = np.log(df['a'])",
        "X = df[['a']]",
        "return model.predict(X)",
    ]
    assert route.same_rows


def test_tables_that_rows_are_looked_up_in_are_captured(tmp_path: Path) -> None:
    route = rawest(
        tmp_path,
        LOAD,
        "towns = pd.read_csv('towns.csv')\ndf = df.merge(towns, on='town', how='left')",
        "X = df[['a', 'people']]",
        FIT,
    )
    assert route.captured == ["model", "towns"]
    assert body(route)[1] == "df = df.merge(towns, on='town', how='left')"


def test_only_taking_columns_needs_no_code(tmp_path: Path) -> None:
    made = found(tmp_path, LOAD, "X = df[['a', 'b']].copy()", FIT)
    assert made.routes == []
    assert len(made.asks["model"]) == len(made.fits["model"]) == 1


def test_rows_of_two_sources_have_no_single_beginning(tmp_path: Path) -> None:
    made = found(
        tmp_path,
        LOAD,
        "other = pd.read_csv('other.csv')\nboth = pd.concat([df, other])\nX = np.log(both[['a']])",
        FIT,
    )
    assert [route.root for route in made.routes] == ["both"]


@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_the_method_that_the_notebook_asks(tmp_path: Path, method: str) -> None:
    route = rawest(
        tmp_path, LOAD, f"X = np.log(df[['a']])\nmodel = Model().fit(X, df.y)\nmodel.{method}(X)"
    )
    assert body(route)[-1] == f"return model.{method}(X)"


def test_the_same_notebook_gives_the_same_text(tmp_path: Path) -> None:
    cells = (LOAD, "df['a'] = df.a - df.a.mean()\nX = df[['a']] / df[['a']].std()", FIT)
    assert found(tmp_path, *cells).routes == found(tmp_path, *cells).routes


def test_code_of_classes_comes_along_when_a_capture_needs_it(tmp_path: Path) -> None:
    cells = (LOAD, "class Part:\n    size = 3", "X = np.log(df[['a']])", FIT)
    read = notebook.read(make(tmp_path / "n.ipynb", cells))
    (route,) = without_plain(services.find(read, set(), ["model"])).routes
    text = services.with_code(read, set(), route, ["Part"])
    assert "class Part" in text and text.endswith(route.source[route.source.index("def predict") :])


def test_calls_of_the_notebooks_own_function(tmp_path: Path) -> None:
    cells = (
        LOAD,
        "def predict(row):\n    return row.a",
        "predict(df)\ndf.apply(predict, axis=1)\ndf.map(len)",
        "model.fit(df[['a']], df['y'])",
    )
    read = notebook.read(make(tmp_path / "n.ipynb", cells))
    made = services.calls(read, "predict", ["model"])
    assert [tap.kind for tap in made.taps if tap.key in made.calls] == ["call", "applied"]
    assert made.target == ["y"] and made.tables == ["df[['a']]"]


DATASETS = {
    "from sklearn.datasets import load_iris": "iris = load_iris(as_frame=True)",
    "from sklearn import datasets": "iris = datasets.load_iris(as_frame=True)",
}


@pytest.mark.parametrize("first", DATASETS)
def test_a_data_set_is_no_table(tmp_path: Path, first: str) -> None:
    split = "a, b, c, d = train_test_split(iris.data, iris.target)"
    cells: list[Cell] = [f"{START}\n{first}", DATASETS[first], split]
    asked = "model = Model()\nmodel.fit(a, c)\nmodel.predict(b)"
    assert found(tmp_path, *cells, asked).routes == []

    scaled = "X = iris.data\nX = X[['p', 'q']]\ns = Scaler().fit(X)\nT = s.transform(X)"
    asked = "model = Model()\nmodel.fit(T, iris.target)\nmodel.predict(T)"
    roots = [route.root for route in found(tmp_path, *cells[:2], scaled, asked).routes]
    assert roots and "iris" not in roots


def test_the_table_of_a_data_set_is_one(tmp_path: Path) -> None:
    first = f"{START}\nfrom sklearn.datasets import load_iris"
    asked = "T = np.log1p(X)\nmodel = Model()\nmodel.fit(T, y)\nmodel.predict(T)"
    assert rawest(tmp_path, first, "X, y = load_iris(return_X_y=True)", asked).root == "X"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("price = np.expm1(model.predict(X))", "np.expm1(model.predict(X))"),
        ("p = model.predict(X)\nprice = 10 ** p", "10 ** p"),
        ("p = model.predict(X)\nencoder.inverse_transform(p)", "encoder.inverse_transform(p)"),
        ("names[model.predict(X)]", "names[model.predict(X)]"),
        ("p = model.predict(X)\np = df['y']\nnp.exp(p)", ""),
        ("p = model.predict(X)\nerror = np.sqrt(np.mean((p - df['y']) ** 2))", ""),
        ("p = model.predict(X)\nwrong = df[p != df['y']]", ""),
    ],
)
def test_what_is_made_of_the_answers_is_told(tmp_path: Path, cell: str, told: str) -> None:
    made = found(tmp_path, LOAD, "X = df[['a', 'b']]", FIT, cell)
    assert [told in each for each in made.afterwards.values()] == ([True] if told else [])
    assert all("(cell 4)" in each for each in made.afterwards.values())
