"""Preprocessing by hand, outside of a Pipeline: it must come along."""

from __future__ import annotations

from tests.service.shape import Shape
from tests.service.tables import HOUSES

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
RAW = "raw.drop(columns='price').head(6)"

SHAPES = (
    Shape(
        "scaler_by_hand",
        (
            LOAD,
            "from sklearn.linear_model import LinearRegression\n"
            "from sklearn.model_selection import train_test_split\n"
            "from sklearn.preprocessing import StandardScaler",
            "X = raw[['area', 'rooms', 'age']]\ny = raw['price']\n"
            "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
            "scaler = StandardScaler()\nX_train_scaled = scaler.fit_transform(X_train)\n"
            "X_test_scaled = scaler.transform(X_test)",
            "model = LinearRegression().fit(X_train_scaled, y_train)\n"
            "model.score(X_test_scaled, y_test)",
        ),
        rows="raw[['area', 'rooms', 'age']].head(6)",
        truth="model.predict(scaler.transform(raw[['area', 'rooms', 'age']].head(6)))",
        beside=HOUSES,
    ),
    Shape(
        "helper_function_adds_columns",
        (
            LOAD,
            "FEATURES = ['area', 'rooms', 'age', 'per_room']\n\n"
            "def add_ratio(frame):\n"
            "    frame = frame.copy()\n"
            "    frame['per_room'] = frame['area'] / frame['rooms']\n"
            "    return frame",
            "from sklearn.ensemble import GradientBoostingRegressor\n"
            "data = add_ratio(raw)\nX = data[FEATURES]\ny = data['price']",
            "model = GradientBoostingRegressor(n_estimators=20, random_state=0).fit(X, y)",
        ),
        rows=RAW,
        truth="model.predict(add_ratio(raw.head(6))[FEATURES])",
        beside=HOUSES,
    ),
)
