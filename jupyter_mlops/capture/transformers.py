"""Models and tokenizers of Hugging Face, as the folder that ``save_pretrained`` writes.

The folder is one zip of JSON, text and safetensors. Nothing is asked of a hub, and no code of
others is loaded: only the library's own classes are made.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
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

ABOUT = "jupyter_mlops.json"
#: What a folder may hold; pickles (.bin, .pkl) and code (.py) are none of it.
ENDINGS = (".json", ".jinja", ".model", ".safetensors", ".txt")
_KINDS = {"model": "PreTrainedModel", "tokenizer": "PreTrainedTokenizerBase"}
MAX_FILES = 1000


class TransformersFormat(WithoutInputs):
    """Models and tokenizers of transformers, and tokenizers of the library ``tokenizers``."""

    name: ClassVar[str] = "transformers"
    kind: ClassVar[Kind] = "model"
    extension: ClassVar[str] = "zip"

    def matches(self, value: Any) -> bool:
        """Match by the classes of libraries that are imported already."""
        return _what(value) != ""

    def save(self, value: Any, path: Path) -> None:
        """Write the folder into one file, and check that it loads again."""
        what, kind = _what(value), type(value)
        if what != "tokenizers" and kind.__module__.partition(".")[0] != "transformers":
            raise CannotSave(
                f"{kind.__qualname__} is a class of one's own.",
                why="Only the classes of transformers itself are made again.",
                remedy="Capture the model of transformers inside of it, and do the rest in "
                "`predict`.",
            )
        about = {"what": what, "class": kind.__name__}
        with tempfile.TemporaryDirectory() as folder:
            try:
                if what == "tokenizers":
                    value.save(f"{folder}/tokenizer.json")
                else:
                    value.save_pretrained(folder)
            except Exception as error:
                # Whatever the libraries raise for a model that cannot be written.
                raise CannotSave(f"It cannot be saved: {error}".splitlines()[0]) from None
            files = sorted(each for each in Path(folder).rglob("*") if each.is_file())
            members = {each.relative_to(folder).as_posix(): each.read_bytes() for each in files}
        if "config.json" in members:
            members["config.json"] = _without_place(members["config.json"])
        archive.write(path, [(ABOUT, json.dumps(about).encode()), *members.items()])
        check_loads(self, path)

    def load(self, path: Path) -> Any:
        """Read the folder: only known kinds of files, and the class by its own library."""
        members = archive.read(path)
        try:
            about = json.loads(members.pop(ABOUT))
            what, name = str(about["what"]), str(about["class"])
            _check(members)
            with tempfile.TemporaryDirectory(dir=_place()) as folder:
                for member, data in members.items():
                    (Path(folder) / member).write_bytes(data)
                return _made(what, name, Path(folder))
        except CannotLoad:
            raise
        except Exception as error:
            # A folder that makes no sense fails in any way.
            raise CannotLoad(f"It cannot be read: {error!r}"[:300]) from None

    def describe(self, value: Any) -> Description:
        """Tell the modules that loading imports, and the vocabulary's size of a tokenizer."""
        what = _what(value)
        if what == "model":
            dtype = str(value.dtype).removeprefix("torch.")
            return Description(dtype=dtype, modules=["safetensors", "torch", "transformers"])
        library = ["tokenizers"] if what == "tokenizers" else ["tokenizers", "transformers"]
        size = value.get_vocab_size() if what == "tokenizers" else len(value)
        return Description(shape=[int(size)], modules=library)


def _what(value: Any) -> str:
    kind = getattr(sys.modules.get("tokenizers"), "Tokenizer", None)
    if kind is not None and isinstance(value, kind):
        return "tokenizers"
    for what, name in _KINDS.items():
        # ``transformers`` imports by need: what was never asked for is not there to match.
        base = getattr(sys.modules.get("transformers"), "__dict__", {}).get(name)
        if base is None:
            module = {"model": "modeling_utils", "tokenizer": "tokenization_utils_base"}[what]
            base = getattr(sys.modules.get(f"transformers.{module}"), name, None)
        if base is not None and isinstance(value, base):
            return what
    return ""


def _without_place(config: bytes) -> bytes:
    """Take the folder out that a model was loaded from: it is of this machine."""
    found = json.loads(config)
    found.pop("_name_or_path", None)
    return json.dumps(found, indent=2, sort_keys=True).encode()


def _check(members: dict[str, bytes]) -> None:
    for name, data in members.items():
        if "/" in name or "\\" in name or not name.endswith(ENDINGS) or name.startswith("."):
            raise CannotLoad(f"{name} does not belong into such a folder.")
        if name == "adapter_config.json":
            raise CannotLoad(f"{name} asks for a model that is not in the folder.")
        if name.endswith(".json"):
            _check_json(json.loads(data), name)
    if len(members) > MAX_FILES:
        raise CannotLoad("It holds too many files.")


def _check_json(found: Any, name: str) -> None:
    """Refuse what makes transformers fetch code: classes of others, and kernels of a hub."""
    for node in mappings(found):
        kernels = [v for k, v in node.items() if str(k).endswith("attn_implementation")]
        if "auto_map" in node or any("/" in str(each) for each in kernels):
            raise CannotLoad(f"{name} asks for code of others.")


def _place() -> str | None:
    """Return where a folder can be made when the root file system is read-only."""
    usual = tempfile.gettempdir()
    return usual if os.access(usual, os.W_OK) or not os.access("/dev/shm", os.W_OK) else "/dev/shm"


def _made(what: str, name: str, folder: Path) -> Any:
    if what == "tokenizers":
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    import transformers

    base = getattr(transformers, _KINDS[what])
    found = getattr(transformers, name, None) if name.isidentifier() else None
    if not isinstance(found, type) or not issubclass(found, base):
        raise CannotLoad(f"transformers has no {what} called {name}.")
    kind: Any = found
    asked: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if what == "model":
        asked["use_safetensors"] = True
        model = kind.from_pretrained(folder, **asked).eval()
        for each in (*model.parameters(), *model.buffers()):
            # Out of the mapped file, which is going: and sums depend on how memory is aligned.
            each.data = each.data.clone()
        return model
    return kind.from_pretrained(folder, **asked)
