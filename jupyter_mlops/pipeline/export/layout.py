"""Python text: indenting that leaves quoted texts alone, lines that fit, docstrings."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Sequence

WIDTH = 88


def indented(text: str, depth: int = 1) -> str:
    """Indent Python code; the inside of texts over several lines stays as it is."""
    inside = _inside_texts(text)
    lines = text.split("\n")
    prefix = "    " * depth
    return "\n".join(
        line if number in inside or not line.strip() else prefix + line
        for number, line in enumerate(lines, 1)
    )


def _inside_texts(text: str) -> set[int]:
    """Return the lines, counted from 1, that begin inside of a quoted text."""
    found: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name.endswith("STRING_START"):
            starts.append(token.start[0])
        elif name.endswith("STRING_END") and starts:
            found.update(range(starts.pop() + 1, token.end[0] + 1))
        elif name == "STRING":
            found.update(range(token.start[0] + 1, token.end[0] + 1))
    return found


def call(head: str, parts: Sequence[str], tail: str, depth: int = 0) -> str:
    """Return ``head(parts)tail`` on one line, or a line for each part where that is too long."""
    line = f"{head}({', '.join(parts)}){tail}"
    prefix = "    " * depth
    if len(prefix + line) <= WIDTH or not parts:
        return prefix + line
    inner = "".join(f"{prefix}    {part},\n" for part in parts)
    return f"{prefix}{head}(\n{inner}{prefix}){tail}"


def docstring(lines: Iterable[str]) -> str:
    """Return lines as a docstring."""
    text = "\n".join(lines).strip().replace("\\", "\\\\").replace('"""', "'''")
    if text.endswith('"'):
        text += " "
    end = "\n" if "\n" in text else ""
    return f'"""{text}{end}"""'


def cells_text(cells: Sequence[int]) -> str:
    """Return ``cell 3`` or ``cells 3 to 5``."""
    if len(cells) == 1:
        return f"cell {cells[0]}"
    return f"cells {cells[0]} to {cells[-1]}"


def function_name(step: str, taken: set[str]) -> str:
    """Return a step's name as an identifier that nothing else has, and note that it is taken."""
    name = re.sub(r"\W", "_", step)
    if name[:1].isdigit():
        name = f"step_{name}"
    if keyword.iskeyword(name) or name in taken:
        name = f"{name}_step"
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    taken.add(unique)
    return unique
