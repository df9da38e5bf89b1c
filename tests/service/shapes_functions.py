"""Notebooks with a function that predicts."""

from __future__ import annotations

from tests.service.shape import Shape
from tests.service.tables import HOUSES

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
RAW = "raw.drop(columns='price').head(6)"

SHAPES = (
    Shape(
        "def_predict",
        (
            LOAD,
            "from sklearn.linear_model import Ridge\n"
            "X = raw[['area', 'rooms']]\nmodel = Ridge().fit(X, raw['price'])",
            "def predict(df):\n    return model.predict(df[['area', 'rooms']])",
        ),
        rows="raw[['area', 'rooms']].head(6)",
        truth="predict(raw[['area', 'rooms']].head(6))",
        beside=HOUSES,
    ),
)
