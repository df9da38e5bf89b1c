"""Where a publication could hold a secret: the texts that leave, each with its place."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Outputs that a person reads as text; pictures and sounds hold none that can be found.
_READ = ("text/", "application/json", "application/javascript", "image/svg+xml")

#: How much of a large file is looked at together, in characters.
PART = 4 << 20
#: What a line of data has at least where it holds a token, an address with a login, or a key.
LONG = re.compile(
    r"-----BEGIN|(?i:passw|secret|token|api.?key|login|auth)|(?<![^\s,;|])(?=[^\s,;|]*[A-Za-z])[^\s,;|]{12}"
)


@dataclass(frozen=True)
class Text:
    """A text that is looked at; ``tree`` is its code, where it is Python."""

    where: str
    text: str
    tree: ast.AST | None = None


def cells(found: Mapping[int, tuple[str, ast.AST]]) -> Iterator[Text]:
    """Yield the sources of code cells: number → (source, tree)."""
    for number, (source, tree) in found.items():
        yield Text(f"cell {number}", source, tree)


def outputs(node: Any) -> Iterator[Text]:
    """Yield what the cells of an executed notebook show; ``node`` is one of nbformat 4."""
    number = 0
    for cell in node["cells"]:
        if cell["cell_type"] != "code":
            continue
        number += 1
        for output in cell.get("outputs", []):
            for text in _shown(output):
                yield Text(f"the output of cell {number}", text)


def prose(node: Any) -> Iterator[Text]:
    """Yield Markdown and raw cells, and the metadata of cells and of the notebook."""
    for index, cell in enumerate(node["cells"], 1):
        where = f"{cell['cell_type']} cell (number {index} of all)"
        where = where[0].upper() + where[1:]
        if cell["cell_type"] != "code":
            yield Text(where, cell["source"])
        if cell["metadata"]:
            yield Text(f"the metadata of {where}", json.dumps(cell["metadata"], default=str))
    yield Text("the notebook's metadata", json.dumps(node["metadata"], indent=1, default=str))


def values(named: Mapping[str, Any], what: str) -> Iterator[Text]:
    """Yield named values, such as the defaults of parameters, as the code that would set them."""
    for name, value in named.items():
        text = f"{name} = {value!r}"
        try:
            yield Text(f"{what} '{name}'", text, ast.parse(text))
        except (SyntaxError, ValueError):
            yield Text(f"{what} '{name}'", text)


def files(root: Path, paths: list[str]) -> Iterator[Text]:
    """Yield files below ``root`` that are text."""
    for path in paths:
        raw = (root / path).read_bytes()
        if b"\0" in raw[:8192]:
            continue
        text = raw.decode("utf-8", "replace")
        tree = None
        if path.endswith(".py"):
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                tree = None
        yield Text(path, text, tree)


def is_text(path: Path) -> bool:
    """Tell text from other content by its beginning."""
    with path.open("rb") as file:
        return b"\0" not in file.read(8192)


def parts(root: Path, path: str) -> Iterator[Text]:
    """Yield a file below ``root`` that is text, a few megabytes of whole lines at a time.

    Of data: lines without a word that is long enough for a token are left empty, for there are
    millions of them.
    """
    if not is_text(root / path):
        return
    with (root / path).open(encoding="utf-8", errors="replace") as file:
        done = 0
        while lines := file.readlines(PART):
            where = path if not done else f"{path} (below line {done})"
            yield Text(where, "".join(line if LONG.search(line) else "\n" for line in lines))
            done += len(lines)


def _shown(output: Mapping[str, Any]) -> Iterator[str]:
    if output["output_type"] == "stream":
        yield _joined(output["text"])
    elif output["output_type"] == "error":
        yield "\n".join([output["evalue"], *output["traceback"]])
    else:
        for kind, data in output.get("data", {}).items():
            if kind.startswith(_READ) or kind.endswith("+json"):
                yield _joined(data)


def _joined(data: Any) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, list) and all(isinstance(line, str) for line in data):
        return "".join(data)
    return json.dumps(data, indent=1, default=str)
