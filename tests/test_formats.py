"""Every format, all the way: trained in a notebook, published, and asked in Docker."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uv

from jupyter_mlops.environment import indexes
from jupyter_mlops.environment.options import LockOptions
from jupyter_mlops.errors import CaptureError
from jupyter_mlops.publish import Published, publish
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from jupyter_mlops.serve import serve, stop_service
from tests.notebooks import make
from tests.test_other_kernels import environment, kernelspec

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.docker,
    pytest.mark.registry,
    pytest.mark.timeout(900),
]

DATA = """import numpy as np
import pandas as pd
X = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 4)), columns=list("abcd"))
y = (X.a + X.b * X.c > 0).astype(int)"""
ASKED = "expected = predict(X.head(8))"

TABLES = [
    ("markdown", "# Trees and tables"),
    "import catboost\nimport lightgbm as lgb\nimport polars as pl\nimport pyarrow as pa\n"
    "import statsmodels.api as sm\nimport xgboost as xgb\n"
    "from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier\n"
    "from sklearn.model_selection import GridSearchCV\n"
    "from sklearn.neighbors import KNeighborsClassifier\n"
    "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler",
    DATA,
    "few = dict(n_estimators=8, random_state=0, n_jobs=1)\n"
    "words = y.map({0: 'no', 1: 'yes'}).to_numpy(dtype=object)\n"
    "xgb_labels = xgb.XGBClassifier(**few).fit(X, y)\n"
    "xgb_booster = xgb.train({'nthread': 1}, xgb.DMatrix(X, y), 5)\n"
    "lgb_labels = lgb.LGBMClassifier(verbose=-1, **few).fit(X, words)\n"
    "lgb_booster = lgb.LGBMRegressor(verbose=-1, **few).fit(X, y).booster_\n"
    "cat_labels = catboost.CatBoostClassifier(iterations=8, verbose=False, "
    "allow_writing_files=False, random_seed=0).fit(X, y)\n"
    "piped = make_pipeline(StandardScaler(), xgb.XGBRegressor(**few)).fit(X, y)\n"
    "boosted = make_pipeline(StandardScaler(), lgb.LGBMRegressor(verbose=-1, **few)).fit(X, y)",
    "forest = RandomForestClassifier(8, random_state=0).fit(X, y)\n"
    "hist = HistGradientBoostingClassifier(max_iter=8, random_state=0).fit(X, y)\n"
    "near = KNeighborsClassifier(algorithm='kd_tree').fit(X, y)\n"
    "searched = GridSearchCV(make_pipeline(StandardScaler(), KNeighborsClassifier()), "
    "{'kneighborsclassifier__n_neighbors': [3, 5]}, cv=2).fit(X, y)",
    "linear = sm.OLS(y.to_numpy(), sm.add_constant(X.to_numpy())).fit()\n"
    "glm = sm.GLM(y.to_numpy(), X.to_numpy(), family=sm.families.Binomial()).fit()",
    "shares = pl.DataFrame({'label': [0, 1], 'share': [float((y == 0).mean()), float(y.mean())]})\n"
    "names = pa.table({'label': [0, 1], 'name': ['low', 'high']})\n"
    "means = X.groupby(y).mean()\nspread = X.to_numpy().std(axis=0)\nweights = {0: 1.0, 1: 2.5}",
    ("predict", "def predict(rows):\n"
     "    table = rows[['a', 'b', 'c', 'd']]\n"
     "    plain = table.to_numpy()\n"
     "    label = xgb_labels.predict(table)\n"
     "    columns = {\n"
     "        'xgb': xgb_labels.predict_proba(table)[:, 1],\n"
     "        'xgb booster': xgb_booster.predict(xgb.DMatrix(table)),\n"
     "        'lgb': lgb_labels.predict(table),\n"
     "        'lgb booster': lgb_booster.predict(table),\n"
     "        'cat': cat_labels.predict_proba(table)[:, 1],\n"
     "        'piped': piped.predict(table),\n"
     "        'boosted': boosted.predict(table),\n"
     "        'forest': forest.predict_proba(table)[:, 1],\n"
     "        'hist': hist.predict_proba(table)[:, 1],\n"
     "        'near': near.predict_proba(table)[:, 1],\n"
     "        'searched': searched.predict(table),\n"
     "        'linear': linear.predict(sm.add_constant(plain, has_constant='add')),\n"
     "        'glm': glm.predict(plain),\n"
     "        'share': [shares.filter(pl.col('label') == int(i))['share'][0] for i in label],\n"
     "        'name': [names.column('name')[int(i)].as_py() for i in label],\n"
     "        'far': (np.abs(plain - means.loc[label].to_numpy()) / spread).sum(axis=1),\n"
     "        'weight': [weights[int(i)] for i in label],\n"
     "    }\n"
     "    return pd.DataFrame(columns)"),
    ASKED,
]  # fmt: skip
TABLE_FORMATS = {
    "catboost", "frame", "json", "lightgbm", "npy", "parquet", "skops", "statsmodels", "xgboost",
}  # fmt: skip

NETS = [
    ("markdown", "# Nets"),
    "import os\nos.environ['KERAS_BACKEND'] = 'torch'\nos.environ['HF_HUB_OFFLINE'] = '1'\n"
    "import keras\nimport torch\nfrom tokenizers import Tokenizer, models, pre_tokenizers\n"
    "from tokenizers.trainers import WordLevelTrainer\nfrom torch import nn\n"
    "from torch.nn import functional\n"
    "from transformers import BertConfig, BertForSequenceClassification\n"
    "torch.manual_seed(0)\nkeras.utils.set_random_seed(0)\ntorch.set_num_threads(1)",
    DATA,
    "slope = float(y.mean()) / 10  # what a class reads is captured with it\n"
    "class Gate(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n"
    "        self.inner = nn.Linear(width, width)\n    def forward(self, x):\n"
    "        return x * torch.sigmoid(self.inner(x)) + slope\n\n"
    "class Net(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n"
    "        self.body = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), Gate(width))\n"
    "        self.head = nn.Linear(width, 1)\n        self.act = functional.silu\n"
    "    def forward(self, x):\n        return self.head(self.act(self.body(x)))[:, 0]",
    "inputs = torch.tensor(X.to_numpy(), dtype=torch.float32)\n"
    "target = torch.tensor(y.to_numpy(), dtype=torch.float32)\n"
    "net = Net(8)\noptimizer = torch.optim.Adam(net.parameters(), 0.01)\n"
    "for epoch in range(20):\n    optimizer.zero_grad()\n"
    "    loss = functional.binary_cross_entropy_with_logits(net(inputs), target)\n"
    "    loss.backward()\n    optimizer.step()\nnet.eval()",
    "plain = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)).eval()\n"
    "program = torch.export.export(plain, (inputs[:4],), "
    "dynamic_shapes=({0: torch.export.Dim('rows')},))\n"
    "state, shift = plain.state_dict(), inputs.mean(0)",
    "dense = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(6, activation='relu'), "
    "keras.layers.BatchNormalization(), keras.layers.Dense(1, activation='sigmoid')])\n"
    "dense.compile('adam', 'binary_crossentropy')\n"
    "dense.fit(X.to_numpy(), y.to_numpy(), epochs=2, verbose=0)",
    "tokenizer = Tokenizer(models.WordLevel(unk_token='?'))\n"
    "tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()\n"
    "tokenizer.train_from_iterator(['low high low'], WordLevelTrainer("
    "special_tokens=['?']))\n"
    "bert = BertForSequenceClassification(BertConfig(vocab_size=8, hidden_size=8, "
    "num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)).eval()",
    ("predict", "def predict(rows):\n"
     "    values = rows[['a', 'b', 'c', 'd']].to_numpy()\n"
     "    x = torch.tensor(values, dtype=torch.float32)\n"
     "    words = ['high' if row[0] > 0 else 'low' for row in values]\n"
     "    ids = torch.tensor([tokenizer.encode(word).ids for word in words])\n"
     "    again = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)).eval()\n"
     "    again.load_state_dict(state)\n"
     "    with torch.no_grad():\n"
     "        return pd.DataFrame({\n"
     "            'net': net(x).numpy(),\n"
     "            'program': program.module()(x)[:, 0].numpy(),\n"
     "            'state': again(x - shift)[:, 0].numpy(),\n"
     "            'dense': dense.predict(values, verbose=0)[:, 0],\n"
     "            'bert': bert(ids).logits[:, 0].numpy(),\n"
     "        })"),
    ASKED,
]  # fmt: skip
NET_FORMATS = {"json", "keras", "torch", "torch-export", "transformers"}

# What the notebook itself answers: its cells in a plain process, nothing of ours between.
EXPECTED = """
import json, sys
import __main__
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), __main__.__dict__)
rows = __main__.X.head(8)
print(json.dumps({"rows": rows.to_dict("split"), "answers": __main__.expected.to_dict("records")}))
"""


def expected(python: Path, notebook: Path) -> dict[str, Any]:
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [str(python), "-c", EXPECTED, str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def asked_in_docker(target: str, rows: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    service = serve(target, with_="docker")
    try:
        body = {"dataframe_split": {key: rows[key] for key in ("columns", "data")}}
        answer = httpx.post(f"{service.url}/invocations", json=body, trust_env=False, timeout=120)
        assert answer.status_code == 200, answer.text
        yield answer.json()["predictions"]
    finally:
        stop_service(service.id)
        subprocess.run(["docker", "image", "rm", "-f", target], capture_output=True)


def check(
    python: Path, notebook: Path, target: str, formats: set[str], accelerator: str = "cpu"
) -> Published:
    """Publish, ask in Docker, and compare with what the notebook answers by itself."""
    known = expected(python, notebook)
    done = publish(notebook, target, environment=LockOptions(accelerator=accelerator))
    assert done.verified == "full"
    assert {capture.format for capture in done.captures} == formats
    with asked_in_docker(target, known["rows"]) as answers:
        assert len(answers) == len(known["answers"])
        for answer, wanted in zip(answers, known["answers"], strict=True):
            for name, value in wanted.items():
                close = isinstance(value, float)
                same = pytest.approx(value, rel=1e-6, abs=1e-9) if close else value
                assert answer[name] == same, name
    return done


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the libraries of trees and tables, and none of ours."""
    packages = "catboost lightgbm pandas polars pyarrow scikit-learn statsmodels xgboost-cpu"
    return environment(tmp_path_factory.mktemp("tables") / "venv", *packages.split())


