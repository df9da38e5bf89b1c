"""Notebooks that must not become a service, and the reason that must be told."""

from __future__ import annotations

from tests.service.shape import ELSEWHERE, Shape
from tests.service.tables import HOUSES

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
FIT = (
    "from sklearn.linear_model import Ridge\n"
    "X = raw[['area', 'rooms']]\nmodel = Ridge().fit(X, raw['price'])"
)
ROWS = "raw[['area', 'rooms']].head(6)"

SHAPES = (
    Shape(
        "unseeded_inference",
        (
            LOAD,
            FIT,
            "def predict(df):\n"
            "    noise = np.random.normal(0, 1, len(df))\n"
            "    return model.predict(df[['area', 'rooms']]) + noise",
        ),
        rows=ROWS,
        truth="predict(raw.head(6))",
        beside=HOUSES,
        refused=r"(?i)random|chance",
    ),
    Shape(
        "a_path_only_the_author_has",
        (
            LOAD,
            FIT,
            "def predict(df):\n"
            f"    factor = float(open('{ELSEWHERE}/factor.txt').read())\n"
            "    return model.predict(df[['area', 'rooms']]) * factor",
        ),
        rows=ROWS,
        truth="predict(raw.head(6))",
        beside=HOUSES,
        elsewhere={"factor.txt": "1.5\n"},
        refused=r"factor\.txt",
    ),
    Shape(
        "several_estimators_none_chosen",
        (
            LOAD,
            FIT,
            "from sklearn.tree import DecisionTreeRegressor\n"
            "tree = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, raw['price'])",
        ),
        rows=ROWS,
        truth="tree.predict(X.head(6))",
        beside=HOUSES,
        refused=r"More than one fitted model: model, tree",
    ),
)
