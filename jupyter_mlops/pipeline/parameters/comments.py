"""What the comments at a parameter say: its description, and sometimes its range or choices.

Only forms that nobody writes by chance count (``0..1``, ``[1, 100]``, ``one of: a, b``), and
only where the default keeps to them. Everything else is description.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops import parsed

NUMBER = r"[-+]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
END = rf"(?:{NUMBER}|[-+]?(?:inf|infinity|oo|∞))"
PRAGMA = re.compile(
    r"(?:^|[#;,\s]+)(?:noqa|nosec|nosemgrep|type:\s*ignore|mypy:|pyright:|pylint:|ruff:|fmt:|isort:)\S*.*$",
    re.IGNORECASE,
)
TYPE_COMMENT = re.compile(r"^type:\s*(?P<type>\S+)\s*(?P<rest>.*)$")
HEADERS = frozenset(
    """
    parameters parameter params config configuration settings hyperparameters constants
    inputs options imports setup
    """.split()
)
DOTTED = re.compile(rf"(?<![\w.])({NUMBER})\s*\.\.(?!\.)\s*({NUMBER})(?![\w.])")
BRACKETS = re.compile(rf"(?:\bin\s+)?(?P<low>[\[(])\s*({END})\s*[,;]\s*({END})\s*(?P<high>[\])])")
BETWEEN = re.compile(rf"\bbetween\s+({NUMBER})\s+and\s+({NUMBER})(?![\w.])", re.IGNORECASE)
BOUND = re.compile(rf"(?:^|(?<=[,;(]))\s*(>=|<=|>|<|≥|≤)\s*({NUMBER})(?![\w.])(?=\s*(?:$|[,;)]))")
LISTED = re.compile(
    r"\b(?:one of|choices|allowed values)\b\s*:?\s*(?P<items>[^.;]+)$", re.IGNORECASE
)
IN_SET = re.compile(r"(?:\bin\s+|\bone of:?\s*)[{(\[](?P<items>[^{}()\[\]]+)[})\]]", re.IGNORECASE)
QUOTED = r"(?:'[^']*'|\"[^\"]*\")"
ALTERNATIVES = re.compile(rf"(?P<items>{QUOTED}(?:\s*(?:\||,\s*or|\bor)\s*{QUOTED})+)")


@dataclass(frozen=True)
class Said:
    """What a comment says; ``type`` is an annotation in papermill's way, ``# type: int``."""

    description: str = ""
    type: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    choices: list[Any] = field(default_factory=list)


class Comments:
    """The comments of a cell by their line, counted from 1."""

    def __init__(self, source: str) -> None:
        self.trailing: dict[int, str] = {}
        self.alone: dict[int, str] = {}
        lines = parsed.lines(source)
        try:
            for token in tokenize.generate_tokens(io.StringIO(source).readline):
                if token.type == tokenize.COMMENT:
                    line, column = token.start
                    before = lines[line - 1][:column].strip()
                    kept = self.trailing if before else self.alone
                    kept[line] = token.string.lstrip("#: ").strip()
        except (tokenize.TokenError, IndentationError, SyntaxError):
            pass  # a description is a courtesy; the cell's own error is reported elsewhere

    def at(self, statement: ast.stmt) -> str:
        """Return the comment behind a statement, else that of the lines directly above it."""
        last = statement.end_lineno or statement.lineno
        behind = self.trailing.get(last) or self.trailing.get(statement.lineno, "")
        return behind or self._above(statement.lineno)

    def _above(self, line: int) -> str:
        lines: list[str] = []
        while line - 1 in self.alone:
            line -= 1
            lines.insert(0, self.alone[line])
        text = " ".join(text for text in lines if text)
        if any(_is_code(text) for text in lines) or not re.search(r"\w", text):
            return ""
        return "" if _is_header(text) else text


def _is_code(text: str) -> bool:
    try:
        body = parsed.tree_of(text).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    kinds = (ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.Delete)
    return any(
        isinstance(each, kinds) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Call))
        for each in body
    )


def _is_header(text: str) -> bool:
    decorated = text.startswith(("%%", "---", "===", "***", "###")) or text.endswith(
        ("---", "===", "***", "###")
    )
    return decorated or text.strip("-=*#: ").lower() in HEADERS


def read(comment: str, name: str, default: Any) -> Said:
    """Return what a comment says of the parameter ``name`` with this JSON default."""
    text = PRAGMA.sub("", comment).strip()
    kind = ""
    match = TYPE_COMMENT.match(text)
    if match:
        kind, text = match["type"], match["rest"]
    choices, rest = _choices(text, default)
    limits: dict[str, float] = {}
    if not choices:
        limits, rest = _limits(text, name, default)
    return Said(_tidy(rest) if rest != text else text, kind, limits, choices)


