"""Formats of neural networks, all the way: trained, published, and asked in Docker."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import uv

from jupyter_mlops.environment import indexes
from jupyter_mlops.registry.fetch import unpack
from jupyter_mlops.registry.open import open_repository
from jupyter_mlops.registry.reference import Reference
from tests.formats import ASKED, DATA, MARKS, check
from tests.notebooks import make
from tests.test_other_kernels import environment, kernelspec

pytestmark = MARKS


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
