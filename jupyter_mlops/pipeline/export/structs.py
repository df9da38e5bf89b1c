"""What the hand-over uses of msgspec, with nothing but the standard library.

A copy goes into exported folders, where msgspec may not be installed. Only what the models of the
hand-over need: structs with defaults, and JSON of texts, numbers, lists, mappings and structs.
"""

from __future__ import annotations

import copy
import json as _json
import types
import typing
from typing import Any, dataclass_transform


class DecodeError(ValueError):
    """JSON that is not what a struct is made of."""


@dataclass_transform(kw_only_default=True)
class Struct:
    """A record: its fields are the annotations of the class."""

    def __init_subclass__(cls, **_options: Any) -> None:
        super().__init_subclass__()

    def __init__(self, **values: Any) -> None:
        for name in _fields(type(self)):
            if name in values:
                value = values.pop(name)
            elif hasattr(type(self), name):
                value = copy.copy(getattr(type(self), name))
            else:
                raise TypeError(f"{type(self).__name__} needs '{name}'")
            setattr(self, name, value)
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(values)}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


def _fields(kind: type[Struct]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return {name: _plain(each) for name, each in vars(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _made(value: Any, kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Struct):
        if not isinstance(value, dict):
            raise DecodeError(f"Expected an object for {kind.__name__}")
        fields = _fields(kind)
        try:
            return kind(**{n: _made(each, fields[n]) for n, each in value.items() if n in fields})
        except TypeError as error:
            raise DecodeError(str(error)) from None
    inner = typing.get_args(kind)
    outer = typing.get_origin(kind) or kind
    if outer in (typing.Union, types.UnionType):
        wanted = [each for each in inner if each is not types.NoneType]
        return None if value is None else _made(value, wanted[0])
    if outer is list and isinstance(value, list):
        return [_made(each, inner[0]) for each in value] if inner else value
    if outer is dict and isinstance(value, dict):
        return {name: _made(each, inner[1]) for name, each in value.items()} if inner else value
    if outer is float and isinstance(value, int):
        return float(value)
    if outer is not Any and isinstance(outer, type) and not isinstance(value, outer):
        raise DecodeError(f"Expected {outer.__name__}, got {type(value).__name__}")
    return value


class _Decoder:
    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def decode(self, data: bytes | str) -> Any:
        """Return what the JSON text says; raises ``DecodeError``."""
        try:
            value = _json.loads(data)
        except ValueError as error:
            raise DecodeError(str(error)) from None
        return _made(value, self._kind)


class json:
    """The functions of ``msgspec.json``."""

    Decoder = _Decoder

    @staticmethod
    def encode(value: Any) -> bytes:
        """Return a value as JSON in UTF-8."""
        return _json.dumps(_plain(value), ensure_ascii=False).encode()

    @staticmethod
    def decode(data: bytes | str, type: Any = Any) -> Any:
        """Return what a JSON text says; raises ``DecodeError``."""
        return _Decoder(type).decode(data)