def _choices(text: str, default: Any) -> tuple[list[Any], str]:
    if default is None or isinstance(default, bool | list | dict):
        return [], text
    for pattern in (IN_SET, LISTED, ALTERNATIVES):
        match = pattern.search(text)
        if not match:
            continue
        found = [_item(part) for part in _parts(match["items"])]
        right = all(_same_kind(item, default) for item in found)
        if len(found) > 1 and right and default in found and len(set(found)) == len(found):
            return found, text[: match.start()] + text[match.end() :]
    return [], text


def _parts(text: str) -> list[str]:
    parts = re.findall(rf"{QUOTED}|[^,|]+", text)
    words = [word for part in parts for word in re.split(r"(?:^|\s+)or\s+", part.strip())]
    return [word for word in words if word.strip(" ,|")]


def _item(text: str) -> Any:
    text = text.strip()
    try:
        with parsed.unwarned():
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        # Two words are a sentence, not a choice.
        return text if re.fullmatch(r"[\w.+:/-]+", text) else None
    return value if isinstance(value, int | float | str) else None


def _same_kind(item: Any, default: Any) -> bool:
    if isinstance(default, float):
        return isinstance(item, int | float) and not isinstance(item, bool)
    return type(item) is type(default)


def _limits(text: str, name: str, default: Any) -> tuple[dict[str, float], str]:
    if isinstance(default, bool) or not isinstance(default, int | float):
        return {}, text
    found, rest = _interval(text, name)
    return (found, rest) if found and _keeps(found, default) else ({}, text)


def _interval(text: str, name: str) -> tuple[dict[str, float], str]:
    for pattern in (DOTTED, BETWEEN):
        match = pattern.search(text)
        if match:
            low, high = float(match[1]), float(match[2])
            return {"minimum": low, "maximum": high}, _without(text, match)
    match = BRACKETS.search(text)
    # Round brackets on both sides are a pair of numbers as often as an open interval.
    if match and not (match["low"] == "(" and match["high"] == ")" and match[0][0] == "("):
        return _bracketed(match), _without(text, match)
    if name not in text:
        return _bounds(text)  # the pattern below is another one for each name: dear to make
    named = rf"({NUMBER})\s*(<=?|≤)\s*{re.escape(name)}\s*(<=?|≤)\s*({NUMBER})(?![\w.])"
    match = re.search(named, text)
    if match:
        low_key = "exclusive_minimum" if match[2] == "<" else "minimum"
        high_key = "exclusive_maximum" if match[3] == "<" else "maximum"
        return {low_key: float(match[1]), high_key: float(match[4])}, _without(text, match)
    return _bounds(text)


def _bracketed(match: re.Match[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for end, closed, sign, key in (
        (match[2], match["low"] == "[", -1, "minimum"),
        (match[3], match["high"] == "]", 1, "maximum"),
    ):
        if re.search("inf|oo|∞", end):
            if end.startswith("-") != (sign < 0):
                return {}
        else:
            found[key if closed else f"exclusive_{key}"] = float(end)
    return found


def _bounds(text: str) -> tuple[dict[str, float], str]:
    keys = {">=": "minimum", "≥": "minimum", ">": "exclusive_minimum"}
    keys |= {"<=": "maximum", "≤": "maximum", "<": "exclusive_maximum"}
    found = {keys[match[1]]: float(match[2]) for match in BOUND.finditer(text)}
    return found, BOUND.sub("", text)


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + text[match.end() :]


def _keeps(limits: dict[str, float], value: float) -> bool:
    low = max(limits.get(key, float("-inf")) for key in ("minimum", "exclusive_minimum"))
    high = min(limits.get(key, float("inf")) for key in ("maximum", "exclusive_maximum"))
    inside = low <= value <= high and low < high
    return inside and value not in (
        limits.get("exclusive_minimum"),
        limits.get("exclusive_maximum"),
    )


def _tidy(text: str) -> str:
    """Return what is left of a description when a range was taken out of it."""
    text = re.sub(r"\(\s*\)|\[\s*\]", "", text)
    text = re.sub(r"\s*,\s*(?=,)", "", text)
    text = re.sub(r"(?:\b(?:in|range|from|is|must be|choices)|[,;:(=-])\s*$", "", text.strip())
    return re.sub(r"\s+", " ", text).strip(" ,;:-")
