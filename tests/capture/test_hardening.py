"""Files that were tampered with, or made to harm: refused, and nothing in them runs."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier

from jupyter_mlops.capture import archive, exported, keras, lightgbm_trees, ubjson, xgboost_trees
from jupyter_mlops.capture.formats import BUILT_IN, by_name
from jupyter_mlops.capture.protocol import CannotLoad
from jupyter_mlops.capture.sklearn import SklearnFormat
from jupyter_mlops.capture.store import load, save
from jupyter_mlops.capture.trusted import for_version

X, Y = load_iris(return_X_y=True)


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "dead"))


@pytest.fixture
def canary(tmp_path: Path) -> Any:
    """A pickle that leaves a trace where it is opened."""
    path = tmp_path / "canary"
    data = pickle.dumps(Canary(path))
    pickle.loads(data)
    assert path.exists()
    path.unlink()
    yield data
    assert not path.exists(), "it was executed"


@pytest.mark.parametrize("format_", BUILT_IN, ids=lambda each: each.name)
def test_a_pickle_under_the_name_of_a_format(format_: Any, canary: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"model.{format_.extension}"
    path.write_bytes(canary)
    with pytest.raises(CannotLoad):
        format_.load(path)
    with zipfile.ZipFile(path, "w") as file:  # as torch.save() packs one
        file.writestr("archive/data.pkl", canary)
        file.writestr("archive/version", "3\n")
    with pytest.raises(CannotLoad):
        format_.load(path)


@pytest.mark.parametrize("format_", BUILT_IN, ids=lambda each: each.name)
def test_a_zip_bomb_under_the_name_of_a_format(format_: Any, tmp_path: Path) -> None:
    path = tmp_path / f"model.{format_.extension}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("schema.json", "config.json", "frame.json", "model/models/model.json"):
            file.writestr(name, b"0" * 50_000_000)
    assert path.stat().st_size < 500_000
    with pytest.raises(CannotLoad):
        format_.load(path)


def test_an_archive_whose_members_lie_over_each_other(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    archive.write(path, [(f"{number}", b"0" * 10_000) for number in range(10)])
    data = path.read_bytes()
    first = data.index(b"PK\x01\x02")
    entry = data[first : data.index(b"PK\x01\x02", first + 1)]
    many = b"".join(entry[:46] + b"%d" % (i % 10) + entry[47:] for i in range(10))
    path.write_bytes(data[: first - 90_000] + many + data[data.index(b"PK\x05\x06") :])
    with pytest.raises(CannotLoad):
        archive.read(path)


@pytest.mark.parametrize(
    "value", [{"a": 1}, np.eye(3), HistGradientBoostingClassifier(max_iter=1).fit(X, Y)], ids=type
)
def test_a_changed_file_is_not_opened(
    value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, _ = save("value", value, tmp_path)
    path = tmp_path / capture.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    format_ = by_name(capture.format)
    monkeypatch.setattr(type(format_), "load", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(CannotLoad, match="not the file that was published"):
        load(capture, tmp_path)
    with pytest.raises(CannotLoad, match="published size"):
        load(msgspec.structs.replace(capture, size=capture.size - 1), tmp_path)


def test_what_is_larger_than_the_memory_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, _ = save("value", np.eye(30), tmp_path)
    monkeypatch.setattr("jupyter_mlops.capture.store._memory", lambda: 1000)
    with pytest.raises(CannotLoad, match="larger than the memory"):
        load(capture, tmp_path)


def test_the_header_of_an_array_is_short(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }" + b" " * 100_000
    head = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header
    path.write_bytes(head + b"\0" * 8)
    with pytest.raises(CannotLoad):
        by_name("npy").load(path)


# Trees of scikit-learn


def changed(model: Any, folder: Path, field: str, value: Any, row: int = 0) -> Path:
    """Save a model, and change a field of the nodes in it."""
    path = folder / "model.skops"
    SklearnFormat().save(model, path)
    members = archive.read(path)
    for name, data in members.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(data))
            if array.dtype.names and field in array.dtype.names and len(array):
                array[field][row] = value
                buffer = io.BytesIO()
                np.save(buffer, array)
                members[name] = buffer.getvalue()
    archive.write(path, members.items())
    return path


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
@pytest.mark.parametrize(
    ("field", "value", "row"),
    [("idx_end", 10**6, 0), ("idx_start", -1, 0), ("idx_start", 10**9, 1), ("is_leaf", 0, -1)],
)
def test_neighbours_that_point_elsewhere(
    tmp_path: Path, algorithm: str, field: str, value: int, row: int
) -> None:
    model = KNeighborsClassifier(algorithm=algorithm).fit(X, Y)
    with pytest.raises(CannotLoad, match="neighbours' tree"):
        SklearnFormat().load(changed(model, tmp_path, field, value, row))


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 0), ("right", 10**6), ("feature_idx", 4), ("is_categorical", 1), ("bitset_idx", 9)],
)
def test_boosted_trees_that_point_elsewhere(tmp_path: Path, field: str, value: int) -> None:
    features = np.c_[X[:, :3], Y]
    kinds = None if field == "is_categorical" else [3]
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=kinds).fit(features, Y)
    assert bool(model._predictors[0][0].nodes["is_categorical"][0]) == (kinds == [3])
    path = changed(model, tmp_path, field, value)
    with pytest.raises(CannotLoad, match="tree"):
        SklearnFormat().load(path)


# Trees of xgboost and lightgbm, checked before the libraries see them


def ubj(value: Any) -> bytes:
    """Write Universal Binary JSON as xgboost does."""
    if isinstance(value, dict):
        items = [b"L" + struct.pack(">q", len(k)) + k.encode() + ubj(v) for k, v in value.items()]
        return b"{" + b"".join(items) + b"}"
    if isinstance(value, np.ndarray):
        code = {"i4": b"l", "f4": b"d", "u1": b"U"}[value.dtype.str[1:]]
        data = value.astype(value.dtype.newbyteorder(">")).tobytes()
        return b"[$" + code + b"#L" + struct.pack(">q", len(value)) + data
    if isinstance(value, list):
        return b"[" + b"".join(map(ubj, value)) + b"]"
    if isinstance(value, str):
        return b"S" + b"L" + struct.pack(">q", len(value)) + value.encode()
    return b"l" + struct.pack(">i", value)


def booster(**changes: Any) -> bytes:
    whole = np.int32
    tree = {
        "left_children": np.array([1, -1, -1], whole),
        "right_children": np.array([2, -1, -1], whole),
        "split_indices": np.array([3, 0, 0], whole),
        "split_conditions": np.array([0.5, 1, 2], np.float32),
        "categories": np.array([], whole),
        "categories_nodes": np.array([], whole),
        "categories_segments": np.array([], whole),
        "categories_sizes": np.array([], whole),
        "tree_param": {"num_nodes": "3"},
        **{name: np.array(value, whole) for name, value in changes.items()},
    }
    model = {"trees": [tree], "tree_info": [0]}
    learner = {
        "learner_model_param": {"num_feature": "4", "num_class": "0"},
        "gradient_booster": {"name": "gbtree", "model": model},
    }
    return ubj({"learner": learner})


@pytest.mark.parametrize(
    "changes",
    [
        {"left_children": [3, -1, -1]},
        {"left_children": [0, -1, -1]},
        {"right_children": [1, -1, -1]},
        {"left_children": [-7, -1, -1]},
        {"split_indices": [4, 0, 0]},
        {"split_indices": [-1, 0, 0]},
        {"left_children": [1, -1]},
        {"left_children": [1, 1, -1], "right_children": [2, 2, -1]},
        {"categories_nodes": [0], "categories_segments": [0], "categories_sizes": [5]},
        {"categories_nodes": [9], "categories_segments": [0], "categories_sizes": [0]},
    ],
    ids=str,
)
def test_trees_of_xgboost_that_point_elsewhere(changes: dict[str, Any]) -> None:
    xgboost_trees.check(booster())
    with pytest.raises(CannotLoad, match="xgboost"):
        xgboost_trees.check(booster(**changes))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[" * 100_000, b"[$l#L\x7f" + b"\xff" * 7, b"[$Z#L\x00\x00\x00\x01" + b"\0" * 4,
     b"SL\x00\x00\x00\x00\x00\x00\x00\x09abc", b"Q", b"{}x", b"[#l\xff\xff\xff\xff"],
    ids=range(9),
)  # fmt: skip
def test_binary_json_that_claims_too_much(data: bytes) -> None:
    with pytest.raises(CannotLoad):
        ubjson.read(data)


TREE = {
    "num_leaves": "3", "num_cat": "0", "split_feature": "0 3", "decision_type": "2 2",
    "threshold": "0.5 1.5", "left_child": "1 -1", "right_child": "-2 -3",
    "leaf_value": "0.1 0.2 0.3",
}  # fmt: skip


def lightgbm_text(**changes: str) -> str:
    fields = "\n".join(f"{name}={value}" for name, value in {**TREE, **changes}.items())
    tree = f"Tree=0\n{fields}\n\n\n"
    head = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=3\n"
        f"tree_sizes={len(tree)}\n"
    )
    return f"{head}\n{tree}end of trees\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"left_child": "2 -1"},
        {"left_child": "0 -1"},
        {"right_child": "-2 -4"},
        {"split_feature": "0 4"},
        {"split_feature": "-1 0"},
        {"num_leaves": "9"},
        {"leaf_value": "0.1"},
        {"decision_type": "1 2"},
        {"decision_type": "1 2", "threshold": "1 0.5", "num_cat": "1", "cat_boundaries": "0 1",
         "cat_threshold": "3"},
        {"decision_type": "1 2", "threshold": "0 0.5", "num_cat": "1", "cat_boundaries": "0 9",
         "cat_threshold": "3"},
        {"is_linear": "1", "num_features": "1 0 0", "leaf_features": "7", "leaf_coeff": "1",
         "leaf_const": "0 0 0"},
    ],
    ids=str,
)  # fmt: skip
def test_trees_of_lightgbm_that_point_elsewhere(changes: dict[str, str]) -> None:
    lightgbm_trees.check(lightgbm_text())
    with pytest.raises(CannotLoad, match="lightgbm"):
        lightgbm_trees.check(lightgbm_text(**changes))


def test_lightgbm_is_not_sent_to_other_places_of_its_text() -> None:
    wrong = lightgbm_text().replace("tree_sizes=", "tree_sizes=9")
    with pytest.raises(CannotLoad, match="where its header says"):
        lightgbm_trees.check(wrong)


# Exported programs and Keras' configurations: what names code is refused


def program(node: Any = None, config: Any = None, **more: bytes) -> dict[str, bytes]:
    graph = {"graph_module": {"graph": {"nodes": [node] if node else []}}}
    nothing = json.dumps({"config": {}}).encode()
    weights = nothing if config is None else json.dumps({"config": {"w": config}}).encode()
    return {
        exported.GRAPH: json.dumps(graph).encode(),
        exported.SAMPLES: b"",
        "model/data/weights/model_weights_config.json": weights,
        "model/data/constants/model_constants_config.json": nothing,
        **more,
    }


@pytest.mark.parametrize(
    "members",
    [
        program({"target": "torch.load", "inputs": []}),
        program({"target": "torch.hub.load", "inputs": []}),
        program({"target": "torch.ops.aten.from_file.default", "inputs": []}),
        program({"target": "torch.ops.mine.anything.default", "inputs": []}),
        program({"target": "_operator.attrgetter", "inputs": []}),
        program({"target": "#custom", "inputs": []}),
        program({"as_operator": "torch.load"}),
        program({"expr_str": "__import__('os').system('true')"}),
        program({"expr_str": "().__class__"}),
        program({"expr_str": "9**9**9"}),
        program({"guards_code": ["print(1)"]}),
        program({"as_custom_obj": {}}),
        program(config={"use_pickle": True, "path_name": "weight_0"}),
        program(config={"path_name": "weight_0"}),
        program() | {exported.SAMPLES: b"\x80\x02."},
        program() | {"model/data/constants/opaque_obj_0": b"\x80\x02."},
        program() | {"model/data/constants/custom_obj_0": b"\x80\x02."},
        program() | {"model/data/aotinductor/model/a.so": b"\x7fELF"},
    ],
    ids=range(18),
)
def test_exported_programs_that_name_code(members: dict[str, bytes]) -> None:
    exported.check(program({"target": "torch.ops.aten.mm.default", "inputs": []}))
    exported.check(program({"expr_str": "Mul(Integer(2), Symbol('s77', positive=True))"}))
    with pytest.raises(CannotLoad):
        exported.check(members)


@pytest.mark.parametrize(
    "layer",
    [
        {"module": "keras.layers", "class_name": "Lambda", "config": {}},
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}},
        {"module": "os", "class_name": "system", "config": "true"},
        {"module": "builtins", "class_name": "function", "config": "os.system"},
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        {"module": "keras.config", "class_name": "function", "config": "enable_unsafe"},
        {"module": None, "class_name": "__lambda__", "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "registered_name": "mine>Dense"},
        {"module": "keras.layers", "class_name": "StringLookup",
         "config": {"vocabulary": "/etc/passwd"}},
    ],
    ids=range(9),
)  # fmt: skip
def test_models_of_keras_that_name_code(layer: dict[str, Any], tmp_path: Path) -> None:
    whole = {"module": "keras.layers", "class_name": "Lambda", "config": {"layers": [layer]}}
    config = whole if layer["class_name"] == "Lambda" else {"class_name": "x", "layers": [layer]}
    path = tmp_path / "model.keras"
    members = {keras.METADATA: b"{}", keras.CONFIG: json.dumps(config).encode()}
    archive.write(path, [*members.items(), (keras.WEIGHTS, b"")])
    with pytest.raises(CannotLoad):
        by_name("keras").load(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("config.json", {"auto_map": {"AutoModel": "code.Model"}}),
        ("config.json", {"inner": [{"auto_map": {}}]}),
        ("config.json", {"_attn_implementation": "someone/kernels"}),
        ("adapter_config.json", {"base_model_name_or_path": "someone/model"}),
        ("modeling.py", {}),
        ("pytorch_model.bin", {}),
        ("../config.json", {}),
        (".config.json", {}),
    ],
)
def test_folders_of_transformers_that_bring_code(name: str, data: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    about = json.dumps({"what": "model", "class": "BertModel"}).encode()
    members = [("jupyter_mlops.json", about), (name, json.dumps(data).encode())]
    archive.write(path, members)
    with pytest.raises(CannotLoad, match=r"code of others|belong|not in the folder"):
        by_name("transformers").load(path)


def test_each_scikit_learn_has_its_own_list() -> None:
    remainder = "sklearn.compose._column_transformer._RemainderColsList"
    curve = "sklearn.metrics._scorer._CurveScorer"
    assert for_version("1.4.2") == frozenset()
    lists = {version: for_version(version) for version in ("1.5.2", "1.6.1", "1.9.1", "1.10.dev0")}
    assert [remainder in each for each in lists.values()] == [True, True, False, False]
    assert [curve in each for each in lists.values()] == [False, True, True, True]
    assert not any("os.system" in each or "builtins.eval" in each for each in lists.values())
