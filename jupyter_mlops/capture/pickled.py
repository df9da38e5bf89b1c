"""Pickles: only when a person allows it, because loading one runs whatever it says.

No list of formats holds this one: ``store`` takes it where the publication says so by name.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import code, inputs
from jupyter_mlops.capture.models import Kind, Signature
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, check_loads

PROTOCOL = 5


class PickleFormat:
    """A pickle whose names of the notebook's own code are found in the code that ships."""

    name: ClassVar[str] = "pickle"
    kind: ClassVar[Kind] = "value"
    extension: ClassVar[str] = "pickle"

    def matches(self, value: Any) -> bool:
        """Match nothing by itself."""
        return False

    def save(self, value: Any, path: Path) -> None:
        """Write the pickle and check that it loads again."""
        path.write_bytes(_dumped(value))
        check_loads(self, path)

    def load(self, path: Path) -> Any:
        """Read the pickle. This runs its code: its digest was compared before, no more."""
        try:
            return _Unpickler(io.BytesIO(path.read_bytes())).load()
        except CannotLoad:
            raise
        except Exception as error:
            raise CannotLoad(f"It cannot be unpickled: {type(error).__name__}: {error}") from None

    def describe(self, value: Any) -> Description:
        """Tell the modules that it imports and the classes of the notebook that it needs."""
        looking = _Names(io.BytesIO(_dumped(value)))
        try:
            looking.load()
        except Exception as error:
            raise CannotSave(f"It does not load again: {error}") from None
        modules = {module.partition(".")[0] for module, _ in looking.found}
        classes = [f"{m}:{name}" for m, name in looking.found if m == code.NOTEBOOK]
        return Description(modules=sorted(modules - {code.NOTEBOOK, "builtins"}), classes=classes)

    def signature(self, value: Any) -> Signature | None:
        """Tell what a model of scikit-learn's kind was fitted on."""
        return inputs.known(value)


def _dumped(value: Any) -> bytes:
    try:
        return pickle.dumps(value, protocol=PROTOCOL)
    except Exception as error:
        # A class of others raises what it likes.
        raise CannotSave(f"It cannot be pickled: {type(error).__name__}: {error}") from None


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == code.NOTEBOOK:
            return code.find(f"{module}:{name}")
        return super().find_class(module, name)


class _Names(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.found: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.found.add((module, name))
        return super().find_class(module, name)
