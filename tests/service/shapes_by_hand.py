"""Values prepared by hand with what was fitted: scalers, encoders, projections, medians."""

from __future__ import annotations

from tests.service.shape import Shape
from tests.service.tables import GAPS, HOUSES, REVIEWS

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
RAW = "raw.drop(columns='price').head(6)"
NUMBERS = "raw[['area', 'rooms', 'age']].head(6)"
SPLIT = (
    "from sklearn.model_selection import train_test_split\n"
    "X = raw[['area', 'rooms', 'age']]\ny = raw['price']\n"
    "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"
)

SHAPES = (
    Shape(
        "scaler_by_hand",
        (
            LOAD,
            SPLIT,
            "from sklearn.linear_model import LinearRegression\n"
            "from sklearn.preprocessing import StandardScaler\n"
            "scaler = StandardScaler()\nX_train_scaled = scaler.fit_transform(X_train)\n"
            "X_test_scaled = scaler.transform(X_test)",
            "model = LinearRegression().fit(X_train_scaled, y_train)\n"
            "model.score(X_test_scaled, y_test)",
        ),
        rows=RAW,
        truth=f"model.predict(scaler.transform({NUMBERS}))",
        beside=HOUSES,
    ),
    Shape(
        "scaler_under_the_same_name",
        (
            LOAD,
            SPLIT,
            "from sklearn.preprocessing import MinMaxScaler\n"
            "from sklearn.neighbors import KNeighborsRegressor\n"
            "mm = MinMaxScaler().fit(X_train)\n"
            "X_train = mm.transform(X_train)\nX_test = mm.transform(X_test)",
            "knn = KNeighborsRegressor(n_neighbors=3)\nknn.fit(X_train, y_train)\n"
            "print('R2', knn.score(X_test, y_test))",
        ),
        rows=RAW,
        truth=f"knn.predict(mm.transform({NUMBERS}))",
        beside=HOUSES,
    ),
    Shape(
        "fit_transform_before_the_split",
        (
            LOAD,
            "from sklearn.model_selection import train_test_split\n"
            "from sklearn.preprocessing import RobustScaler\n"
            "from sklearn.svm import SVR",
            "X = raw.drop(columns=['price', 'city'])\ny = raw['price']\n"
            "robust = RobustScaler()\nX = robust.fit_transform(X)",
            "X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=3)",
            "svr = SVR(C=1e5)\nsvr.fit(X_tr, y_tr)\nsvr.score(X_te, y_te)",
        ),
        rows=RAW,
        truth=f"svr.predict(robust.transform({NUMBERS}))",
        beside=HOUSES,
    ),
    Shape(
        "some_columns_scaled_in_place",
        (
            "import pandas as pd\nfrom sklearn.linear_model import Ridge\n"
            "from sklearn.preprocessing import StandardScaler\n"
            "df = pd.read_csv('houses.csv')",
            "scale = ['area', 'age']\nscaler = StandardScaler()\n"
            "df[scale] = scaler.fit_transform(df[scale])",
            "features = ['area', 'rooms', 'age']\nmodel = Ridge().fit(df[features], df['price'])",
        ),
        rows="pd.read_csv('houses.csv').drop(columns='price').head(6)",
        truth="model.predict(df[features].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "target_scaled_by_hand_in_a_function",
        (
            LOAD,
            "from sklearn.linear_model import Ridge\n"
            "from sklearn.preprocessing import StandardScaler\n"
            "sx, sy = StandardScaler(), StandardScaler()\n"
            "Xs = sx.fit_transform(raw[['area', 'rooms']])\n"
            "ys = sy.fit_transform(raw[['price']]).ravel()",
            "ridge = Ridge(alpha=0.3).fit(Xs, ys)",
            "def predict(df):\n"
            "    scaled = ridge.predict(sx.transform(df[['area', 'rooms']]))\n"
            "    return sy.inverse_transform(scaled.reshape(-1, 1)).ravel()",
        ),
        rows=RAW,
        truth="predict(raw[['area', 'rooms']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "ordinal_encoder_by_hand",
        (
            LOAD,
            "from sklearn.preprocessing import OrdinalEncoder\n"
            "from sklearn.tree import DecisionTreeRegressor\n"
            "codes = OrdinalEncoder()\ndf = raw.copy()\n"
            "df['city_code'] = codes.fit_transform(df[['city']]).ravel()",
            "cols = ['area', 'rooms', 'city_code']\n"
            "tree = DecisionTreeRegressor(max_depth=5, random_state=0).fit(df[cols], df['price'])",
        ),
        rows=RAW,
        truth="tree.predict(df[cols].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "label_encoder_replaces_a_column",
        (
            "import pandas as pd\nfrom sklearn.ensemble import RandomForestRegressor\n"
            "from sklearn.preprocessing import LabelEncoder",
            "df = pd.read_csv('houses.csv')\nle = LabelEncoder()\n"
            "df['city'] = le.fit_transform(df['city'])",
            "X = df.drop('price', axis=1)\ny = df['price']\n"
            "rf = RandomForestRegressor(10, random_state=0)\nrf.fit(X, y)",
        ),
        rows="pd.read_csv('houses.csv').drop(columns='price').head(6)",
        truth="rf.predict(X.head(6))",
        beside=HOUSES,
    ),
    Shape(
        "one_hot_by_get_dummies",
        (
            LOAD,
            "from sklearn.linear_model import LinearRegression\n"
            "X = pd.get_dummies(raw.drop(columns='price'), columns=['city'], dtype=float)\n"
            "dummies = X.columns\nmodel = LinearRegression().fit(X, raw['price'])",
            "new = pd.DataFrame({'area': [80.0], 'rooms': [3], 'city': ['Trier'], 'age': [10]})\n"
            "new = pd.get_dummies(new, columns=['city'], dtype=float)\n"
            "model.predict(new.reindex(columns=dummies, fill_value=0))",
        ),
        rows=RAW,
        truth=f"model.predict(pd.get_dummies({RAW}, columns=['city'], dtype=float)"
        ".reindex(columns=dummies, fill_value=0))",
        beside=HOUSES,
    ),
    Shape(
        "gaps_filled_with_the_median_of_the_training_rows",
        (
            LOAD,
            "train, test = raw.iloc[20:].copy(), raw.iloc[:20].copy()\n"
            "median = train['age'].median()\n"
            "train['age'] = train['age'].fillna(median)\ntest['age'] = test['age'].fillna(median)",
            "from sklearn.linear_model import LinearRegression\n"
            "X = ['area', 'rooms', 'age']\nmodel = LinearRegression()\n"
            "model.fit(train[X], train['price'])\nmodel.score(test[X], test['price'])",
        ),
        rows=RAW,
        truth="model.predict(test[X].head(6))",
        beside=GAPS,
    ),
    Shape(
        "imputer_then_scaler",
        (
            LOAD,
            "from sklearn.impute import SimpleImputer\n"
            "from sklearn.linear_model import Lasso\n"
            "from sklearn.preprocessing import StandardScaler",
            "numbers = raw[['area', 'rooms', 'age']]\nimputer = SimpleImputer(strategy='median')\n"
            "filled = imputer.fit_transform(numbers)\n"
            "scaler = StandardScaler().fit(filled)\nready = scaler.transform(filled)",
            "lasso = Lasso(alpha=10.0).fit(ready, raw['price'])\nlasso.coef_",
        ),
        rows=RAW,
        truth=f"lasso.predict(scaler.transform(imputer.transform({NUMBERS})))",
        beside=GAPS,
    ),
    Shape(
        "projection_by_hand",
        (
            "from sklearn.datasets import load_wine\nfrom sklearn.decomposition import PCA\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "from sklearn.preprocessing import StandardScaler",
            "wine = load_wine(as_frame=True)\nX, y = wine.data, wine.target\n"
            "scaler = StandardScaler().fit(X)\npca = PCA(4, random_state=0)\n"
            "Z = pca.fit_transform(scaler.transform(X))",
            "clf = LogisticRegression().fit(Z, y)\nclf.score(Z, y)",
        ),
        rows="wine.data.iloc[::30]",
        truth="clf.predict(pca.transform(scaler.transform(wine.data.iloc[::30])))",
    ),
    Shape(
        "polynomial_by_hand",
        (
            LOAD,
            "from sklearn.linear_model import LinearRegression\n"
            "from sklearn.preprocessing import PolynomialFeatures\n"
            "poly = PolynomialFeatures(degree=2, include_bias=False)\n"
            "X_poly = poly.fit_transform(raw[['area', 'age']])",
            "reg = LinearRegression().fit(X_poly, raw['price'])",
        ),
        rows=RAW,
        truth="reg.predict(poly.transform(raw[['area', 'age']].head(6)))",
        beside=HOUSES,
    ),
    Shape(
        "texts_weighed_by_hand",
        (
            "import pandas as pd\nfrom sklearn.feature_extraction.text import TfidfVectorizer\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "reviews = pd.read_csv('reviews.csv')",
            "vectors = TfidfVectorizer()\nX = vectors.fit_transform(reviews['text'])",
            "clf = LogisticRegression().fit(X, reviews['mood'])\nclf.score(X, reviews['mood'])",
        ),
        rows="reviews[['text']].head(6)",
        truth="clf.predict(vectors.transform(reviews['text'].head(6)))",
        beside=REVIEWS,
    ),
    Shape(
        "labels_decoded_by_hand",
        (
            "import pandas as pd\nfrom sklearn.preprocessing import LabelEncoder\n"
            "from sklearn.feature_extraction.text import CountVectorizer\n"
            "from sklearn.naive_bayes import MultinomialNB\n"
            "reviews = pd.read_csv('reviews.csv')",
            "encoder = LabelEncoder()\ny = encoder.fit_transform(reviews['mood'])\n"
            "counts = CountVectorizer()\nX = counts.fit_transform(reviews.text)",
            "bayes = MultinomialNB().fit(X, y)",
            "def predict(df):\n"
            "    return encoder.inverse_transform(bayes.predict(counts.transform(df['text'])))",
        ),
        rows="reviews[['text']].head(6)",
        truth="predict(reviews[['text']].head(6))",
        beside=REVIEWS,
    ),
    Shape(
        "clusters_as_a_feature",
        (
            LOAD,
            "from sklearn.cluster import KMeans\nfrom sklearn.tree import DecisionTreeRegressor\n"
            "cols = ['area', 'age']\nkm = KMeans(3, n_init=3, random_state=0)\n"
            "df = raw.copy()\ndf['group'] = km.fit_predict(df[cols])",
            "tree = DecisionTreeRegressor(max_depth=5, random_state=0)\n"
            "tree.fit(df[['area', 'rooms', 'group']], df['price'])",
        ),
        rows=RAW,
        truth="tree.predict(df[['area', 'rooms', 'group']].head(6))",
        model="tree",
        beside=HOUSES,
    ),
)
