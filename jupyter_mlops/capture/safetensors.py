"""Tensors in a safetensors file, with one text of our own in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlops.capture.protocol import CannotLoad, CannotSave

#: The header's one key: with several, their order would differ each time.
ABOUT = "jupyter_mlops"
MAX_HEADER = 64 * 1024**2


def write(path: Path, tensors: Mapping[str, Any], about: Any) -> None:
    """Write PyTorch tensors, none of which shares memory with another one, and plain JSON."""
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise CannotSave(
            "safetensors is not installed in this environment.",
            why="It is what saves tensors safely.",
            remedy="Add `safetensors` to the environment.",
        ) from None
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        save_file(plain, path, metadata={ABOUT: text})
    except (ValueError, RuntimeError, KeyError) as error:
        raise CannotSave(f"safetensors cannot save it: {error}".splitlines()[0]) from None


def read(path: Path) -> tuple[dict[str, Any], Any]:
    """Return the tensors of a file and the JSON in its header; raises ``CannotLoad``."""
    about = _about(path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        # Copied out of the mapped file: sums depend on how memory is aligned.
        return {name: tensor.clone() for name, tensor in load_file(path).items()}, about
    except (SafetensorError, KeyError, ValueError, RuntimeError, OSError) as error:
        raise CannotLoad(f"safetensors cannot read it: {error}") from None


def _about(path: Path) -> Any:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER, path.stat().st_size - 8):
            raise CannotLoad(f"{path.name} is not a safetensors file.")
        head = file.read(length)
    try:
        return json.loads(json.loads(head)["__metadata__"][ABOUT])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotLoad(f"The header of {path.name} cannot be read: {error!r}.") from None
