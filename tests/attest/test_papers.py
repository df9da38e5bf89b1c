"""What a publish writes into its papers: the whole lock, inputs by hash, what was allowed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_mlops import analyze, papers
from jupyter_mlops import notebook as notebooks
from jupyter_mlops.assemble import Draft
from jupyter_mlops.capture.models import Capture
from jupyter_mlops.environment import lockfile
from jupyter_mlops.environment.verify import Environment
from jupyter_mlops.runtime.parameters import Parameter
from jupyter_mlops.runtime.publication import Base, Publication
from tests.fixtures_registry import MakeImage
from tests.notebooks import make

LOCK = """
lock-version = "1.0"
[[packages]]
name = "six"
version = "1.17.0"
wheels = [
  { url = "https://ada:word@host/six-1.17.0-py2.py3-none-any.whl", hashes = { sha256 = "aa" } },
]
[[packages]]
name = "twice"
version = "2"
wheels = [
  { url = "https://host/twice-2-cp311-cp311-linux_x86_64.whl", hashes = { sha256 = "bb" } },
  { url = "https://host/twice-2-py3-none-any.whl", hashes = { sha256 = "cc" } },
]
[[packages]]
name = "absent"
version = "3"
wheels = [
  { url = "https://host/absent-3-cp311-cp311-linux_x86_64.whl", hashes = { sha256 = "dd" } },
  { url = "https://host/absent-3-py3-none-any.whl", hashes = { sha256 = "ee" } },
]
"""
CELLS = [
    "import csv, helper",
    "rows = list(csv.reader(open('data/in.csv')))",
    "secret = open('/etc/hostname').read()",
    "other = open('../outside.txt').read()",
    "with open('out.csv', 'w') as file:\n    file.write(str(rows))",
]


def installed(root: Path, name: str, tag: str, license: str) -> None:
    info = root / "lib" / "python3.11" / "site-packages" / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    (info / "METADATA").write_text(f"Name: {name}\nLicense-Expression: {license}\n\n")


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    folder = tmp_path / "user" / "ada"
    (folder / "data").mkdir(parents=True)
    for name in ("data/in.csv", "helper.py", "out.csv", "../outside.txt"):
        (folder / name).write_text(f"content of {name}")
    make(folder / "work.ipynb", CELLS)
    root = tmp_path / "environment"
    installed(root, "six", "py2-none-any", "MIT")
    installed(root, "twice", "py3-none-any", "BSD-3-Clause")
    source = notebooks.read(folder / "work.ipynb")
    ground: Any = SimpleNamespace(inferred=SimpleNamespace(local=[Path("helper.py")]))
    added: Any = SimpleNamespace(
        shipped={"libgl1": "1.6.0-1", "libglvnd0": "1.6.0-1"}, system="debian-12"
    )
    return Draft(
        root=tmp_path / "root",
        source=source,
        extracted=analyze.extract(source),
        ground=ground,
        lock=lockfile.parse(LOCK, "3.11", "linux/amd64"),
        environment=Environment(root),
        added=added,
    )


MODEL = Capture(
    name="model", kind="estimator", format="skops", file="w/m", sha256="3" * 64, size=9, type="T"
)
TABLE = Capture(
    name="table", kind="frame", format="parquet", file="w/t", sha256="4" * 64, size=8, type="T"
)
PUBLICATION = Publication(
    name="work",
    notebook_sha256="1" * 64,
    lock_sha256="2" * 64,
    python="3.11",
    platform="linux/amd64",
    parameters=[Parameter(name="rate", type="float", default=0.5)],
    captures=[MODEL, TABLE],
    verified="full",
    base=Base(name="oci:/home/ada/images:python:3.11", digest=f"sha256:{'b' * 64}"),
    system_packages={"libgl1": "1.6.0-1"},
    allowed_secrets=["0123456789abcdef"],
    generator="jupyter-mlops 9.9",
)


def written(draft: Draft, make_image: MakeImage) -> tuple[dict[str, Any], dict[str, Any]]:
    listed, made = papers.write(draft, PUBLICATION, make_image())
    return json.loads(listed.payload.data), json.loads(made.payload.data)


def test_the_sbom_has_the_whole_lock(draft: Draft, make_image: MakeImage) -> None:
    listed, _ = written(draft, make_image)
    found = {item["name"]: item for item in listed["components"]}
    hashes = {name: [h["content"] for h in item.get("hashes", [])] for name, item in found.items()}
    assert hashes["six"] == ["aa"] and found["six"]["licenses"] == [{"expression": "MIT"}]
    assert hashes["twice"] == ["cc"], "the wheel that was installed"
    assert hashes["absent"] == ["dd", "ee"], "nobody knows which"
    assert hashes["model"] == ["3" * 64] and found["model"]["type"] == "machine-learning-model"
    assert hashes["table"] == ["4" * 64] and found["table"]["type"] == "data"
    assert {"libgl1", "libglvnd0"} <= set(found), "also what came with what was asked for"


def test_the_provenance_has_the_inputs_and_no_outputs(draft: Draft, make_image: MakeImage) -> None:
    _, made = written(draft, make_image)
    definition = made["predicate"]["buildDefinition"]
    named = {
        item["name"]: item["digest"]["sha256"]
        for item in definition["resolvedDependencies"]
        if item.get("name", "").partition(":")[0] in ("data", "code")
    }
    assert named == {
        "data:data/in.csv": hashlib.sha256(b"content of data/in.csv").hexdigest(),
        "code:helper.py": hashlib.sha256(b"content of helper.py").hexdigest(),
    }
    assert definition["internalParameters"]["allowedSecrets"] == ["0123456789abcdef"]
    assert definition["externalParameters"]["parameters"] == {"rate": 0.5}
    assert definition["externalParameters"]["verified"] == "full"


def test_the_page_of_the_build_type_tells_all_of_it(draft: Draft, make_image: MakeImage) -> None:
    _, made = written(draft, make_image)
    definition, details = made["predicate"]["buildDefinition"], made["predicate"]["runDetails"]
    path = definition["buildType"].removeprefix("https://jupyter-mlops.readthedocs.io/")
    page = (Path(__file__).parents[2] / "docs" / f"{path}.md").read_text()
    keys = [*definition["externalParameters"], *definition["internalParameters"]]
    named = [item.get("name", "") for item in definition["resolvedDependencies"]]
    kinds = {f"{name.partition(':')[0]}:…" if ":" in name else name for name in named if name}
    parts = {*definition, *details} - {"buildType"}
    for word in [*keys, *kinds, *parts, "sbom", "capture:…"]:
        assert f"`{word}" in page, word
    assert details["builder"]["id"] == f"{definition['buildType']}#builder"
    assert "\n## Builder\n" in page


def test_no_place_and_no_person_is_named(draft: Draft, make_image: MakeImage) -> None:
    text = json.dumps(written(draft, make_image))
    for word in ("/home", "/user", "ada:word", "ada/", "/etc", "outside", "host/", str(draft.root)):
        assert word not in text


def test_a_file_that_is_gone_is_not_named(draft: Draft, make_image: MakeImage) -> None:
    (draft.source.path.parent / "helper.py").unlink()
    assert "helper.py" not in json.dumps(written(draft, make_image))
