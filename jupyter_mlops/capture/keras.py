"""Keras 3 models, as ``.keras``.

Keras' safe mode stops lambdas, but has been led to import and call what a file names. So every
class and function in the configuration is looked up in our list of places first, and the weights
may hold nothing but plain arrays.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import archive
from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.nodes import mappings
from jupyter_mlops.capture.protocol import CannotLoad, CannotSave, Description, WithoutInputs

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
DATE = "1980-01-01@00:00:00"
BACKENDS = ("jax", "numpy", "openvino", "tensorflow", "torch")
_PLACES = frozenset(
    {"keras", "keras.constraints", "keras.initializers", "keras.layers", "keras.models",
     "keras.regularizers", "keras.src.models.functional", "keras.src.models.sequential"}
)  # fmt: skip
#: What Keras writes for values that JSON has no word for.
_MARKS = frozenset({"__keras_tensor__", "__numpy__", "__tensor__"})
#: Layers that run code of the file, or read other files.
_REFUSED = frozenset({"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"})


class KerasFormat(WithoutInputs):
    """A ``.keras`` archive of Keras' own layers, without the state of training."""

    name: ClassVar[str] = "keras"
    kind: ClassVar[Kind] = "model"
    extension: ClassVar[str] = "keras"

    def matches(self, value: Any) -> bool:
        """Match every model of Keras; those of classes of one's own are refused with a reason."""
        kind = getattr(sys.modules.get("keras"), "Model", None)
        return kind is not None and isinstance(value, kind)

    def save(self, value: Any, path: Path) -> None:
        """Write the model without date and chance, and check that it loads again."""
        try:
            value.save(path)
        except Exception as error:
            # Keras raises what the layers raise.
            raise CannotSave(f"Keras cannot save it: {error}".splitlines()[0]) from None
        members = archive.read(path)
        config = json.loads(members[CONFIG])
        config.pop("compile_config", None)
        _number(config)
        metadata = json.loads(members[METADATA])
        metadata |= {"date_saved": DATE, "backend": sys.modules["keras"].backend.backend()}
        members[METADATA] = json.dumps(metadata, sort_keys=True).encode()
        members[CONFIG] = json.dumps(config).encode()
        archive.write(path, members.items())
        try:
            self.load(path)
        except CannotLoad as error:
            raise CannotSave(
                str(error),
                remedy="Build the model of Keras' own layers (keras.Sequential, or keras.Model of "
                "inputs and outputs), and do the rest in `predict`.",
            ) from None

    def load(self, path: Path) -> Any:
        """Read the model after looking at every class in it, and at what its weights are."""
        members = archive.read(path)
        try:
            if set(members) != {METADATA, CONFIG, WEIGHTS}:
                raise CannotLoad("It does not hold exactly what a model of Keras' layers needs.")
            backend = json.loads(members[METADATA]).get("backend")
            if "keras" not in sys.modules and backend in BACKENDS:
                # Keras reads it once, when it is imported.
                os.environ["KERAS_BACKEND"] = backend
            check(json.loads(members[CONFIG]))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            if isinstance(error, CannotLoad):
                raise
            raise CannotLoad(f"It does not hold a model of Keras: {error!r}.") from None
        _check_weights(members[WEIGHTS])
        import keras

        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:
            # A configuration that makes no sense fails in any way.
            raise CannotLoad(f"Keras cannot read it: {error!r}"[:300]) from None

    def describe(self, value: Any) -> Description:
        """Tell the shape of its inputs, without the number of rows."""
        shape = getattr(value, "input_shape", None)
        known = isinstance(shape, tuple) and all(isinstance(each, int) for each in shape[1:])
        backend = sys.modules["keras"].backend.backend()
        return Description(
            shape=[int(each) for each in shape[1:]] if known and shape else None,
            modules=sorted({"h5py", "keras", "numpy", backend}),
        )


def _number(config: Any) -> None:
    """Number the objects that are shared: Keras names them by their place in memory."""
    numbers: dict[Any, int] = {}
    for node in mappings(config):
        if "shared_object_id" in node:
            node["shared_object_id"] = numbers.setdefault(node["shared_object_id"], len(numbers))


def check(config: Any) -> None:
    """Refuse a configuration that names anything but Keras' own parts; raises ``CannotLoad``."""
    if not isinstance(config, dict) or "class_name" not in config:
        raise CannotLoad("It does not hold a model of Keras.")
    for node in mappings(config):
        if isinstance(node.get("vocabulary"), str):
            raise CannotLoad("It reads a vocabulary from another file.")
        if "class_name" in node or "module" in node:
            _check_named(node)


def _check_named(node: Mapping[str, Any]) -> None:
    place, name = node.get("module"), str(node.get("class_name"))
    if place is None and name in _MARKS:
        return
    if name == "function":
        place, name = "keras.activations", str(node.get("config"))
        if node.get("module") not in (place, "builtins") or not name.isidentifier():
            raise CannotLoad(f"It names the function {node.get('module')}.{name}.")
    elif place not in _PLACES or name in _REFUSED or ">" in str(node.get("registered_name")):
        raise CannotLoad(f"It holds {place}.{name}, which is not one of Keras' safe parts.")
    found = getattr(importlib.import_module(str(place)), name, None)
    if name.startswith("_") or not callable(found):
        raise CannotLoad(f"Keras has no {place}.{name}.")


def _check_weights(data: bytes) -> None:
    """Refuse weights that point to other files, or that ask for more than they have."""
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            total = sum(_size(item) for item in _datasets(file, 0))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, CannotLoad):
            raise
        raise CannotLoad(f"Its weights are not HDF5: {error}") from None
    if total > len(data):
        raise CannotLoad("Its weights announce more than they have.")


def _datasets(group: Any, depth: int) -> Iterator[Any]:
    import h5py

    if depth > 100:
        raise CannotLoad("Its weights are nested too deeply.")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise CannotLoad(f"Its weights point elsewhere: {name}.")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _datasets(item, depth + 1)
        else:
            yield item


def _size(item: Any) -> int:
    stored = item.chunks is None and item.external is None and not item.is_virtual
    if not stored or item.dtype.kind not in "biufV":
        raise CannotLoad(f"Its weights hold {item.name}, which is not a plain array.")
    return int(item.nbytes)
