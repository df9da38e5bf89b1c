"""PyTorch: tensors, state dicts and modules as safetensors.

A module is its tensors and a description of its parts: the class of each, its plain attributes,
and which tensors are its parameters and buffers. It is put together again without running any
``__init__``. Classes of ``torch.nn`` are known by their place; all others, such as the notebook's
own, must be listed in the manifest, and their code comes with the publication.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlops.capture import code, safetensors
from jupyter_mlops.capture.models import Kind
from jupyter_mlops.capture.protocol import (
    CannotLoad,
    CannotSave,
    Description,
    WithoutInputs,
    check_loads,
)
from jupyter_mlops.capture.values import decode, encode

KNOWN = "torch.nn.modules."
#: What attributes may be, beside plain values: the functions that layers take as activation.
FUNCTIONS = ("celu", "elu", "gelu", "glu", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
             "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign",
             "tanh")  # fmt: skip
_PLACES = ("torch.nn.functional", "torch")
#: Attributes that a module makes again of its parameters.
_DERIVED = ("_flat_weights", "_flat_weight_refs")


class TorchFormat(WithoutInputs):
    """A safetensors file; what a module is made of stands in its header."""

    name: ClassVar[str] = "torch"
    kind: ClassVar[Kind] = "model"
    extension: ClassVar[str] = "safetensors"

    def matches(self, value: Any) -> bool:
        """Match modules, tensors, and mappings of names to tensors such as a state dict."""
        torch = sys.modules.get("torch")
        if torch is None or not hasattr(torch, "nn"):
            return False
        return isinstance(value, torch.nn.Module | torch.Tensor) or _is_tensors(value)

    def save(self, value: Any, path: Path) -> None:
        """Write the tensors and the description, and check that they load again."""
        tensors, about = _taken_apart(value)
        safetensors.write(path, tensors, about)
        with code.using(self.describe(value).classes):
            check_loads(self, path)

    def load(self, path: Path) -> Any:
        """Read the tensors, and put the module together if it is one."""
        tensors, about = safetensors.read(path)
        try:
            if about["what"] == "tensor":
                return tensors["tensor"]
            if about["what"] == "tensors":
                return {name: tensors[key] for name, key in about["names"]}
            return _put_together(tensors, about["modules"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            if isinstance(error, CannotLoad):
                raise
            raise CannotLoad(f"It does not hold a module of PyTorch: {error!r}.") from None

    def describe(self, value: Any) -> Description:
        """Tell shape and dtype of a tensor, and the classes that a module needs."""
        import torch

        if isinstance(value, torch.Tensor):
            shape = [int(length) for length in value.shape]
            return Description(shape=shape, dtype=_dtype(value), modules=["safetensors", "torch"])
        if not isinstance(value, torch.nn.Module):
            return Description(shape=[len(value)], modules=["safetensors", "torch"])
        names = {_class_name(part) for part in value.modules()}
        foreign = {name for name in names if not name.startswith(KNOWN)}
        roots = {name.partition(":")[0].partition(".")[0] for name in foreign} - {code.NOTEBOOK}
        first = next(iter(value.parameters()), None)
        return Description(
            dtype="" if first is None else _dtype(first),
            modules=sorted({"safetensors", "torch", *roots}),
            classes=sorted(foreign),
        )


def _is_tensors(value: Any) -> bool:
    import torch

    if not isinstance(value, dict) or not value:
        return False
    return all(type(k) is str and type(v) is torch.Tensor for k, v in value.items())


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _taken_apart(value: Any) -> tuple[dict[str, Any], Any]:
    import torch

    if isinstance(value, torch.nn.Module):
        taken = _Apart(value)
        return taken.tensors, {"what": "module", "modules": taken.parts}
    named = {"tensor": value} if isinstance(value, torch.Tensor) else dict(value)
    for tensor in named.values():
        _check_tensor(tensor, "It")
    if isinstance(value, torch.Tensor):
        return named, {"what": "tensor"}
    kept: dict[int, str] = {}
    for name, tensor in named.items():
        kept.setdefault(id(tensor), name)
    names = [[name, kept[id(tensor)]] for name, tensor in named.items()]
    return {name: named[name] for name in kept.values()}, {"what": "tensors", "names": names}


def _check_tensor(tensor: Any, place: str) -> None:
    import torch

    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
    if not plain or tensor.layout is not torch.strided or tensor.is_quantized:
        raise CannotSave(
            f"{place} holds a {type(tensor).__name__} of layout {tensor.layout}.",
            why="Only plain dense tensors are kept.",
            remedy="Convert it with .to_dense() or .dequantize(), or use torch.export.",
        )


def _class_name(module: Any) -> str:
    kind = type(module)
    if kind.__module__.startswith(("torch.jit", "torch._dynamo", "torch.fx")):
        raise CannotSave(
            f"It holds a {kind.__name__} of {kind.__module__}, which was compiled from a module.",
            remedy="Capture the module before it is compiled, or what torch.export.export() gives.",
        )
    return code.name_of(kind)


class _Apart:
    """A module in pieces: each of its parts once, and each of its tensors once."""

    def __init__(self, module: Any) -> None:
        import torch

        self.plain = set(torch.nn.Module().__dict__)
        self.tensors: dict[str, Any] = {}
        self.keys: dict[int, str] = {}
        every = dict(module.named_modules(remove_duplicate=True))
        self.numbers = {id(part): number for number, part in enumerate(every.values())}
        self.parts = [self.part(name, part) for name, part in every.items()]

    def part(self, name: str, module: Any) -> dict[str, Any]:
        place, kind = f"{name or 'The module'} ({type(module).__name__})", _class_name(module)
        if any(value for key, value in module.__dict__.items() if key.endswith("_hooks")):
            raise CannotSave(
                f"{place} has hooks, which are code of this session.",
                remedy="Remove them, or do what they do in forward().",
            )
        attributes = {
            key: self.attribute(value, f"{name}.{key}".lstrip("."))
            for key, value in module.__dict__.items()
            if key not in self.plain and key not in _DERIVED
        }
        return {
            "class": kind,
            "training": module.training,
            "attributes": attributes,
            "parameters": self.named(name, module._parameters),
            "buffers": self.named(name, module._buffers),
            "transient": sorted(module._non_persistent_buffers_set),
            "fixed": sorted(
                key for key, value in module._parameters.items()
                if value is not None and not value.requires_grad
            ),
            "modules": [[key, None if part is None else self.numbers[id(part)]]
                        for key, part in module._modules.items()],
        }  # fmt: skip

    def named(self, name: str, tensors: Any) -> list[list[Any]]:
        return [
            [key, None if tensor is None else self.tensor(tensor, f"{name}.{key}".lstrip("."))]
            for key, tensor in tensors.items()
        ]

    def tensor(self, tensor: Any, name: str) -> str:
        key = self.keys.get(id(tensor))
        if key is None:
            _check_tensor(tensor, name)
            key = self.keys[id(tensor)] = name
            self.tensors[key] = tensor
        return key

    def attribute(self, value: Any, name: str) -> Any:
        import torch

        if isinstance(value, torch.Tensor):
            return {"tensor": self.tensor(value, name)}
        if isinstance(value, torch.device | torch.dtype):
            return {type(value).__name__: str(value)}
        for place in _PLACES:
            module = sys.modules[place]
            for function in FUNCTIONS:
                if value is not None and getattr(module, function, None) is value:
                    return {"function": [place, function]}
        try:
            return {"value": encode(value)}
        except CannotSave as error:
            raise CannotSave(
                f"The attribute {name} is no plain value, tensor or submodule.",
                why=error.problem,
                remedy="Keep in the module only what forward() needs.",
            ) from None
        except RecursionError:
            raise CannotSave(f"The attribute {name} contains itself.") from None


def _put_together(tensors: dict[str, Any], parts: list[dict[str, Any]]) -> Any:
    import torch

    made = [_class(part["class"]) for part in parts]
    modules = [kind.__new__(kind) for kind in made]
    parameters: dict[str, Any] = {}
    for module, part in zip(modules, parts, strict=True):
        torch.nn.Module.__init__(module)
        for key, value in part["attributes"].items():
            module.__dict__[key] = _attribute(value, tensors)
        for key, name in part["parameters"]:
            if name is not None and name not in parameters:
                fixed = key in part["fixed"]
                parameters[name] = torch.nn.Parameter(tensors[name], requires_grad=not fixed)
            module.register_parameter(key, None if name is None else parameters[name])
        for key, name in part["buffers"]:
            tensor = None if name is None else tensors[name]
            module.register_buffer(key, tensor, persistent=key not in part["transient"])
        module.training = bool(part["training"])
    for number, (module, part) in enumerate(zip(modules, parts, strict=True)):
        for key, index in part["modules"]:
            # Only parts that come later: none holds itself.
            if index is not None and not number < index < len(modules):
                raise CannotLoad("A module points outside of itself.")
            module._modules[key] = None if index is None else modules[index]
        if hasattr(module, "_init_flat_weights"):
            module._init_flat_weights()
    return modules[0]


def _class(name: str) -> Any:
    import torch

    place, _, qualified = name.partition(":")
    if name.startswith(KNOWN):
        kind = getattr(importlib.import_module(place), qualified, None)
    else:
        kind = code.find(name)
    if not isinstance(kind, type) or not issubclass(kind, torch.nn.Module):
        raise CannotLoad(f"{name} is not a module of PyTorch.")
    return kind


def _attribute(value: Any, tensors: dict[str, Any]) -> Any:
    import torch

    (kind, content), *_ = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "device":
        return torch.device(content)
    if kind == "dtype":
        found = getattr(torch, str(content).removeprefix("torch."), None)
        if not isinstance(found, torch.dtype):
            raise CannotLoad(f"{content} is not a dtype of PyTorch.")
        return found
    if kind == "function":
        place, name = content
        if place not in _PLACES or name not in FUNCTIONS:
            raise CannotLoad(f"{place}.{name} is not a function that layers take.")
        return getattr(importlib.import_module(place), name)
    return decode(content)
