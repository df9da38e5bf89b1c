"""Parameters as they are given on a command line: ``-p name=value`` and ``-f FILE``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import yaml

from jupyter_mlops.errors import Problem, UsageError

MOST_BYTES = 10_000_000


def given(items: Iterable[str], file: Path | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of a file and the texts of ``name=value`` items.

    Raises ``UsageError`` with every item and file that cannot be read.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    if file is not None:
        try:
            values = read_file(file)
        except UsageError as error:
            problems += error.problems
    for item in items:
        name, equals, text = item.partition("=")
        if equals and name.strip():
            texts[name.strip()] = text
        else:
            problems.append(
                Problem(
                    problem=f"'{item}' is not a parameter",
                    remedy="Write -p name=value",
                    where="-p",
                )
            )
    if problems:
        raise UsageError.collect(problems)
    return values, texts


def read_file(path: Path) -> dict[str, Any]:
    """Return the parameters in a YAML or JSON file: a mapping of names to values.

    Dates of YAML come as dates. Raises ``UsageError``.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _unreadable(path, "It is larger than 10 MB", "Give large data as a file's path")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error), "Check the path") from None
    except UnicodeDecodeError:
        raise _unreadable(path, "It is not UTF-8 text", "Save it as UTF-8") from None
    values = _json(path, text) if path.suffix.lower() == ".json" else _yaml(path, text)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise _unreadable(
            path, "It does not hold a mapping of names to values", "Write lines such as alpha: 0.5"
        )
    strange = [name for name in values if not isinstance(name, str)]
    if strange:
        raise _unreadable(path, f"{strange[0]!r} is no name of a parameter", "Write name: value")
    return values


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, f"It is not valid JSON: {error}", "Correct it") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key} is given twice")
        found[key] = value
    return found


def _yaml(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise _unreadable(path, f"It is not valid YAML: {why}", "Correct it") from None


def _unreadable(path: Path, why: str, remedy: str) -> UsageError:
    return UsageError("The parameters cannot be read", why=why, remedy=remedy, where=str(path))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads YAML 1.2's plain values, and dates.

    PyYAML's own YAML 1.1 takes ``1e-3`` for a text, ``010`` for 8 and ``1:30`` for 90, and the
    second of two equal keys silently.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; a key that stands there twice is an error."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int) and key in seen:
                mark = key_node.start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", mark)
            if isinstance(key, str | int):
                seen.add(key)
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


def _integer(loader: yaml.SafeLoader, node: Any) -> int:
    return int(str(loader.construct_scalar(node)), 0 if _prefixed(node) else 10)


def _prefixed(node: Any) -> bool:
    return str(node.value).lower().lstrip("+-").startswith(("0x", "0o"))


def _float(loader: yaml.SafeLoader, node: Any) -> float:
    return float(
        str(loader.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan")
    )


_RESOLVERS = (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    (
        "tag:yaml.org,2002:timestamp",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?[ ]?(Z|[-+][0-9]{2}:[0-9]{2})?)?",
        "0123456789",
    ),
)
for _tag, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
