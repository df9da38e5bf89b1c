"""Names of distributions: of modules that are not installed, of conda packages, of indexes.

``PROVIDERS`` and ``CONDA`` can be extended by a line each.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from filelock import FileLock

from jupyter_mlops import settings
from jupyter_mlops.environment import uv

# pipreqs cannot be a dependency (it pins an old IPython), so its table of 1 157 names is
# taken from its wheel when a module is not installed; the hash keeps it the one we know.
PIPREQS: Final = (
    "pipreqs==0.5.0 --hash=sha256:0809f6217028e35785f80e90217e18043e58c99ba28175e28320f9074dd03874"
)

#: Modules whose distribution has another name; the first is taken where nothing is installed
#: and no file beside the notebook asks for one of the others.
PROVIDERS: Final[dict[str, tuple[str, ...]]] = {
    module: tuple(names.split())
    for module, names in {
        "attr": "attrs",
        "attrs": "attrs",
        "azure.ai.ml": "azure-ai-ml",
        "azure.identity": "azure-identity",
        "azure.storage.blob": "azure-storage-blob",
        "absl": "absl-py",
        "bs4": "beautifulsoup4",
        "Crypto": "pycryptodome",
        "Cryptodome": "pycryptodomex",
        "Cython": "cython",
        "cv2": "opencv-python-headless opencv-python opencv-contrib-python-headless "
        "opencv-contrib-python",
        "dateutil": "python-dateutil",
        "distutils": "setuptools",
        "docx": "python-docx",
        "dotenv": "python-dotenv",
        "faiss": "faiss-cpu faiss-gpu",
        "fitz": "pymupdf",
        "flask_cors": "flask-cors",
        "git": "gitpython",
        "google.auth": "google-auth",
        "google.cloud.aiplatform": "google-cloud-aiplatform",
        "google.cloud.bigquery": "google-cloud-bigquery",
        "google.cloud.pubsub": "google-cloud-pubsub",
        "google.cloud.pubsub_v1": "google-cloud-pubsub",
        "google.cloud.storage": "google-cloud-storage",
        "google.genai": "google-genai",
        "google.generativeai": "google-generativeai",
        "google.oauth2": "google-auth",
        "google.protobuf": "protobuf",
        "googleapiclient": "google-api-python-client",
        "hydra": "hydra-core",
        "imblearn": "imbalanced-learn",
        "IPython": "ipython",
        "jwt": "pyjwt",
        "lightning_fabric": "lightning",
        "Levenshtein": "levenshtein",
        "magic": "python-magic",
        "mpl_toolkits": "matplotlib",
        "mpl_toolkits.basemap": "basemap",
        "MySQLdb": "mysqlclient",
        "odf": "odfpy",
        "OpenSSL": "pyopenssl",
        "osgeo": "gdal",
        "past": "future",
        "PIL": "pillow",
        "pkg_resources": "setuptools",
        "pptx": "python-pptx",
        "psycopg2": "psycopg2-binary psycopg2",
        "pylab": "matplotlib",
        "python_calamine": "python-calamine",
        "pythoncom": "pywin32",
        "pyro": "pyro-ppl",
        "pywt": "pywavelets",
        "rest_framework": "djangorestframework",
        "ruamel.yaml": "ruamel-yaml",
        "sentence_transformers": "sentence-transformers",
        "serial": "pyserial",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
        "scikitplot": "scikit-plot",
        "skopt": "scikit-optimize",
        "slugify": "python-slugify",
        "snappy": "python-snappy",
        "socks": "pysocks",
        "speech_recognition": "speechrecognition",
        "sql": "jupysql ipython-sql",
        "tables": "tables",
        "tensorflow": "tensorflow tensorflow-cpu",
        "umap": "umap-learn",
        "usb": "pyusb",
        "websocket": "websocket-client",
        "xgboost": "xgboost xgboost-cpu",
        "yaml": "pyyaml",
        "zmq": "pyzmq",
    }.items()
}
#: Well-known modules whose distribution has the same name. Others are asked about: whoever
#: registers the name of a private module in an index would be installed instead of it.
SAME: Final = frozenset(
    """
    accelerate aiohttp aiofiles alembic altair ansible anthropic anyio arch arrow arviz
    astropy asyncpg autograd awswrangler babel bitsandbytes black blosc bokeh boto3 botocore
    bottleneck cartopy catboost causalml celery certifi cffi chainer chardet chromadb click
    cloudpickle coiled colorama contextily cryptography cupy cvxpy cycler cython dash dask
    dask_ml datasets deap debugpy dgl dill diffusers distributed django docker
    docopt docutils doubleml duckdb econml einops elasticsearch emcee evaluate fastai fastapi
    fastparquet feedparser filelock fiona flask flax folium fsspec ftfy furl gcsfs
    gensim geopandas geopy gradio graphviz great_expectations greenlet gspread gym
    gymnasium h3 h5netcdf h5py hdbscan holidays holoviews html5lib httpx
    huggingface_hub humanize hvplot hyperopt hypothesis ibis igraph imageio
    implicit ipycanvas ipyleaflet ipympl ipywidgets ipython itables jax jaxlib jinja2 joblib
    jsonschema kaggle kedro keras keybert kombu kornia langchain langgraph librosa lifelines
    lightgbm lightning lime lmfit loguru lxml mapclassify markdown matplotlib mistune
    ml_dtypes mlflow mlxtend modin more_itertools mpmath msgpack msgspec multiprocess mypy
    nbconvert nbformat networkx networkit neuralprophet nevergrad nltk nibabel nilearn
    nose notebook numba numcodecs numexpr numpy numpyro oauthlib obspy ollama onnx onnxruntime
    openai openpyxl optax optuna ortools orjson osmnx packaging pandas pandas_datareader
    pandasql pandera panel papermill paramiko param parso patsy peewee peft pendulum pexpect
    pingouin plotly plotnine pmdarima polars pooch prefect prophet psutil psycopg pulp
    pyarrow pycaret pycountry pydantic pydeck pydot pygments pymc pymc3 pymongo pymysql pynndescent
    pyod pyomo pypdf pyproj pyreadr pyreadstat pyspark pytest pytorch_lightning
    pytz pyvista qiskit rasterio ray redis regex requests rich rioxarray
    rtree ruptures s3fs safetensors salib scanpy scipy scrapy seaborn selenium
    sentencepiece setuptools shap shapely simpy six skorch skops sktime soundfile spacy
    sqlalchemy sqlglot sqlmodel starlette statsforecast statsmodels streamlit sympy
    tabulate tables tensorboard tensorflow tensorflow_datasets tensorflow_hub
    tensorflow_probability textblob textdistance theano thinc threadpoolctl tiktoken timm tokenizers
    toml tomli tomlkit toolz torch torchaudio torchmetrics torchtext torchvision tornado tqdm
    traitlets transformers trino tsfresh tweepy typer typing_extensions tzdata ujson unidecode
    urllib3 uvicorn vaex vega_datasets wandb watermark wordcloud wrapt xarray xgboost xlrd
    xlsxwriter xlwt yellowbrick yfinance zarr zstandard
    """.split()
)
#: Names that many distributions share: which one is meant, the first name does not tell.
NAMESPACES: Final = frozenset(
    """
    airflow aws_cdk azure backports google jaraco nvidia opentelemetry pulumi repoze ruamel
    snowflake sphinxcontrib zope
    """.split()
)
#: conda packages whose name on the Python Package Index is another; an empty one is none there.
CONDA: Final[dict[str, str]] = {
    "blas": "",
    "cudatoolkit": "",
    "dask-core": "dask",
    "fastparquet": "fastparquet",
    "faiss": "faiss-cpu",
    "ffmpeg": "",
    "graphviz": "",
    "jupyterlab-git": "jupyterlab-git",
    "libopencv": "opencv-python-headless",
    "lightgbm-base": "lightgbm",
    "matplotlib-base": "matplotlib",
    "mkl": "mkl",
    "msgpack-python": "msgpack",
    "nodejs": "",
    "nomkl": "",
    "opencv": "opencv-python-headless",
    "openjdk": "",
    "pip": "",
    "poppler": "",
    "py-lightgbm": "lightgbm",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "pyarrow-core": "pyarrow",
    "pyqt": "pyqt5",
    "pysocks": "pysocks",
    "pytables": "tables",
    "python": "",
    "python-graphviz": "graphviz",
    "python-kaleido": "kaleido",
    "python-snappy": "python-snappy",
    "python-tzdata": "tzdata",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-cuda": "",
    "pytorch-gpu": "torch",
    "pytorch-mutex": "",
    "ruamel_yaml": "ruamel-yaml",
    "r-base": "",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "typing_extensions": "typing-extensions",
    "uv": "",
}
#: Modules of earlier Pythons, with the last one that has them (PEP 594, PEP 632 and others).
REMOVED: Final[dict[str, str]] = {
    **dict.fromkeys("asynchat asyncore imp smtpd".split(), "3.11"),
    **dict.fromkeys(
        "aifc audioop cgi cgitb chunk crypt imghdr mailcap msilib nis nntplib ossaudiodev pipes "
        "sndhdr spwd sunau telnetlib uu xdrlib lib2to3".split(),
        "3.12",
    ),
}
#: Modules that exist in a hosted notebook service only, and in no index.
HOSTED: Final[dict[str, str]] = {
    "google.colab": "Google Colab",
    "kaggle_secrets": "Kaggle",
    "kaggle_datasets": "Kaggle",
    "kaggle_web_client": "Kaggle",
    "dbruntime": "Databricks",
    "dbutils": "Databricks",
}


def normal(name: str) -> str:
    """Return a distribution's name as indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def of_conda(name: str) -> str:
    """Return the name on the Python Package Index of a conda package, empty where it has none."""
    return CONDA.get(name.lower(), name)


