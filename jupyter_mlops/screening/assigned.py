"""Texts that code calls a secret: ``password = "…"``, ``connect(token="…")``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jupyter_mlops.screening.tokens import is_placeholder

#: Words of a name, in any case and with any joint, that say that its value is a secret.
_SECRET = re.compile(
    r"pass(?:word|wd|phrase|code)|pwd|secret|credentials?|"
    r"(?:api|access|auth|account|admin|bot|client|db|database|deploy|encryption|master|private|"
    r"refresh|registry|secret|service|session|signing|ssh|storage|user|web)_?(?:key|token|pass)|"
    r"bearer|(?:^|_)(?:token|pat)$",
    re.IGNORECASE,
)
#: Such names are about secrets, and hold none: lengths, places, names of variables, tokens of text.
_ABOUT = re.compile(
    r"(?:_|^)(?:name|file|path|url|uri|env|var|field|column|col|label|id|length|len|min|max|policy|"
    r"hash|type|prompt|help|hint|placeholder|manager|provider|scope|header|prefix|suffix|size|"
    r"required|expires?|expiry|ttl|index|count|kind|list)s?$|"
    r"^(?:pad|eos|bos|unk|sep|cls|mask|eot|start|end|stop|next|prev|special|num|n|max|min)_?token|"
    r"tokeni[sz]er|tokens$",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-.\s]+")
#: Shorter ones are words of a form, not secrets.
SHORTEST = 4


def assigned(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Yield what code calls a secret: the name, the text, and the line (from 1)."""
    for node in ast.walk(tree):
        for name, value in _pairs(node):
            text = _text(value)
            if text is not None and says_secret(name) and _may_be(text):
                yield name, text, value.lineno


def says_secret(name: str) -> bool:
    """Tell whether a name says that its value is a secret."""
    joined = _JOINT.sub("_", name)
    return bool(_SECRET.search(joined)) and not _ABOUT.search(joined)


def _may_be(text: str) -> bool:
    if len(text) < SHORTEST or is_placeholder(text) or text != text.strip():
        return False
    if re.search(r"\s", text) and len(text.split()) > 4:
        return False  # a sentence
    return not re.fullmatch(r"https?://[^@\s]*|[./~][\w./~-]*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", text)


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _targets(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield from _targets(node.target, node.value)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Call):
        yield from _given(node)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        spec = node.args
        positional = [*spec.posonlyargs, *spec.args]
        with_default = positional[len(positional) - len(spec.defaults) :]
        yield from zip((a.arg for a in with_default), spec.defaults, strict=True)
        only = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        yield from ((argument.arg, value) for argument, value in only if value is not None)


def _given(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    for keyword in node.keywords:
        if keyword.arg:
            yield keyword.arg, keyword.value
    # os.environ.setdefault("API_KEY", "…"), monkeypatch.setenv(…), putenv(…), getenv(…)
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if called in ("setdefault", "setenv", "putenv", "getenv", "get") and len(node.args) == 2:
        name = _text(node.args[0])
        if name is not None:
            yield name, node.args[1]


def _targets(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Attribute):
        yield target.attr, value
    elif isinstance(target, ast.Subscript):
        name = _text(target.slice)
        if name is not None:
            yield name, value
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for one, given in zip(target.elts, value.elts, strict=False):  # as far as both go
            yield from _targets(one, given)


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bytes):
            return node.value.decode("utf-8", "replace")
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None or right is None else left + right
    return None
