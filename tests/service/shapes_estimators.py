"""An estimator that is asked about the columns as they were loaded."""

from __future__ import annotations

from tests.service.shape import Shape
from tests.service.tables import GAPS, HOUSES, REVIEWS

LOAD = "import pandas as pd\nraw = pd.read_csv('houses.csv')"
RAW = "raw.drop(columns='price').head(6)"

SHAPES = (
    Shape(
        "estimator_on_a_frame",
        (
            LOAD,
            "from sklearn.ensemble import RandomForestRegressor\n"
            "X = raw[['area', 'rooms', 'age']]\ny = raw['price']",
            "model = RandomForestRegressor(20, random_state=0).fit(X, y)\nmodel.score(X, y)",
        ),
        rows=RAW,
        truth="model.predict(raw[['area', 'rooms', 'age']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "estimator_on_an_array",
        (
            "from sklearn.datasets import load_iris\nfrom sklearn.svm import SVC",
            "X, y = load_iris(return_X_y=True)",
            "clf = SVC(gamma='scale').fit(X, y)",
        ),
        rows="X[::25]",
        truth="clf.predict(X[::25])",
    ),
    Shape(
        "pipeline_with_columns",
        (
            LOAD,
            "from sklearn.compose import ColumnTransformer\n"
            "from sklearn.linear_model import Ridge\n"
            "from sklearn.pipeline import Pipeline\n"
            "from sklearn.preprocessing import OneHotEncoder, StandardScaler",
            "prepare = ColumnTransformer([\n"
            "    ('numbers', StandardScaler(), ['area', 'rooms', 'age']),\n"
            "    ('city', OneHotEncoder(handle_unknown='ignore'), ['city']),\n])\n"
            "model = Pipeline([('prepare', prepare), ('ridge', Ridge())])",
            "model.fit(raw.drop(columns='price'), raw['price'])",
        ),
        rows=RAW,
        truth="model.predict(raw.drop(columns='price').head(6))",
        beside=HOUSES,
    ),
    Shape(
        "grid_search",
        (
            "from sklearn.datasets import load_wine\n"
            "from sklearn.model_selection import GridSearchCV\n"
            "from sklearn.tree import DecisionTreeClassifier",
            "wine = load_wine(as_frame=True)\nX, y = wine.data, wine.target",
            "search = GridSearchCV(\n"
            "    DecisionTreeClassifier(random_state=1), {'max_depth': [2, 3]}, cv=3\n)\n"
            "search.fit(X, y)\nsearch.best_params_",
        ),
        rows="wine.data.head(6)",
        truth="search.predict(wine.data.head(6))",
    ),
    Shape(
        "voting",
        (
            "from sklearn.datasets import load_iris\n"
            "from sklearn.ensemble import VotingClassifier\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "from sklearn.naive_bayes import GaussianNB\n"
            "from sklearn.neighbors import KNeighborsClassifier",
            "frame = load_iris(as_frame=True).frame\nfeatures = frame.columns[:-1]",
            "votes = VotingClassifier([\n"
            "    ('line', LogisticRegression(max_iter=500)),\n"
            "    ('bayes', GaussianNB()),\n    ('near', KNeighborsClassifier()),\n])\n"
            "votes.fit(frame[features], frame['target'])",
        ),
        rows="frame[features].iloc[::25]",
        truth="votes.predict(frame[features].iloc[::25])",
    ),
    Shape(
        "gradient_boosting_with_gaps",
        (
            LOAD,
            "from sklearn.ensemble import HistGradientBoostingRegressor\n"
            "from sklearn.model_selection import train_test_split",
            "X_train, X_test, y_train, y_test = train_test_split(\n"
            "    raw[['area', 'rooms', 'age']], raw.price, random_state=0\n)",
            "boost = HistGradientBoostingRegressor(max_iter=20, random_state=0)\n"
            "boost.fit(X_train, y_train)\nprint(boost.score(X_test, y_test))",
        ),
        rows=RAW,
        truth="boost.predict(raw[['area', 'rooms', 'age']].head(6))",
        beside=GAPS,
    ),
    Shape(
        "pipeline_on_texts",
        (
            "import pandas as pd\nreviews = pd.read_csv('reviews.csv')",
            "from sklearn.feature_extraction.text import CountVectorizer\n"
            "from sklearn.naive_bayes import MultinomialNB\n"
            "from sklearn.pipeline import make_pipeline",
            "model = make_pipeline(CountVectorizer(), MultinomialNB())\n"
            "model.fit(reviews['text'], reviews['mood'])",
        ),
        rows="reviews[['text']].head(6)",
        truth="model.predict(reviews['text'].head(6))",
        beside=REVIEWS,
    ),
    Shape(
        "several_estimators_one_chosen",
        (
            LOAD,
            "from sklearn.linear_model import LinearRegression\n"
            "from sklearn.tree import DecisionTreeRegressor",
            "X = raw[['area', 'rooms']]\ny = raw['price']",
            "line = LinearRegression().fit(X, y)\n"
            "tree = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, y)",
            "print(line.score(X, y), tree.score(X, y))",
        ),
        rows=RAW,
        truth="tree.predict(raw[['area', 'rooms']].head(6))",
        model="tree",
        beside=HOUSES,
    ),
    Shape(
        "dropped_and_filtered_before_the_fit",
        (
            LOAD,
            "from sklearn.model_selection import train_test_split\n"
            "from sklearn.neighbors import KNeighborsRegressor",
            "clean = raw.dropna()\nclean = clean[clean['area'] > 40]\n"
            "features = ['area', 'rooms', 'age']",
            "train, test = train_test_split(clean, test_size=0.25, random_state=4)",
            "near = KNeighborsRegressor(3).fit(train[features], train['price'])\n"
            "near.score(test[features], test['price'])",
        ),
        rows="test.drop(columns='price').head(6)",
        truth="near.predict(test[features].head(6))",
        beside=GAPS,
    ),
    Shape(
        "clusters",
        (
            "from sklearn.cluster import KMeans\nfrom sklearn.datasets import load_iris",
            "iris = load_iris(as_frame=True)\nmeasures = iris.data",
            "groups = KMeans(3, n_init=4, random_state=0).fit(measures)\n"
            "measures.assign(group=groups.labels_).groupby('group').mean()",
        ),
        rows="measures.iloc[::25]",
        truth="groups.predict(measures.iloc[::25])",
    ),
    Shape(
        "target_on_a_log_scale_by_a_wrapper",
        (
            LOAD,
            "import numpy as np\nfrom sklearn.compose import TransformedTargetRegressor\n"
            "from sklearn.linear_model import Ridge",
            "X = raw[['area', 'rooms']]\n"
            "model = TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)\n"
            "model.fit(X, raw['price'])",
        ),
        rows=RAW,
        truth="model.predict(raw[['area', 'rooms']].head(6))",
        beside=HOUSES,
    ),
    Shape(
        "a_class_of_the_notebook_in_the_pipeline",
        (
            LOAD,
            "from sklearn.base import BaseEstimator, TransformerMixin\n\n"
            "class PerRoom(BaseEstimator, TransformerMixin):\n"
            "    def __init__(self, power=1.0):\n        self.power = power\n\n"
            "    def fit(self, X, y=None):\n        self.mean_ = X['area'].mean()\n"
            "        return self\n\n"
            "    def transform(self, X):\n"
            "        ratio = (X['area'] - self.mean_) / X['rooms'] ** self.power\n"
            "        return X.assign(ratio=ratio)",
            "from sklearn.linear_model import LinearRegression\n"
            "from sklearn.pipeline import make_pipeline\n"
            "model = make_pipeline(PerRoom(power=2), LinearRegression())\n"
            "model.fit(raw[['area', 'rooms', 'age']], raw['price'])",
        ),
        rows=RAW,
        truth="model.predict(raw[['area', 'rooms', 'age']].head(6))",
        beside=HOUSES,
    ),
)
