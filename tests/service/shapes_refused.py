"""Notebooks that must not become a service, and the reason that must be told."""

from __future__ import annotations

from tests.service.shape import ELSEWHERE, Shape
from tests.service.tables import HOUSES

LOAD = "import numpy as np\nimport pandas as pd\nraw = pd.read_csv('houses.csv')"
FIT = (
    "from sklearn.linear_model import Ridge\n"
    "X = raw[['area', 'rooms']]\nmodel = Ridge().fit(X, raw['price'])"
)
ROWS = "raw.drop(columns='price').head(6)"
MODEL = "model.predict(df[['area', 'rooms']])"


def _function(
    name: str, body: str, refused: str, before: str = "", **more: dict[str, str]
) -> Shape:
    """Return a notebook whose function, after ``before``, has this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"{before}def predict(df):\n{lines}"
    beside = {**HOUSES, **more.pop("beside", {})}
    return Shape(
        name,
        (LOAD, FIT, source),
        rows=ROWS,
        truth=f"predict({ROWS})",
        beside=beside,
        refused=refused,
        elsewhere=more.pop("elsewhere", {}),
        session=more.pop("session", {}),
    )


SHAPES = (
    _function(
        "unseeded_inference",
        f"noise = np.random.normal(0, 1, len(df))\nreturn {MODEL} + noise",
        r"(?i)random|chance|seed",
    ),
    _function(
        "unseeded_generator_of_the_standard_library",
        f"return [p + random.random() for p in {MODEL}]",
        r"(?i)random|chance|seed",
        before="import random\n\n",
    ),
    _function(
        "a_seed_set_once_in_the_notebook",
        f"return {MODEL} + rng.normal(0, 1, len(df))",
        r"(?i)random|chance|seed|state|rng",
        before="rng = np.random.default_rng(0)\n\n",
    ),
    _function(
        "a_global_counter",
        f"global calls\ncalls += 1\nreturn {MODEL} + calls",
        r"(?i)state|calls",
        before="calls = 0\n\n",
    ),
    _function(
        "a_list_that_grows",
        f"seen.extend(df['area'])\nreturn {MODEL} - sum(seen) / len(seen)",
        r"(?i)state|seen",
        before="seen = []\n\n",
    ),
    _function(
        "a_path_only_the_author_has",
        f"factor = float(open('{ELSEWHERE}/factor.txt').read())\nreturn {MODEL} * factor",
        r"factor\.txt",
        elsewhere={"factor.txt": "1.5\n"},
    ),
    _function(
        "a_file_beside_that_is_not_shipped",
        "table = pd.read_csv('factors.csv', index_col='rooms')\n"
        f"return {MODEL} * df['rooms'].map(table['factor'])",
        r"factors\.csv",
        beside={"factors.csv": "rooms,factor\n" + "".join(f"{n},1.{n}\n" for n in range(1, 7))},
    ),
    _function(
        "a_row_that_depends_on_its_neighbours",
        "scaled = (df['area'] - df['area'].mean()) / df['area'].std()\n"
        f"return {MODEL} + scaled.to_numpy()",
        r"(?i)other rows|neighbour|together|alone",
    ),
    _function(
        "the_time_of_day",
        f"return {MODEL} * (1 + time.time() % 60)",
        r"(?i)time|clock",
        before="import time\n\n",
    ),
    _function(
        "the_year_of_today",
        f"age = datetime.now().timestamp() - df['area'] * 1e6\nreturn {MODEL} + age.to_numpy()",
        r"(?i)time|clock|now",
        before="from datetime import datetime\n\n",
    ),
    _function(
        "a_variable_of_the_session",
        f"return {MODEL} * float(os.environ.get('SHAPES_FACTOR', '1'))",
        r"SHAPES_FACTOR",
        before="import os\n\n",
        session={"SHAPES_FACTOR": "2.5"},
    ),
    Shape(
        "a_name_that_no_cell_defines",
        (
            LOAD,
            FIT,
            "def predict(df):\n    df = df[df['area'] < limit]\n    return model.predict(df)",
        ),
        rows=ROWS,
        truth="model.predict(X.head(6))",
        beside=HOUSES,
        refused=r"needs 'limit', which no cell defines",
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