def test_trees_and_tables(
    tables: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker_registry: Any
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    metadata = kernelspec(tmp_path / "share", "tables", [str(tables)])
    notebook = make(tmp_path / "tables.ipynb", TABLES, metadata=metadata)
    check(tables, notebook, f"{docker_registry.url}/lab/tables:latest", TABLE_FORMATS)


# Each alone in a namespace, as in a notebook without `predict`: it answers by itself.
ALONE = """
import sys, tempfile
from pathlib import Path
import catboost, lightgbm, xgboost
import numpy as np, pandas as pd
from jupyter_mlops.capture.collect import collect
from jupyter_mlops.capture.models import CaptureRequest
from jupyter_mlops.capture.protocol import CannotLoad
from jupyter_mlops.capture.rows import arguments
from jupyter_mlops.capture.store import load
X = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 3)), columns=["a b", "c", "d"])
y = (X.c > 0).astype(int).to_numpy()
mixed = X.assign(word=np.where(X.d > 0, "x", "y"))
few = {"n_estimators": 4}
cat = {"iterations": 4, "verbose": False, "allow_writing_files": False}
cases = [
    (xgboost.XGBClassifier(**few), X), (xgboost.XGBRegressor(booster="dart", **few), X.to_numpy()),
    (xgboost.XGBRegressor(gamma=5, tree_method="exact", **few), X),
    (xgboost.XGBRFClassifier(**few), X), (xgboost.XGBRegressor(booster="gblinear", **few), X),
    (lightgbm.LGBMClassifier(verbose=-1, **few), X),
    (lightgbm.LGBMRegressor(verbose=-1, linear_tree=True, **few), X.to_numpy()),
    (lightgbm.LGBMClassifier(verbose=-1, max_cat_to_onehot=1, **few), X.assign(
        word=pd.Categorical(mixed.word))),
    (catboost.CatBoostClassifier(**cat), X), (catboost.CatBoostRegressor(**cat), X.to_numpy()),
    (catboost.CatBoostClassifier(cat_features=["word"], **cat), mixed),
]
for model, data in cases:
    model.fit(data, y)
    folder = Path(tempfile.mkdtemp())
    request = CaptureRequest(fit_inputs={"model": ["data"]})
    report = collect({"model": model, "data": data}, request, folder)
    assert report.problems == [], report.problems
    capture, golden = report.captures[0], report.golden
    loaded = load(capture, folder)
    assert type(loaded) is type(model)
    answers = loaded.predict(arguments(golden.inputs, report.signature)).tolist()
    assert answers == golden.outputs, (model, answers, golden.outputs)
    again = collect({"model": model, "data": data}, request, folder)
    assert again.captures[0].sha256 == capture.sha256, model
    path = folder / capture.file
    path.write_bytes(path.read_bytes()[:-40])
    try:
        load(capture, folder)
    except CannotLoad:
        pass
    else:
        raise AssertionError("a shorter file was opened")
print("same", len(cases))
"""


def test_boosters_answer_alone_and_are_written_the_same_each_time(tables: Path) -> None:
    tool, root = uv.find_uv_bin(), Path(__file__).parent.parent
    install = [tool, "pip", "install", "-q", "--python", str(tables), "msgspec", "skops"]
    subprocess.run(install, check=True, env=indexes.environment())
    variables = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [str(tables), "-W", "ignore", "-c", ALONE]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("same 11\n")


def with_torch(folder: Path) -> Path:
    """Make an environment with PyTorch, from where pip finds it; says so where it does not."""
    packages = ["keras", "pandas", "safetensors", "tokenizers", "transformers"]
    try:
        return environment(folder, "torch==2.13.0", *packages)
    except subprocess.CalledProcessError:
        text = "needs torch 2.13.0: pip's settings lead to no index or folder that has it"
        if os.environ.get("CI") == "true":
            pytest.fail(text, pytrace=False)
        pytest.skip(text)


def accelerator_of(python: Path) -> str:
    """Return where the lock finds this PyTorch: pip's own places have one for processors here."""
    ask = "from importlib.metadata import version; print(version('torch'))"
    found = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
    return "index" if "+" in found else "cpu"


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the libraries of nets, and none of ours."""
    return with_torch(tmp_path_factory.mktemp("nets") / "venv")


def test_nets(
    nets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker_registry: Any
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    metadata = kernelspec(tmp_path / "share", "nets", [str(nets)])
    notebook = make(tmp_path / "nets.ipynb", NETS, metadata=metadata)
    target = f"{docker_registry.url}/lab/nets:latest"
    done = check(nets, notebook, target, NET_FORMATS, accelerator_of(nets))
    classes = {capture.name: capture.classes for capture in done.captures}
    assert classes["net"] == ["__main__:Gate", "__main__:Net"]
    root = unpack(open_repository(Reference.parse(target)), done.digest, tmp_path / "unpacked")
    service = (root / "service.py").read_text()
    assert "class Net" in service and "class Gate" in service and "Adam" not in service


# What is not kept says why; what was tampered with is refused by a library's own file.
REFUSED = """
import json, os, tempfile
os.environ["KERAS_BACKEND"] = "torch"
from pathlib import Path
import keras, torch
from torch import nn
from jupyter_mlops.capture import archive, code, exported
from jupyter_mlops.capture import keras as keras_format
from jupyter_mlops.capture import safetensors
from jupyter_mlops.capture.formats import format_for
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave

folder = Path(tempfile.mkdtemp())

def refused(words, call, *arguments):
    try:
        call(*arguments)
    except (CannotLoad, CannotSave) as error:
        assert words in str(error), (words, str(error))
        return
    raise AssertionError(words)

def saved(value):
    kept = format_for(value)
    path = folder / f"model.{kept.extension}"
    kept.save(value, path)
    return kept, path

class Net(nn.Linear):
    pass

hooked, holding, own = nn.Linear(2, 1), nn.Linear(2, 1), Net(2, 1)
hooked.register_forward_hook(lambda *_: None)
holding.opened = open(os.devnull)
refused("has hooks", saved, hooked)
refused("attribute opened", saved, holding)
refused("compiled", saved, torch.jit.trace(nn.Linear(2, 1), torch.zeros(1, 2)))

def inside():
    class Local(nn.Module):
        pass
    return Local()

refused("not found by its name", saved, inside())
kept, path = saved(own)
refused("manifest does not list", kept.load, path)
tensors, about = safetensors.read(path)
for name in ("os:system", "torch.nn.modules.linear:math", "torch.nn.modules.utils:reduce"):
    about["modules"][0]["class"] = name
    safetensors.write(path, tensors, about)
    refused("", kept.load, path)
with code.using(["os:system"]):
    about["modules"][0]["class"] = "os:system"
    safetensors.write(path, tensors, about)
    refused("not a module", kept.load, path)

kept, path = saved(torch.export.export(nn.Linear(2, 1), (torch.zeros(1, 2),)))
members = archive.read(path)
graph = json.loads(members[exported.GRAPH])
node = graph["graph_module"]["graph"]["nodes"][0]
for target in ("torch.load", "torch.ops.aten.from_file.default"):
    node["target"] = target
    members[exported.GRAPH] = json.dumps(graph).encode()
    archive.write(path, members.items())
    refused("not arithmetic", kept.load, path)

class Mine(keras.Model):
    def call(self, x):
        return x

layers = [keras.layers.Input((2,)), keras.layers.Lambda(lambda x: x)]
refused("not one of Keras' safe parts", saved, keras.Sequential(layers))
mine = Mine()
mine(torch.zeros(1, 2))
refused("not one of Keras' safe parts", saved, mine)
kept, path = saved(keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]))
import h5py, io
members = archive.read(path)
buffer = io.BytesIO(members[keras_format.WEIGHTS])
with h5py.File(buffer, "a") as file:
    file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