def providers(module: str) -> tuple[tuple[str, ...], bool]:
    """Return the distributions that have a module (dotted), and whether the first one is meant.

    Our own tables are asked first, from the longest name to the first part; then pipreqs',
    which knows first parts only: who shares one (``google``) cannot be told apart by it.
    """
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        found = PROVIDERS.get(".".join(parts[:length]))
        if found:
            return found, True
    if parts[0].lower() in SAME:
        return (normal(parts[0]),), True
    if parts[0] in NAMESPACES:
        guesses = tuple("-".join(parts[:n]).replace("_", "-") for n in (3, 2) if n <= len(parts))
        return tuple(dict.fromkeys((*guesses, *pipreqs().get(parts[0], ())))), False
    known = pipreqs().get(parts[0], ())
    return known, len(known) == 1


def similar(module: str) -> list[str]:
    """Return what a person may have meant: of modules with a similar name, and of this name."""
    top = module.partition(".")[0]
    known = {**pipreqs(), **{name: (normal(name),) for name in SAME}, **PROVIDERS}
    close = difflib.get_close_matches(top, known, n=3, cutoff=0.8)
    return list(dict.fromkeys([*(known[name][0] for name in close), normal(top)]))


def pipreqs() -> dict[str, tuple[str, ...]]:
    """Return pipreqs' table, fetched once: for each module its distributions.

    Empty when it cannot be fetched.
    """
    folder = settings.home() / "pipreqs-0.5.0"
    file = folder / "pipreqs" / "mapping"
    if not file.is_file() and not _fetch(folder):
        return {}
    return _table(file)


@lru_cache(maxsize=1)
def _table(file: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        module, colon, name = line.strip().partition(":")
        if colon:
            found[module] = tuple(dict.fromkeys((*found.get(module, ()), name)))
    return found


def _fetch(folder: Path) -> bool:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            uv.run(
                *("pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
                *("--target", str(folder), "-r", "-"),
                stdin=PIPREQS,
            )
        except uv.Failed:
            return False
    return True
