"""What libraries load by name."""

from __future__ import annotations

from tests.environment.inference.case import (
    MATPLOTLIB,
    NUMPY,
    PANDAS,
    PYARROW,
    SCIPY,
    SKLEARN,
    Case,
)

OPENPYXL = {"openpyxl": "3.1.5"}
PSYCOPG = {"psycopg2-binary": "2.9.9"}
SQLALCHEMY = {"SQLAlchemy": "2.0.35"}
JINJA = {"Jinja2": "3.1.4"}
XARRAY = {"xarray": "2024.9.0"}


def pandas(name: str, code: str, more: dict[str, str], **rest: object) -> Case:
    return Case(name, ["import pandas as pd\n" + code], {**PANDAS, **more}, **rest)  # type: ignore[arg-type]


CASES = [
    pandas(
        "read_parquet",
        "pd.read_parquet('a')",
        PYARROW,
        why=["calls read_parquet(), which needs it"],
    ),
    pandas("to_parquet of any object", "f().to_parquet('a')", PYARROW),
    pandas(
        "engine that is named and absent",
        "pd.read_parquet('a', engine='fastparquet')",
        {"fastparquet": ""},
        warns=["fastparquet is taken"],
    ),
    pandas("read_excel", "pd.read_excel('a.xlsx')", OPENPYXL),
    pandas("read_excel of an old file", "pd.read_excel('a.xls')", {"xlrd": "2.0.1"}),
    pandas(
        "read_excel of a path in a variable", "P = 'a.xls'\npd.read_excel(P)", {"xlrd": "2.0.1"}
    ),
    pandas("to_excel", "df.to_excel('a.xlsx')", OPENPYXL),
    pandas("ExcelWriter with an engine", "pd.ExcelWriter('a.xlsx', engine='openpyxl')", OPENPYXL),
    pandas("to_markdown", "print(df.to_markdown())", {"tabulate": "0.9.0"}),
    pandas("read_html", "pd.read_html('x')", {"lxml": "5.3.0"}),
    pandas("read_xml with the standard parser", "pd.read_xml('x', parser='etree')", {}),
    pandas("style", "df.style.format('{:.1f}')", JINJA),
    pandas("style with colours", "df.style.background_gradient()", {**JINJA, **MATPLOTLIB}),
    pandas("plot", "df.plot(x='a')", MATPLOTLIB),
    pandas("plot with a backend", "df.plot(backend='plotly')", {"plotly": "5.24.0"}),
    pandas("backend as an option", "pd.options.plotting.backend = 'plotly'", {"plotly": "5.24.0"}),
    pandas("interpolate with SciPy's method", "s.interpolate(method='cubic')", SCIPY),
    pandas("interpolate with its own method", "s.interpolate(method='linear')", {}),
    pandas("corr with kendall", "df.corr(method='kendall')", SCIPY),
    pandas("types of arrow", "df.astype('int64[pyarrow]')", PYARROW),
    pandas("address of an object store", "pd.read_csv('s3://bucket/a.csv')", {"s3fs": "2024.9.0"}),
    pandas(
        "address in a variable of another cell",
        "pd.read_csv(f's3://{b}/a.csv')",
        {"s3fs": "2024.9.0"},
    ),
    pandas(
        "address of a database",
        "pd.read_sql('select 1', 'postgresql://h/d')",
        {**SQLALCHEMY, **PSYCOPG},
    ),
    pandas(
        "methods with the same name in another library",
        "import networkx as nx\nnx.hist()",
        {"networkx": "3.3"},
    ),
    Case(
        "create_engine",
        ["from sqlalchemy import create_engine\ncreate_engine('postgresql+psycopg2://h')"],
        {**SQLALCHEMY, **PSYCOPG},
    ),
    Case(
        "create_engine of SQLite",
        ["import sqlalchemy as sa\nsa.create_engine('sqlite:///a.db')"],
        SQLALCHEMY,
    ),
    Case(
        "a function of the notebook's own",
        ["import pandas\ndef read_parquet(x): ...\nread_parquet(1)"],
        PANDAS,
    ),
    Case("no library that would load it", ["df.to_parquet('a')"], {}),
    Case(
        "under try",
        ["import pandas as pd\ntry:\n    pd.read_hdf('a')\nexcept ImportError:\n    pass"],
        PANDAS,
    ),
    Case(
        "in a local module",
        ["import tools"],
        {**PANDAS, **PYARROW},
        files={"tools.py": "import pandas as pd\ndef f(): return pd.read_feather('x')"},
        local=["tools.py"],
    ),
    Case(
        "xarray and netCDF",
        ["import xarray as xr\nxr.open_dataset('a.nc')"],
        {**XARRAY, "netCDF4": "1.7.1"},
    ),
    Case(
        "xarray with an engine",
        ["import xarray as xr\nxr.open_dataset('a', engine='zarr')"],
        {**XARRAY, "zarr": "2.18.3"},
    ),
    Case(
        "an estimator of lightgbm",
        ["from lightgbm import LGBMClassifier\nLGBMClassifier()"],
        {"lightgbm": "4.5.0", **SKLEARN},
    ),
    Case(
        "drawing with networkx",
        ["import networkx as nx\nnx.draw(g)"],
        {"networkx": "3.3", **MATPLOTLIB},
    ),
    Case(
        "tables from scikit-learn",
        ["import sklearn\nx.set_output(transform='pandas')"],
        {**SKLEARN, **PANDAS},
    ),
    Case(
        "dask.distributed",
        ["from dask.distributed import Client"],
        {"dask": "2024.9.0", "distributed": "2024.9.0"},
    ),
    Case("dask.array", ["import dask.array as da"], {"dask": "2024.9.0", **NUMPY}),
    Case(
        "tqdm.notebook",
        ["from tqdm.notebook import tqdm"],
        {"tqdm": "4.66.5", "ipywidgets": "8.1.5"},
    ),
    Case(
        "matplotlib.use",
        ["import matplotlib\nmatplotlib.use('module://ipympl.backend_nbagg')"],
        {**MATPLOTLIB, "ipympl": "0.9.4"},
    ),
]