archive.write(path, {**members, keras_format.WEIGHTS: buffer.getvalue()}.items())
refused("point elsewhere", kept.load, path)
buffer = io.BytesIO(members[keras_format.WEIGHTS])
with h5py.File(buffer, "a") as file:
    file.create_dataset("bomb", (10**6, 10**6), chunks=(1000, 1000), compression="gzip")
archive.write(path, {**members, keras_format.WEIGHTS: buffer.getvalue()}.items())
refused("not a plain array", kept.load, path)
print("refused")
"""


def test_nets_that_are_not_kept_or_were_tampered_with(nets: Path) -> None:
    tool, root = uv.find_uv_bin(), Path(__file__).parent.parent
    install = [tool, "pip", "install", "-q", "--python", str(nets), "msgspec"]
    subprocess.run(install, check=True, env=indexes.environment())
    variables = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [str(nets), "-W", "ignore", "-c", REFUSED]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("refused\n")


PICKLED = [
    ("markdown", "# A class of one's own"),
    "import pandas as pd\nX = pd.DataFrame({'a': [1.0, 2.0, 3.0]})\nfactor = float(X.a.mean())",
    "class Scale:\n    def __init__(self, by):\n        self.by = by\n"
    "    def __call__(self, values):\n        return values * self.by * factor",
    "scale = Scale(3)",
    ("predict", "def predict(rows):\n    return scale(rows['a'])"),
    "expected = pd.DataFrame({'answer': predict(X)})",
]


def test_a_pickle_only_when_it_is_allowed_and_then_by_its_name(
    tmp_path: Path, docker_registry: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from jupyter_mlops import cli

    notebook = make(tmp_path / "scaled.ipynb", PICKLED)
    target = f"{docker_registry.url}/lab/scaled:latest"
    with pytest.raises(CaptureError, match=r"no safe format.*--allow-pickle"):
        publish(notebook, target)
    said: list[str] = []
    done = publish(notebook, target, allow_pickle=True, on_event=lambda e: said.append(str(e)))
    assert any("is a pickle: whoever loads it runs its code" in text for text in said)
    assert {capture.name: capture.format for capture in done.captures} == {
        "factor": "json",
        "scale": "pickle",
    }
    assert cli.main(["show", target]) == 0
    assert "PICKLE" in capsys.readouterr().out
    assert cli.main(["list", docker_registry.url]) == 0
    assert "holds a pickle" in capsys.readouterr().out
    rows = {"columns": ["a"], "data": [[2.0]]}
    with asked_in_docker(target, rows) as answers:
        assert answers == [12.0]
