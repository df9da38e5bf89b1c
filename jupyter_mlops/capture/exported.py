"""What ``torch.export.export()`` gives, as ``.pt2``.

PyTorch itself does not take care with such a file: it unpickles constants and sample inputs, it
evaluates the text of symbolic sizes and guards, and it looks operators up by any name. So only
files without pickles, whose operators are tensor arithmetic and whose sizes are arithmetic, are
given to it; sample inputs, guards and stack traces are left out when we write one.
"""

from __future__ import annotations

import io
import json
import re
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import archive
from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.nodes import mappings
from jupyter_mlops.capture.protocol import (
    CannotLoad,
    CannotSave,
    Description,
    WithoutInputs,
    check_loads,
)

FOLDER = "model/"
GRAPH = f"{FOLDER}models/model.json"
SAMPLES = f"{FOLDER}data/sample_inputs/model.pt"
_CONFIGS = tuple(f"{FOLDER}data/{each}_config.json" for each in
                 ("weights/model_weights", "constants/model_constants"))  # fmt: skip
_DATA = re.compile(
    rf"{FOLDER}(data/(weights/weight_\d+|constants/tensor_\d+)"
    r"|archive_format|archive_version|byteorder|\.data/version)"
)
_OPERATOR = re.compile(r"torch\.ops\.aten\.(?!from_file)[a-z_0-9]+\.[A-Za-z_0-9]+")
_PLAIN = frozenset(
    {f"_operator.{name}" for name in "add and_ eq floordiv ge getitem gt le lt mod mul ne neg or_ "
     "pow sub truediv".split()} | {f"math.{name}" for name in "ceil floor trunc".split()}
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_WORDS = re.compile(
    r"[su]\d+|Symbol|Integer|Rational|Add|Mul|Max|Min|Mod|FloorDiv|CeilDiv|PythonMod|Eq|Ne|Le|Lt|Ge|Gt|True|False"
    r"|positive|integer"
)
_EXPRESSION = re.compile(r"[A-Za-z_0-9\s()+\-*/,<>=']{0,500}")


class ExportedFormat(WithoutInputs):
    """A ``.pt2`` archive without anything in it that runs by itself."""

    name: ClassVar[str] = "torch-export"
    kind: ClassVar[Kind] = "model"
    extension: ClassVar[str] = "pt2"

    def matches(self, value: Any) -> bool:
        """Match exported programs."""
        module = sys.modules.get("torch.export")
        kind = getattr(module, "ExportedProgram", None)
        return kind is not None and isinstance(value, kind)

    def save(self, value: Any, path: Path) -> None:
        """Write the program without samples, guards and traces, and check that it loads again."""
        import torch

        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.export.save(value, buffer)
        with zipfile.ZipFile(buffer) as file:
            members = {
                FOLDER + name.partition("/")[2]: file.read(name)
                for name in file.namelist()
                if not name.endswith("serialization_id")
            }
        if GRAPH not in members or SAMPLES not in members:
            raise CannotSave(
                f"PyTorch {torch.__version__} writes another form of exported programs.",
                remedy="Update PyTorch, or capture the module itself.",
            )
        graph = json.loads(members[GRAPH])
        _strip(graph)
        members[GRAPH] = json.dumps(graph, separators=(",", ":")).encode()
        members[SAMPLES] = b""
        archive.write(path, sorted(members.items()))
        check_loads(self, path)

    def load(self, path: Path) -> Any:
        """Read the program after looking at every name and expression in it."""
        members = archive.read(path)
        check(members)
        import torch

        buffer = io.BytesIO()
        archive.write(buffer, members.items())
        buffer.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return torch.export.load(buffer)
        except Exception as error:
            # A graph that makes no sense fails in any way.
            raise CannotLoad(f"PyTorch cannot read it: {error!r}"[:300]) from None

    def describe(self, value: Any) -> Description:
        """Tell the modules that loading imports."""
        return Description(modules=["torch"])


def _strip(node: Any) -> None:
    """Take out what only tells where code stood, and the guards, which are code."""
    for each in mappings(node):
        if "guards_code" in each:
            each["guards_code"] = []
        if "target" in each and "metadata" in each:
            each["metadata"] = {}


def check(members: Mapping[str, bytes]) -> None:
    """Refuse an archive with anything in it that PyTorch would run; raises ``CannotLoad``."""
    try:
        for name in members:
            if name not in (GRAPH, SAMPLES, *_CONFIGS) and not _DATA.fullmatch(name):
                raise CannotLoad(f"{name} does not belong into an exported program.")
        if members[SAMPLES]:
            raise CannotLoad("It holds sample inputs, which are a pickle.")
        for name in _CONFIGS:
            for each in json.loads(members[name])["config"].values():
                if each["use_pickle"] is not False:
                    raise CannotLoad(f"{name} asks for a pickle.")
        for node in mappings(json.loads(members[GRAPH])):
            _check_node(node)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, CannotLoad):
            raise
        raise CannotLoad(f"It does not hold an exported program: {error!r}.") from None


def _check_node(node: Mapping[str, Any]) -> None:
    if node.get("guards_code"):
        raise CannotLoad("It holds guards, which are code.")
    if "target" in node and "inputs" in node:
        _check_operator(node["target"])
        if node.get("metadata"):
            raise CannotLoad("It holds metadata of its nodes, which may name code.")
    if "as_operator" in node:
        _check_operator(node["as_operator"])
    if "expr_str" in node:
        _check_expression(node["expr_str"])
    if "as_custom_obj" in node:
        raise CannotLoad("It holds an object of a class of its own.")


def _check_operator(name: Any) -> None:
    if not isinstance(name, str) or not (name in _PLAIN or _OPERATOR.fullmatch(name)):
        raise CannotLoad(f"It calls {str(name)[:80]!r}, which is not arithmetic of tensors.")


def _check_expression(text: Any) -> None:
    known = isinstance(text, str) and _EXPRESSION.fullmatch(text) and "**" not in text
    if not known or not all(_WORDS.fullmatch(word) for word in _WORD.findall(text)):
        raise CannotLoad(f"{str(text)[:80]!r} is not a size.")
