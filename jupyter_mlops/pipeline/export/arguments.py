"""A pipeline's parameters as arguments of ``main()`` and of the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jupyter_mlops.pipeline.export.layout import call
from jupyter_mlops.runtime.parameters import Parameter, Type

_ANNOTATIONS: dict[Type, str] = {
    "bool": "bool", "int": "int", "float": "float", "str": "str", "date": "str",
    "datetime": "str", "path": "str", "list": "list", "dict": "dict", "any": "object",
}  # fmt: skip
_CONVERTERS: dict[Type, str] = {
    "int": "int", "float": "float", "list": "json.loads", "dict": "json.loads",
    "any": "json.loads",
}  # fmt: skip


def literal(value: Any) -> str:
    """Return a JSON value as Python, with double quotes where that is plain."""
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if '"' not in text else text
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, list):
        return f"[{', '.join(literal(each) for each in value)}]"
    if isinstance(value, dict):
        items = [f"{literal(key)}: {literal(each)}" for key, each in value.items()]
        return f"{{{', '.join(items)}}}"
    return repr(value)


def annotated(parameter: Parameter) -> str:
    """Return a parameter as it stands in the head of ``main()``."""
    kind = _ANNOTATIONS[parameter.type]
    if parameter.nullable and kind != "object":
        kind = f"{kind} | None"
    default = "" if parameter.required else f" = {literal(parameter.default)}"
    return f"{parameter.name}: {kind}{default}"


def is_shared(parameter: Parameter) -> bool:
    """Tell whether the default is one object for all calls, which a step may change."""
    return isinstance(parameter.default, list | dict)


def parser(parameters: Sequence[Parameter], name: str) -> list[str]:
    """Return the indented lines that make an ``argparse`` parser, under a name."""
    lines = [f"    {name} = argparse.ArgumentParser(description=__doc__)"]
    for each in parameters:
        options = [literal(f"--{each.name.replace('_', '-')}"), *_converted(each)]
        if each.name.startswith("_"):
            options.append(f"dest={literal(each.name)}")
        if each.choices and not each.nullable:
            options.append(f"choices={literal(each.choices)}")
        options.append("required=True" if each.required else f"default={literal(each.default)}")
        if each.description:
            options.append(f"help={literal(each.description.replace('%', '%%'))}")
        lines.append(call(f"{name}.add_argument", options, "", depth=1))
    return lines


def _converted(parameter: Parameter) -> list[str]:
    if parameter.type == "bool" and not parameter.nullable:
        return ["action=argparse.BooleanOptionalAction"]
    if parameter.nullable and parameter.type not in ("str", "path", "date", "datetime"):
        return ["type=json.loads"]
    return [f"type={_CONVERTERS[parameter.type]}"] if parameter.type in _CONVERTERS else []


def modules(parameters: Sequence[Parameter]) -> set[str]:
    """Return the modules that the parser needs."""
    lines = " ".join(parser(parameters, "parser"))
    return {"argparse", "json"} if "json.loads" in lines else {"argparse"}
