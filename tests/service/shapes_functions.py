"""Notebooks with a function that predicts."""

from __future__ import annotations

from tests.service.shape import Shape
from tests.service.tables import HOUSES, SALES

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
ROWS = "raw.drop(columns='price').head(6)"
IRIS = (
    "from sklearn.datasets import load_iris\nfrom sklearn.linear_model import LogisticRegression\n"
    "iris = load_iris(as_frame=True)\n"
    "clf = LogisticRegression(max_iter=500).fit(iris.data, iris.target)"
)

SHAPES = (
    Shape(
        "def_predict",
        (
            LOAD,
            "from sklearn.linear_model import Ridge\n"
            "X = raw[['area', 'rooms']]\nmodel = Ridge().fit(X, raw['price'])",
            "def predict(df):\n    return model.predict(df[['area', 'rooms']])",
        ),
        rows=ROWS,
        truth=f"predict({ROWS})",
        beside=HOUSES,
    ),
    Shape(
        "predict_with_helpers_and_constants",
        (
            LOAD,
            "EURO = 0.92\nCITIES = ('Bonn', 'Köln', 'Trier')\n\n"
            "def ratio(rows):\n    return rows['area'] / rows['rooms']\n\n"
            "def features(rows):\n"
            "    made = rows[['area']].assign(ratio=ratio(rows))\n"
            "    for city in CITIES:\n        made[city] = (rows['city'] == city).astype(float)\n"
            "    return made",
            "from sklearn.linear_model import Ridge\n"
            "model = Ridge().fit(features(raw), raw['price'])",
            "def predict(rows):\n    return (model.predict(features(rows)) * EURO).round(2)",
        ),
        rows=ROWS,
        truth=f"predict({ROWS})",
        beside=HOUSES,
    ),
    Shape(
        "a_tagged_cell_with_another_name",
        (
            LOAD,
            "from sklearn.tree import DecisionTreeRegressor\n"
            "tree = DecisionTreeRegressor(max_depth=4, random_state=0)\n"
            "tree.fit(raw[['area', 'rooms']], raw['price'])\n"
            "spread = raw['price'].std()",
            (
                "predict",
                "def estimate_price(flats):\n"
                "    prices = tree.predict(flats[['area', 'rooms']])\n"
                "    return [{'price': p, 'from': p - spread, 'to': p + spread} for p in prices]",
            ),
            "estimate_price(raw.head(2))",
        ),
        rows=ROWS,
        truth=f"estimate_price({ROWS})",
        beside=HOUSES,
    ),
    Shape(
        "a_threshold_with_a_default",
        (
            "from sklearn.datasets import load_breast_cancer\n"
            "from sklearn.ensemble import RandomForestClassifier\n"
            "data = load_breast_cancer(as_frame=True)\nX = data.data.iloc[:, :5]",
            "forest = RandomForestClassifier(10, random_state=0).fit(X, data.target)",
            "def predict(df, threshold=0.7):\n"
            "    return (forest.predict_proba(df)[:, 1] > threshold).astype(int)",
        ),
        rows="X.head(6)",
        truth="predict(X.head(6))",
    ),
    Shape(
        "a_frame_is_the_answer",
        (
            IRIS,
            "import pandas as pd\n\ndef predict(df):\n"
            "    likely = clf.predict_proba(df)\n"
            "    return pd.DataFrame({\n"
            "        'species': [iris.target_names[i] for i in likely.argmax(axis=1)],\n"
            "        'sure': likely.max(axis=1),\n    })",
            "predict(iris.data.tail(3))",
        ),
        rows="iris.data.iloc[::25]",
        truth="predict(iris.data.iloc[::25])",
    ),
    Shape(
        "probabilities",
        (
            IRIS,
            "def predict(rows):\n    return clf.predict_proba(rows)",
        ),
        rows="iris.data.iloc[::25]",
        truth="predict(iris.data.iloc[::25])",
    ),
    Shape(
        "names_of_the_classes",
        (
            "from sklearn.datasets import load_wine\nfrom sklearn.svm import SVC\n"
            "from sklearn.preprocessing import StandardScaler\n"
            "X, y = load_wine(return_X_y=True, as_frame=True)",
            "names = ['Barolo', 'Grignolino', 'Barbera']\nscaler = StandardScaler().fit(X)\n"
            "svc = SVC().fit(scaler.transform(X), y)",
            "def predict(df):\n"
            "    return [names[code] for code in svc.predict(scaler.transform(df))]",
        ),
        rows="X.iloc[::30]",
        truth="predict(X.iloc[::30])",
    ),
    Shape(
        "numpy_alone",
        (
            LOAD,
            "A = raw[['area', 'rooms', 'age']].to_numpy()\ny = raw['price'].to_numpy()\n"
            "centre = A.mean(axis=0)\nb = y.mean()",
            "Z = A - centre\nw = np.linalg.solve(Z.T @ Z + np.eye(3), Z.T @ (y - b))",
            "def predict(df):\n    return (df.to_numpy() - centre) @ w + b",
            "predict(raw[['area', 'rooms', 'age']].tail())",
        ),
        rows="raw[['area', 'rooms', 'age']].head(6)",
        truth="predict(raw[['area', 'rooms', 'age']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "models_in_a_dictionary",
        (
            LOAD,
            "from sklearn.ensemble import RandomForestRegressor\n"
            "from sklearn.linear_model import Ridge\nX = raw[['area', 'rooms']]",
            "models = {'ridge': Ridge(), 'rf': RandomForestRegressor(10, random_state=0)}\n"
            "for name, each in models.items():\n    each.fit(X, raw['price'])",
            "best = max(models, key=lambda name: models[name].score(X, raw['price']))\n\n"
            "def predict(df):\n    return models[best].predict(df[['area', 'rooms']])",
        ),
        rows=ROWS,
        truth=f"predict({ROWS})",
        beside=HOUSES,
    ),
    Shape(
        "a_model_for_each_region",
        (
            "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"
            "sales = pd.read_csv('sales.csv')",
            "by_region = {\n    region: LinearRegression().fit(part[['visits']], part['sold'])\n"
            "    for region, part in sales.groupby('region')\n}",
            "def predict(df):\n    sold = []\n    for row in df.itertuples():\n"
            "        asked = pd.DataFrame({'visits': [row.visits]})\n"
            "        sold.append(float(by_region[row.region].predict(asked)[0]))\n"
            "    return sold",
        ),
        rows="sales.drop(columns='sold').head(6)",
        truth="predict(sales.head(6))",
        beside=SALES,
    ),
    Shape(
        "chance_with_a_seed_in_the_function",
        (
            LOAD,
            "from sklearn.linear_model import Ridge\n"
            "X = raw[['area', 'rooms']]\nmodel = Ridge().fit(X, raw['price'])\n"
            "sigma = (raw['price'] - model.predict(X)).std()",
            "def predict(df):\n"
            "    drawn = np.random.default_rng(7).normal(0, sigma, size=200)\n"
            "    middle = model.predict(df[['area', 'rooms']])\n"
            "    return [[m + float(np.quantile(drawn, q)) for q in (0.1, 0.9)] for m in middle]",
        ),
        rows=ROWS,
        truth=f"predict({ROWS})",
        beside=HOUSES,
    ),
    Shape(
        "a_shipped_file_read_in_the_function",
        (
            "import json\nimport pandas as pd\nraw = pd.read_csv('houses.csv')",
            "from sklearn.linear_model import Ridge\n"
            "model = Ridge().fit(raw[['area', 'rooms']], raw['price'])",
            "def predict(df):\n    with open('tax.json') as file:\n"
            "        rate = json.load(file)['rate']\n"
            "    return model.predict(df[['area', 'rooms']]) * (1 + rate)",
        ),
        rows=ROWS,
        truth=f"predict({ROWS})",
        beside={**HOUSES, "tax.json": '{"rate": 0.19}\n'},
        ship=("tax.json",),
        may_refuse=True,
    ),
    Shape(
        "a_function_of_one_row",
        (
            LOAD,
            "slope, start = np.polyfit(raw['area'], raw['price'], 1)\n\n"
            "def predict(row):\n    price = start + slope * row['area']\n"
            "    if row['city'] == 'Köln':\n        price = price * 1.05\n"
            "    return float(price)",
            "raw.head(3).apply(predict, axis=1)",
        ),
        rows=ROWS,
        truth=f"[predict(row) for row in {ROWS}.to_dict('records')]",
        beside=HOUSES,
        may_refuse=True,
    ),
    Shape(
        "a_function_of_single_values",
        (
            LOAD,
            "from sklearn.linear_model import Ridge\n"
            "model = Ridge().fit(raw[['area', 'rooms']].to_numpy(), raw['price'])",
            "def predict(area, rooms):\n    return float(model.predict([[area, rooms]])[0])",
            "predict(80.0, 3)",
        ),
        rows=ROWS,
        truth="[predict(area, rooms) for area, rooms in zip(raw['area'][:6], raw['rooms'][:6])]",
        beside=HOUSES,
        may_refuse=True,
    ),
)
