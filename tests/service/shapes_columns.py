"""Columns that are computed before the fit: arithmetic, dictionaries, dates, bins, joins."""

from __future__ import annotations

from tests.service.shape import Shape
from tests.service.tables import ASKED, GAPS, HOUSES, REGIONS, SALES

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
RAW = "raw.drop(columns='price').head(6)"
AGAIN = "pd.read_csv('houses.csv').drop(columns='price').head(6)"
MODULE = """\
\"\"\"Features that several notebooks share.\"\"\"

SIZES = ((60, "small"), (110, "middle"))


def size(area):
    return next((name for limit, name in SIZES if area < limit), "large")


def build(frame):
    made = frame[["area", "age"]].copy()
    made["per_room"] = frame["area"] / frame["rooms"]
    made["large"] = [int(size(area) == "large") for area in frame["area"]]
    return made
"""

SHAPES = (
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
    Shape(
        "module_beside_the_notebook",
        (
            "import features\nimport pandas as pd\n"
            "from sklearn.ensemble import ExtraTreesRegressor",
            "raw = pd.read_csv('houses.csv')\nX = features.build(raw)",
            "trees = ExtraTreesRegressor(15, random_state=2).fit(X, raw['price'])",
        ),
        rows=RAW,
        truth="trees.predict(features.build(raw.head(6)))",
        beside={**HOUSES, "features.py": MODULE},
    ),
    Shape(
        "arithmetic_in_place_over_several_cells",
        (
            "import pandas as pd\ndf = pd.read_csv('houses.csv')\ndf.head()",
            "df['per_room'] = df['area'] / df['rooms']",
            "df['old'] = (df['age'] > 50).astype(int)\ndf['age'] = df['age'] / 100",
            "df = df.drop(columns=['rooms'])",
            "from sklearn.linear_model import LinearRegression\n"
            "features = ['area', 'per_room', 'old', 'age']\n"
            "model = LinearRegression().fit(df[features], df['price'])",
        ),
        rows=AGAIN,
        truth="model.predict(df[features].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "logarithms_of_a_column_and_of_the_target",
        (
            "import numpy as np\nimport pandas as pd\nhouses = pd.read_csv('houses.csv')",
            "houses['log_area'] = np.log(houses['area'])\ny = np.log1p(houses['price'])",
            "from sklearn.linear_model import Ridge\n"
            "ridge = Ridge(alpha=0.1).fit(houses[['log_area', 'rooms']], y)",
            "def predict(df):\n"
            "    df = df.assign(log_area=np.log(df['area']))\n"
            "    return np.expm1(ridge.predict(df[['log_area', 'rooms']]))",
            "predict(houses.head(3))",
        ),
        rows=AGAIN,
        truth=f"predict({AGAIN})",
        beside=HOUSES,
    ),
    Shape(
        "texts_mapped_by_a_dictionary",
        (
            LOAD,
            "from sklearn.tree import DecisionTreeRegressor\n"
            "distance = {'Bonn': 30, 'Köln': 5}\n"
            "raw['distance'] = raw['city'].map(distance).fillna(100)",
            "X = raw[['area', 'distance']]\n"
            "tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, raw['price'])",
        ),
        rows=AGAIN,
        truth="tree.predict(raw[['area', 'distance']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "dates_become_features",
        (
            "import pandas as pd\nsales = pd.read_csv('sales.csv')",
            "df = sales.copy()\ndf['when'] = pd.to_datetime(df['when'])\n"
            "df['month'] = df['when'].dt.month\n"
            "df['weekend'] = (df['when'].dt.dayofweek >= 5).astype(int)",
            "from sklearn.ensemble import RandomForestRegressor\n"
            "cols = ['visits', 'month', 'weekend']\n"
            "forest = RandomForestRegressor(15, random_state=0).fit(df[cols], df['sold'])",
        ),
        rows="sales.drop(columns='sold').head(6)",
        truth="forest.predict(df[cols].head(6))",
        beside=SALES,
    ),
    Shape(
        "bins_with_fixed_edges",
        (
            LOAD,
            "from sklearn.linear_model import LinearRegression\nEDGES = [0, 10, 40, 200]\n"
            "binned = raw.assign(\n"
            "    era=pd.cut(raw['age'], bins=EDGES, labels=False, include_lowest=True)\n)",
            "lm = LinearRegression().fit(binned[['area', 'era']], binned['price'])",
        ),
        rows=RAW,
        truth="lm.predict(binned[['area', 'era']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "a_chain_of_pipes",
        (
            LOAD,
            "def ratio(df):\n    return df.assign(ratio=df['area'] / df['rooms'])\n\n"
            "def capped(df, column, most):\n"
            "    return df.assign(**{column: df[column].clip(upper=most)})",
            "prepared = (\n    raw.pipe(ratio)\n    .pipe(capped, 'ratio', most=60)\n"
            "    .rename(columns={'age': 'years'})\n    .drop(columns=['city', 'rooms'])\n)",
            "from sklearn.neighbors import KNeighborsRegressor\n"
            "X = prepared.drop(columns='price')\n"
            "near = KNeighborsRegressor(4).fit(X, prepared['price'])",
        ),
        rows=RAW,
        truth="near.predict(prepared.drop(columns='price').head(6))",
        beside=HOUSES,
    ),
    Shape(
        "a_loop_over_columns",
        (
            "import pandas as pd\ndf = pd.read_csv('houses.csv')",
            "COLS = ['area', 'rooms', 'age']\n"
            "means = {c: df[c].mean() for c in COLS}\nstds = {c: df[c].std() for c in COLS}",
            "for c in COLS:\n    df[c] = (df[c] - means[c]) / stds[c]",
            "from sklearn.linear_model import Ridge\nmodel = Ridge().fit(df[COLS], df['price'])",
        ),
        rows=AGAIN,
        truth="model.predict(df[COLS].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "a_parameter_in_the_preprocessing",
        (
            ("parameters", "max_age = 60\nalpha = 0.5"),
            LOAD,
            "df = raw.copy()\ndf['age'] = df['age'].clip(upper=max_age)",
            "from sklearn.linear_model import Ridge\n"
            "ridge = Ridge(alpha).fit(df[['area', 'age']], df['price'])",
        ),
        rows="raw[raw['age'] > 60].drop(columns='price').head(6)",
        truth="ridge.predict(df.loc[raw['age'] > 60, ['area', 'age']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "a_table_merged_by_its_key",
        (
            "import pandas as pd\nsales = pd.read_csv('sales.csv')\n"
            "regions = pd.read_csv('regions.csv')",
            "df = sales.merge(regions, on='region', how='left')\n"
            "df['per_head'] = df['visits'] / df['people']",
            "from sklearn.linear_model import LinearRegression\n"
            "cols = ['visits', 'people', 'coast', 'per_head']\n"
            "model = LinearRegression().fit(df[cols], df['sold'])",
        ),
        rows="sales.drop(columns='sold').head(6)",
        truth="model.predict(df[cols].head(6))",
        beside={**SALES, **REGIONS},
    ),
    Shape(
        "conditions_by_where_and_apply",
        (
            LOAD,
            "def kind(row):\n"
            "    return 2 if row['rooms'] > 4 else int(row['area'] > 100)\n\n"
            "raw['kind'] = raw.apply(kind, axis=1)\n"
            "raw['new'] = np.where(raw['age'] < 5, 1.0, 0.0)\n"
            "raw.loc[raw['age'] > 80, 'age'] = 80",
            "from sklearn.ensemble import RandomForestRegressor\n"
            "X = raw[['area', 'kind', 'new', 'age']]\n"
            "forest = RandomForestRegressor(12, random_state=5).fit(X, raw['price'])",
        ),
        rows=AGAIN,
        truth="forest.predict(X.head(6))",
        beside=HOUSES,
    ),
    # The text says `fit on these rows`, so what is computed of them must be kept, or refused.
    Shape(
        "a_median_without_a_name",
        (
            LOAD,
            "df = raw.copy()\ndf['age'] = df['age'].fillna(df['age'].median())",
            "from sklearn.linear_model import LinearRegression\n"
            "model = LinearRegression().fit(df[['area', 'age']], df['price'])",
        ),
        rows=RAW,
        truth="model.predict(df[['area', 'age']].head(6))",
        beside=GAPS,
        may_refuse=True,
    ),
    Shape(
        "standardized_by_its_own_mean",
        (
            LOAD,
            "X = raw[['area', 'rooms', 'age']]\nX = (X - X.mean()) / X.std()",
            "from sklearn.linear_model import Ridge\nmodel = Ridge().fit(X, raw['price'])",
        ),
        rows=RAW,
        truth="model.predict(X.head(6))",
        beside=HOUSES,
        may_refuse=True,
    ),
    Shape(
        "dummies_without_a_list_of_columns",
        (
            LOAD,
            "X = pd.get_dummies(raw.drop(columns='price'), dtype=float)",
            "from sklearn.linear_model import Ridge\nmodel = Ridge().fit(X, raw['price'])",
        ),
        rows="raw[raw['city'] == 'Bonn'].drop(columns='price').head(3)",
        truth="model.predict(X[raw['city'] == 'Bonn'].head(3))",
        beside=HOUSES,
        may_refuse=True,
    ),
    Shape(
        "numbered_by_the_rows_that_are_there",
        (
            LOAD,
            "df = raw.copy()\ndf['code'] = df['city'].astype('category').cat.codes\n"
            "df['rank'] = df['area'].rank()",
            "from sklearn.linear_model import Ridge\n"
            "model = Ridge().fit(df[['code', 'rank']], df['price'])",
        ),
        rows=RAW,
        truth="model.predict(df[['code', 'rank']].head(6))",
        beside=HOUSES,
        falls_back=r"not the rows of raw \(cell 1\): .*answers",
    ),
    Shape(
        "two_files_prepared_in_one_loop",
        (
            "import pandas as pd\nfrom sklearn.ensemble import RandomForestRegressor",
            "train = pd.read_csv('houses.csv')\ntest = pd.read_csv('asked.csv')\n"
            "middle = train['age'].median()",
            "for df in [train, test]:\n"
            "    df['age'] = df['age'].fillna(middle)\n"
            "    df['per_room'] = df['area'] / df['rooms']\n"
            "    df['is_koeln'] = (df['city'] == 'Köln').astype(int)",
            "cols = ['area', 'age', 'per_room', 'is_koeln']\n"
            "forest = RandomForestRegressor(10, random_state=0)\n"
            "forest.fit(train[cols], train['price'])",
            "submission = pd.DataFrame({'price': forest.predict(test[cols])})\nsubmission.head()",
        ),
        rows="pd.read_csv('asked.csv')",
        truth="submission['price']",
        beside={**GAPS, **ASKED},
    ),
    Shape(
        "two_files_joined_for_their_categories",
        (
            "import pandas as pd\nfrom sklearn.linear_model import Ridge",
            "train = pd.read_csv('houses.csv')\ntest = pd.read_csv('asked.csv')",
            "both = pd.concat([train.drop(columns='price'), test], ignore_index=True)\n"
            "both['age'] = both['age'].fillna(0)\nboth = pd.get_dummies(both, dtype=float)",
            "X_train, X_test = both.iloc[:len(train)], both.iloc[len(train):]\n"
            "model = Ridge().fit(X_train, train['price'])\nmodel.predict(X_test)",
        ),
        rows="test",
        truth="model.predict(X_test)",
        beside={**GAPS, **ASKED},
        may_refuse=True,
    ),
)
